"""Imports: clients with their opening balances, sub-accounts and DIDs from another system, all or nothing.

An import has more writes than the 100 of one transaction, so it has two steps. First the files are read and checked
against what the reseller has, under a lock (``import_lock``); if all rows are good, one transaction stores them and
begins the import. From then on no row can become wrong. Then transaction by transaction applies rows, each together
with the count of applied rows (``import_steps``). So a repeat, after a crash or at the same time, goes on behind them.
The last transaction ends the import and releases the lock.

A small import is applied within the request, a larger one by an event function, which a message tells of it. If the
message is lost, the next hour sends it again.

The id of an import is a hash of its files: the same files again are the same import, and change nothing.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any, NamedTuple

from chalicelib.accounts.service import import_lock, import_rows, import_steps
from chalicelib.accounts.service.import_plans import Fault, Plan, Reader
from chalicelib.accounts.service.import_steps import find
from chalicelib.accounts.shapes.imports import FILES, ImportIn, ImportOut
from chalicelib.accounts.store.intake import Import
from chalicelib.aws.transactions import Put, Scope, Write, commit, event, settled
from chalicelib.errors import FieldError, Invalid, existing

ROWS_AT_ONCE = 500
"""Most rows of an import that is applied within the request: it is done long before the request must end."""
MOST_FAULTS = 100
"""Most faults in an answer."""


class ImportedClient(NamedTuple):
    """A client of an import: ``place``, its number among the rows, counted from 0; ``ref`` is empty if it has none."""

    place: int
    ref: str
    id: str


def run(scope: Scope, reseller_id: str, body: ImportIn, *, most_writes: int = import_steps.MOST_WRITES) -> ImportOut:
    """Import, or with ``preview`` say what an import would do. An import that was begun before is finished.

    An import of more than ``ROWS_AT_ONCE`` rows is begun only. 422 with every wrong line, and nothing is imported; 409
    while another import is applied. ``most_writes``: for rows, in one transaction.
    """
    if body.preview:
        return _preview(Reader(scope, reseller_id).read(body))
    import_id = _id(body)
    guard, scope.guard = scope.guard, None
    faults = _begin(scope, reseller_id, import_id, body)
    if faults:
        raise _refusal(faults)
    scope.guard = guard
    return resume(scope, reseller_id, import_id, most_writes=most_writes)


def resume(scope: Scope, reseller_id: str, import_id: str, *, most_writes: int = import_steps.MOST_WRITES) -> ImportOut:
    """Apply the remaining rows of an import, or have the event function apply them; 404 for an unknown one."""
    item = existing(find(reseller_id, import_id))
    if not item.background:
        import_steps.apply(scope, reseller_id, import_id, most_writes=most_writes, result=partial(_to_out, reseller_id))
    elif item.status == "applying":
        import_steps.announce(reseller_id, import_id, scope.now)
    return get(reseller_id, import_id)


def get(reseller_id: str, import_id: str) -> ImportOut:
    """An import and how far it is; 404 for an unknown one."""
    return _to_out(reseller_id, existing(find(reseller_id, import_id)))


def clients_of(reseller_id: str, import_id: str, first: int, limit: int) -> list[ImportedClient]:
    """Clients that an import has made so far, from row ``first`` on, at most ``limit``; 404 for an unknown import."""
    return _clients(reseller_id, existing(find(reseller_id, import_id)), first, limit)


def _clients(reseller_id: str, item: Import, first: int, limit: int) -> list[ImportedClient]:
    last = min(item.counts["clients"], item.done, first + limit)
    rows, found = import_rows.StoredRows(reseller_id, item.import_id), list[ImportedClient]()
    while first < last:
        for row in rows.from_row(first)[: last - first]:
            found.append(ImportedClient(first, row["ref"], row["values"]["client_id"]))
            first += 1
    return found


def _id(body: ImportIn) -> str:
    content = json.dumps([*(getattr(body, name) for name in FILES), *_declared(body)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _declared(body: ImportIn) -> list[Any]:
    """How the file of clients is written, if that is declared."""
    return [sorted((body.columns or {}).items()), body.number_format] if body.columns or body.number_format else []


@settled
def _begin(scope: Scope, reseller_id: str, import_id: str, body: ImportIn) -> list[Fault]:
    """Begin an import under the lock, unless it was begun before; or release the lock and return what is wrong."""
    if find(reseller_id, import_id):
        return []
    import_lock.take(scope, reseller_id, import_id)
    begun = find(reseller_id, import_id)
    if begun and begun.status == "applying":
        return []
    try:
        # Another request may have begun and ended the same import meanwhile: only the lock is left to release.
        plan = Plan() if begun else Reader(scope, reseller_id).read(body)
        writes = [] if begun or plan.faults else _begin_writes(scope, reseller_id, import_id, plan)
    except Invalid:
        commit(scope, [import_lock.release(reseller_id, import_id)])
        raise
    if not writes:
        commit(scope, [import_lock.release(reseller_id, import_id)])
        return plan.faults
    commit(scope, writes)
    return []


def _begin_writes(scope: Scope, reseller_id: str, import_id: str, plan: Plan) -> list[Write]:
    item = Import(
        *Import.key(reseller_id, import_id),
        import_id=import_id,
        status="applying",
        rows=len(plan.rows),
        background=len(plan.rows) > ROWS_AT_ONCE,
        counts=plan.counts(),
        created_at=scope.now,
    )
    rows = [Put(row) for row in import_rows.pack(reseller_id, import_id, plan.rows)]
    held = import_lock.require_held(reseller_id, import_id)
    return [Put(item), *rows, event(scope, reseller_id, "import.begun", import_id, plan.counts()), held]


def _preview(plan: Plan) -> ImportOut:
    faults = [fault._asdict() for fault in plan.faults[:MOST_FAULTS]]
    fields: dict[str, Any] = {"id": None, "client_ids": {}, "created_at": None, "finished_at": None}
    fields["warnings"] = [warning._asdict() for warning in plan.warnings[:MOST_FAULTS]]
    fields["columns"] = [column._asdict() for column in plan.columns]
    return ImportOut.model_validate(
        {"status": "preview", "rows": len(plan.rows), "done": 0, "errors": faults, **plan.counts(), **fields}
    )


def _to_out(reseller_id: str, item: Import) -> ImportOut:
    made = [] if item.background else _clients(reseller_id, item, 0, ROWS_AT_ONCE)
    fields: dict[str, Any] = {
        "id": item.import_id,
        **{name: getattr(item, name) for name in ("status", "rows", "done", "created_at", "finished_at")},
        **{name: [] for name in ("errors", "warnings", "columns")},
        "client_ids": {client.ref: client.id for client in made if client.ref},
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
