"""The second half of a batch: each client-month is debited, and its calls made readable, by one transaction.

Some client-months are charged together, then their calls are written to S3 together, then each is committed by itself:
so a file of forty clients writes one object and not forty. A commit that loses a race reads again, and writes its calls
again only if the facts have changed by which they were charged.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from chalicelib import periods
from chalicelib.accounts.ledger import snapshots, usage
from chalicelib.accounts.ledger.snapshots import Snapshot
from chalicelib.aws.transactions import Put, Require, Scope, Write, settle
from chalicelib.client_month import ClientMonth
from chalicelib.rating.authorizations.holds import KEPT_SECONDS, Called
from chalicelib.rating.authorizations.release import release
from chalicelib.rating.batches import compaction, lifecycle, store
from chalicelib.rating.batches.billed import BilledCalls
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.batches.supersede import Superseded
from chalicelib.rating.batches.write import CallWriter, Objects
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing.rate_book import RateBook

COMMIT_TRIES = 500
"""A client's commit competes with every other write to its ledger; each try rereads only that client."""
AT_ONCE = 50
"""Client-months that are charged together. The more there are, the older are the facts when the last is committed."""


class GenerationReplaced(Exception):
    """Another generation of the batch has begun since this try did."""


@dataclass(frozen=True)
class _Work:
    """What all client-months of a batch share; ``packages``: by client id, those that may grant free minutes."""

    scope: Scope
    batch: Batch
    table: TermTable
    spill: Spill
    packages: Mapping[str, Collection[str]]


def commit_client_months(
    scope: Scope, batch: Batch, table: TermTable, spill: Spill, client_months: Sequence[ClientMonth]
) -> set[tuple[str, str]]:
    """Commit each client-month that is not committed yet; ``GenerationReplaced`` when another generation has begun.

    Returns client ids with the days on which they have very many segments now.
    """
    crowded, work = set[tuple[str, str]](), _Work(scope, batch, table, spill, _packages(table.book))
    for month, found in groupby(sorted(client_months, key=_month), key=_month):
        objects, of_month = Objects(batch, month), list(found)
        for first in range(0, len(of_month), AT_ONCE):
            commits = [_Commit(work, objects, client_month) for client_month in of_month[first : first + AT_ONCE]]
            for one, facts in zip(commits, _read(work, commits), strict=True):
                one.charge(*facts)
            objects.flush()
            for one in commits:
                crowded |= {(one.client_id, day) for day in settle(one.commit, COMMIT_TRIES)}
            release(scope, [(one.client_id, _recent_calls(work, one.client_month)) for one in commits])
    return crowded


def _packages(book: RateBook) -> dict[str, set[str]]:
    """By client id, the packages that may grant free minutes; read once, as a file may have many of both."""
    found = dict[str, set[str]]()
    for holder in book.holders.values:
        if book.terms.most_minutes(holder.package_id):
            found.setdefault(holder.client_id, set()).add(holder.package_id)
    return found


def _month(client_month: ClientMonth) -> str:
    return client_month.month


@dataclass(frozen=True)
class _Facts:
    """What a client-month is charged by. ``fence``: what the commit requires besides the client's version."""

    fence: list[Write]
    snapshot: Snapshot
    billed: BilledCalls


