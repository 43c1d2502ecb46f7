"""Delete objects under ``rated/`` that no index item names: left behind by killed tries, or replaced.

Only the try that wrote an object can name it in the index, within the 15 minutes that a function may run: every try
writes under new random names. So an object that is 15 days old, and that the index (read consistently, after the
listing) does not name, will not be named later. It may have been named until a moment ago, and a reader may still have
that index in its hands: therefore the objects of a client-month that changed within a day are left.

The bucket keeps versions, so a deletion only hides: after the table was restored, the objects it names can be restored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from chalicelib import periods
from chalicelib.accounts.ledger import queries
from chalicelib.apart import Apart
from chalicelib.aws import objects
from chalicelib.aws.transactions import Put, Scope, commit
from chalicelib.calls import store as call_store
from chalicelib.calls.index import SHARED
from chalicelib.calls.store import Emptied
from chalicelib.rating.nightly.store import SweepPlace

log = logging.getLogger(__name__)

PREFIX = "rated/"
AGE_SECONDS = 15 * 86_400
"""Younger objects are left."""
QUIET_SECONDS = 86_400
"""Objects of a client-month that changed within so many seconds are left."""


@dataclass
class Swept:
    """Objects seen, deleted, and old but left (for later, or not written by Forfait); whether the end was reached."""

    seen: int = 0
    deleted: int = 0
    left: int = 0
    finished: bool = True


def sweep(scope: Scope, out_of_time: Callable[[], bool] = lambda: False, prefix: str = PREFIX) -> Swept:
    """Delete old objects that no index item names, client-month by client-month; returns the counts.

    ``out_of_time`` stops it between two client-months; the next run continues there. After a run that was killed, the
    next one repeats its part, which changes nothing. ``prefix`` may be that of one reseller. ``RuntimeError`` names the
    client-months that could not be swept, after all others were.
    """
    place = SweepPlace.find(*SweepPlace.key())
    swept, after, apart = Swept(), str(place.after) if place else "", Apart()
    for folder, listed in groupby(objects.objects(prefix, after), key=lambda listing: listing[0].rpartition("/")[0]):
        if out_of_time():
            swept.finished = False
            break
        old: list[str] = []
        for key, written_at in listed:
            swept.seen += 1
            after = key
            if written_at < scope.now - AGE_SECONDS:
                old.append(key)
        if old:
            with apart.turn(folder):
                _sweep_month(scope, folder, old, swept)
    commit(scope, [Put(SweepPlace(*SweepPlace.key(), after="" if swept.finished else after), anyway=True)])
    apart.end()
    return swept


def _sweep_month(scope: Scope, folder: str, old: list[str], swept: Swept) -> None:
    parts = folder.split("/")
    if len(parts) != 4 or not _is_month(parts[3]):
        log.warning("%s holds %d objects that Forfait has not written", folder, len(old))
        swept.left += len(old)
        return
    reseller_id, client_id, month = parts[1:]
    clients = queries.client_ids(reseller_id) if client_id == SHARED else [client_id]
    named = _named(clients, month, scope.now - QUIET_SECONDS)
    if named is None:
        swept.left += len(old)
        return
    unnamed = [key for key in old if key not in named]
    objects.delete(unnamed)
    swept.deleted += len(unnamed)
    if unnamed:
        log.info("%s: deleted %d of %d old objects", folder, len(unnamed), len(old))


def _named(clients: Iterable[str], month: str, quiet_since: int) -> set[str] | None:
    """Object keys in the index of these clients' local month; ``None`` when it changed after ``quiet_since``."""
    # In UTC a local month begins and ends at most a day earlier or later.
    first, last = (periods.next_day(day, by) for day, by in zip(periods.month_days(month), (-1, 1), strict=True))
    named = set[str]()
    for client_id in clients:
        if Emptied.find(*Emptied.key(client_id, month)):
            return None
        segments = call_store.segments_of(client_id, first, last)
        if any(segment.month == month and segment.written_at >= quiet_since for segment in segments):
            return None
        named |= {segment.object_key for segment in segments}
    return named


def _is_month(text: str) -> bool:
    try:
        periods.month_days(text)
    except ValueError:
        return False
    return True
