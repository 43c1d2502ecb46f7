"""Finds batches: the id that belongs to a file, one batch, lists of batches, the key of the refused lines."""

from __future__ import annotations

import hashlib

from ulid import ULID

from chalicelib import periods
from chalicelib.accounts.ledger.queries import reseller_ids
from chalicelib.accounts.service import term_versions
from chalicelib.aws.transactions import find_many
from chalicelib.calls import index
from chalicelib.errors import NotFound
from chalicelib.rating.batches import store
from chalicelib.rating.batches.store import Batch, BatchPointer

PREFIX = "incoming/cdr/"
MOST_OF_A_DECK = 100
"""Batches that are named for one deck."""
_CLOCKS = 86_400
"""Seconds by which the clocks of two functions differ at most."""


def batch_id_of(bucket: str, key: str, version_id: str) -> str:
    """The id of the batch of an object version; the same version has always the same id."""
    return hashlib.sha256("\n".join((bucket, key, version_id)).encode()).hexdigest()[:32]


def reseller_id_of(key: str) -> str:
    """The reseller whose prefix the key of a CDR file begins with."""
    return key.removeprefix(PREFIX).split("/")[0]


def get_batch(reseller_id: str, batch_id: str) -> Batch:
    """One batch of this reseller; ``NotFound`` for any other."""
    batch = store.batch(reseller_id, batch_id)
    if batch is None:
        raise NotFound()
    return batch


def list_batches(reseller_id: str, after: str | None, limit: int) -> list[Batch]:
    """A reseller's batches, newest first; ``after``: ``place_of`` the last batch of the previous page."""
    pointers = BatchPointer.under(*BatchPointer.of_reseller(reseller_id), after=after, limit=limit, newest_first=True)
    return _batches(reseller_id, [str(pointer.batch_id) for pointer in pointers])


def list_batches_of(reseller_id: str, holder: str, since: int, after: str | None, limit: int) -> list[Batch]:
    """The same for batches that have billed calls that began at ``since`` or later to a sub-account
    (``sub:<username>``) or DID (``did:<number>``): they have to be rated again when it belongs to another client.
    """
    clients = term_versions.holders_ever(reseller_id, holder)
    found = _batches(reseller_id, sorted(index.batches_with(clients, holder, since)))
    newest_first = sorted(found, key=place_of, reverse=True)
    return [batch for batch in newest_first if after is None or place_of(batch) < after][:limit]


def begun_before_deck(day: str, deck_version: int) -> list[Batch]:
    """Batches that were begun after a UTC day began and pinned an older version of the decks: up to
    ``MOST_OF_A_DECK``, reseller by reseller, oldest first."""
    first = periods.calendar("UTC").day_start(day)
    after = str(ULID.from_timestamp(max(first - _CLOCKS, 0)))
    found: list[Batch] = []
    for reseller_id in reseller_ids():
        # A place is the time when a batch was created; the calls of that day came after it had begun.
        pointers = BatchPointer.under(*BatchPointer.of_reseller(reseller_id), after=after)
        batches = _batches(reseller_id, [str(pointer.batch_id) for pointer in pointers])
        found += [one for one in batches if one.deck_version < deck_version and (one.started_at or 0) >= first]
        if len(found) >= MOST_OF_A_DECK:
            break
    return found[:MOST_OF_A_DECK]


def _batches(reseller_id: str, batch_ids: list[str]) -> list[Batch]:
    keys = [Batch.key(reseller_id, batch_id) for batch_id in batch_ids]
    found = find_many(keys, Batch)
    return [found[key] for key in keys if key in found]


def place_of(batch: Batch) -> str:
    return str(batch.place)
