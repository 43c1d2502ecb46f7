"""Imports: clients with their opening balances, sub-accounts and DIDs that come from elsewhere, all or nothing.

One transaction holds 100 writes, an import many more. So it is decided first and done after: what the lines count on is
locked (``import_lock``), and they are read against it. If all are good, one transaction writes them down as they are
and begins the import; nothing can be in the way from then on. Transaction by transaction the rows are applied, each
together with the count of those that are done, so whoever goes on, after a crash or beside another, goes on behind
them. The last one ends the import and the lock.

What is imported names the import (a hash of it), so the same files a second time are the same import, and do nothing.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import entry_item, get_client, plan, with_posted
from chalicelib.accounts.service import billing_dates, clients, dids, import_lock, subaccounts
from chalicelib.accounts.service.import_plans import Fault, Plan, Reader, Row
from chalicelib.accounts.shapes.dids import AssignIn
from chalicelib.accounts.shapes.imports import FILES, ClientRow, DidRow, ImportIn, ImportOut, SubAccountRow
from chalicelib.accounts.shapes.subaccounts import SubAccountIn
from chalicelib.accounts.store.holdings import Did
from chalicelib.accounts.store.intake import Import, ImportRows
from chalicelib.accounts.store.ledger import Month
from chalicelib.accounts.store.terms import Assignment, TermsHead
from chalicelib.aws.transactions import (
    MAX_WRITES,
    Change,
    Event,
    Guard,
    Put,
    Require,
    Scope,
    Write,
    commit,
    event,
    settle,
)
from chalicelib.errors import FieldError, Invalid, LostRace, NotFound

ROWS_KEPT = 20
"""Rows in one item: it holds 400 KB, and a row at most some 16."""
_BESIDE = 4
"""Writes of a transaction that are not its rows': the count, the lock, the event, the answer to an Idempotency-Key."""
MOST_FAULTS = 100


def run(scope: Scope, reseller_id: str, body: ImportIn, *, most_writes: int = MAX_WRITES - _BESIDE) -> ImportOut:
    """Import, or say what would be imported. 422 with every wrong line, and nothing is there; 409 while another import
    is being applied. An import that was begun before is finished, one that is done is told again."""
    if body.preview:
        return _preview(Reader(reseller_id, scope.now).read(body))
    import_id = _id(body)
    guard, scope.guard = scope.guard, None
    faults = settle(lambda: _begin(scope, reseller_id, import_id, body))
    if faults:
        raise _refusal(faults)
    scope.guard = guard
    return resume(scope, reseller_id, import_id, most_writes=most_writes)


def resume(scope: Scope, reseller_id: str, import_id: str, *, most_writes: int = MAX_WRITES - _BESIDE) -> ImportOut:
    """Apply what is left of an import; nothing is left of one that is done. 404 for an unknown one."""
    guard = scope.guard
    while (found := _find(reseller_id, import_id)) is not None and found.status != "done":
        settle(lambda: _step(scope, reseller_id, import_id, guard, most_writes))
    return get(reseller_id, import_id)


def get(reseller_id: str, import_id: str) -> ImportOut:
    """How far an import is."""
    found = _find(reseller_id, import_id)
    if found is None:
        raise NotFound()
    return _told(found, _rows(reseller_id, import_id, 0))


def _id(body: ImportIn) -> str:
    content = json.dumps([getattr(body, name) for name in FILES])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _find(reseller_id: str, import_id: str) -> Import | None:
    return Import.find(*Import.key(reseller_id, import_id))


