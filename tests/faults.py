"""Faults between the product and AWS: a kill at call n, before it is sent or after it was answered, and refusals.

They are injected where every AWS call of boto3 and PynamoDB passes, so no call can be forgotten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

_send = BaseClient._make_api_call


class Killed(BaseException):
    """The process dies here. Not an ``Exception``: nothing in the product may catch it and go on."""


@contextmanager
def between(around: Callable[[str, Callable[[], Any]], Any]) -> Iterator[None]:
    """Hand every AWS call to ``around(operation, send)``."""

    def call(self: Any, operation: str, kwargs: Any) -> Any:
        return around(operation, lambda: _send(self, operation, kwargs))

    BaseClient._make_api_call = call
    try:
        yield
    finally:
        BaseClient._make_api_call = _send


@contextmanager
def counted() -> Iterator[list[str]]:
    """The operations of all calls made."""
    made: list[str] = []

    def around(operation: str, send: Callable[[], Any]) -> Any:
        made.append(operation)
        return send()

    with between(around):
        yield made


@contextmanager
def killed_at(call: int, *, answered: bool) -> Iterator[None]:
    """The ``call``-th AWS call (from 0) is the last: it is lost, or (``answered``) only its answer is."""
    count = iter(range(1 << 30))

    def around(operation: str, send: Callable[[], Any]) -> Any:
        mine = next(count)
        if mine == call and not answered:
            raise Killed
        answer = send()
        if mine == call:
            raise Killed
        return answer

    with between(around):
        yield


@contextmanager
def unconditional() -> Iterator[None]:
    """Writes without any of their conditions, and slow enough to meet: what a test of races must go red by."""
    from chalicelib import tables

    def add(transaction: Any, write: Any) -> None:
        if isinstance(write, tables.Put):
            transaction.save(write.item)
        elif isinstance(write, tables.Change):
            transaction.update(write.item, list(write.actions))

    def slowly(operation: str, send: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems":
            time.sleep(0.02)
        return send()

    guarded = tables._add
    tables._add = add
    try:
        with between(slowly):
            yield
    finally:
        tables._add = guarded


@contextmanager
def refusing(operation: str, codes: list[str]) -> Iterator[list[str]]:
    """The first calls of ``operation`` are refused with these codes, one after the other; returns those not used up.

    ``TransactionConflict`` and throttling come as DynamoDB has them: as a reason of a cancelled transaction.
    """
    lock, left = threading.Lock(), list(codes)

    def around(called: str, send: Callable[[], Any]) -> Any:
        with lock:
            code = left.pop(0) if called == operation and left else None
        if code is None:
            return send()
        if code in ("TransactionConflict", "ThrottlingError"):
            body = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
            raise ClientError({**body, "CancellationReasons": [{"Code": code}]}, called)
        raise ClientError({"Error": {"Code": code, "Message": "injected"}}, called)

    with between(around):
        yield left
