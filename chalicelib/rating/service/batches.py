"""One CDR file, from the bucket to the ledgers: exactly once, however often and by how many at once it is tried.

The walk: pin what prices it (``_open``), read and price every line (``_read``), debit each client and month
(``_commit``), post what the reseller owes, close the batch (``_finish``). Every step finds what an earlier try has
done: a batch keeps its pins, a client's part has its marker, the reseller's entries their keys. Nothing is taken from a
try's own memory that another try could see differently: the counts of a finished batch are summed from the markers.

A batch that is rated again (``rerating``) walks the same way as the next generation. Its parts are those of the file
and those that the earlier generation has billed, so whoever no longer has a call gets its money back.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pynamodb.expressions.condition import Condition

from chalicelib.accounts.service import terms as accounts
from chalicelib.accounts.service import usage
from chalicelib.accounts.service.usage import Marker
from chalicelib.config import settings
from chalicelib.errors import LostRace, Refused
from chalicelib.rating import store
from chalicelib.rating.service import batch_files, loading, pins, rerating
from chalicelib.rating.service.earlier import Earlier
from chalicelib.rating.service.reading import Reading, read_file
from chalicelib.rating.service.segments import Known
from chalicelib.rating.service.writing import Sums, Writing
from chalicelib.rating.spill import Spill
from chalicelib.rating.store import Batch
from chalicelib.rating.tables import Tables
from chalicelib.tables import Change, Put, Require, Scope, Write, commit, event, new_id, settle

log = logging.getLogger(__name__)

IN_MEMORY = 8 << 20
"""What of refused and of rated lines is kept in memory; the rest goes to files in ``/tmp``."""
COMMIT_TRIES = 500
"""A client's commit competes with every other write to its ledger; each try rereads only that client."""


class Superseded(Exception):
    """Another generation of the batch has taken over from the one of this try."""


def rate_batch(scope: Scope, key: str, version_id: str, clock: Callable[[], int] | None = None) -> Batch | None:
    """Rate one dropped CDR file to the end; call it again after any failure.

    ``clock`` tells when it ended; without one that is when it began. Returns the batch, ``done`` or (over a size cap)
    ``failed``; ``None`` when the key belongs to no reseller.
    """
    clock = clock or (lambda: scope.now)
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
            read_file(batch, tables, reading, lambda: _tell(scope, batch, reading, clock()))
        except Refused as problem:
            return _refuse(scope, batch, problem.detail)
        parts = _parts(batch, reading.spill)
        try:
            for part in parts:
                _commit(scope, batch, tables, reading.spill, part)
        except Superseded:
            return store.batch(reseller_id, batch.batch_id)
        return _finish(scope, batch, reading, parts, clock())


def _parts(batch: Batch, spill: Spill) -> list[tuple[str, str]]:
    """Client and month of everything that this generation bills, or that an earlier one has billed."""
    parts = set(spill.parts())
    if batch.generation:
        parts |= {(client_id, month) for client_id, month, _ in usage.parts_of(batch.reseller_id, batch.batch_id)}
    return sorted(parts)


def _refuse(scope: Scope, batch: Batch, reason: str) -> Batch:
    """A file that cannot be read is not tried again; what stands or is half committed decides what becomes of it."""
    parts: dict[int, list[tuple[str, str]]] = {}
    for client_id, month, generation in usage.parts_of(batch.reseller_id, batch.batch_id):
        parts.setdefault(generation, []).append((client_id, month))
    if int(batch.generation) in parts:
        gone = store.look(batch.key, batch.version_id) is None
        if gone:
            # It is never rated to the end, so this is the end: the reseller owes what its clients were debited for.
            _post_costs(scope, batch, [usage.markers(batch.batch_id, *some) for some in parts.items()])
        return fail(scope, batch, reason, release=gone)
    return rerating.keep(scope, batch, reason) if batch.standing else fail(scope, batch, reason)


