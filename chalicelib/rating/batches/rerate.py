"""Rating a batch again: its next generation is begun here, and rated by the rating function like the first one."""

from __future__ import annotations

from chalicelib.aws.transactions import Scope
from chalicelib.rating import s3_events
from chalicelib.rating.batches import lifecycle
from chalicelib.rating.batches.store import Batch


def start(scope: Scope, reseller_id: str, batch_id: str) -> Batch:
    """Have a batch rated again with the terms, decks, sources and owners that hold now; it is ``rating`` afterwards.

    Raises as ``lifecycle.begin_generation`` does. If the message to the queue is lost, ``rescan`` sends another.
    """
    batch = lifecycle.begin_generation(scope, reseller_id, batch_id)
    s3_events.announce(iter([(batch.object_key, batch.version_id)]))
    return batch
