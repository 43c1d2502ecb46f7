"""Writes down every change of the emulated AWS in the journal, before the request that made it is answered.

A record holds what a request changed and not the request: the items, messages and files as they became, with the
version ids, message ids, times and receipt handles that the emulator chose. So nothing is decided again when the
records are applied (``replay``), no event fires again, and a function's own writes come once, from its own requests.

Changes are seen where ministack makes them: its functions are wrapped (here for tables, in ``queue_records`` and
``object_records`` for the rest), which is one more reason why its version is pinned. What has no record (a table is
made, the setting of a queue or a bucket changes) makes a snapshot due at once.

One lock covers requests and ministack's threads (expiry, event mappings), so the order of records is that of changes.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from local.files import Files
from local.journal import Effect, Journal

Function = Callable[..., Any]
"""A function of ministack."""
_SETTINGS = """
create_table delete_table update_table update_ttl update_continuous_backups tag_resource untag_resource
execute_statement batch_execute_statement execute_transaction put_resource_policy delete_resource_policy
create_backup delete_backup restore_table_from_backup restore_table_to_point_in_time import_table
"""
_WRITES = "put_item update_item delete_item batch_write_item transact_write_items"


def service(name: str) -> Any:
    """ministack's module of a service; imported late, because ministack reads its settings at import."""
    return importlib.import_module("ministack.app")._get_module(name)


class Recorder:
    """Records changes, from ``watch_tables`` and its like on; one per process.

    ``unrecorded`` counts the changes that have no record. ``in_flight``: the ids of the messages that functions work
    on.
    """

    def __init__(self, journal: Journal, files: Files) -> None:
        self.journal, self.files = journal, files
        self.lock = threading.RLock()
        self.unrecorded = 0
        self.in_flight: set[str] = set()
        self._effects: list[Effect] | None = None

    @contextlib.contextmanager
    def record(self) -> Iterator[list[Effect]]:
        """The record that is open in this thread, or a new one: what it holds at its end goes to the journal."""
        with self.lock:
            if self._effects is not None:
                yield self._effects
                return
            effects = self._effects = []
            try:
                yield effects
            finally:
                self._effects = None
                moves = self.files.taken()
                try:
                    if effects or moves:
                        self.journal.append([*effects, *moves], at_once=bool(moves))
                finally:
                    self.files.carry_out(moves)

    def recorded(self, function: Function) -> Function:
        """``function`` with all its changes in one record."""

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            with self.record():
                return function(*arguments, **named)

        return run

    def without_record(self, function: Function) -> Function:
        """``function``, whose changes have no record."""

        @functools.wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            with self.record():
                self.unrecorded += 1
                return function(*arguments, **named)

        return run


def watch_tables(recorder: Recorder) -> None:
    """Record every change of an item, and the tokens of transactions, so that a repeated transaction has no effect."""
    dynamodb = service("dynamodb")
    set_item, remove_item, store_token = dynamodb._set_item, dynamodb._remove_item, dynamodb._txn_token_store

    def _set_item(table: Any, pk: str, sk: str, item: Any) -> Any:
        with recorder.record() as effects:
            effects.append(["item", table["TableArn"], pk, sk, item])
            return set_item(table, pk, sk, item)

    def _remove_item(table: Any, pk: str, sk: str) -> Any:
        with recorder.record() as effects:
            effects.append(["item", table["TableArn"], pk, sk, None])
            return remove_item(table, pk, sk)

    def _txn_token_store(token: str, entry: dict[str, Any]) -> None:
        with recorder.record() as effects:
            store_token(token, entry)
            scope = dynamodb._txn_idempotency._scoped(token)
            effects.append(["token", *scope, without(entry, "signature")])

    dynamodb._lock = recorder.lock
    dynamodb._set_item, dynamodb._remove_item, dynamodb._txn_token_store = _set_item, _remove_item, _txn_token_store
    for name in _WRITES.split():
        setattr(dynamodb, f"_{name}", recorder.recorded(getattr(dynamodb, f"_{name}")))
    for name in _SETTINGS.split():
        setattr(dynamodb, f"_{name}", recorder.without_record(getattr(dynamodb, f"_{name}")))


def without(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of ``entry`` that lacks one of its values."""
    return {each: value for each, value in entry.items() if each != name}
