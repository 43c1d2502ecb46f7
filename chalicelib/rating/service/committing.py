"""The second half of a batch: each client is debited for its part, and its calls made readable, in one transaction.

Some parts at a time are decided, then their calls are put into S3 together, then each is committed by itself: a file of
forty clients writes one object and not forty. Whoever loses a race looks again, and writes anew only if what it decided
on has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from chalicelib.accounts.service import snapshots, usage
from chalicelib.accounts.service.snapshots import Snapshot
from chalicelib.aws.transactions import Put, Require, Scope, Write, settle
from chalicelib.rating import store
from chalicelib.rating.pricing.rate_book import Tables
from chalicelib.rating.service import compaction, endings, releasing
from chalicelib.rating.service.earlier import Earlier
from chalicelib.rating.service.known import Known
from chalicelib.rating.service.writing import Objects, Writing
from chalicelib.rating.spill import Spill
from chalicelib.rating.store import Batch

COMMIT_TRIES = 500
"""A client's commit competes with every other write to its ledger; each try rereads only that client."""
AT_ONCE = 50
"""Parts that are decided before the first of them is committed; the more, the older what the last was decided on."""

Part = tuple[str, str]
"""A client and a local month."""


class Superseded(Exception):
    """Another generation of the batch has taken over from the one of this try."""


def commit_parts(
    scope: Scope, batch: Batch, tables: Tables, spill: Spill, parts: Sequence[Part]
) -> set[tuple[str, str]]:
    """Commit every part that is not committed yet; ``Superseded`` when another generation has taken over.

    Returns clients and the days on which they have very many segments now.
    """
    crowded, packages = set[tuple[str, str]](), _packages(tables)
    for month, found in groupby(sorted(parts, key=_month), key=_month):
        objects, of_month = Objects(batch, month), list(found)
        for first in range(0, len(of_month), AT_ONCE):
            some = [
                _Commit(scope, batch, tables, spill, objects, snapshots.Part(*part, sorted(packages.get(part[0], ()))))
                for part in of_month[first : first + AT_ONCE]
            ]
            for each, facts in zip(some, _read(batch, some), strict=True):
                each.look(*facts)
            objects.flush()
            for each in some:
                crowded |= {(each.client_id, day) for day in settle(each.decide, COMMIT_TRIES)}
            releasing.release(scope, spill, [each.part for each in some])
    return crowded


def _packages(tables: Tables) -> dict[str, set[str]]:
    """By client, the packages of those who pay that may grant free minutes; once, as a file may have many of both."""
    found = dict[str, set[str]]()
    for holder in tables.holders.values:
        if tables.terms.most_minutes(holder.package_id):
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
        self, scope: Scope, batch: Batch, tables: Tables, spill: Spill, objects: Objects, wanted: snapshots.Part
    ) -> None:
        self.scope, self.batch, self.tables, self.spill, self.wanted = scope, batch, tables, spill, wanted
        self.client_id, self.month = self.part = wanted.client_id, wanted.month
        self.objects, self.writing = objects, Writing(batch, self.client_id, self.month, scope.now, objects)
        self._facts: _Facts | None = None

    def look(self, fence: list[Write], snapshot: Snapshot) -> _Facts:
        """Decide on a snapshot that was read after ``fence``, without changing a ledger."""
        days = [] if snapshot.applied else self.spill.days(self.part)
        known = Known(self.client_id, days, self.batch.batch_id, snapshot.settled)
        if not snapshot.applied and not self.writing.holds_for(known, snapshot.used_free):
            self.writing.write(known, snapshot.used_free, self.spill, self.part, self.tables)
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
    return [Require(found, endings.still(batch))]
