"""Announce files again whose message was lost, and batches whose every try was killed.

A function that is killed (out of time, out of memory) raises nothing, so after its last delivery its batch is not
marked as failed. Such a batch is announced once more when it has shown no sign of life for longer than all deliveries
can take, and given up when that did not help. Announcing a file too often is harmless: a try keeps what is committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from chalicelib.accounts.service import term_versions
from chalicelib.apart import Apart
from chalicelib.aws import objects
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Item, Scope, find_many
from chalicelib.config import settings
from chalicelib.rating import s3_events
from chalicelib.rating.batches import lifecycle, queries
from chalicelib.rating.batches.store import Batch, Status
from chalicelib.rating.decks import publish
from chalicelib.rating.decks.store import DeckDrop
from chalicelib.rating.s3_events import MAX_RECEIVES, SPENT_SECONDS

_AT_ONCE = 100
"""Files that are looked up in the table in one request."""
KILLED = (
    f"Each of {MAX_RECEIVES} tries was killed, and again after the file was announced once more: it took too long or "
    "too much memory. What was billed stays, and counts once. The operator can have the file tried again, or give it "
    "up so that it can be dropped in smaller parts."
)


@dataclass
class Resumed:
    """How many stopped batches were announced again, and how many were given up."""

    announced: int = 0
    given_up: int = 0


def announce_unrated(now: int) -> int:
    """Announce every CDR file without a batch, and every deck whose publication stopped; returns how many."""
    return s3_events.announce(_unrated(now))


def resume_stopped(scope: Scope, *, failed: bool = False) -> Resumed:
    """Announce batches again whose every try was killed; give up those that were announced again before.

    ``failed``: announce also the batches that were given up and still hold their owners. ``RuntimeError`` names the
    batches that could not be announced or given up, after all others were.
    """
    keys = [Batch.key(reseller_id, batch_id) for reseller_id, batch_id in term_versions.held_batches()]
    by_key = find_many(keys, Batch)
    resumed, apart = Resumed(), Apart()
    for batch in [by_key[key] for key in keys if key in by_key]:
        with apart.turn(f"batch {batch.batch_id} of reseller {batch.reseller_id}"):
            _resume(scope, batch, failed, resumed)
    apart.end()
    return resumed


def _resume(scope: Scope, batch: Batch, failed: bool, resumed: Resumed) -> None:
    if batch.status == Status.RATING and _sign_of_life(batch) < scope.now - SPENT_SECONDS:
        if (batch.announced_at or 0) > (batch.started_at or 0):
            _give_up(scope, batch)
            resumed.given_up += 1
        else:
            resumed.announced += _announce(scope, batch)
    elif batch.status == Status.FAILED and failed:
        resumed.announced += _announce(scope, batch)


def _sign_of_life(batch: Batch) -> int:
    """When the batch was last worked on or announced."""
    return max(int(at or 0) for at in (batch.started_at, batch.seen_at, batch.announced_at))


def _announce(scope: Scope, batch: Batch) -> int:
    """On the queue first, recorded afterwards: a crash in between announces once too often, never too seldom."""
    announced = s3_events.announce(iter([(batch.object_key, batch.version_id)]))
    lifecycle.record_announcement(scope, batch)
    return announced


def _give_up(scope: Scope, batch: Batch) -> None:
    lifecycle.fail(scope, batch, KILLED, release=False)


def _unrated(now: int) -> Iterator[tuple[str, str]]:
    for prefix, key_of, model in (
        (queries.PREFIX, _batch_key, Batch),
        (publish.PREFIX, publish.drop_key, DeckDrop),
    ):
        versions = objects.versions(prefix)
        while portion := list(islice(versions, _AT_ONCE)):
            keys = {arrival: key for arrival in portion if (key := key_of(*arrival))}
            by_key = find_many(list(keys.values()), model)
            yield from (arrival for arrival, key in keys.items() if _is_lost(by_key.get(key), now))


def _is_lost(item: Item | None, now: int) -> bool:
    """Whether no item was made of a file, or every try to publish a deck was killed. Batches: ``resume_stopped``."""
    if isinstance(item, DeckDrop):
        return bool(item.status == "publishing" and item.created_at < now - SPENT_SECONDS)
    return item is None


def _batch_key(key: str, version_id: str) -> Key | None:
    reseller_id, _, name = key.removeprefix(queries.PREFIX).partition("/")
    batch_id = queries.batch_id_of(settings.bucket, key, version_id)
    return Batch.key(reseller_id, batch_id) if name else None
