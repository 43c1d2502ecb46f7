"""Imports: clients with their opening balances, sub-accounts and DIDs from another system, all or nothing.

An import has more writes than the 100 of one transaction, so it has two steps. First the files are read and checked
against what the reseller has, under a lock (``import_lock``); if all rows are good, one transaction stores them and
begins the import. From then on no row can become wrong. Then transaction by transaction applies rows, each together
with the count of applied rows. So a repeat, after a crash or at the same time, goes on behind them. The last
transaction ends the import and releases the lock.

The id of an import is a hash of its files: the same files again are the same import, and change nothing.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import entry_item, get_client, with_posted
from chalicelib.accounts.service import billing_dates, clients, dids, import_lock, subaccounts
from chalicelib.accounts.service.import_plans import Fault, Plan, Reader, Row
from chalicelib.accounts.shapes.dids import AssignIn
from chalicelib.accounts.shapes.imports import FILES, ClientRow, DidRow, ImportIn, ImportOut, SubAccountRow
from chalicelib.accounts.shapes.subaccounts import SubAccountIn
from chalicelib.accounts.store.holdings import Did
from chalicelib.accounts.store.intake import Import, ImportRows
from chalicelib.accounts.store.ledger import Month
from chalicelib.accounts.store.terms import Assignment, TermsHead
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
from chalicelib.errors import FieldError, Invalid, LostRace, existing

ROWS_PER_ITEM = 20
"""An item holds 400 KB, and a row has at most about 16."""
_OTHER_WRITES = 4
"""Writes of a transaction that belong to no row: count, lock, event, the answer to an Idempotency-Key."""
MOST_FAULTS = 100
"""Most faults in an answer."""
_ASSIGNED = ("monthly", "setup", "per_minute", "next_billing_date")
"""Cells of a number's line that are fields of ``AssignIn``."""


def run(scope: Scope, reseller_id: str, body: ImportIn, *, most_writes: int = MAX_WRITES - _OTHER_WRITES) -> ImportOut:
    """Import, or with ``preview`` say what an import would do. An import that was begun before is finished.

    422 with every wrong line, and nothing is imported; 409 while another import is applied. ``most_writes``: for rows,
    in one transaction.
    """
    if body.preview:
        return _preview(Reader(reseller_id, scope.now).read(body))
    import_id = _id(body)
    guard, scope.guard = scope.guard, None
    faults = _begin(scope, reseller_id, import_id, body)
    if faults:
        raise _refusal(faults)
    scope.guard = guard
    return resume(scope, reseller_id, import_id, most_writes=most_writes)


def resume(
    scope: Scope, reseller_id: str, import_id: str, *, most_writes: int = MAX_WRITES - _OTHER_WRITES
) -> ImportOut:
    """Apply the remaining rows of an import; 404 for an unknown one."""
    guard = scope.guard
    while (item := _find(reseller_id, import_id)) is not None and item.status != "done":
        _step(scope, reseller_id, import_id, guard, most_writes)
    return get(reseller_id, import_id)


def get(reseller_id: str, import_id: str) -> ImportOut:
    """An import and how far it is; 404 for an unknown one."""
    item = existing(_find(reseller_id, import_id))
    return _to_out(item, _rows(reseller_id, import_id, 0))


