"""Rating a batch again: its next generation is begun here, and done by the rating function like a first one.

The batch is `rating` from the transaction on that begins the generation; then it is announced on the queue like a file
that was dropped. A message that is lost is sent again by ``rescan``.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.update import Action

from chalicelib.accounts.service import term_versions
from chalicelib.aws.transactions import Change, Scope, commit, event, settle, settled
from chalicelib.errors import Conflict
from chalicelib.rating import s3_events
from chalicelib.rating.batches import pins, queries, store
from chalicelib.rating.batches.store import Batch

STANDING = (
    "generation", "lines", "rated", "rejected", "duplicates", "cost_e8", "revenue_e8", "has_rejects", "finished_at",
)  # fmt: skip
"""What a batch says about the generation that stands, kept while the next one is being rated."""


def start(scope: Scope, reseller_id: str, batch_id: str) -> Batch:
    """Have a batch rated again with the terms, decks, sources and owners that are in force now.

    A batch that failed goes on with the generation it had begun, and with what that one pinned, if part of it may have
    been committed. ``NotFound`` for another reseller's batch, ``Conflict`` while it is being rated.
    """
    batch = settle(lambda: _begin(scope, reseller_id, batch_id))
    s3_events.announce(iter([(batch.object_key, batch.version_id)]))
    return batch


def _begin(scope: Scope, reseller_id: str, batch_id: str) -> Batch:
    batch = queries.get_batch(reseller_id, batch_id)
    if batch.status not in ("done", "failed"):
        raise Conflict("This batch is being rated; try again when it is done.")
    head = term_versions.head_of(reseller_id)
    as_read = (Batch.status == batch.status) & (Batch.generation == batch.generation)
    gone: list[Attribute[Any]] = [Batch.reason, Batch.finished_at]
    if batch.status == "failed" and batch_id in (head.open_batches or ()):
        # Part of it may be committed by these pins, and the rest must be by the same: no new generation yet.
        held = term_versions.hold_moves(reseller_id, batch_id)
    else:
        _next_generation(batch, pins.present(reseller_id, batch.object_key, head.version))
        gone += [attribute for attribute in (Batch.declared, Batch.standing) if not getattr(batch, attribute.attr_name)]
        held = term_versions.open_batch(head, batch_id)
    batch.status, batch.started_at = "rating", scope.now
    batch.reason = batch.finished_at = None
    actions: list[Action] = [*batch.set_all(), *(attribute.remove() for attribute in gone)]
    told = event(scope, reseller_id, "batch.rerate", batch_id, {"generation": batch.generation})
    commit(scope, [Change(batch, actions, as_read), held, told], batch)
    return batch


def _next_generation(batch: Batch, pinned: dict[str, object]) -> None:
    """Number and pins of the next generation; what stands is kept, in case there is nothing to put in its place."""
    done = batch.status == "done"
    batch.standing = {name: getattr(batch, name) for name in STANDING} if done else None
    batch.latest_generation = max(batch.generation, batch.latest_generation) + 1
    batch.generation = batch.latest_generation
    for name, value in pinned.items():
        setattr(batch, name, value)


@settled
def keep(scope: Scope, batch: Batch, reason: str) -> Batch:
    """The file cannot be read again: the earlier generation stands as it was, and the batch says why.

    Only for a generation of which nothing is committed.
    """
    found = store.batch(batch.reseller_id, batch.batch_id) or batch
    if found.status != "rating" or found.generation != batch.generation:
        return found
    for name, value in found.standing.items():
        setattr(found, name, value)
    found.status, found.reason, found.standing = "done", reason, None
    same = (Batch.status == "rating") & (Batch.generation == batch.generation)
    writes = [
        Change(found, [*found.set_all(), Batch.standing.remove()], same),
        term_versions.close_batch(found.reseller_id, found.batch_id),
        event(scope, found.reseller_id, "batch.kept", found.batch_id, {"reason": reason}),
    ]
    commit(scope, writes)
    return found
