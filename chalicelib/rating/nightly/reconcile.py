"""Whether the books add up: checked by tests, every night, and by the operator, who can also run one check alone.

Level 1 runs all checks of the table. Level 2 also reads the rated calls in their segments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from chalicelib.accounts.ledger import queries
from chalicelib.accounts.ledger.months import Difference
from chalicelib.apart import Apart
from chalicelib.aws import objects
from chalicelib.aws.transactions import Scope, commit, event
from chalicelib.calls import lake
from chalicelib.errors import LostRace
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.nightly import checks
from chalicelib.rating.nightly.checks import ClientBooks, ResellerBooks
from chalicelib.rating.nightly.store import note_verified, verified_upto

log = logging.getLogger(__name__)

_MOST_IN_EVENT = 20
"""Differences that an event lists; the log has all of them."""
_OVERLAP_SECONDS = 3600
"""Segments of the last hour are read again the next night: the clock of the try that wrote them may have been slow."""


def nightly(scope: Scope, clock: int | None = None, reseller_ids: Iterable[str] | None = None) -> list[Difference]:
    """Level 2 for every reseller, or for these, over the segments written since the last time; returns all differences.

    ``clock`` is the real time where ``scope.now`` may be a pretended one: ``written_at`` of segments is of the clock.

    The differences of a reseller are logged and recorded in its events. Where there are none, its new calls are copied
    into the lake, and it is marked as verified. ``RuntimeError`` names the resellers that could not be checked because
    of an error, after all others were.
    """
    upto = min(scope.now, scope.now if clock is None else clock) - _OVERLAP_SECONDS
    return _each(reseller_ids, lambda reseller_id: _night_of(scope, reseller_id, upto))


def _night_of(scope: Scope, reseller_id: str, upto: int) -> list[Difference]:
    """The differences of one reseller, which are recorded; if there are none, the lake and how far it is verified."""
    since = verified_upto(reseller_id)
    differences = reconcile(reseller_id, 2, since, scope.now) or list(_logged(_publish(scope, reseller_id, since)))
    if differences:
        listing = {"differences": [_recorded(difference) for difference in differences[:_MOST_IN_EVENT]]}
        commit(scope, [event(scope, reseller_id, "books.differ", reseller_id, listing)])
    else:
        note_verified(scope, reseller_id, upto)
    return differences


def selected(names: Any, now: int, reseller_ids: Iterable[str] | None = None) -> list[Difference]:
    """The differences that these checks alone find, for every reseller, or for these; writes nothing.

    ``ValueError`` unless ``names`` is a list of names of checks. ``contents`` reads what the next night would read.
    ``RuntimeError`` as in ``nightly``.
    """
    unknown = [name for name in names if name not in checks.NAMES] if isinstance(names, list) else [names]
    if unknown or not names:
        raise ValueError(f"checks must be a list of names among {', '.join(checks.NAMES)}; unknown: {unknown}")
    return _each(reseller_ids, lambda reseller_id: _run(names, reseller_id, verified_upto(reseller_id), now))


def _each(reseller_ids: Iterable[str] | None, check: Callable[[str], list[Difference]]) -> list[Difference]:
    """Check every reseller, or these; the differences of all of them. An error of one does not stop the others."""
    differences, apart = list[Difference](), Apart()
    for reseller_id in queries.reseller_ids() if reseller_ids is None else reseller_ids:
        with apart.turn(f"the check of reseller {reseller_id}"):
            try:
                found = check(reseller_id)
            except LostRace:
                log.warning("reseller %s is not checked: a ledger changed each time that it was read", reseller_id)
                continue
            differences += found
    apart.end()
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
        differences += _logged(checks.run(checks.CLIENT_CHECKS, names, client))
        if with_batches:
            reseller.add(client.calls.markers)
    return [*differences, *_logged(checks.run(checks.RESELLER_CHECKS, names, reseller))]


def _logged(differences: Iterable[Difference]) -> Iterator[Difference]:
    """Log each when it is found, because an error may come after it."""
    for difference in differences:
        log.error("the books differ: %s", difference)
        yield difference


def _publish(scope: Scope, reseller_id: str, since: int) -> Iterator[Difference]:
    """Copy new calls into the lake; yields a difference for a client when an object that it needs is missing."""
    for client_id in queries.client_ids(reseller_id):
        try:
            lake.publish(scope, reseller_id, client_id, since)
        except objects.Missing as problem:
            yield Difference(client_id, f"{problem}, wanted for the lake and not in the bucket", 1, 0, check="lake")


def _recorded(difference: Difference) -> dict[str, Any]:
    """A difference as events have it."""
    return {name: value for name, value in asdict(difference).items() if name != "check"}
