"""One CDR file, from the bucket to the ledgers: exactly once, however often and by how many at once it is tried.

The walk: pin what prices it (``_open``), read and price every line (``_read``), debit each client and month
(``_commit``), post what the reseller owes, close the batch (``_finish``). Every step finds what an earlier try has
done: a batch keeps its pins, a client's part has its marker, the reseller's entries their keys. Nothing is taken from a
try's own memory that another try could see differently: the counts of a finished batch are summed from the markers.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable

from chalicelib.accounts.ledger import Posting
from chalicelib.accounts.service import posting
from chalicelib.accounts.service import terms as accounts
from chalicelib.config import settings
from chalicelib.errors import LostRace, Refused
from chalicelib.outbox import announce
from chalicelib.rating import store
from chalicelib.rating.service import batch_files, loading, sources
from chalicelib.rating.service.reading import Reading, read_file
from chalicelib.rating.service.segments import Known
from chalicelib.rating.service.writing import Writing
from chalicelib.rating.spill import Spill
from chalicelib.rating.store import Batch
from chalicelib.rating.tables import Tables
from chalicelib.tables import Change, Put, Scope, Write, commit, event, new_id, settle

log = logging.getLogger(__name__)

IN_MEMORY = 8 << 20
"""What of refused and of rated lines is kept in memory; the rest goes to files in ``/tmp``."""
COMMIT_TRIES = 500
"""A client's commit competes with every other write to its ledger; each try rereads only that client."""


def rate_batch(scope: Scope, key: str, version_id: str, clock: Callable[[], int] | None = None) -> Batch | None:
    """Rate one dropped CDR file to the end; call it again after any failure.

    ``clock`` tells when it ended; without one that is when it began. Returns the batch, ``done`` or (over a size cap)
    ``failed``; ``None`` when the key belongs to no reseller.
    """
    reseller_id = key.removeprefix(batch_files.PREFIX).split("/")[0]
    batch = settle(lambda: _open(scope, reseller_id, key, version_id))
    if batch is None or batch.status == "done":
        return batch
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects, tempfile.SpooledTemporaryFile(IN_MEMORY) as spilled:
        tables = loading.tables(
            reseller_id,
            batch.time_zone,
            int(batch.terms_version),
            int(batch.deck_version),
            record_costs=batch.cost_source == "record",
        )
        reading = Reading(rejects, Spill(spilled, tables))
        try:
            read_file(batch, tables, reading, lambda: _tell(scope, batch, reading))
        except Refused as problem:
            return fail(scope, batch, problem.detail)
        for part in reading.spill.parts():
            _commit(scope, batch, tables, reading.spill, part)
        return _finish(scope, batch, reading, clock() if clock else scope.now)


def fail(scope: Scope, batch: Batch, reason: str, *, release: bool = True) -> Batch:
    """Give a batch up: what was committed stays, and another try takes it on from there.

    Unless ``release``, it goes on holding moves off: part of it may be billed, and the rest will be by the same owners.
    """

    def decide() -> Batch:
        found = store.batch(batch.reseller_id, batch.batch_id)
        if found is None or found.status in ("done", "failed"):
            return found or batch
        found.status, found.reason, found.finished_at = "failed", reason, scope.now
        told = {"key": found.key, "reason": reason}
        writes = [
            Change(found, found.set_all(), Batch.status == "rating"),
            *([accounts.close_batch(found.reseller_id, found.batch_id)] if release else []),
            *announce(event(scope, found.reseller_id, "batch.failed", found.batch_id, told)),
        ]
        commit(scope, writes)
        return found

    return settle(decide)


def fail_by_key(scope: Scope, key: str, version_id: str, reason: str) -> None:
    """``fail`` for the batch of an object, if it ever was one."""
    reseller_id = key.removeprefix(batch_files.PREFIX).split("/")[0]
    batch = store.batch(reseller_id, batch_files.batch_id_of(settings.bucket, key, version_id))
    if batch:
        fail(scope, batch, reason, release=False)


def _open(scope: Scope, reseller_id: str, key: str, version_id: str) -> Batch | None:
    """The batch of this object, made and pinned by the first try."""
    batch_id = batch_files.batch_id_of(settings.bucket, key, version_id)
    batch = store.batch(reseller_id, batch_id)
    if batch and batch.status in ("done", "rating"):
        return batch
    head = accounts.head(reseller_id)
    if head is None:
        log.warning("%s is under no reseller's prefix", key)
        return None
    if batch:
        reopened = [Batch.status.set("rating"), Batch.reason.remove(), Batch.finished_at.remove()]
        pinned = Change(batch, reopened, Batch.status == batch.status)
        # A batch that gave up keeps its pins: part of it may have been committed by them.
        commit(scope, [pinned, accounts.hold_moves(reseller_id, batch_id)])
        return store.batch(reseller_id, batch_id)
    batch = _pinned(scope, reseller_id, batch_id, key, version_id, int(head.version))
    pointer = store.BatchPointer(f"RB#{reseller_id}", batch.place, batch_id=batch_id)
    commit(scope, [Put(batch), Put(pointer), accounts.open_batch(head, batch_id)])
    return batch


