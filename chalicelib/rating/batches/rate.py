"""One CDR file, from the bucket to the ledgers: exactly once, however often and by how many at once it is tried.

The walk: pin what prices it (``_open``), read and price every line (``_read``), debit each client and month
(``committing``), post what the reseller owes, close the batch (``_finish``). Every step finds what an earlier try has
done: a batch keeps its pins, a client's part has its marker, the reseller's entries their keys. Nothing is taken from a
try's own memory that another try could see differently: the counts of a finished batch are summed from the markers.

A batch that is rated again (``rerating``) walks the same way as the next generation. Its parts are those of the file
and those that the earlier generation has billed, so whoever no longer has a call gets its money back.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable

from chalicelib.accounts.ledger import usage
from chalicelib.accounts.service import term_versions
from chalicelib.aws import multipart
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, event, new_id, settle
from chalicelib.config import settings
from chalicelib.errors import LostRace, Refused
from chalicelib.outbox import announce
from chalicelib.rating.batches import compaction, lifecycle, pins, queries, store
from chalicelib.rating.batches.commit import Superseded, commit_parts
from chalicelib.rating.batches.read import Reading, read_file
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing import loading

log = logging.getLogger(__name__)

IN_MEMORY = 8 << 20
"""What of refused and of rated lines is kept in memory; the rest goes to files in ``/tmp``."""


def rate_batch(scope: Scope, key: str, version_id: str, clock: Callable[[], int] | None = None) -> Batch | None:
    """Rate one dropped CDR file to the end; call it again after any failure.

    ``clock`` tells when it ended; without one that is when it began. Returns the batch, ``done`` or (over a size cap)
    ``failed``; ``None`` when the key belongs to no reseller.
    """
    clock = clock or (lambda: scope.now)
    reseller_id = key.removeprefix(queries.PREFIX).split("/")[0]
    batch = settle(lambda: _open(scope, reseller_id, key, version_id))
    if batch is None or batch.status == "done":
        return batch
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects, tempfile.SpooledTemporaryFile(IN_MEMORY) as spilled:
        book = loading.rate_book(
            reseller_id,
            batch.time_zone,
            batch.terms_version,
            batch.deck_version,
            record_costs=batch.cost_source == "record",
        )
        table, reading = TermTable(book), Reading(rejects, Spill(spilled, book))
        try:
            read_file(batch, table, reading, once_a_second(clock, lambda now: _tell(scope, batch, reading, now)))
        except Refused as problem:
            return lifecycle.refuse(scope, batch, problem.detail)
        parts = _parts(batch, reading.spill)
        if batch.generation:
            for client_id in sorted({client_id for client_id, _ in parts}):
                compaction.set_apart(scope, reseller_id, client_id, batch.batch_id)
        try:
            crowded = commit_parts(scope, batch, table, reading.spill, parts)
        except Superseded:
            return store.batch(reseller_id, batch.batch_id)
        except Refused as problem:
            # Finding copies takes room on the disk, too.
            return lifecycle.refuse(scope, batch, problem.detail)
        done = _finish(scope, batch, reading, parts, clock())
    for client_id, day in sorted(crowded):
        compaction.compact(scope, reseller_id, client_id, day)
    return done


def _parts(batch: Batch, spill: Spill) -> list[tuple[str, str]]:
    """Client and month of everything that this generation bills, or that an earlier one has billed."""
    parts = set(spill.parts())
    if batch.generation:
        parts |= {(client_id, month) for client_id, month, _ in usage.parts_of(batch.reseller_id, batch.batch_id)}
    return sorted(parts)


def _open(scope: Scope, reseller_id: str, key: str, version_id: str) -> Batch | None:
    """The batch of this object, made and pinned by the first try."""
    batch_id = queries.batch_id_of(settings.bucket, key, version_id)
    batch = store.batch(reseller_id, batch_id)
    if batch and batch.status == "done":
        return batch
    if batch and batch.status == "rating":
        commit(scope, [Change(batch, [Batch.seen_at.set(scope.now)], Batch.status == "rating")])
        return batch
    head = term_versions.head(reseller_id)
    if head is None:
        log.warning("%s is under no reseller's prefix", key)
        return None
    if batch:
        reopened = [Batch.status.set("rating"), Batch.seen_at.set(scope.now)]
        reopened += [gone.remove() for gone in (Batch.reason, Batch.finished_at, Batch.announced_at)]
        pinned = Change(batch, reopened, Batch.status == batch.status)
        # A batch that gave up keeps its pins: part of it may have been committed by them.
        commit(scope, [pinned, term_versions.hold_moves(reseller_id, batch_id)])
        return store.batch(reseller_id, batch_id)
    batch = _pinned(scope, reseller_id, batch_id, key, version_id, head.version)
    pointer = store.BatchPointer(f"RB#{reseller_id}", batch.place, batch_id=batch_id)
    commit(scope, [Put(batch), Put(pointer), term_versions.open_batch(head, batch_id)])
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


def once_a_second(clock: Callable[[], int], tell: Callable[[int], None]) -> Callable[[], None]:
    """What may be called as often as anybody likes: it tells at first, and when the clock has moved since then."""
    told: int | None = None

    def maybe() -> None:
        nonlocal told
        now = clock()
        if told is None or now > told:
            told = now
            tell(now)

    return maybe


def _tell(scope: Scope, batch: Batch, reading: Reading, now: int) -> None:
    """Progress for people: counts so far, duplicates not yet taken out. A batch that is done already is left alone."""
    actions = [
        Batch.lines.set(reading.lines),
        Batch.rated.set(reading.lines - reading.rejected),
        Batch.rejected.set(reading.rejected),
        Batch.seen_at.set(now),
    ]
    try:
        commit(scope, [Change(batch, actions, lifecycle.still(batch) & (Batch.status == "rating"))])
    except LostRace:
        log.info("batch %s is already finished by another try", batch.batch_id)


def _finish(scope: Scope, batch: Batch, reading: Reading, parts: list[tuple[str, str]], finished_at: int) -> Batch:
    """Post the reseller's costs and close the batch, from the markers alone."""
    markers = usage.markers(batch.batch_id, batch.generation, parts)
    # The batch after the markers: they vanish only when the next generation has taken over.
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.status == "done" or found.generation != batch.generation:
        return found or batch
    if len(markers) != len(parts):
        raise RuntimeError(f"batch {batch.batch_id}: {len(markers)} of {len(parts)} parts are committed")
    cost_e8 = lifecycle.post_costs(scope, batch, [markers])
    if reading.rejected:
        multipart.upload(store.rejects_key(batch.batch_id), reading.rejects, "text/csv; charset=utf-8")
    done = {
        "status": "done",
        "lines": reading.lines,
        "rated": sum(marker.rated for marker in markers.values()),
        "rejected": reading.rejected,
        "duplicates": sum(marker.duplicates for marker in markers.values()),
        "cost_e8": cost_e8,
        "revenue_e8": sum(marker.amount_e8 for marker in markers.values()),
        "has_rejects": bool(reading.rejected),
        "finished_at": finished_at,
    }
    return settle(lambda: _close(scope, batch, done))


def _close(scope: Scope, batch: Batch, done: dict[str, object]) -> Batch:
    found = store.batch(batch.reseller_id, batch.batch_id) or batch
    if found.status == "done" or found.generation != batch.generation:
        return found
    found.standing = found.reason = None
    for name, value in done.items():
        setattr(found, name, value)
    # A twin may have given up meanwhile, and said why.
    gone = [Batch.standing.remove(), Batch.reason.remove()]
    commit(
        scope,
        [
            Change(found, [*found.set_all(), *gone], lifecycle.still(batch) & (Batch.status != "done")),
            term_versions.close_batch(batch.reseller_id, batch.batch_id),
            *_refused(scope, found),
        ],
    )
    return found


def _refused(scope: Scope, batch: Batch) -> list[Write]:
    """A batch with refused lines is told of as it closes, once."""
    if not batch.rejected:
        return []
    told = {"key": batch.key, "lines": batch.lines, "rejected": batch.rejected}
    return announce(event(scope, batch.reseller_id, "batch.rejects", batch.batch_id, told))
