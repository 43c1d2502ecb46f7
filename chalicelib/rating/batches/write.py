"""Rated calls, put into S3 before the commits that make them visible."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np

from chalicelib import periods
from chalicelib.aws.multipart import Growing
from chalicelib.calls import format as call_format
from chalicelib.calls import store as call_store
from chalicelib.calls.index import SHARED, day_name, object_key
from chalicelib.calls.store import Segment
from chalicelib.calls.totals import Totals
from chalicelib.client_month import ClientMonth
from chalicelib.rating.batches import charges
from chalicelib.rating.batches.billed import KEPT_HASHES, Known, Place, remember
from chalicelib.rating.batches.client_day import Slices
from chalicelib.rating.batches.rated_csv import Rows, render
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.engine import call_keys
from chalicelib.rating.engine.call_keys import Hashes
from chalicelib.rating.pricing.rate_book import RateBook

OBJECT_BYTES = 32 << 20
"""Days go to a new object whenever one has grown so large, and a longer day is sent in parts: memory stays flat."""
AHEAD = 8
"""Members that may wait for being packed."""


@dataclass
class Sums:
    """What the days of a client-month add up to."""

    used_free: Mapping[str, int]
    totals: Totals = field(default_factory=Totals)
    spent: dict[str, int] = field(default_factory=dict)

    def add(self, day: charges.Day, recent: Sequence[tuple[str, int]]) -> None:
        self.totals += day.totals
        for (name, first), (_, end) in pairwise(recent):
            low, high = np.searchsorted(day.rows.start, (first, end))
            if amount_e8 := int(day.rows.amount_e8[low:high].sum()):
                self.spent[name] = self.spent.get(name, 0) + amount_e8


class Objects:
    """The objects of a batch and month, filled one after the other with the calls of several clients' commits."""

    def __init__(self, batch: Batch, month: str) -> None:
        self._batch, self._month = batch, month
        self._open = self._new()
        self._waiting = deque[tuple[list[int], Future[bytes]]]()

    def begin(self) -> str:
        """The key of the object in which the calls ``put`` from here on will lie, a whole day, once it is flushed."""
        if self._open.size >= OBJECT_BYTES:
            self.flush()
        return self._open.key

    def put(self, rows: Rows, per_member: int) -> list[list[int]]:
        """Calls of a day, or of a slice of one; its members, whose offsets and lengths are filled in by ``flush``.

        They are packed by other threads while the next day is decided, and added in the order in which they came.
        """
        members = []
        for first in range(0, len(rows), per_member):
            last = min(first + per_member, len(rows))
            members.append([0, 0, last - first, int(rows.start[first]), int(rows.start[last - 1])])
            self._waiting.append((members[-1], _packers().submit(_packed, rows, first, last)))
            if len(self._waiting) > AHEAD:
                self._add_oldest()
        return members

    def flush(self) -> None:
        """Write what was put, so that it may be committed."""
        while self._waiting:
            self._add_oldest()
        if self._open.size:
            self._open.close()
            self._open = self._new()

    def _add_oldest(self) -> None:
        member, packing = self._waiting.popleft()
        packed = packing.result()
        member[:2] = self._open.size, len(packed)
        self._open.add(packed)

    def _new(self) -> Growing:
        key = object_key(self._batch.reseller_id, SHARED, self._month, self._batch.batch_id)
        return Growing(key, "application/gzip", OBJECT_BYTES)


@lru_cache(maxsize=1)
def _packers() -> ThreadPoolExecutor:
    """The threads of a container: most of what they do lets go of the interpreter's lock."""
    return ThreadPoolExecutor(os.cpu_count(), "packer")


def _packed(rows: Rows, first: int, last: int) -> bytes:
    return call_format.pack(render(rows, first, last))


@dataclass
class Writing:
    """The segments of one client and month of a batch. A lost race writes anew only if the decision may differ."""

    batch: Batch
    client_month: ClientMonth
    now: int
    objects: Objects
    index: list[Segment] = field(default_factory=list)
    sums: Sums = field(default_factory=lambda: Sums({}))
    _decided_on: tuple[frozenset[Place], Mapping[str, int]] | None = None

    def holds_for(self, known: Known, used_free: Mapping[str, int]) -> bool:
        """Whether what was written last was decided on the same facts."""
        return self._decided_on == (known.places, used_free)

    def write(self, known: Known, used_free: Mapping[str, int], spill: Spill, book: RateBook) -> None:
        """Decide each day in order, put the calls that stand into ``objects``, and make their index."""
        free, recent = charges.Free(book, dict(used_free)), periods.days_around(self.now, book.zone)
        self.index, self.sums = [], Sums(free.used)
        for day in spill.days(self.client_month):
            slices = Slices(spill, self.client_month, day, known.billed(day), book)
            if slices.standing:
                self._write_day(day, slices, free, recent)
        before = dict(used_free)
        self.sums.used_free = {name: used for name, used in free.used.items() if used != before.get(name, 0)}
        self._decided_on = (known.places, before)

    def _write_day(self, day: int, slices: Slices, free: charges.Free, recent: Sequence[tuple[str, int]]) -> None:
        """Put one day's calls where they belong, and their index behind that of the days before."""
        key, members, hashes = self.objects.begin(), list[list[int]](), list[Hashes]()
        totals, per_member = Totals(), call_format.rows_per_member(slices.standing)
        for rows, texts in slices:
            decided = charges.decide(rows, texts, slices.by_id, free, self.batch.batch_id)
            members += self.objects.put(decided.rows, per_member)
            if slices.standing <= KEPT_HASHES:
                hashes.append(call_keys.hashes(call_keys.kinds(decided.rows.code), decided.rows.texts.call_id))
            self.sums.add(decided, recent)
            totals += decided.totals
        segment = call_store.segment_item(
            self.batch.reseller_id,
            self.client_month,
            day_name(day),
            self.batch.batch_id,
            self.batch.generation,
            object_key=key,
            members=members,
            totals=totals,
            written_at=self.now,
        )
        remember(segment, hashes)
        self.index.append(segment)
