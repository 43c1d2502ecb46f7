"""Applying an import that has begun: transaction by transaction, each with the count of applied rows.

The API applies small imports within the request; an event function applies the others. Both do the same steps, and so
may both at once: of two that apply the same rows one loses the race and goes on behind them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from chalicelib import periods
from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import entry_item, get_client, with_posted
from chalicelib.accounts.service import billing_dates, creating, import_lock
from chalicelib.accounts.service.import_rows import Row, StoredRows
from chalicelib.accounts.store.holdings import Did, SubAccount
from chalicelib.accounts.store.intake import Import
from chalicelib.accounts.store.ledger import Month
from chalicelib.accounts.store.owners import Client
from chalicelib.accounts.store.terms import Assignment, TermsHead
from chalicelib.aws import queues
from chalicelib.aws.answers import Guard
from chalicelib.aws.transactions import (
    MAX_WRITES,
    Change,
    Event,
    Put,
    Require,
    Scope,
    Write,
    commit,
    event,
    settled,
)
from chalicelib.config import settings
from chalicelib.errors import LostRace

_OTHER_WRITES = 4
"""Writes of a transaction that belong to no row: count, lock, event, the answer to an Idempotency-Key."""
MOST_WRITES = MAX_WRITES - _OTHER_WRITES
"""Most writes of rows in one transaction."""


def find(reseller_id: str, import_id: str) -> Import | None:
    """An import that has begun; ``None`` if there is none with this id."""
    return Import.find(*Import.key(reseller_id, import_id))


def apply(
    scope: Scope,
    reseller_id: str,
    import_id: str,
    *,
    most_writes: int = MOST_WRITES,
    out_of_time: Callable[[], bool] = lambda: False,
    result: Callable[[Import], Any] = lambda item: None,
) -> bool:
    """Apply the remaining rows; false if ``out_of_time`` was true before all were applied.

    An unknown import has no rows. ``result``: of the import that is done, what an Idempotency-Key answers.
    """
    guard, rows = scope.guard, StoredRows(reseller_id, import_id)
    while _step(scope, reseller_id, import_id, rows, guard, most_writes, result):
        if out_of_time():
            return False
    return True


def announce(reseller_id: str, import_id: str, now: int) -> None:
    """Tell the event function of an import that has rows to apply."""
    message = {"reseller_id": reseller_id, "at": periods.format_instant(now), "import": import_id}
    queues.send(settings.hourly_queue, [json.dumps(message)])


@settled
def _step(
    scope: Scope,
    reseller_id: str,
    import_id: str,
    stored: StoredRows,
    guard: Guard | None,
    most_writes: int,
    result: Callable[[Import], Any],
) -> bool:
    """Apply as many rows as fit one transaction, and count them; the last ones end the import. False if it is done."""
    item = find(reseller_id, import_id)
    if item is None or item.status == "done":
        return False
    done, rows = item.done, stored.from_row(item.done)
    merged, today = _MergedWrites(most_writes), billing_dates.today(reseller_id, scope.now)
    for row in rows:
        # A line may need what a line of an earlier file stores, so rows of two files are not applied together.
        if row["file"] != rows[0]["file"] or not merged.add(_writes_of(scope, reseller_id, import_id, today, row)):
            break
    ends = done + merged.rows == item.rows
    item.done = done + merged.rows
    actions, more = [Import.done.set(item.done)], list[Write]()
    if ends:
        item.status, item.finished_at = "done", scope.now
        actions += [Import.status.set("done"), Import.finished_at.set(scope.now)]
        recorded = event(scope, reseller_id, "import.done", import_id)
        more = [import_lock.release(reseller_id, import_id), recorded]
    counted = Change(item, actions, (Import.done == done) & (Import.status == "applying"))
    scope.guard = guard if ends else None
    commit(scope, [*merged.writes(), counted, *more], result(item) if scope.guard else None)
    return not ends


class _MergedWrites:
    """The writes of several rows for one transaction: what two rows write alike is written once."""

    def __init__(self, most: int) -> None:
        self.rows, self._most = 0, most
        self._writes: dict[tuple[str, ...], Write] = {}

    def add(self, writes: list[Write]) -> bool:
        """Add the writes of a row; false if they do not fit any more. The first row always fits."""
        merged = dict(self._writes)
        for write in writes:
            target = _target(write)
            merged[target] = _stronger(merged[target], write) if target in merged else write
        if self.rows and len(merged) > self._most:
            return False
        self.rows, self._writes = self.rows + 1, merged
        return True

    def writes(self) -> list[Write]:
        """All writes; ``LostRace`` if the terms version changed between one row and the next."""
        versions = {w.item.version for w in self._writes.values() if isinstance(w.item, Assignment)}
        if len(versions) > 1:
            raise LostRace()
        return list(self._writes.values())


def _target(write: Write) -> tuple[str, ...]:
    """What a write is about: the key of an item, or the content of an event."""
    item = write.item
    if isinstance(item, Event):
        return item.pk, item.kind, item.subject, json.dumps(item.changes, sort_keys=True)
    return item.pk, item.sk


def _stronger(before: Write, write: Write) -> Write:
    """Of two writes to one item the one that includes the other.

    A change includes a condition, and of two that take a terms version the one with the stricter condition includes the
    other. Other pairs are equal: the bump of a version, or an attached package.
    """
    if isinstance(before, Require):
        return write
    if isinstance(before, Change) and isinstance(write, Change) and isinstance(write.item, TermsHead):
        return max(before, write, key=lambda change: len(str(change.condition)))
    return before


def _writes_of(scope: Scope, reseller_id: str, import_id: str, today: str, row: Row) -> list[Write]:
    """The writes that apply a row."""
    values = row["values"]
    if row["file"] == "clients":
        item = Client(*Client.key(reseller_id, values["client_id"]), **values)
        return _client_writes(scope, reseller_id, import_id, today, item, row["balance"])
    bumped = get_client(reseller_id, values["client_id"]).bump()
    if row["file"] == "subaccounts":
        subaccount = SubAccount(*SubAccount.key(reseller_id, values["subaccount_id"]), **values)
        return [bumped, *creating.subaccount_writes(scope, reseller_id, subaccount)]
    did = Did.get(*Did.key(reseller_id, row["number"]), consistent_read=True)
    return [bumped, *creating.did_writes(scope, reseller_id, did, values)]


def _client_writes(
    scope: Scope, reseller_id: str, import_id: str, today: str, item: Client, balance_e8: int
) -> list[Write]:
    """The writes of a client whose first entry is its opening balance. That causes no notices of crossings."""
    client_id = item.client_id
    fields = {"import_id": import_id, **creating.client_fields(item)}
    fields |= {"balance_e8": balance_e8} if balance_e8 else {}
    recorded = event(scope, reseller_id, "client.created", client_id, fields)
    if not balance_e8:
        return [Put(item), recorded]
    posting = rules.Posting("adjustment", balance_e8, "Opening balance", today[:7], f"import:{import_id}")
    posted = rules.post(item.account(), posting, scope.now)
    item.balance_e8, item.entries, item.posted_at = posted.account.balance_e8, 1, posted.account.posted_at
    item.service, item.low = posted.account.service, posted.account.low
    opened = with_posted(Month(*Month.key(client_id, posted.period)), posting)
    return [Put(item), Put(entry_item(scope, item, posting, posted)), Put(opened), recorded]