def _begin(scope: Scope, reseller_id: str, import_id: str, body: ImportIn) -> list[Fault]:
    """Begin an import under the lock, unless it was begun before; or give the lock back and say what is wrong."""
    if _find(reseller_id, import_id):
        return []
    import_lock.take(scope, reseller_id, import_id)
    begun = _find(reseller_id, import_id)
    if begun and begun.status == "applying":
        return []
    try:
        # A twin that began and ended it meanwhile has no more use for the lock.
        wanted = Plan() if begun else Reader(reseller_id, scope.now).read(body)
    except Invalid:
        commit(scope, [import_lock.given_back(reseller_id, import_id)])
        raise
    if begun or wanted.faults:
        commit(scope, [import_lock.given_back(reseller_id, import_id)])
        return wanted.faults
    commit(scope, [*_beginning(scope, reseller_id, import_id, wanted), import_lock.kept(reseller_id, import_id)])
    return []


def _beginning(scope: Scope, reseller_id: str, import_id: str, wanted: Plan) -> list[Write]:
    begun = Import(
        *Import.key(reseller_id, import_id),
        import_id=import_id,
        status="applying",
        rows=len(wanted.rows),
        counts=wanted.counts(),
        created_at=scope.now,
    )
    kept = [
        Put(ImportRows(*ImportRows.key(reseller_id, import_id, first), kept=wanted.rows[first : first + ROWS_KEPT]))
        for first in range(0, len(wanted.rows), ROWS_KEPT)
    ]
    return [Put(begun), *kept, event(scope, reseller_id, "import.begun", import_id, wanted.counts())]


def _step(scope: Scope, reseller_id: str, import_id: str, guard: Guard | None, most_writes: int) -> None:
    """Apply as many rows as one transaction holds, and count them; the last ones end the import."""
    begun = _find(reseller_id, import_id)
    if begun is None or begun.status == "done":
        return
    done = begun.done
    gathered, rows = _Gathered(most_writes), _rows(reseller_id, import_id, done)
    for row in rows:
        # Lines of one file may stand on those of the file before it, which must be stored by then.
        if row["file"] != rows[0]["file"] or not gathered.take(_writes_of(scope, reseller_id, import_id, row)):
            break
    ends = done + gathered.rows == begun.rows
    begun.done = done + gathered.rows
    actions, beside = [Import.done.set(begun.done)], list[Write]()
    if ends:
        begun.status, begun.finished_at = "done", scope.now
        actions += [Import.status.set("done"), Import.finished_at.set(scope.now)]
        recorded = event(scope, reseller_id, "import.done", import_id)
        beside = [import_lock.given_back(reseller_id, import_id), recorded]
    counted = Change(begun, actions, (Import.done == done) & (Import.status == "applying"))
    scope.guard = guard if ends else None
    result = _told(begun, _rows(reseller_id, import_id, 0)) if scope.guard else None
    commit(scope, [*gathered.writes(), counted, *beside], result)


class _Gathered:
    """The writes of some rows as one transaction: what two rows do to one item, and tell alike, is done once."""

    def __init__(self, most: int) -> None:
        self.rows, self._most = 0, most
        self._writes: dict[tuple[str, ...], Write] = {}

    def take(self, more: list[Write]) -> bool:
        """Whether another row fits in; one always does."""
        merged = dict(self._writes)
        for write in more:
            place = _place(write)
            merged[place] = _one_of(merged[place], write) if place in merged else write
        if self.rows and len(merged) > self._most:
            return False
        self.rows, self._writes = self.rows + 1, merged
        return True

    def writes(self) -> list[Write]:
        """All of them; ``LostRace`` when the terms moved on between one row and the next."""
        versions = {w.item.version for w in self._writes.values() if isinstance(w.item, Assignment)}
        if len(versions) > 1:
            raise LostRace()
        return list(self._writes.values())


def _place(write: Write) -> tuple[str, ...]:
    """What a write is about: an item, or what an event tells."""
    item = write.item
    if isinstance(item, Event):
        return item.pk, item.kind, item.subject, json.dumps(item.changes, sort_keys=True)
    return item.pk, item.sk


def _one_of(before: Write, write: Write) -> Write:
    """Of two writes to one item the one that does more: a change over a mere condition, and the stricter of two that
    take a terms version. Two others are the same: a version's bump, or a package attached."""
    if isinstance(before, Require):
        return write
    if isinstance(before, Change) and isinstance(write, Change) and isinstance(write.item, TermsHead):
        return max(before, write, key=lambda each: len(str(each.condition)))
    return before


