"""What an earlier generation of a batch has left at a client: found, and taken out of the index by the next one.

Nothing is taken out that was not counted: the segments must add up to the marker, else the books differ already and
the commit is refused.
"""

from __future__ import annotations

from chalicelib import periods
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.ledger.snapshots import Snapshot
from chalicelib.accounts.ledger.usage import Marker
from chalicelib.aws.transactions import Put, Remove, Write, new_id
from chalicelib.calls import store as call_store
from chalicelib.calls.store import Emptied, Segment
from chalicelib.calls.totals import Totals
from chalicelib.errors import LostRace
from chalicelib.rating.batches.store import Batch


class Earlier:
    """The segments of one client and local month, as the next generation of ``batch`` finds them."""

    def __init__(self, batch: Batch, client_id: str, month: str) -> None:
        self.batch_id, self.client_id, self.month = batch.batch_id, client_id, month
        first, last = periods.month_days(month)
        # A local month begins and ends within a UTC day of its own.
        days = (periods.next_day(first, -1), periods.next_day(last))
        found = [each for each in call_store.segments_of(client_id, *days) if each.month == month]
        own = [each for each in found if each.batch_id == self.batch_id]
        self.own = [each for each in own if each.generation < batch.generation]

    def taken_out(self, snapshot: Snapshot, marker: Marker) -> list[Write]:
        """The writes that take the calls of a marker out of the index and note that the lake is stale."""
        found = sum((each.totals for each in self.own), Totals())
        counted = Totals(marker.rated, marker.seconds, found.billed_seconds, marker.amount_e8, marker.cost_e8)
        if found != counted:
            self._explain(snapshot, found, counted)
        if not self.own:
            return []
        stale = Emptied(*Emptied.key(self.client_id, self.month), token=new_id())
        gone = [Remove(each, Segment.object_key == each.object_key) for each in self.own]
        return [*gone, Put(stale, anyway=True)]

    def _explain(self, snapshot: Snapshot, found: Totals, counted: Totals) -> None:
        """Either a twin was faster and the snapshot is old, or the books were wrong before."""
        if posting.client_of(snapshot.client.reseller_id, self.client_id)().version != snapshot.client.version:
            raise LostRace()
        raise RuntimeError(
            f"batch {self.batch_id}, client {self.client_id}, {self.month}: the previous generation has {found} by its "
            f"segments and {counted} by its marker"
        )
