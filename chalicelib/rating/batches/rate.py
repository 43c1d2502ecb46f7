"""One CDR file, from the bucket to the ledgers: exactly once, however many tries there are and how many run at a time.

The steps: store what prices the batch (``lifecycle.open_batch``), read and price every line (``read``), debit each
client-month (``commit``), post what the reseller owes and close the batch (``_finish``), join small segments
(``compaction``). Each step finds what an earlier try has done: the batch has its pins, a client-month its marker, an
entry of the reseller its key. No result depends on what only one try knows: the counts of a finished batch are summed
from the markers.

A batch that is rated again takes the same steps as its next generation. Its client-months are those of the file and
those that the previous generation billed, so a client that no longer has a call gets its money back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace

from chalicelib.accounts.ledger import usage
from chalicelib.apart import Apart
from chalicelib.aws import multipart
from chalicelib.aws.transactions import Scope
from chalicelib.client_month import ClientMonth
from chalicelib.errors import Refused
from chalicelib.rating.batches import compaction, conflicts, costs, lifecycle, queries, store
from chalicelib.rating.batches.commit import GenerationReplaced, commit_client_months
from chalicelib.rating.batches.read import Reading, read_file
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch, Status
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing import loading

IN_MEMORY = 8 << 20
"""Bytes of refused and of rated lines that are kept in memory; more goes to files in ``/tmp``."""

CSV = "text/csv; charset=utf-8"


def rate_batch(scope: Scope, key: str, version_id: str, clock: Callable[[], int] | None = None) -> Batch | None:
    """Rate one CDR file to the end; call it again after any failure.

    ``clock`` gives the time at which it ends; without one ``scope.now`` is used. Returns the batch, ``done`` or (over a
    size limit) ``failed``; ``None`` when the key belongs to no reseller.
    """
    clock = clock or (lambda: scope.now)
    reseller_id = queries.reseller_id_of(key)
    batch = lifecycle.open_batch(scope, reseller_id, key, version_id)
    if batch is None or batch.status == Status.DONE:
        return batch
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as rejects, tempfile.SpooledTemporaryFile(IN_MEMORY) as spilled:
        book = loading.rate_book(
            reseller_id,
            batch.zones,
            batch.dial_plan,
            batch.terms_version,
            batch.deck_version,
            record_costs=batch.cost_source == "record",
        )
        table, reading = TermTable(book), Reading(rejects, Spill(spilled, book))

        began = clock()

        def report(now: int) -> None:
            if now - began > most_seconds(reading.size):
                raise Refused(f"The file takes more than {most_seconds(reading.size)} seconds to read; split it.")
            lifecycle.report_progress(scope, batch, reading.counts(), now)

        try:
            read_file(batch, table, reading, at_most_once_a_second(clock, report))
        except Refused as problem:
            how_far = {"size": reading.size, "bytes_read": reading.bytes_read}
            lifecycle.report_progress(scope, batch, how_far, clock())
            return lifecycle.refuse(replace(scope, now=clock()), batch, problem.detail)
        client_months = _client_months(batch, reading.spill)
        if batch.generation:
            for client_id in sorted({client_id for client_id, _ in client_months}):
                compaction.set_apart(scope, reseller_id, client_id, batch.batch_id)
        try:
            crowded = commit_client_months(scope, batch, table, reading.spill, client_months)
            done = _finish(scope, batch, reading, client_months, clock())
        except GenerationReplaced:
            return store.batch(reseller_id, batch.batch_id)
        except Refused as problem:
            # The search for duplicates and the list of conflicts need room on the disk, too.
            return lifecycle.refuse(replace(scope, now=clock()), batch, problem.detail)
    apart = Apart()
    for client_id, day in sorted(crowded):
        with apart.turn(f"the compaction of {day} of client {client_id}"):
            compaction.compact(scope, reseller_id, client_id, day)
    apart.end()
    return done


def _client_months(batch: Batch, spill: Spill) -> list[ClientMonth]:
    """Those that this generation bills or a previous one has billed, sorted."""
    found = set(spill.client_months())
    if batch.generation:
        found |= {billed for billed, _ in usage.client_months_of(batch.reseller_id, batch.batch_id)}
    return sorted(found)


def most_seconds(size: int) -> int:
    """Seconds that a file of ``size`` bytes as stored may take to read: some ten times what a slow one needs.

    While a file is read, it keeps one of the few places of the rating function from other resellers' files.
    """
    return 60 + 8 * (size >> 20)


def at_most_once_a_second(clock: Callable[[], int], report: Callable[[int], None]) -> Callable[[], None]:
    """A function that calls ``report(now)``, unless it already did in the same second of ``clock``."""
    reported_at: int | None = None

    def maybe() -> None:
        nonlocal reported_at
        now = clock()
        if reported_at is None or now > reported_at:
            reported_at = now
            report(now)

    return maybe


def _finish(scope: Scope, batch: Batch, reading: Reading, client_months: list[ClientMonth], finished_at: int) -> Batch:
    """Post the reseller's costs, list refused and conflicting lines, close the batch with the sums of its markers."""
    markers = usage.markers(batch.batch_id, batch.generation, client_months)
    # Read the batch after the markers: they vanish only when the next generation has begun.
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.status == Status.DONE or found.generation != batch.generation:
        return found or batch
    if len(markers) != len(client_months):
        raise RuntimeError(
            f"batch {batch.batch_id}: {len(markers)} of {len(client_months)} client-months are committed"
        )
    cost_e8 = costs.post(scope, batch, [markers])
    if reading.rejected:
        multipart.upload(store.rejects_key(batch.batch_id), reading.rejects, CSV)
    conflicting = sum(marker.conflicting for marker in markers.values())
    if conflicting:
        parts = [(str(each.conflicts_key), each.conflicting) for each in markers.values() if each.conflicting]
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            conflicts.write(batch, parts, reading.spill.column_file, file)
            multipart.upload(store.conflicts_key(batch.batch_id), file, CSV)
    outcome = {
        "lines": reading.lines,
        "rated": sum(marker.rated for marker in markers.values()),
        "internal": sum(marker.internal for marker in markers.values()),
        "rejected": reading.rejected,
        "skipped": reading.skipped,
        "duplicates": sum(marker.duplicates for marker in markers.values()),
        "conflicting": conflicting,
        "cost_e8": cost_e8,
        "revenue_e8": sum(marker.amount_e8 for marker in markers.values()),
        "has_rejects": bool(reading.rejected),
        "size": reading.size,
        "bytes_read": reading.bytes_read,
        "finished_at": finished_at,
    }
    return lifecycle.close(scope, batch, outcome)