def _pinned(scope: Scope, reseller_id: str, batch_id: str, key: str, version_id: str, terms_version: int) -> Batch:
    reseller = posting.reseller_of(reseller_id)()
    return Batch(
        f"R#{reseller_id}",
        f"BATCH#{batch_id}",
        batch_id=batch_id,
        place=new_id(),
        reseller_id=reseller_id,
        key=key,
        version_id=version_id,
        status="rating",
        terms_version=terms_version,
        deck_version=loading.deck_version(),
        time_zone=reseller.time_zone,
        home_country=reseller.home_country,
        cost_source=reseller.cost_source,
        declared=sources.declared_for(reseller_id, key.removeprefix(f"{batch_files.PREFIX}{reseller_id}/")),
        created_at=scope.now,
        started_at=scope.now,
    )


def _tell(scope: Scope, batch: Batch, reading: Reading) -> None:
    """Progress for people: counts so far, duplicates not yet taken out. A batch that is done already is left alone."""
    actions = [
        Batch.lines.set(reading.lines),
        Batch.rated.set(reading.lines - reading.rejected),
        Batch.rejected.set(reading.rejected),
    ]
    try:
        commit(scope, [Change(batch, actions, Batch.status == "rating")])
    except LostRace:
        log.info("batch %s is already finished by another try", batch.batch_id)


def _commit(scope: Scope, batch: Batch, tables: Tables, spill: Spill, part: tuple[str, str]) -> None:
    """Debit one client for its calls of one month, and make them readable, in one transaction."""
    client_id, month = part
    generation = int(batch.generation)
    packages = sorted({holder.package_id for holder in tables.holders.values if holder.client_id == client_id} - {""})
    writing = Writing(batch, client_id, month, scope.now)

    def decide() -> None:
        snapshot = posting.usage_snapshot(batch.reseller_id, client_id, batch.batch_id, generation, month, packages)
        if snapshot.applied:
            return
        known = Known(client_id, spill.days(part))
        if not writing.holds_for(known, snapshot.used_free):
            writing.write(known, snapshot.used_free, spill, part, tables)
        sums = writing.sums
        what = posting.Usage(
            batch.batch_id,
            generation,
            month,
            rated=sums.rated,
            duplicates=spill.holds(part) - sums.rated,
            seconds=sums.seconds,
            amount_e8=sums.amount_e8,
            cost_e8=sums.cost_e8,
            used_free=sums.used_free,
            latest=sums.latest,
        )
        posting.commit_usage(scope, snapshot, what, [Put(segment) for segment in writing.index])

    settle(decide, COMMIT_TRIES)


def _finish(scope: Scope, batch: Batch, reading: Reading, finished_at: int) -> Batch:
    """Post the reseller's costs and close the batch, from the markers alone."""
    parts = reading.spill.parts()
    markers = posting.markers(batch.batch_id, int(batch.generation), parts)
    if len(markers) != len(parts):
        raise RuntimeError(f"batch {batch.batch_id}: {len(markers)} of {len(parts)} parts are committed")
    costs: dict[str, int] = {}
    for (_, month), marker in markers.items():
        costs[month] = costs.get(month, 0) + int(marker.cost_e8)
    for month, cost_e8 in sorted(costs.items()):
        if cost_e8:
            _post_cost(scope, batch, month, cost_e8)
    if reading.rejected:
        reading.rejects.seek(0)
        store.write(batch_files.rejects_key(batch.batch_id), reading.rejects, "text/csv; charset=utf-8")
    done = {
        "status": "done",
        "lines": reading.lines,
        "rated": sum(int(marker.rated) for marker in markers.values()),
        "rejected": reading.rejected,
        "duplicates": sum(int(marker.duplicates) for marker in markers.values()),
        "cost_e8": sum(costs.values()),
        "revenue_e8": sum(int(marker.amount_e8) for marker in markers.values()),
        "has_rejects": bool(reading.rejected),
        "finished_at": finished_at,
    }
    return settle(lambda: _close(scope, batch, done))


def _post_cost(scope: Scope, batch: Batch, month: str, cost_e8: int) -> None:
    posting.post(
        scope,
        posting.reseller_of(batch.reseller_id),
        Posting("call_usage", -cost_e8, f"Calls of {month}", month, f"batch:{batch.batch_id}"),
        once=f"cost:{batch.batch_id}:{int(batch.generation)}:{month}",
    )


def _close(scope: Scope, batch: Batch, done: dict[str, object]) -> Batch:
    found = store.batch(batch.reseller_id, batch.batch_id) or batch
    if found.status == "done":
        return found
    for name, value in done.items():
        setattr(found, name, value)
    commit(
        scope,
        [
            Change(found, found.set_all(), Batch.status != "done"),
            accounts.close_batch(batch.reseller_id, batch.batch_id),
            *_refused(scope, found),
        ],
    )
    return found


def _refused(scope: Scope, batch: Batch) -> list[Write]:
    """A batch with refused lines is told of as it closes, once."""
    if not batch.rejected:
        return []
    told = {"key": batch.key, "lines": int(batch.lines), "rejected": int(batch.rejected)}
    return announce(event(scope, batch.reseller_id, "batch.rejects", batch.batch_id, told))
