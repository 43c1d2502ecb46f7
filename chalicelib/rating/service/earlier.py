"""What an earlier generation of a batch has left at a client: found, and taken out of the index by the next one.

Nothing is taken out that was not counted: the segments must add up to the marker, else the books differ already and
the commit is refused.
"""

from __future__ import annotations

from collections.abc import Collection

from chalicelib import periods
from chalicelib.accounts.service.usage import Marker
from chalicelib.rating import store
from chalicelib.rating.segments import holder_of
from chalicelib.rating.service import segments
from chalicelib.rating.store import Batch, Emptied, Segment
from chalicelib.tables import Put, Remove, Write, new_id


class Earlier:
    """The segments of one client and local month, as the next generation of ``batch`` finds them."""

    def __init__(self, batch: Batch, client_id: str, month: str) -> None:
        self.batch_id, self.client_id, self.month = batch.batch_id, client_id, month
        first, last = periods.month_days(month)
        # A local month begins and ends within a UTC day of its own.
        days = (periods.next_day(first, -1), periods.next_day(last))
        found = [each for each in store.segments_of(client_id, *days) if each.month == month]
        self.own = [each for each in found if segments.batch_of(each) == self.batch_id]
        self.others = [each for each in found if segments.batch_of(each) != self.batch_id]

    def taken_out(self, marker: Marker) -> list[Write]:
        """The writes that take the calls of a marker out of the index and note that the lake is stale."""
        for name in ("amount_e8", "cost_e8", "seconds"):
            self._demand(name, sum(int(getattr(each, name)) for each in self.own), int(getattr(marker, name)))
        self._demand("calls", sum(int(each.rows) for each in self.own), int(marker.rated))
        if not self.own:
            return []
        stale = Emptied(f"L#{self.client_id}", f"EMPTIED#{self.month}", token=new_id())
        gone = [Remove(each, Segment.object_key == each.object_key) for each in self.own]
        return [*gone, Put(stale, anyway=True)]

    def rest(self, holders: Collection[str]) -> dict[str, int]:
        """The last start of each of these holders among the calls that other batches have billed in this month."""
        found: dict[str, int] = {}
        members = [(member, segment) for segment in self.others for member in segment.members]
        for member, segment in sorted(members, key=lambda pair: pair[0][4], reverse=True):
            # Members still to come hold nothing later than their own last start.
            if all(found.get(holder, member[4] - 1) >= member[4] for holder in holders):
                break
            for call in segments.read(segment, [member]):
                holder = holder_of(call)
                if holder in holders and call.batch_id != self.batch_id:
                    found[holder] = max(call.start, found.get(holder, call.start))
        return found

    def _demand(self, name: str, found: int, expected: int) -> None:
        if found != expected:
            raise RuntimeError(
                f"batch {self.batch_id}, client {self.client_id}, {self.month}: {name} of the earlier generation are "
                f"{found} by its segments and {expected} by its marker"
            )
