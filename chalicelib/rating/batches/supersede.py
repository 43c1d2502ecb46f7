"""What the previous generation of a batch billed to a client: the next one finds it and takes it out of the index.

Only what was counted is taken out: the segments must add up to the marker, else the books are already wrong and the
commit is refused.
"""

from __future__ import annotations

from chalicelib.accounts.ledger import posting
from chalicelib.accounts.ledger.snapshots import Snapshot
from chalicelib.accounts.ledger.usage import Marker
from chalicelib.aws.transactions import Put, Remove, Write, new_id
from chalicelib.calls import store as call_store
from chalicelib.calls.store import Emptied, Segment
from chalicelib.calls.totals import Totals
from chalicelib.client_month import ClientMonth
from chalicelib.errors import LostRace
from chalicelib.rating.batches.store import Batch


class Superseded:
    """The segments of one client-month that previous generations of ``batch`` have written."""

    def __init__(self, batch: Batch, client_month: ClientMonth) -> None:
        self.batch_id, self.client_month = batch.batch_id, client_month
        found = call_store.segments_of_month(client_month)
        own = [segment for segment in found if segment.batch_id == self.batch_id]
        self.own = [segment for segment in own if segment.generation < batch.generation]

    def removals(self, snapshot: Snapshot, marker: Marker) -> list[Write]:
        """The writes that take the segments of ``marker`` out of the index and note that the lake is out of date."""
        found = sum((segment.totals for segment in self.own), Totals())
        counted = Totals(marker.rated, marker.seconds, found.billed_seconds, marker.amount_e8, marker.cost_e8)
        if found != counted:
            self._explain(snapshot, found, counted)
        if not self.own:
            return []
        stale = Emptied(*Emptied.key(*self.client_month), token=new_id())
        gone = [Remove(segment, Segment.object_key == segment.object_key) for segment in self.own]
        return [*gone, Put(stale, anyway=True)]

    def _explain(self, snapshot: Snapshot, found: Totals, counted: Totals) -> None:
        """Either another try was faster and the snapshot is old, or the books were wrong before."""
        client_id, month = self.client_month
        if posting.get_client(snapshot.client.reseller_id, client_id).version != snapshot.client.version:
            raise LostRace()
        raise RuntimeError(
            f"batch {self.batch_id}, client {client_id}, {month}: the previous generation has {found} by its segments "
            f"and {counted} by its marker"
        )
