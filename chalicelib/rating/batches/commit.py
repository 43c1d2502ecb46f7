"""The second half of a batch: each client is debited for its part, and its calls made readable, in one transaction.

Some parts at a time are decided, then their calls are put into S3 together, then each is committed by itself: a file of
forty clients writes one object and not forty. Whoever loses a race looks again, and writes anew only if what it decided
on has changed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from chalicelib import periods
from chalicelib.accounts.ledger import snapshots, usage
from chalicelib.accounts.ledger.snapshots import Snapshot
from chalicelib.aws.transactions import Put, Require, Scope, Write, settle
from chalicelib.rating.authorizations.holds import KEPT_SECONDS, Called
from chalicelib.rating.authorizations.release import release
from chalicelib.rating.batches import compaction, lifecycle, store
from chalicelib.rating.batches.billed import Known
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.batches.supersede import Earlier
from chalicelib.rating.batches.write import Objects, Writing
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing.rate_book import RateBook

COMMIT_TRIES = 500
"""A client's commit competes with every other write to its ledger; each try rereads only that client."""
AT_ONCE = 50
"""Parts that are decided before the first of them is committed; the more, the older what the last was decided on."""

_INBOUND = 1
"""The bit of a rated line's ``code`` that says inbound."""
Part = tuple[str, str]
"""A client and a local month."""


class Superseded(Exception):
    """Another generation of the batch has taken over from the one of this try."""


def commit_parts(
    scope: Scope, batch: Batch, table: TermTable, spill: Spill, parts: Sequence[Part]
) -> set[tuple[str, str]]:
    """Commit every part that is not committed yet; ``Superseded`` when another generation has taken over.

    Returns clients and the days on which they have very many segments now.
    """
    crowded, packages = set[tuple[str, str]](), _packages(table.book)
    for month, found in groupby(sorted(parts, key=_month), key=_month):
        objects, of_month = Objects(batch, month), list(found)
        for first in range(0, len(of_month), AT_ONCE):
            some = [
                _Commit(scope, batch, table, spill, objects, snapshots.Part(*part, sorted(packages.get(part[0], ()))))
                for part in of_month[first : first + AT_ONCE]
            ]
            for each, facts in zip(some, _read(batch, some), strict=True):
                each.look(*facts)
            objects.flush()
            for each in some:
                crowded |= {(each.client_id, day) for day in settle(each.decide, COMMIT_TRIES)}
            release(scope, [(each.client_id, _outbound_calls(scope.now, spill, each.part)) for each in some])
    return crowded


def _packages(book: RateBook) -> dict[str, set[str]]:
    """By client, the packages of those who pay that may grant free minutes; once, as a file may have many of both."""
    found = dict[str, set[str]]()
    for holder in book.holders.values:
        if book.terms.most_minutes(holder.package_id):
            found.setdefault(holder.client_id, set()).add(holder.package_id)
    return found


def _month(part: Part) -> str:
    return part[1]


@dataclass(frozen=True)
class _Facts:
    """What a part is decided on."""

    fence: list[Write]
    snapshot: Snapshot
    known: Known


class _Commit:
    """One part on its way into the ledger."""

    def __init__(
        self, scope: Scope, batch: Batch, table: TermTable, spill: Spill, objects: Objects, wanted: snapshots.Part
    ) -> None:
        self.scope, self.batch, self.table, self.spill, self.wanted = scope, batch, table, spill, wanted
        self.client_id, self.month = self.part = wanted.client_id, wanted.month
        self.objects, self.writing = objects, Writing(batch, self.client_id, self.month, scope.now, objects)
        self._facts: _Facts | None = None

    def look(self, fence: list[Write], snapshot: Snapshot) -> _Facts:
        """Decide on a snapshot that was read after ``fence``, without changing a ledger."""
        days = [] if snapshot.applied else self.spill.days(self.part)
        known = Known(self.client_id, days, self.batch.batch_id, snapshot.settled)
        if not snapshot.applied and not self.writing.holds_for(known, snapshot.used_free):
            self.writing.write(known, snapshot.used_free, self.spill, self.part, self.table)
        self._facts = _Facts(fence, snapshot, known)
        return self._facts

    def decide(self) -> list[str]:
        """Commit on the facts, which are looked for again after each race lost; returns days that are crowded now."""
        facts, self._facts = self._facts or self.look(*_read(self.batch, [self])[0]), None
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
        """What a part comes to; whatever of its lines was not rated is a duplicate."""
        sums = self.writing.sums
        return usage.Usage(
            self.batch.batch_id,
            self.batch.generation,
            self.month,
            rated=sums.rated,
            duplicates=self.spill.holds(self.part) - sums.rated,
            seconds=sums.seconds,
            amount_e8=sums.amount_e8,
            cost_e8=sums.cost_e8,
            used_free=sums.used_free,
            spent=sums.spent,
        )


def _read(batch: Batch, commits: Sequence[_Commit]) -> list[tuple[list[Write], Snapshot]]:
    """The fence, and what was read after it, for each."""
    fence = _fence(batch)
    wanted = [each.wanted for each in commits]
    found = snapshots.snapshots(batch.reseller_id, batch.batch_id, batch.generation, wanted)
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
    return [Require(found, lifecycle.still(batch))]


def _outbound_calls(now: int, spill: Spill, part: Part) -> Iterator[Called]:
    """The outbound calls of a part that may have an open hold: a hold is never older than ``KEPT_SECONDS``."""
    since = (now - KEPT_SECONDS) // periods.DAY_SECONDS - 1
    for run in (run for day in spill.days(part) if day >= since for run in spill.runs(part, day)):
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
