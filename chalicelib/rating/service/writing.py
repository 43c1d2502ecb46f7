"""Rated calls, put into S3 before the commits that make them visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from chalicelib import periods
from chalicelib.rating import segments, store, usage
from chalicelib.rating.rendering import Rows, render
from chalicelib.rating.segments import Member
from chalicelib.rating.service.known import Known
from chalicelib.rating.service.segments import SHARED, day_name, object_key
from chalicelib.rating.spill import Spill
from chalicelib.rating.store import Batch, Segment
from chalicelib.rating.tables import Tables

OBJECT_BYTES = 32 << 20
"""Calls go to a new object whenever one has grown so large: memory stays flat."""


@dataclass
class Sums:
    """What the days of a part add up to."""

    used_free: Mapping[str, int]
    rated: int = 0
    seconds: int = 0
    amount_e8: int = 0
    cost_e8: int = 0
    spent: dict[str, int] = field(default_factory=dict)

    def add(self, day: usage.Day, recent: Sequence[tuple[str, int]]) -> None:
        self.rated += len(day.rows)
        self.seconds += day.seconds
        self.amount_e8 += day.amount_e8
        self.cost_e8 += day.cost_e8
        for (name, first), (_, end) in pairwise(recent):
            low, high = np.searchsorted(day.rows.start, (first, end))
            if amount_e8 := int(day.amounts[low:high].sum()):
                self.spent[name] = self.spent.get(name, 0) + amount_e8


class Objects:
    """The objects of a batch and month, filled one after the other with the calls of several clients' commits."""

    def __init__(self, batch: Batch, month: str) -> None:
        self._batch, self._month = batch, month
        self._body, self._key = bytearray(), self._new_key()

    def put(self, rows: Rows) -> tuple[str, list[Member]]:
        """Calls of one day; where they will lie once ``flush`` was called."""
        if len(self._body) >= OBJECT_BYTES:
            self.flush()
        return self._key, _packed(rows, self._body)

    def flush(self) -> None:
        """Write what was put, so that it may be committed."""
        if self._body:
            store.write(self._key, bytes(self._body), "application/gzip")
            self._body, self._key = bytearray(), self._new_key()

    def _new_key(self) -> str:
        return object_key(self._batch.reseller_id, SHARED, self._month, self._batch.batch_id)


@dataclass
class Writing:
    """The segments of one client and month of a batch. A lost race writes anew only if the decision may differ."""

    batch: Batch
    client_id: str
    month: str
    now: int
    objects: Objects
    index: list[Segment] = field(default_factory=list)
    sums: Sums = field(default_factory=lambda: Sums({}))
    _decided_on: tuple[frozenset[str], Mapping[str, int]] | None = None

    def holds_for(self, known: Known, used_free: Mapping[str, int]) -> bool:
        """Whether what was written last was decided on the same facts."""
        return self._decided_on == (known.names, used_free)

    def write(
        self, known: Known, used_free: Mapping[str, int], spill: Spill, part: tuple[str, str], tables: Tables
    ) -> None:
        """Decide each day in order, put the calls that stand into ``objects``, and make their index."""
        free, recent = usage.Free(tables, dict(used_free)), periods.days_around(self.now, tables.zone)
        self.index, self.sums = [], Sums(free.used)
        for day in spill.days(part):
            decided = usage.decide(*spill.lines(part, day), known.billed(day), free, self.batch.batch_id)
            if len(decided.rows):
                self.index.append(self._segment(day_name(day), decided, *self.objects.put(decided.rows)))
                self.sums.add(decided, recent)
        before = dict(used_free)
        self.sums.used_free = {name: used for name, used in free.used.items() if used != before.get(name, 0)}
        self._decided_on = (known.names, before)

    def _segment(self, day: str, decided: usage.Day, key: str, members: Sequence[Member]) -> Segment:
        return Segment(
            f"L#{self.client_id}",
            f"SEG#{day}#{self.batch.batch_id}#{int(self.batch.generation)}#{self.month}",
            day_key=f"R#{self.batch.reseller_id}#{day}",
            client_id=self.client_id,
            day=day,
            month=self.month,
            object_key=key,
            members=[list(member) for member in members],
            rows=len(decided.rows),
            seconds=decided.seconds,
            billed_seconds=decided.billed_seconds,
            amount_e8=decided.amount_e8,
            cost_e8=decided.cost_e8,
            first=int(decided.rows.start[0]),
            last=int(decided.rows.start[-1]),
            written_at=self.now,
        )


def _packed(rows: Rows, body: bytearray) -> list[Member]:
    """Put a day behind what is in ``body``."""
    members = []
    for first in range(0, len(rows), segments.ROWS_PER_MEMBER):
        last = min(first + segments.ROWS_PER_MEMBER, len(rows))
        packed = segments.pack(render(rows, first, last))
        starts = int(rows.start[first]), int(rows.start[last - 1])
        members.append(Member(len(body), len(packed), last - first, *starts))
        body += packed
    return members
