"""Whether the books add up: checked by tests, every night, and by the operator, who can also run one check alone.

Level 1 runs all checks of the table. Level 2 also reads the rated calls in their segments.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from chalicelib.accounts.ledger import queries
from chalicelib.accounts.ledger.months import Difference
from chalicelib.aws import objects
from chalicelib.aws.transactions import Put, Scope, commit, event
from chalicelib.calls import lake
from chalicelib.errors import LostRace
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.nightly import checks
from chalicelib.rating.nightly.checks import ClientBooks, ResellerBooks
from chalicelib.rating.nightly.store import Verified

log = logging.getLogger(__name__)

_MOST_IN_EVENT = 20
"""Differences that an event lists; the log has all of them."""
_OVERLAP_SECONDS = 3600
"""Segments of the last hour are read again the next night: the clock of the try that wrote them may have been slow."""


def nightly(scope: Scope, clock: int | None = None, reseller_ids: Iterable[str] | None = None) -> list[Difference]:
    """Level 2 for every reseller, or for these, over the segments written since the last time; returns all differences.

    ``clock`` is the real time where ``scope.now`` may be a pretended one: ``written_at`` of segments is of the clock.

    The differences of a reseller are recorded in its events. Where there are none, its new calls are copied into the
    lake, and it is marked as verified.
    """
    all_differences: list[Difference] = []
    upto = min(scope.now, scope.now if clock is None else clock) - _OVERLAP_SECONDS
    for reseller_id in queries.reseller_ids() if reseller_ids is None else reseller_ids:
        since = _verified_upto(reseller_id)
        try:
            differences = reconcile(reseller_id, 2, since, scope.now) or list(_publish(scope, reseller_id, since))
        except LostRace:
            _not_checked(reseller_id)
            continue
        if differences:
            listing = {"differences": [_recorded(difference) for difference in differences[:_MOST_IN_EVENT]]}
            commit(scope, [event(scope, reseller_id, "books.differ", reseller_id, listing)])
            all_differences += differences
        else:
            commit(scope, [Put(Verified(*Verified.key(reseller_id), upto=upto), anyway=True)])
    return all_differences


def selected(names: Any, now: int, reseller_ids: Iterable[str] | None = None) -> list[Difference]:
    """The differences that these checks alone find, for every reseller, or for these; writes nothing.

    ``ValueError`` unless ``names`` is a list of names of checks. ``contents`` reads what the next night would read.
    """
    unknown = [name for name in names if name not in checks.NAMES] if isinstance(names, list) else [names]
    if unknown or not names:
        raise ValueError(f"checks must be a list of names among {', '.join(checks.NAMES)}; unknown: {unknown}")
    differences: list[Difference] = []
    for reseller_id in queries.reseller_ids() if reseller_ids is None else reseller_ids:
        try:
            differences += _run(names, reseller_id, _verified_upto(reseller_id), now)
        except LostRace:
            _not_checked(reseller_id)
    return differences


def reconcile(reseller_id: str, level: int = 1, since: int = 0, now: int = 0) -> list[Difference]:
    """All differences found in a reseller's books; empty when they balance.

    Level 2 also reads the client-days that have a segment written at or after ``since`` (0: all of them). Holds for
    calls in progress are compared as of ``now`` (0: not at all). ``LostRace`` when a client changed each time that it
    was read.
    """
    left_out = {"contents": level < 2, "holds": not now}
    return _run([name for name in checks.NAMES if not left_out.get(name)], reseller_id, since, now)


def of_client(reseller_id: str, client_id: str) -> list[Difference]:
    """The differences of one client's ledger, months and index of calls."""
    books = ClientBooks(reseller_id, client_id)
    return list(checks.run(checks.CLIENT_CHECKS, ("balances", "usage"), books))


def _run(names: Collection[str], reseller_id: str, since: int, now: int) -> list[Difference]:
    with_batches = "batches" in names
    reseller = ResellerBooks(reseller_id, Batch.under(*Batch.of_reseller(reseller_id)) if with_batches else [])
    differences: list[Difference] = []
    for client_id in queries.client_ids(reseller_id):
        client = ClientBooks(reseller_id, client_id, since, now)
        differences += checks.run(checks.CLIENT_CHECKS, names, client)
        if with_batches:
            reseller.add(client.calls.markers)
    return [*differences, *checks.run(checks.RESELLER_CHECKS, names, reseller)]


def _publish(scope: Scope, reseller_id: str, since: int) -> Iterator[Difference]:
    """Copy new calls into the lake; yields a difference for a client when an object that it needs is missing."""
    for client_id in queries.client_ids(reseller_id):
        try:
            lake.publish(scope, reseller_id, client_id, since)
        except objects.Missing as problem:
            yield Difference(client_id, f"{problem}, wanted for the lake and not in the bucket", 1, 0, check="lake")


def _verified_upto(reseller_id: str) -> int:
    """Segments written before this instant have been read and found right."""
    verified = Verified.find(*Verified.key(reseller_id))
    return verified.upto if verified else 0


def _not_checked(reseller_id: str) -> None:
    log.warning("reseller %s is not checked: a ledger changed each time that it was read", reseller_id)


def _recorded(difference: Difference) -> dict[str, Any]:
    """A difference as events have it."""
    return {name: value for name, value in asdict(difference).items() if name != "check"}
