"""The second half of a batch: each client-month is debited, and its calls made readable, in one transaction.

Some client-months at a time are decided, then their calls are put into S3 together, then each is committed by itself:
a file of forty clients writes one object and not forty. A commit that loses a race reads again, and writes its calls
again only if what it was decided on has changed.
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
from chalicelib.rating.batches.billed import Known
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.batches.supersede import Earlier
from chalicelib.rating.batches.write import Objects, Writing
from chalicelib.rating.pricing.rate_book import RateBook

COMMIT_TRIES = 500
"""A client's commit competes with every other write to its ledger; each try rereads only that client."""
AT_ONCE = 50
"""Client-months that are decided together. The more, the older the facts on which the last one is decided."""

_INBOUND = 1
"""The bit of a rated line's ``code`` that says inbound."""


class Superseded(Exception):
    """Another generation of the batch has taken over from the one of this try."""


def commit_client_months(
    scope: Scope, batch: Batch, book: RateBook, spill: Spill, client_months: Sequence[ClientMonth]
) -> set[tuple[str, str]]:
    """Commit each that is not committed yet; ``Superseded`` when another generation has taken over.

    Returns clients and the days on which they have very many segments now.
    """
    crowded, packages = set[tuple[str, str]](), _packages(book)
    for month, found in groupby(sorted(client_months, key=_month), key=_month):
        objects, of_month = Objects(batch, month), list(found)
        for first in range(0, len(of_month), AT_ONCE):
            some = [
                _Commit(scope, batch, book, spill, objects, client_month, packages)
                for client_month in of_month[first : first + AT_ONCE]
            ]
            for each, facts in zip(some, _read(batch, some, packages), strict=True):
                each.look(*facts)
            objects.flush()
            for each in some:
                crowded |= {(each.client_id, day) for day in settle(each.decide, COMMIT_TRIES)}
            release(scope, [(each.client_id, _outbound_calls(scope.now, spill, each.client_month)) for each in some])
    return crowded


def _packages(book: RateBook) -> dict[str, set[str]]:
    """By client, the packages of those who pay that may grant free minutes; once, as a file may have many of both."""
    found = dict[str, set[str]]()
    for holder in book.holders.values:
        if book.terms.most_minutes(holder.package_id):
            found.setdefault(holder.client_id, set()).add(holder.package_id)
    return found


def _month(client_month: ClientMonth) -> str:
    return client_month.month


@dataclass(frozen=True)
class _Facts:
    """What a client-month is decided on."""

    fence: list[Write]
    snapshot: Snapshot
    known: Known


class _Commit:
    """One client-month on its way into the ledger."""

    def __init__(
        self,
        scope: Scope,
        batch: Batch,
        book: RateBook,
        spill: Spill,
        objects: Objects,
        client_month: ClientMonth,
        packages: Mapping[str, Collection[str]],
    ) -> None:
        self.scope, self.batch, self.book, self.spill, self.packages = scope, batch, book, spill, packages
        self.client_id, self.month = self.client_month = client_month
        self.objects, self.writing = objects, Writing(batch, client_month, scope.now, objects)
        self._facts: _Facts | None = None

    def look(self, fence: list[Write], snapshot: Snapshot) -> _Facts:
        """Decide on a snapshot that was read after ``fence``, without changing a ledger."""
        days = [] if snapshot.applied else self.spill.days(self.client_month)
        known = Known(self.client_id, days, self.batch.batch_id, snapshot.settled)
        if not snapshot.applied and not self.writing.holds_for(known, snapshot.used_free):
            self.writing.write(known, snapshot.used_free, self.spill, self.book)
        self._facts = _Facts(fence, snapshot, known)
        return self._facts

    def decide(self) -> list[str]:
        """Commit on the facts, which are looked for again after each race lost; returns days that are crowded now."""
        facts, self._facts = self._facts or self.look(*_read(self.batch, [self], self.packages)[0]), None
        snapshot = facts.snapshot
        if snapshot.applied:
            return []
        crowded = facts.known.crowded(compaction.MOST)
        self.objects.flush()
        new = [Put(segment) for segment in self.writing.index]
        what = self._usage()
        if snapshot.earlier is None:
            usage.commit_usage(self.scope, snapshot, what, [*facts.fence, *new])
            return crowded
        earlier = Earlier(self.batch, self.client_id, self.month)
        old = [*facts.fence, *earlier.taken_out(snapshot, snapshot.earlier)]
        if not usage.commit_usage(self.scope, snapshot, what, [*old, *new]):
            nothing = usage.Usage(self.batch.batch_id, self.batch.generation, self.month)
            usage.empty(self.scope, snapshot, nothing, old)
            return self.decide()
        return crowded

    def _usage(self) -> usage.Usage:
        """What a client-month comes to; a line of it that is not rated is a duplicate."""
        sums = self.writing.sums
        totals = sums.totals
        return usage.Usage(
            self.batch.batch_id,
            self.batch.generation,
            self.month,
            rated=totals.calls,
            duplicates=self.spill.holds(self.client_month) - totals.calls,
            seconds=totals.seconds,
            amount_e8=totals.amount_e8,
            cost_e8=totals.cost_e8,
            used_free=sums.used_free,
            spent=sums.spent,
        )


def _read(
    batch: Batch, commits: Sequence[_Commit], packages: Mapping[str, Collection[str]]
) -> list[tuple[list[Write], Snapshot]]:
    """The fence, and what was read after it, for each."""
    fence = _fence(batch)
    wanted = [each.client_month for each in commits]
    found = snapshots.snapshots(batch.reseller_id, batch.batch_id, batch.generation, wanted, packages)
    return [(fence, snapshot) for snapshot in found]


def _fence(batch: Batch) -> list[Write]:
    """What a commit of a later generation demands: that no other one has taken over since.

    A first generation needs no fence: a next one begins when all its markers stand, or none ever will.
    """
    if not batch.generation:
        return []
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.generation != batch.generation:
        raise Superseded()
    return [Require(found, lifecycle.same_generation(batch))]


def _outbound_calls(now: int, spill: Spill, client_month: ClientMonth) -> Iterator[Called]:
    """The outbound calls of a client-month that may have an open hold: a hold is never older than ``KEPT_SECONDS``."""
    since = (now - KEPT_SECONDS) // periods.DAY_SECONDS - 1
    for run in (run for day in spill.days(client_month) if day >= since for run in spill.runs(client_month, day)):
        rows, texts = spill.read(run)
        some = np.flatnonzero(rows["code"] & _INBOUND == 0)
        some = some[np.argsort(rows["line"][some])]
        rows, texts = rows[some], texts.at(some)
        for call_id, account, number, start, seconds in zip(
            texts.call_id.tolist(),
            texts.account.tolist(),
            texts.called.tolist(),
            rows["start"].tolist(),
            rows["seconds"].tolist(),
            strict=True,
        ):
            yield Called(_plain(call_id), _plain(account), number.decode(), start, seconds)


def _plain(field: bytes) -> str:
    """A field of a CSV row as it was before it became one."""
    text = field.decode()
    return next(csv.reader([text]))[0] if text.startswith('"') else text
