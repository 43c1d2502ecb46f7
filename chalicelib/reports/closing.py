"""Closing of months: each ledger by itself, and only if it adds up.

A month is closed ``FORFAIT_CLOSE_AFTER_DAYS`` days into the next one, in the reseller's time zone; a day later while
batches are open, because their calls would come too late. Calls and entries that come after that count in the first
open month.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from chalicelib import periods
from chalicelib.accounts.ledger import months, posting, queries
from chalicelib.accounts.ledger.months import Difference
from chalicelib.accounts.service import term_versions
from chalicelib.aws.transactions import Scope
from chalicelib.rating.nightly import reconcile

log = logging.getLogger(__name__)

GRACE_DAYS = 1
"""Days that open batches delay a closing. Not longer, because a failed batch stays open until somebody repairs it."""


@dataclass
class Closing:
    """What a run did: how many months of ledgers it ``closed``, the owners of ledgers that did not add up and stay open
    (``differing``), and whether it ``finished`` in time."""

    closed: int = 0
    differing: list[str] = field(default_factory=list)
    finished: bool = True


@dataclass(frozen=True)
class Ledger:
    """How to read the owner of a ledger, and how to check the ledger (level 1 of ``reconcile``)."""

    read: Callable[[], months.Owner]
    check: Callable[[], list[Difference]]


def due_month(today: str, after_days: int) -> str:
    """The last month (``YYYY-MM``) that is due to be closed on the day ``today``."""
    return periods.next_day(f"{periods.next_day(today, -after_days)[:7]}-01", -1)[:7]


def close_due(
    scope: Scope, reseller_id: str, after_days: int, out_of_time: Callable[[], bool] = lambda: False
) -> Closing:
    """Close the months that are due at ``scope.now``, of a reseller's clients and then of the reseller itself.

    It stops when ``out_of_time()`` is true. Called again, it goes on with the ledgers that are still open.
    """
    calendar = posting.get_reseller(reseller_id).calendar
    open_batches = bool(term_versions.head_of(reseller_id).open_batches)
    due = due_month(calendar.day_of(scope.now), after_days + GRACE_DAYS * open_batches)
    run = Closing()
    if months.all_closed_through(reseller_id) >= due:
        return run
    for ledger in _ledgers(reseller_id):
        owner = ledger.read()
        open_months = months.open_months(owner, calendar, due)
        if open_months and _adds_up(owner, ledger):
            for month in open_months:
                months.close(scope, ledger.read, month)
                run.closed += 1
        elif open_months:
            run.differing.append(owner.owner_id)
        if out_of_time():
            run.finished = False
            return run
    if not run.differing:
        months.note_all_closed(scope, reseller_id, due)
    return run


def _ledgers(reseller_id: str) -> Iterator[Ledger]:
    for client_id in queries.client_ids(reseller_id):
        check = partial(reconcile.of_client, reseller_id, client_id)
        yield Ledger(partial(posting.get_client, reseller_id, client_id), check)
    read = partial(posting.get_reseller, reseller_id)
    yield Ledger(read, partial(months.check, read))


def _adds_up(owner: months.Owner, ledger: Ledger) -> bool:
    differences = ledger.check()
    for difference in differences:
        log.error("%s is not closed, its books differ: %s", owner.owner_id, difference)
    return not differences
