"""The status of a batch: every change of it is made here, each by one transaction.

| from | to | function |
|---|---|---|
| no batch yet | rating | ``open_batch``: the first try stores the pins |
| failed | rating | ``open_batch``: another try continues with the same pins |
| done, failed | rating | ``begin_generation``: somebody asks to rate the batch again |
| rating, failed | done | ``close``: everything is committed |
| rating | done | ``keep``: the file cannot be read again, so the previous generation remains |
| rating | failed | ``fail``: refused, or given up |

While a batch is open, its id is in the head of the reseller's terms, and no sub-account or DID changes its client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.accounts.ledger import posting, usage
from chalicelib.accounts.service import term_versions
from chalicelib.aws import objects
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, event, new_id, settled
from chalicelib.client_month import ClientMonth
from chalicelib.config import settings
from chalicelib.errors import Conflict, LostRace
from chalicelib.outbox import enqueue
from chalicelib.rating.batches import costs, queries, sources, store
from chalicelib.rating.batches.store import Batch, BatchPointer, Status
from chalicelib.rating.decks import store as deck_store

log = logging.getLogger(__name__)

_OUTCOME = (
    "generation", "lines", "rated", "internal", "rejected", "duplicates", "skipped", "conflicting", "cost_e8",
    "revenue_e8", "has_rejects", "finished_at",
)  # fmt: skip
"""What a batch says about its last finished generation; kept while the next one is being rated."""


def same_generation(batch: Batch) -> Condition:
    """No other generation has begun."""
    return Batch.generation == batch.generation


@settled
def open_batch(scope: Scope, reseller_id: str, key: str, version_id: str) -> Batch | None:
    """The batch of an object version, for a try that begins now; ``None`` for a reseller that does not exist.

    A batch that is ``done`` is returned as it is; any other is ``rating`` afterwards.
    """
    batch_id = queries.batch_id_of(settings.bucket, key, version_id)
    batch = store.batch(reseller_id, batch_id)
    if batch and batch.status == Status.DONE:
        return batch
    if batch and batch.status == Status.RATING:
        commit(scope, [Change(batch, [Batch.seen_at.set(scope.now)], Batch.status == Status.RATING)])
        return batch
    head = term_versions.head(reseller_id)
    if head is None:
        log.warning("%s is under no reseller's prefix", key)
        return None
    if batch:
        # It keeps its pins: part of it may have been committed by them.
        changes = {"seen_at": scope.now, "reason": None, "finished_at": None, "announced_at": None}
        _transition(scope, batch, Status.RATING, changes, term_versions.hold_moves(reseller_id, batch_id))
        return store.batch(reseller_id, batch_id)
    deck_head, decks = deck_store.head_and_version()
    batch = Batch(
        *Batch.key(reseller_id, batch_id),
        batch_id=batch_id,
        place=new_id(),
        reseller_id=reseller_id,
        object_key=key,
        version_id=version_id,
        status=Status.RATING.value,
        created_at=scope.now,
        started_at=scope.now,
        **_pins(reseller_id, key, head.version, decks),
    )
    pointer = BatchPointer(*BatchPointer.key(reseller_id, batch.place), batch_id=batch_id)
    commit(scope, [Put(batch), Put(pointer), term_versions.open_batch(head, batch_id), *deck_store.pin(deck_head)])
    return batch


@settled
def begin_generation(scope: Scope, reseller_id: str, batch_id: str) -> Batch:
    """Begin the next generation of a batch, with the pins that hold now.

    A batch that failed continues with the generation and the pins that it has, if part of it may be committed by them.
    ``NotFound`` for another reseller's batch, ``Conflict`` while it is being rated.
    """
    batch = queries.get_batch(reseller_id, batch_id)
    if batch.status == Status.RATING:
        raise Conflict("This batch is being rated; try again when it is done.")
    head = term_versions.head_of(reseller_id)
    changes: dict[str, Any] = {"started_at": scope.now, "reason": None, "finished_at": None}
    if batch.status == Status.FAILED and batch_id in (head.open_batches or ()):
        owners = [term_versions.hold_moves(reseller_id, batch_id)]
    else:
        deck_head, decks = deck_store.head_and_version()
        changes |= _pins(reseller_id, batch.object_key, head.version, decks)
        done = batch.status == Status.DONE
        changes["previous"] = {name: getattr(batch, name) for name in _OUTCOME} if done else None
        changes["generation"] = changes["latest_generation"] = max(batch.generation, batch.latest_generation) + 1
        owners = [term_versions.open_batch(head, batch_id), *deck_store.pin(deck_head)]
    generation = changes.get("generation", batch.generation)
    recorded = event(scope, reseller_id, "batch.rerate", batch_id, {"generation": generation})
    return _transition(scope, batch, Status.RATING, changes, *owners, recorded)


def report_progress(scope: Scope, batch: Batch, counts: Mapping[str, int], now: int) -> None:
    """Store the counts so far (fields of ``Batch``), for people. No effect on a finished batch."""
    actions = [
        *(getattr(Batch, name).set(count) for name, count in counts.items()),
        Batch.seen_at.set(now),
    ]
    try:
        commit(scope, [Change(batch, actions, same_generation(batch) & (Batch.status == Status.RATING))])
    except LostRace:
        log.info("batch %s is already finished by another try", batch.batch_id)


def record_announcement(scope: Scope, batch: Batch) -> None:
    """Store when a batch was announced again; no effect if its status has changed, because a try is working on it."""
    with suppress(LostRace):
        commit(scope, [Change(batch, [Batch.announced_at.set(scope.now)], Batch.status == batch.status)])


@settled
def close(scope: Scope, batch: Batch, outcome: Mapping[str, object]) -> Batch:
    """Mark a batch ``done``; ``outcome`` has its counts and sums. Refused lines are announced by the same transaction.

    If another try or generation was faster, nothing is changed.
    """
    found = store.batch(batch.reseller_id, batch.batch_id) or batch
    if found.status == Status.DONE or found.generation != batch.generation:
        return found
    refused: list[Write] = []
    if outcome["rejected"]:
        fields = {"key": found.object_key, "lines": outcome["lines"], "rejected": outcome["rejected"]}
        refused = enqueue(event(scope, batch.reseller_id, "batch.rejects", batch.batch_id, fields))
    # Another try may have failed meanwhile, and stored its reason.
    changes = {**outcome, "previous": None, "reason": None}
    closed = term_versions.close_batch(batch.reseller_id, batch.batch_id)
    return _transition(scope, found, Status.DONE, changes, closed, *refused)


def refuse(scope: Scope, batch: Batch, reason: str) -> Batch:
    """End a batch whose file cannot be read. Trying again would not help.

    It fails if this generation has committed something or there is no previous one; else the previous one is kept.
    """
    billed: dict[int, list[ClientMonth]] = {}
    for client_month, generation in usage.client_months_of(batch.reseller_id, batch.batch_id):
        billed.setdefault(generation, []).append(client_month)
    if batch.generation in billed:
        gone = objects.look(batch.object_key, batch.version_id) is None
        if gone:
            # It will never be rated to the end: the reseller owes what its clients were debited for.
            costs.post(scope, batch, [usage.markers(batch.batch_id, *some) for some in billed.items()])
        return fail(scope, batch, reason, release=gone)
    return keep(scope, batch, reason) if batch.previous else fail(scope, batch, reason)


@settled
def fail(scope: Scope, batch: Batch, reason: str, *, release: bool = True) -> Batch:
    """Mark a batch ``failed``: what was committed stays, and another try continues from there.

    Without ``release`` it remains open, so that no sub-account or DID changes its client: part of the batch may be
    billed, and the rest must be billed to the same clients.
    """
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.status != Status.RATING or found.generation != batch.generation:
        return found or batch
    closed = [term_versions.close_batch(found.reseller_id, found.batch_id)] if release else []
    fields = {"key": found.object_key, "reason": reason}
    recorded = enqueue(event(scope, found.reseller_id, "batch.failed", found.batch_id, fields))
    changes = {"reason": reason, "finished_at": scope.now}
    return _transition(scope, found, Status.FAILED, changes, *closed, *recorded)


def fail_by_key(scope: Scope, key: str, version_id: str, reason: str) -> None:
    """``fail`` for the batch of an object version; nothing happens if there is none."""
    batch = store.batch(queries.reseller_id_of(key), queries.batch_id_of(settings.bucket, key, version_id))
    if batch:
        fail(scope, batch, reason, release=False)


@settled
def keep(scope: Scope, batch: Batch, reason: str) -> Batch:
    """Mark a batch ``done`` with its previous generation, because the file cannot be read again.

    Only for a generation that has committed nothing.
    """
    found = store.batch(batch.reseller_id, batch.batch_id) or batch
    if found.status != Status.RATING or found.generation != batch.generation:
        return found
    changes = {**found.previous, "reason": reason, "previous": None}
    closed = term_versions.close_batch(found.reseller_id, found.batch_id)
    recorded = event(scope, found.reseller_id, "batch.kept", found.batch_id, {"reason": reason})
    return _transition(scope, found, Status.DONE, changes, closed, recorded)


def _transition(scope: Scope, batch: Batch, to: Status, changes: Mapping[str, object], *others: Write) -> Batch:
    """Change status and fields of a batch, and commit ``others`` with it. A field that changes to ``None`` is removed.

    ``batch`` is as it was just read, and is returned changed. ``LostRace`` if status or generation are others now.
    """
    as_read = (Batch.status == batch.status) & same_generation(batch)
    actions = []
    for name, value in {**changes, "status": to.value}.items():
        attribute = getattr(Batch, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
        setattr(batch, name, value)
    commit(scope, [Change(batch, actions, as_read), *others], batch)
    return batch


def _pins(reseller_id: str, key: str, terms_version: int, deck_version: int) -> dict[str, Any]:
    """The fields of ``Batch`` that every try of a generation uses, as they are now; the versions are just read."""
    reseller = posting.get_reseller(reseller_id)
    return {
        "terms_version": terms_version,
        "deck_version": deck_version,
        "zones": reseller.zones,
        "home_country": reseller.home_country,
        "internal_digits": reseller.internal_digits,
        "cost_source": reseller.cost_source,
        "declared": sources.declared_for(reseller_id, key.removeprefix(f"{queries.PREFIX}{reseller_id}/")),
    }
