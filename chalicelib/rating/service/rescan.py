"""Files that were dropped but never taken: their message was lost, or the machine was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from chalicelib.config import settings
from chalicelib.rating import store
from chalicelib.rating.service import batch_files, decks
from chalicelib.rating.store import Batch, DeckDrop
from chalicelib.tables import find_many

AT_ONCE = 100


def announce_unrated() -> int:
    """Put every CDR file without a batch, and every deck never looked at, on the queue again; returns how many."""
    return store.announce(_unrated())


def _unrated() -> Iterator[tuple[str, str]]:
    for prefix, place, model in (
        (batch_files.PREFIX, _batch_place, Batch),
        (decks.PREFIX, decks.place_of, DeckDrop),
    ):
        found = store.versions(prefix)
        while some := list(islice(found, AT_ONCE)):
            places = {arrival: where for arrival in some if (where := place(*arrival))}
            known = find_many(list(places.values()), model)
            yield from (arrival for arrival, where in places.items() if where not in known)


def _batch_place(key: str, version_id: str) -> tuple[str, str] | None:
    reseller_id, _, name = key.removeprefix(batch_files.PREFIX).partition("/")
    batch_id = batch_files.batch_id_of(settings.bucket, key, version_id)
    return (f"R#{reseller_id}", f"BATCH#{batch_id}") if name else None