def _id(body: ImportIn) -> str:
    content = json.dumps([*(getattr(body, name) for name in FILES), *_declared(body)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _declared(body: ImportIn) -> list[Any]:
    """How the file of clients is written, if that is declared."""
    return [sorted((body.columns or {}).items()), body.number_format] if body.columns or body.number_format else []


def _find(reseller_id: str, import_id: str) -> Import | None:
    return Import.find(*Import.key(reseller_id, import_id))


@settled
def _begin(scope: Scope, reseller_id: str, import_id: str, body: ImportIn) -> list[Fault]:
    """Begin an import under the lock, unless it was begun before; or release the lock and return what is wrong."""
    if _find(reseller_id, import_id):
        return []
    import_lock.take(scope, reseller_id, import_id)
    begun = _find(reseller_id, import_id)
    if begun and begun.status == "applying":
        return []
    try:
        # Another request may have begun and ended the same import meanwhile: only the lock is left to release.
        plan = Plan() if begun else Reader(reseller_id, scope.now).read(body)
    except Invalid:
        commit(scope, [import_lock.release(reseller_id, import_id)])
        raise
    if begun or plan.faults:
        commit(scope, [import_lock.release(reseller_id, import_id)])
        return plan.faults
    commit(
        scope, [*_begin_writes(scope, reseller_id, import_id, plan), import_lock.require_held(reseller_id, import_id)]
    )
    return []


def _begin_writes(scope: Scope, reseller_id: str, import_id: str, plan: Plan) -> list[Write]:
    item = Import(
        *Import.key(reseller_id, import_id),
        import_id=import_id,
        status="applying",
        rows=len(plan.rows),
        counts=plan.counts(),
        created_at=scope.now,
    )
    rows = [
        Put(ImportRows(*ImportRows.key(reseller_id, import_id, first), kept=plan.rows[first : first + ROWS_PER_ITEM]))
        for first in range(0, len(plan.rows), ROWS_PER_ITEM)
    ]
    return [Put(item), *rows, event(scope, reseller_id, "import.begun", import_id, plan.counts())]


@settled
def _step(scope: Scope, reseller_id: str, import_id: str, guard: Guard | None, most_writes: int) -> None:
    """Apply as many rows as fit one transaction, and count them; the last ones end the import."""
    item = _find(reseller_id, import_id)
    if item is None or item.status == "done":
        return
    done = item.done
    merged, rows = _MergedWrites(most_writes), _rows(reseller_id, import_id, done)
    for row in rows:
        # A line may need what a line of an earlier file stores, so rows of two files are not applied together.
        if row["file"] != rows[0]["file"] or not merged.add(_writes_of(scope, reseller_id, import_id, row)):
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
    result = _to_out(item, _rows(reseller_id, import_id, 0)) if scope.guard else None
    commit(scope, [*merged.writes(), counted, *more], result)


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


def _writes_of(scope: Scope, reseller_id: str, import_id: str, row: Row) -> list[Write]:
    """The writes that apply a row."""
    body = FILES[row["file"]].model_validate(row["cells"])
    if isinstance(body, ClientRow):
        return _client_writes(scope, reseller_id, import_id, row["id"], body)
    bumped = get_client(reseller_id, row["client_id"]).bump()
    if isinstance(body, SubAccountRow):
        fields = SubAccountIn(
            username=body.username,
            client_id=row["client_id"],
            package_id=row["package_id"],
            next_billing_date=body.next_billing_date,
        )
        item = subaccounts.new_item(scope, reseller_id, row["id"], fields)
        return [bumped, *subaccounts.create_writes(scope, reseller_id, item)]
    assert isinstance(body, DidRow)
    did = Did.get(*Did.key(reseller_id, body.number), consistent_read=True)
    today = billing_dates.today(reseller_id, scope.now)
    return [bumped, *dids.assign_writes(scope, reseller_id, did, _assignment(row), today)]


def _client_writes(scope: Scope, reseller_id: str, import_id: str, client_id: str, body: ClientRow) -> list[Write]:
    """The writes of a client whose first entry is its opening balance. That causes no notices of crossings."""
    item = clients.new_client(scope, reseller_id, client_id, body)
    fields = {"import_id": import_id, **clients.audit_fields(item)}
    fields |= {"balance_e8": body.balance} if body.balance else {}
    recorded = event(scope, reseller_id, "client.created", client_id, fields)
    if not body.balance:
        return [Put(item), recorded]
    month = billing_dates.today(reseller_id, scope.now)[:7]
    posting = rules.Posting("adjustment", body.balance, "Opening balance", month, f"import:{import_id}")
    posted = rules.post(item.account(), posting, scope.now)
    item.balance_e8, item.entries, item.posted_at = posted.account.balance_e8, 1, posted.account.posted_at
    item.service, item.low = posted.account.service, posted.account.low
    opened = with_posted(Month(*Month.key(client_id, posted.period)), posting)
    return [Put(item), Put(entry_item(scope, item, posting, posted)), Put(opened), recorded]


def _assignment(row: Row) -> AssignIn:
    """The line of a number as the request that assigns it, without charging anything now."""
    cells: dict[str, Any] = {name: row["cells"][name] for name in _ASSIGNED if name in row["cells"]}
    if "initial" in row["cells"]:
        cells["pulse"] = {name: int(row["cells"][name]) for name in ("initial", "increment")}
    ids = {"client_id": row["client_id"], "subaccount_id": row["subaccount_id"]}
    return AssignIn.model_validate({**cells, **ids, "charge_setup": False, "charge_monthly": False})


def _rows(reseller_id: str, import_id: str, first: int) -> list[Row]:
    """The rows of an import from number ``first`` on."""
    offset = first % ROWS_PER_ITEM
    before = first - offset - ROWS_PER_ITEM
    after = ImportRows.key(reseller_id, import_id, before).sk if before >= 0 else None
    items = ImportRows.under(*ImportRows.of_import(reseller_id, import_id), after=after)
    return [row for item in items for row in item.kept][offset:]


def _preview(plan: Plan) -> ImportOut:
    faults = [fault._asdict() for fault in plan.faults[:MOST_FAULTS]]
    fields: dict[str, Any] = {"id": None, "client_ids": {}, "created_at": None, "finished_at": None}
    fields["warnings"] = [warning._asdict() for warning in plan.warnings[:MOST_FAULTS]]
    fields["columns"] = [column._asdict() for column in plan.columns]
    return ImportOut.model_validate({"status": "preview", "errors": faults, **plan.counts(), **fields})


def _to_out(item: Import, rows: list[Row]) -> ImportOut:
    fields: dict[str, Any] = {
        "id": item.import_id,
        "status": item.status,
        **{name: [] for name in ("errors", "warnings", "columns")},
        "client_ids": {row["cells"]["ref"]: row["id"] for row in rows if "ref" in row["cells"]},
        "created_at": item.created_at,
        "finished_at": item.finished_at,
    }
    return ImportOut.model_validate({**item.counts, **fields})


def _refusal(faults: list[Fault]) -> Invalid:
    """The error with every wrong line, under the name of its file."""
    errors = [
        FieldError(fault.file, f"line {fault.line}{', ' * bool(fault.column)}{fault.column}: {fault.message}")
        for fault in faults
    ]
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    detail = "; ".join(f"{error.field} {error.message}" for error in errors[:3])
    return Invalid(f"Nothing was imported. {detail}{more}.", tuple(errors[:MOST_FAULTS]))
