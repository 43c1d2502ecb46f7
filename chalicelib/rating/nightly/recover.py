"""What fell off the queue: files that were never taken, and batches whose every try was killed without a word.

A function that is killed (out of time, out of memory) raises nothing, so on its last delivery nobody marks its batch.
Such a batch is announced once more when it has shown no sign of life for longer than all deliveries can take, and given
up when that did not help. To announce a file too often does no harm: whoever takes it finds what was done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from chalicelib.accounts.service import term_versions
from chalicelib.aws import objects
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Change, Item, Scope, commit, find_many
from chalicelib.config import settings
from chalicelib.errors import LostRace
from chalicelib.rating import s3_events
from chalicelib.rating.batches import lifecycle, queries
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.decks import publish
from chalicelib.rating.decks.store import DeckDrop
from chalicelib.rating.s3_events import MAX_RECEIVES, SPENT_SECONDS

AT_ONCE = 100
KILLED = (
    f"Each of {MAX_RECEIVES} tries was killed, and again after the file was announced once more: it took too long or "
    "too much memory. What was billed stays, and counts once. The operator can have the file tried again, or give it "
    "up so that it can be dropped in smaller parts."
)


@dataclass
class TakenUp:
    """How many batches without a sign of life were announced again, and how many given up."""

    announced: int = 0
    given_up: int = 0


def announce_unrated(now: int) -> int:
    """Put every CDR file without a batch, and every deck never looked at to the end, on the queue; returns how many."""
    return s3_events.announce(_unrated(now))


def take_up(scope: Scope, *, failed: bool = False) -> TakenUp:
    """Announce batches again that stopped without a word; give up those that did so a second time.

    ``failed``: announce also those that were given up and still hold their owners, as an operator asks for.
    """
    held = [Batch.key(reseller_id, batch_id) for reseller_id, batch_id in term_versions.held_batches()]
    found = find_many(held, Batch) if held else {}
    batches = [found[key] for key in held if key in found]
    taken = TakenUp()
    for batch in batches:
        if batch.status == "rating" and _sign_of_life(batch) < scope.now - SPENT_SECONDS:
            if (batch.announced_at or 0) > (batch.started_at or 0):
                _give_up(scope, batch)
                taken.given_up += 1
            else:
                taken.announced += _announce(scope, batch)
        elif batch.status == "failed" and failed:
            taken.announced += _announce(scope, batch)
    return taken


def _sign_of_life(batch: Batch) -> int:
    return max(int(at or 0) for at in (batch.started_at, batch.seen_at, batch.announced_at))


def _announce(scope: Scope, batch: Batch) -> int:
    """On the queue first, noted afterwards: a crash in between announces once too often, never too seldom."""
    told = s3_events.announce(iter([(batch.object_key, batch.version_id)]))
    with suppress(LostRace):  # Somebody has it in hand already.
        commit(scope, [Change(batch, [Batch.announced_at.set(scope.now)], Batch.status == batch.status)])
    return told


def _give_up(scope: Scope, batch: Batch) -> None:
    lifecycle.fail(scope, batch, KILLED, release=False)


def _unrated(now: int) -> Iterator[tuple[str, str]]:
    for prefix, place, model in (
        (queries.PREFIX, _batch_place, Batch),
        (publish.PREFIX, publish.drop_key, DeckDrop),
    ):
        found = objects.versions(prefix)
        while some := list(islice(found, AT_ONCE)):
            places = {arrival: where for arrival in some if (where := place(*arrival))}
            known = find_many(list(places.values()), model)
            yield from (arrival for arrival, where in places.items() if _is_lost(known.get(where), now))


def _is_lost(known: Item | None, now: int) -> bool:
    """Never taken, or a deck whose every try was killed; batches see ``take_up``."""
    if isinstance(known, DeckDrop):
        return bool(known.status == "publishing" and known.created_at < now - SPENT_SECONDS)
    return known is None


def _batch_place(key: str, version_id: str) -> Key | None:
    reseller_id, _, name = key.removeprefix(queries.PREFIX).partition("/")
    batch_id = queries.batch_id_of(settings.bucket, key, version_id)
    return Batch.key(reseller_id, batch_id) if name else None
