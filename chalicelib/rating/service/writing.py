"""Rated calls of one commit, put into S3 before it and made visible by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.rating import segments, store, usage
from chalicelib.rating.segments import Member
from chalicelib.rating.service.segments import Known, day_name
from chalicelib.rating.spill import Spill
from chalicelib.rating.store import Batch, Segment
from chalicelib.rating.tables import Tables
from chalicelib.tables import new_id

OBJECT_BYTES = 32 << 20
"""A commit's calls go to a new object whenever one has grown so large: memory stays flat."""


@dataclass
class Sums:
    """What the days of a part add up to."""

    used_free: Mapping[str, int]
    rated: int = 0
    seconds: int = 0
    amount_e8: int = 0
    cost_e8: int = 0
    latest: dict[str, int] = field(default_factory=dict)

    def add(self, day: usage.Day) -> None:
        self.rated += len(day.rows)
        self.seconds += day.seconds
        self.amount_e8 += day.amount_e8
        self.cost_e8 += day.cost_e8
        for holder, start in day.latest.items():
            self.latest[holder] = max(start, self.latest.get(holder, start))


@dataclass
class Writing:
    """The segments of one client and month of a batch. A lost race writes anew only if the decision may differ."""

    batch: Batch
    client_id: str
    month: str
    now: int
    index: list[Segment] = field(default_factory=list)
    sums: Sums = field(default_factory=lambda: Sums({}))
    _decided_on: tuple[frozenset[str], Mapping[str, int]] | None = None

    def holds_for(self, known: Known, used_free: Mapping[str, int]) -> bool:
        """Whether what was written last was decided on the same facts."""
        return self._decided_on == (known.names, used_free)

    def write(
        self, known: Known, used_free: Mapping[str, int], spill: Spill, part: tuple[str, str], tables: Tables
    ) -> None:
        """Decide each day in order, put the calls that stand into new objects, and make their index."""
        free = usage.Free(tables, dict(used_free))
        self.index, self.sums = [], Sums(free.used)
        body, key = bytearray(), self._new_key()
        for day in spill.days(part):
            decided = usage.decide(*spill.lines(part, day), known.keys(day), free, self.batch.batch_id)
            if not decided.rows:
                continue
            data, members = segments.encode_rows(decided.rows, decided.starts, len(body))
            body += data
            self.index.append(self._segment(key, day_name(day), decided, members))
            self.sums.add(decided)
            if len(body) >= OBJECT_BYTES:
                store.write(key, bytes(body), "application/gzip")
                body, key = bytearray(), self._new_key()
        if body:
            store.write(key, bytes(body), "application/gzip")
        before = dict(used_free)
        self.sums.used_free = {name: used for name, used in free.used.items() if used != before.get(name, 0)}
        self._decided_on = (known.names, before)

    def _new_key(self) -> str:
        # Named at random: a try that dies leaves an orphan, never an object that another try would trust.
        return f"rated/{self.batch.reseller_id}/{self.client_id}/{self.month}/{self.batch.batch_id}-{new_id()}.csv.gz"

    def _segment(self, key: str, day: str, decided: usage.Day, members: Sequence[Member]) -> Segment:
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
            first=decided.starts[0],
            last=decided.starts[-1],
            written_at=self.now,
        )
