"""Closing of months: each ledger by itself, and only if it adds up.

A month is closed ``FORFAIT_CLOSE_AFTER_DAYS`` days into the next one, in the reseller's time zone; a day later while
batches are open, because their calls would come too late. Calls and entries that come after that count in the first
open month.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from chalicelib import periods
from chalicelib.accounts.ledger import months, posting, queries
from chalicelib.accounts.ledger.months import Difference
from chalicelib.accounts.service import term_versions
from chalicelib.apart import Apart
from chalicelib.aws.transactions import Scope
from chalicelib.periods import Calendar
from chalicelib.rating.nightly import reconcile

log = logging.getLogger(__name__)

GRACE_DAYS = 1
"""Days that open batches delay a closing. Not longer, because a failed batch stays open until somebody repairs it."""


class Place(NamedTuple):
    """How far a closing is: up to the client ``client_id``, and how many due ledgers it has ``left_open`` so far."""

    client_id: str
    left_open: int


START = Place("", 0)


@dataclass
class Closing:
    """How many months of ledgers it ``closed``; the owners of ledgers that did not add up, or broke, and
    stay open (``differing``); whether it ``finished`` in time; and the ``place`` where it stopped."""

    closed: int = 0
    differing: list[str] = field(default_factory=list)
    finished: bool = True
    place: Place = START


@dataclass(frozen=True)
class Ledger:
    """How to read the owner of a ledger, and how to check the ledger (level 1 of ``reconcile``)."""

    read: Callable[[], months.Owner]
    check: Callable[[], list[Difference]]


def due_month(today: str, after_days: int) -> str:
    """The last month (``YYYY-MM``) that is due to be closed on the day ``today``."""
    return periods.next_day(f"{periods.next_day(today, -after_days)[:7]}-01", -1)[:7]


def close_due(
    scope: Scope,
    reseller_id: str,
    after_days: int,
    out_of_time: Callable[[], bool] = lambda: False,
    place: Place = START,
) -> Closing:
    """Close the months that are due at ``scope.now``, of a reseller's clients and then of the reseller itself.

    It stops when ``out_of_time()`` is true. Called again with the ``place`` that it returned, it goes on with the next
    client. A ledger that cannot be closed does not stop the others.
    """
    calendar = posting.get_reseller(reseller_id).calendar
    open_batches = bool(term_versions.head_of(reseller_id).open_batches)
    due = due_month(calendar.day_of(scope.now), after_days + GRACE_DAYS * open_batches)
    run = Closing(place=place)
    if months.all_closed_through(reseller_id) >= due:
        return run
    for client_id in queries.client_ids(reseller_id, after=place.client_id):
        check = partial(reconcile.of_client, reseller_id, client_id)
        _close(scope, client_id, Ledger(partial(posting.get_client, reseller_id, client_id), check), calendar, due, run)
        run.place = Place(client_id, place.left_open + len(run.differing))
        if out_of_time():
            run.finished = False
            return run
    read = partial(posting.get_reseller, reseller_id)
    _close(scope, reseller_id, Ledger(read, partial(months.check, read)), calendar, due, run)
    run.place = run.place._replace(left_open=place.left_open + len(run.differing))
    if not run.place.left_open:
        months.note_all_closed(scope, reseller_id, due)
    return run


def _close(scope: Scope, owner_id: str, ledger: Ledger, calendar: Calendar, due: str, run: Closing) -> None:
    """Close the months of one ledger up to ``due``, if it adds up; ``run`` records what came of it."""
    apart = Apart()
    with apart.turn(f"the closing of {owner_id}"):
        owner = ledger.read()
        open_months = months.open_months(owner, calendar, due)
        if open_months and not _adds_up(owner, ledger):
            run.differing.append(owner_id)
            return
        for month in open_months:
            months.close(scope, ledger.read, month)
            run.closed += 1
    run.differing += [owner_id] if apart.failed else []


def _adds_up(owner: months.Owner, ledger: Ledger) -> bool:
    differences = ledger.check()
    for difference in differences:
        log.error("%s is not closed, its books differ: %s", owner.owner_id, difference)
    return not differences
