"""Rated calls in S3 with their index in the table: written before a commit, visible through it, read by ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from chalicelib import periods
from chalicelib.rating import segments, store, usage
from chalicelib.rating.segments import Member, RatedCall
from chalicelib.rating.store import Batch, Segment
from chalicelib.tables import Put, Write, new_id

KEPT_KEYS = 64
"""How many client-days of call keys a container remembers: files of one client come one after another."""


@dataclass
class Writing:
    """The segments of one client and month of a batch. A lost race writes anew only if the calls changed by it."""

    batch: Batch
    client_id: str
    month: str
    now: int
    _part: usage.Part | None = field(default=None)
    _index: list[Segment] = field(default_factory=list)

    def index(self, part: usage.Part) -> list[Write]:
        """Put the calls into one new object; the writes that will make them visible."""
        if self._part is None or self._part.days != part.days:
            self._part, self._index = part, self._write(part)
        return [Put(segment) for segment in self._index]

    def _write(self, part: usage.Part) -> list[Segment]:
        # Named at random: a try that dies leaves an orphan, never an object that another try would trust.
        key = f"rated/{self.batch.reseller_id}/{self.client_id}/{self.month}/{self.batch.batch_id}-{new_id()}.csv.gz"
        body, index = bytearray(), []
        for day, calls in sorted(part.days.items()):
            data, members = segments.encode(calls, offset=len(body))
            body += data
            index.append(self._segment(key, periods.utc_day(day * periods.DAY_SECONDS), calls, members))
        if body:
            store.write(key, bytes(body), "application/gzip")
        return index

    def _segment(self, key: str, day: str, calls: Sequence[RatedCall], members: Sequence[Member]) -> Segment:
        return Segment(
            f"L#{self.client_id}",
            f"SEG#{day}#{self.batch.batch_id}#{int(self.batch.generation)}#{self.month}",
            day_key=f"R#{self.batch.reseller_id}#{day}",
            client_id=self.client_id,
            day=day,
            month=self.month,
            object_key=key,
            members=[list(member) for member in members],
            rows=len(calls),
            seconds=sum(call.seconds for call in calls),
            billed_seconds=sum(call.billed_seconds for call in calls),
            amount_e8=sum(call.amount_e8 for call in calls),
            cost_e8=sum(call.cost_e8 for call in calls),
            first=calls[0].start,
            last=calls[-1].start,
            written_at=self.now,
        )


def known_calls(client_id: str, days: Sequence[int]) -> dict[int, set[usage.CallKey]]:
    """Keys of the calls already billed to a client, by UTC day. Days come sorted."""
    if not days:
        return {}
    first, last = (periods.utc_day(day * periods.DAY_SECONDS) for day in (days[0], days[-1]))
    wanted = {periods.utc_day(day * periods.DAY_SECONDS): day for day in days}
    known: dict[int, set[usage.CallKey]] = {}
    for segment in store.segments_of(client_id, first, last):
        if segment.day in wanted:
            keys = _keys(segment.object_key, *_span(segment.members))
            known.setdefault(wanted[segment.day], set()).update(keys)
    return known


def read(segment: Segment, members: Sequence[Sequence[int]] | None = None) -> list[RatedCall]:
    """The calls of a segment, or of some neighbouring members of it, oldest first."""
    offset, length = _span(segment.members if members is None else members)
    return list(segments.decode(store.read(segment.object_key, offset, length)))


def _span(members: Sequence[Sequence[int]]) -> tuple[int, int]:
    offset = members[0][0]
    return offset, members[-1][0] + members[-1][1] - offset


@lru_cache(maxsize=KEPT_KEYS)
def _keys(object_key: str, offset: int, length: int) -> frozenset[usage.CallKey]:
    """Call keys of part of an object; objects never change, so remembering them is safe."""
    return frozenset(usage.call_key(call) for call in segments.decode(store.read(object_key, offset, length)))