class _Commit:
    """The commit of one client-month."""

    def __init__(self, work: _Work, objects: Objects, client_month: ClientMonth) -> None:
        self.work, self.objects, self.client_month = work, objects, client_month
        self.client_id = client_month.client_id
        self._writer = CallWriter(work.batch, client_month, work.scope.now, objects)
        self._facts: _Facts | None = None

    def charge(self, fence: list[Write], snapshot: Snapshot) -> _Facts:
        """Charge the calls and write them, by a snapshot that was read after ``fence``; no ledger is changed."""
        days = [] if snapshot.applied else self.work.spill.days(self.client_month)
        billed = BilledCalls(self.client_id, days, self.work.batch.batch_id, snapshot.settled)
        if not snapshot.applied and not self._writer.is_current(billed, snapshot.used_free):
            self._writer.write(billed, snapshot.used_free, self.work.spill, self.work.table)
        self._facts = _Facts(fence, snapshot, billed)
        return self._facts

    def commit(self) -> list[str]:
        """Commit by the facts, which are read again after each lost race; returns days with very many segments."""
        facts, self._facts = self._facts or self.charge(*_read(self.work, [self])[0]), None
        scope, snapshot = self.work.scope, facts.snapshot
        if snapshot.applied:
            return []
        crowded = facts.billed.crowded(compaction.MOST)
        self.objects.flush()
        new = [Put(segment) for segment in self._writer.index]
        this = self._usage()
        if snapshot.earlier is None:
            usage.commit_usage(scope, snapshot, this, [*facts.fence, *new])
            return crowded
        superseded = Superseded(self.work.batch, self.client_month)
        old = [*facts.fence, *superseded.removals(snapshot, snapshot.earlier)]
        if not usage.commit_usage(scope, snapshot, this, [*old, *new]):
            # Too much for one transaction: this one only takes the previous generation back.
            nothing = usage.Usage(this.batch_id, this.generation, this.month)
            usage.empty(scope, snapshot, nothing, old)
            return self.commit()
        return crowded

    def _usage(self) -> usage.Usage:
        """What the client-month comes to. Lines of it that are not rated are duplicates."""
        sums, totals, conflicts = self._writer.sums, self._writer.sums.totals, self._writer.conflicts
        return usage.Usage(
            self.work.batch.batch_id,
            self.work.batch.generation,
            self.client_month.month,
            rated=totals.calls,
            duplicates=self.work.spill.line_count(self.client_month) - totals.calls,
            conflicting=conflicts.count,
            conflicts_key=conflicts.key,
            seconds=totals.seconds,
            amount_e8=totals.amount_e8,
            cost_e8=totals.cost_e8,
            used_free=sums.used_free,
            spent=sums.spent,
        )


def _read(work: _Work, commits: Sequence[_Commit]) -> list[tuple[list[Write], Snapshot]]:
    """The fence, and the snapshot of each that was read after it."""
    batch, fence = work.batch, _fence(work.batch)
    wanted = [one.client_month for one in commits]
    found = snapshots.snapshots(batch.reseller_id, batch.batch_id, batch.generation, wanted, work.packages)
    return [(fence, snapshot) for snapshot in found]


def _fence(batch: Batch) -> list[Write]:
    """What a commit of a later generation requires: that the batch still has this generation.

    Generation 0 needs no fence: the next one begins only when all of its client-months are committed, or none will be.
    """
    if not batch.generation:
        return []
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.generation != batch.generation:
        raise GenerationReplaced()
    return [Require(found, lifecycle.same_generation(batch))]


def _recent_calls(work: _Work, client_month: ClientMonth) -> Iterator[Called]:
    """The calls of a client-month that may have an open hold: no hold is older than ``KEPT_SECONDS``."""
    spill, holders = work.spill, work.table.book.holders.values
    since = (work.scope.now - KEPT_SECONDS) // periods.DAY_SECONDS - 1
    for run in (run for day in spill.days(client_month) if day >= since for run in spill.runs(client_month, day)):
        rows, texts = spill.read(run)
        order = np.argsort(rows["line"])
        rows, texts = rows[order], texts.at(order)
        for call_id, holder, number, start, seconds in zip(
            texts.call_id.tolist(),
            rows["holder"].tolist(),
            texts.called.tolist(),
            rows["start"].tolist(),
            rows["seconds"].tolist(),
            strict=True,
        ):
            yield Called(_plain(call_id), holders[holder].name, number.decode(), start, seconds)


def _plain(field: bytes) -> str:
    """A field of a CSV row without its quotes."""
    text = field.decode()
    return next(csv.reader([text]))[0] if text.startswith('"') else text
