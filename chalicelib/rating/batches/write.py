"""Writes rated calls into S3, before the commits that make them visible."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np

from chalicelib.aws.multipart import Growing
from chalicelib.calls import format as call_format
from chalicelib.calls import store as call_store
from chalicelib.calls.index import SHARED, day_name, object_key
from chalicelib.calls.store import Segment
from chalicelib.calls.totals import Totals
from chalicelib.client_month import ClientMonth
from chalicelib.rating.batches import charges
from chalicelib.rating.batches.billed import CACHED_HASHES, BilledCalls, SegmentPlace, cache
from chalicelib.rating.batches.client_day import ClientDay
from chalicelib.rating.batches.conflicts import ConflictsOfClient
from chalicelib.rating.batches.rated_csv import RatedRows, render
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.engine import call_keys
from chalicelib.rating.engine.columns import exact_sum
from chalicelib.rating.engine.hashing import Hashes
from chalicelib.rating.engine.term_table import TermTable

OBJECT_BYTES = 32 << 20
"""Size at which the next day begins a new object. A larger day is sent in pieces, so memory does not grow with it."""
AHEAD = 8
"""Gzip members that may wait to be compressed."""


@dataclass
class Sums:
    """What the days of a client-month add up to.

    ``used_free``: the month's free seconds that are spent after these calls, of the packages from which these calls
    take some; ``spent``: by local day, the part of ``totals.amount_e8`` on each of the last few days.
    """

    used_free: Mapping[str, int]
    totals: Totals = field(default_factory=Totals)
    spent: dict[str, int] = field(default_factory=dict)

    def add(self, day: charges.ChargedCalls, recent: Sequence[tuple[str, int]]) -> None:
        """``recent``: the last few local days, each with its first instant; the last one only ends the one before."""
        self.totals += day.totals
        for (name, first), (_, end) in pairwise(recent):
            low, high = np.searchsorted(day.rows.start, (first, end))
            if amount_e8 := exact_sum(day.rows.amount_e8[low:high]):
                self.spent[name] = self.spent.get(name, 0) + amount_e8


class Objects:
    """The objects of a batch and month. One after the other is filled with the calls of several client-months."""

    def __init__(self, batch: Batch, month: str) -> None:
        self._batch, self._month = batch, month
        self._open = self._new()
        self._waiting = deque[tuple[list[int], Future[bytes]]]()

    def begin(self) -> str:
        """Begin a day: the key of the object that will have its calls, once it is flushed."""
        if self._open.size >= OBJECT_BYTES:
            self.flush()
        return self._open.key

    def append(self, rows: RatedRows, per_member: int) -> list[list[int]]:
        """Append calls of a day; returns their members, whose offsets and lengths are filled in by ``flush``.

        Other threads compress them while the next day is charged; they are written in the order of the calls.
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
        """Write what was appended, so that it may be committed."""
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
    """The threads of a container. Compressing and most of numpy release the interpreter's lock."""
    return ThreadPoolExecutor(os.cpu_count(), "packer")


def _packed(rows: RatedRows, first: int, last: int) -> bytes:
    return call_format.pack(render(rows, first, last))


@dataclass
class CallWriter:
    """Writes the calls of one client-month of a batch: then ``index`` has their segments, ``sums`` their sums, and
    ``conflicts`` the lines that are conflicting duplicates.

    After a lost race they are written again only if they may be charged differently.
    """

    batch: Batch
    client_month: ClientMonth
    now: int
    objects: Objects
    index: list[Segment] = field(default_factory=list)
    sums: Sums = field(default_factory=lambda: Sums({}))
    conflicts: ConflictsOfClient = field(default_factory=ConflictsOfClient)
    _charged_on: tuple[frozenset[SegmentPlace], Mapping[str, int]] | None = None

    def is_current(self, billed: BilledCalls, used_free: Mapping[str, int]) -> bool:
        """Whether the calls that were written last were charged on the same facts."""
        return self._charged_on == (billed.places, used_free)

    def write(self, billed: BilledCalls, used_free: Mapping[str, int], spill: Spill, table: TermTable) -> None:
        """Charge each day in order, and append its calls to ``objects``.

        ``used_free``: by package id, the month's free seconds that are spent before these calls.
        """
        free, recent = charges.FreeSeconds(table, dict(used_free)), table.book.calendar.days_around(self.now)
        self.index, self.sums, self.conflicts = [], Sums(free.used), ConflictsOfClient()
        for day in spill.days(self.client_month):
            client_day = ClientDay(spill, self.client_month, day, billed.billed(day), table, self.conflicts.add)
            if client_day.unique_lines:
                self._write_day(day, client_day, free, recent)
        self.conflicts.close()
        before = dict(used_free)
        self.sums.used_free = {name: used for name, used in free.used.items() if used != before.get(name, 0)}
        self._charged_on = (billed.places, before)

    def _write_day(
        self, day: int, client_day: ClientDay, free: charges.FreeSeconds, recent: Sequence[tuple[str, int]]
    ) -> None:
        """Charge one day slice by slice, and append its segment to ``index``."""
        key, members, hashes = self.objects.begin(), list[list[int]](), list[Hashes]()
        totals, per_member = Totals(), call_format.rows_per_member(client_day.unique_lines)
        for rows, texts in client_day:
            charged = charges.charge(rows, texts, client_day.by_id, free, self.batch.batch_id)
            members += self.objects.append(charged.rows, per_member)
            if client_day.unique_lines <= CACHED_HASHES:
                hashes.append(call_keys.hashes(call_keys.kinds(charged.rows.code), charged.rows.texts.call_id))
            self.sums.add(charged, recent)
            totals += charged.totals
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
        cache(segment, hashes)
        self.index.append(segment)