def fail(scope: Scope, batch: Batch, reason: str, *, release: bool = True) -> Batch:
    """Give a batch up: what was committed stays, and another try takes it on from there.

    Unless ``release``, it goes on holding moves off: part of it may be billed, and the rest will be by the same owners.
    """

    def decide() -> Batch:
        found = store.batch(batch.reseller_id, batch.batch_id)
        if found is None or found.status in ("done", "failed") or found.generation != batch.generation:
            return found or batch
        found.status, found.reason, found.finished_at = "failed", reason, scope.now
        writes = [
            Change(found, found.set_all(), _still(found) & (Batch.status == "rating")),
            *([accounts.close_batch(found.reseller_id, found.batch_id)] if release else []),
            event(scope, found.reseller_id, "batch.failed", found.batch_id, {"reason": reason}),
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
    if batch and batch.status == "done":
        return batch
    if batch and batch.status == "rating":
        commit(scope, [Change(batch, [Batch.seen_at.set(scope.now)], Batch.status == "rating")])
        return batch
    head = accounts.head(reseller_id)
    if head is None:
        log.warning("%s is under no reseller's prefix", key)
        return None
    if batch:
        reopened = [Batch.status.set("rating"), Batch.seen_at.set(scope.now)]
        reopened += [gone.remove() for gone in (Batch.reason, Batch.finished_at, Batch.announced_at)]
        pinned = Change(batch, reopened, Batch.status == batch.status)
        # A batch that gave up keeps its pins: part of it may have been committed by them.
        commit(scope, [pinned, accounts.hold_moves(reseller_id, batch_id)])
        return store.batch(reseller_id, batch_id)
    batch = _pinned(scope, reseller_id, batch_id, key, version_id, int(head.version))
    pointer = store.BatchPointer(f"RB#{reseller_id}", batch.place, batch_id=batch_id)
    commit(scope, [Put(batch), Put(pointer), accounts.open_batch(head, batch_id)])
    return batch


def _pinned(scope: Scope, reseller_id: str, batch_id: str, key: str, version_id: str, terms_version: int) -> Batch:
    return Batch(
        f"R#{reseller_id}",
        f"BATCH#{batch_id}",
        batch_id=batch_id,
        place=new_id(),
        reseller_id=reseller_id,
        key=key,
        version_id=version_id,
        status="rating",
        created_at=scope.now,
        started_at=scope.now,
        **pins.present(reseller_id, key, terms_version),
    )


def _still(batch: Batch) -> Condition:
    """No other generation has taken over."""
    return Batch.generation == int(batch.generation)


def _tell(scope: Scope, batch: Batch, reading: Reading, now: int) -> None:
    """Progress for people: counts so far, duplicates not yet taken out. A batch that is done already is left alone."""
    actions = [
        Batch.lines.set(reading.lines),
        Batch.rated.set(reading.lines - reading.rejected),
        Batch.rejected.set(reading.rejected),
        Batch.seen_at.set(now),
    ]
    try:
        commit(scope, [Change(batch, actions, _still(batch) & (Batch.status == "rating"))])
    except LostRace:
        log.info("batch %s is already finished by another try", batch.batch_id)


def _commit(scope: Scope, batch: Batch, tables: Tables, spill: Spill, part: tuple[str, str]) -> None:
    """Debit one client for its calls of one month, and make them readable, in one transaction."""
    client_id, month = part
    generation = int(batch.generation)
    packages = sorted({holder.package_id for holder in tables.holders.values if holder.client_id == client_id} - {""})
    writing = Writing(batch, client_id, month, scope.now)

    def decide() -> None:
        fence = _fence(batch)
        snapshot = usage.snapshot(batch.reseller_id, client_id, batch.batch_id, generation, month, packages)
        if snapshot.applied:
            return
        known = Known(client_id, spill.days(part), batch.batch_id, snapshot.settled)
        if not writing.holds_for(known, snapshot.used_free):
            writing.write(known, snapshot.used_free, spill, part, tables)
        new = [Put(segment) for segment in writing.index]
        what = _usage(batch, month, writing.sums, spill.holds(part))
        if snapshot.earlier is None:
            usage.commit_usage(scope, snapshot, what, [*fence, *new])
            return
        earlier = Earlier(batch, client_id, month)
        old = [*fence, *earlier.taken_out(snapshot.earlier)]
        what = replace(what, rest=earlier.rest(snapshot.ended))
        if not usage.commit_usage(scope, snapshot, what, [*old, *new]):
            nothing = usage.Usage(batch.batch_id, generation, month, rest=what.rest)
            usage.empty(scope, snapshot, nothing, old)
            decide()

    settle(decide, COMMIT_TRIES)


def _usage(batch: Batch, month: str, sums: Sums, lines: int) -> usage.Usage:
    """What a part comes to; whatever of its lines was not rated is a duplicate."""
    return usage.Usage(
        batch.batch_id,
        int(batch.generation),
        month,
        rated=sums.rated,
        duplicates=lines - sums.rated,
        seconds=sums.seconds,
        amount_e8=sums.amount_e8,
        cost_e8=sums.cost_e8,
        used_free=sums.used_free,
        latest=sums.latest,
    )


def _fence(batch: Batch) -> list[Write]:
    """What a commit of a later generation demands: that no other one has taken over since.

    A first generation needs no fence: a next one begins when all its markers stand, or none ever will.
    """
    if not batch.generation:
        return []
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.generation != batch.generation:
        raise Superseded()
    return [Require(found, _still(batch))]


def _finish(scope: Scope, batch: Batch, reading: Reading, parts: list[tuple[str, str]], finished_at: int) -> Batch:
    """Post the reseller's costs and close the batch, from the markers alone."""
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.status == "done" or found.generation != batch.generation:
        return found or batch
    markers = usage.markers(batch.batch_id, int(batch.generation), parts)
    if len(markers) != len(parts):
        raise RuntimeError(f"batch {batch.batch_id}: {len(markers)} of {len(parts)} parts are committed")
    cost_e8 = _post_costs(scope, batch, [markers])
    if reading.rejected:
        store.upload(batch_files.rejects_key(batch.batch_id), reading.rejects, "text/csv; charset=utf-8")
    done = {
        "status": "done",
        "lines": reading.lines,
        "rated": sum(int(marker.rated) for marker in markers.values()),
        "rejected": reading.rejected,
        "duplicates": sum(int(marker.duplicates) for marker in markers.values()),
        "cost_e8": cost_e8,
        "revenue_e8": sum(int(marker.amount_e8) for marker in markers.values()),
        "has_rejects": bool(reading.rejected),
        "finished_at": finished_at,
    }
    return settle(lambda: _close(scope, batch, done))


def _post_costs(scope: Scope, batch: Batch, markers: Sequence[Mapping[tuple[str, str], Marker]]) -> int:
    """Debit the reseller what the markers of a batch say, by month, once per generation; returns the sum."""
    costs: dict[str, int] = {}
    for some in markers:
        for (_, month), marker in some.items():
            costs[month] = costs.get(month, 0) + int(marker.cost_e8)
    if batch.generation:
        usage.reverse_costs(scope, batch.reseller_id, batch.batch_id, int(batch.generation))
    for month, cost_e8 in sorted(costs.items()):
        if cost_e8:
            usage.post_cost(scope, batch.reseller_id, batch.batch_id, int(batch.generation), month, cost_e8)
    return sum(costs.values())


def _close(scope: Scope, batch: Batch, done: dict[str, object]) -> Batch:
    found = store.batch(batch.reseller_id, batch.batch_id) or batch
    if found.status == "done" or found.generation != batch.generation:
        return found
    found.standing = None
    for name, value in done.items():
        setattr(found, name, value)
    commit(
        scope,
        [
            Change(found, [*found.set_all(), Batch.standing.remove()], _still(batch) & (Batch.status != "done")),
            accounts.close_batch(batch.reseller_id, batch.batch_id),
        ],
    )
    return found
