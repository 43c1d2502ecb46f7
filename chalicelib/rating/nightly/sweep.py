"""Objects under ``rated/`` that no index item names: what killed tries left behind, and what was replaced.

An object is named by the try that wrote it, within the 15 minutes that a function may run, or never: every try writes
anew under a random name. So one that is 15 days old and is not named when the index is read (consistently, after the
listing) can not be named later, whatever is committed meanwhile. It may have been named until a moment ago, by an index
that somebody has just read: therefore a client-month that changed within a day waits.

The bucket keeps versions, so a deletion only hides: after the table was restored, what it names can be brought back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from chalicelib import periods
from chalicelib.accounts.ledger import queries
from chalicelib.aws import objects
from chalicelib.aws.transactions import Put, Scope, commit
from chalicelib.calls import store as call_store
from chalicelib.calls.index import SHARED
from chalicelib.calls.store import Emptied
from chalicelib.rating.nightly.store import SweepPlace

log = logging.getLogger(__name__)

PREFIX = "rated/"
AGE_SECONDS = 15 * 86_400
QUIET_SECONDS = 86_400


@dataclass
class Swept:
    """Objects seen, deleted, and old but left (they wait, or are none of ours); whether the end was reached."""

    seen: int = 0
    deleted: int = 0
    left: int = 0
    finished: bool = True


def sweep(scope: Scope, out_of_time: Callable[[], bool] = lambda: False, prefix: str = PREFIX) -> Swept:
    """Delete what is old and unnamed, client-month by client-month; ``out_of_time`` stops it between two of them.
    ``prefix`` may be that of one reseller.

    The next run goes on where this one stopped. One that was killed does its part again, which changes nothing.
    """
    place = SweepPlace.find("SWEEP", "PLACE")
    swept, after = Swept(), str(place.after) if place else ""
    for month, found in groupby(objects.objects(prefix, after), key=lambda each: each[0].rpartition("/")[0]):
        if out_of_time():
            swept.finished = False
            break
        old: list[str] = []
        for key, written_at in found:
            swept.seen += 1
            after = key
            if written_at < scope.now - AGE_SECONDS:
                old.append(key)
        if old:
            _sweep_month(scope, month, old, swept)
    commit(scope, [Put(SweepPlace("SWEEP", "PLACE", after="" if swept.finished else after), anyway=True)])
    return swept


def _sweep_month(scope: Scope, folder: str, old: list[str], swept: Swept) -> None:
    parts = folder.split("/")
    if len(parts) != 4 or not _is_month(parts[3]):
        log.warning("%s holds %d objects that nothing here has written", folder, len(old))
        swept.left += len(old)
        return
    reseller_id, client_id, month = parts[1:]
    clients = queries.client_ids(reseller_id) if client_id == SHARED else [client_id]
    named = _named(clients, month, scope.now - QUIET_SECONDS)
    if named is None:
        swept.left += len(old)
        return
    gone = [key for key in old if key not in named]
    objects.delete(gone)
    swept.deleted += len(gone)
    if gone:
        log.info("%s: deleted %d of %d old objects", folder, len(gone), len(old))


def _named(clients: Iterable[str], month: str, quiet_since: int) -> set[str] | None:
    """What the index names of these clients' local month; ``None`` when that changed after ``quiet_since``."""
    # A local month begins and ends within a UTC day of its own.
    first, last = (periods.next_day(day, by) for day, by in zip(periods.month_days(month), (-1, 1), strict=True))
    named = set[str]()
    for client_id in clients:
        if Emptied.find(*Emptied.key(client_id, month)):
            return None
        found = call_store.segments_of(client_id, first, last)
        if any(segment.month == month and segment.written_at >= quiet_since for segment in found):
            return None
        named |= {segment.object_key for segment in found}
    return named


def _is_month(text: str) -> bool:
    try:
        periods.month_days(text)
    except ValueError:
        return False
    return True