def _writes_of(scope: Scope, reseller_id: str, import_id: str, row: Row) -> list[Write]:
    """All that makes one row true."""
    body = FILES[row["file"]].model_validate(row["cells"])
    if isinstance(body, ClientRow):
        return _client(scope, reseller_id, import_id, row["id"], body)
    client = get_client(reseller_id, row["client_id"])
    _, writes = plan(scope, client, [])
    if isinstance(body, SubAccountRow):
        asked = SubAccountIn(
            username=body.username,
            client_id=row["client_id"],
            package_id=row["package_id"],
            next_billing_date=body.next_billing_date,
        )
        item = subaccounts.new_item(scope, reseller_id, row["id"], asked)
        return [*writes, *subaccounts.making(scope, reseller_id, item)]
    assert isinstance(body, DidRow)
    did = Did.get(*Did.key(reseller_id, body.number), consistent_read=True)
    today = billing_dates.today(reseller_id, scope.now)
    return [*writes, *dids.handing(scope, reseller_id, did, _assignment(row), today)]


def _client(scope: Scope, reseller_id: str, import_id: str, client_id: str, body: ClientRow) -> list[Write]:
    """A client whose first entry is its opening balance. Nothing is crossed by it: the client begins there."""
    item = clients.new_client(scope, reseller_id, client_id, body)
    told = {"import_id": import_id, **clients.began_with(item)}
    told |= {"balance_e8": body.balance} if body.balance else {}
    recorded = event(scope, reseller_id, "client.created", client_id, told)
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
    """A number's line as the request that would assign it, without charging anything now."""
    cells: dict[str, Any] = {name: row["cells"][name] for name in _ASSIGNED if name in row["cells"]}
    if "initial" in row["cells"]:
        cells["pulse"] = {name: int(row["cells"][name]) for name in ("initial", "increment")}
    ids = {"client_id": row["client_id"], "subaccount_id": row["subaccount_id"]}
    return AssignIn.model_validate({**cells, **ids, "charge_setup": False, "charge_monthly": False})


_ASSIGNED = ("monthly", "setup", "per_minute", "next_billing_date")


def _rows(reseller_id: str, import_id: str, first: int) -> list[Row]:
    """The rows of an import from number ``first`` on."""
    page = first - first % ROWS_KEPT
    after = ImportRows.key(reseller_id, import_id, page - ROWS_KEPT).sk if page else None
    pages = ImportRows.under(*ImportRows.of_import(reseller_id, import_id), after=after)
    return [row for each in pages for row in each.kept][first - page :]


def _preview(wanted: Plan) -> ImportOut:
    faults = [fault._asdict() for fault in wanted.faults[:MOST_FAULTS]]
    told: dict[str, Any] = {"id": None, "client_ids": {}, "created_at": None, "finished_at": None}
    return ImportOut.model_validate({"status": "preview", "errors": faults, **wanted.counts(), **told})


def _told(found: Import, rows: list[Row]) -> ImportOut:
    told: dict[str, Any] = {
        "id": found.import_id,
        "status": found.status,
        "errors": [],
        "client_ids": {row["cells"]["ref"]: row["id"] for row in rows if "ref" in row["cells"]},
        "created_at": found.created_at,
        "finished_at": None if found.finished_at is None else found.finished_at,
    }
    return ImportOut.model_validate({**found.counts, **told})


def _refusal(faults: list[Fault]) -> Invalid:
    """Every wrong line under the name of its file."""
    errors = [
        FieldError(one.file, f"line {one.line}{', ' * bool(one.column)}{one.column}: {one.message}") for one in faults
    ]
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    detail = "; ".join(f"{one.field} {one.message}" for one in errors[:3])
    return Invalid(f"Nothing was imported. {detail}{more}.", tuple(errors[:MOST_FAULTS]))
