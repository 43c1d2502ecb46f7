"""Counts what AWS would bill: every request of botocore and PynamoDB is counted here, with the size of its items.

Units are computed from the items themselves by DynamoDB's published rules, not taken from the emulator: a write is
one unit per KB begun, two in a transaction, one more per KB in the index of days; a consistent read is one unit per
4 KB begun.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

_send = BaseClient._make_api_call  # type: ignore[attr-defined]
_WRITES = {"Put": "Item", "Update": "Key", "Delete": "Key", "ConditionCheck": "Key"}
_INDEXED = "month_key"


@dataclass
class Meter:
    """``calls`` by service and operation; ``wru`` and ``rru``, DynamoDB's write and read request units.

    ``own_cpu`` is the processor time that metering itself took, in seconds.
    """

    calls: Counter[str] = field(default_factory=Counter)
    wru: int = 0
    rru: int = 0
    own_cpu: float = 0

    def summary(self) -> dict[str, Any]:
        return {"calls": dict(self.calls), "wru": self.wru, "rru": self.rru}

    def add(self, client: Any, service: str, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Add one call. ``answer`` is empty when it was refused, which DynamoDB bills all the same."""
        began = time.process_time()
        self.calls[f"{service}:{operation}"] += 1
        if service == "dynamodb":
            self._units(client, operation, request, answer)
        self.own_cpu += time.process_time() - began

    def _units(self, client: Any, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            for entry in request["TransactItems"]:
                kind, write = next(iter(entry.items()))
                self._write(client, write["TableName"], write[_WRITES[kind]], kind == "Put", times=2)
        elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
            is_put = operation == "PutItem"
            self._write(client, request["TableName"], request["Item" if is_put else "Key"], is_put, times=1)
        elif operation == "BatchGetItem":
            items = [item for rows in answer.get("Responses", {}).values() for item in rows]
            key_count = sum(len(each["Keys"]) for each in request["RequestItems"].values())
            # A key that is not there costs as much as a small item.
            self.rru += sum(_units(size_of(item), 4096) for item in items) + max(0, key_count - len(items))
        elif operation == "GetItem":
            self.rru += _units(size_of(answer.get("Item", {})), 4096)
        elif operation == "Query":
            self.rru += _units(sum(map(size_of, answer.get("Items", []))), 4096)
        else:
            raise RuntimeError(f"no rule says what {operation} costs")

    def _write(self, client: Any, table: str, item: dict[str, Any], whole: bool, times: int) -> None:
        if not whole:
            # The whole item counts, not only the attributes that were sent.
            key = {name: item[name] for name in ("pk", "sk")}
            item = _send(client, "GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get("Item", key)
        units = _units(size_of(item), 1024)
        self.wru += times * units + (units if _INDEXED in item else 0)


def _units(size: int, step: int) -> int:
    return max(1, -(-size // step))


def size_of(item: dict[str, Any]) -> int:
    """Bytes of an item as DynamoDB counts them: names and values."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: dict[str, Any]) -> int:
    kind, inside = next(iter(value.items()))
    if kind == "S":
        return len(inside.encode())
    if kind == "N":
        return len(inside.strip("-0.")) // 2 + 2
    if kind == "B":
        return len(inside)
    if kind == "L":
        return 3 + sum(1 + _value(each) for each in inside)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value(each) for name, each in inside.items())
    if kind in ("SS", "NS", "BS"):
        return sum(len(each) for each in inside)
    return 1


@contextmanager
def metering() -> Iterator[Meter]:
    """Count every AWS call of this process."""
    meter = Meter()

    def call(self: Any, operation: str, request: dict[str, Any]) -> Any:
        service = self.meta.service_model.service_name
        try:
            answer = _send(self, operation, request)
        except ClientError:
            meter.add(self, service, operation, request, {})
            raise
        meter.add(self, service, operation, request, answer)
        return answer

    BaseClient._make_api_call = call  # type: ignore[attr-defined]
    try:
        yield meter
    finally:
        BaseClient._make_api_call = _send  # type: ignore[attr-defined]
