"""Closing of months: ledger by ledger, each only when it adds up.

A month is closed after ``FORFAIT_CLOSE_AFTER_DAYS`` days of the next one, in the reseller's zone; a day later while
files are being rated, whose calls would come late. What comes after it is counted in the first open month.
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
"""How long open batches put a closing off. One that failed stays open until it is mended: no month waits for that."""


@dataclass
class Closing:
    """What one run did; ``differing`` are the ledgers that did not add up and stay open."""

    closed: int = 0
    differing: list[str] = field(default_factory=list)
    finished: bool = True


@dataclass(frozen=True)
class Ledger:
    """One ledger, and its check at level 1."""

    read: Callable[[], months.Owner]
    check: Callable[[], list[Difference]]


def due_month(today: str, after_days: int) -> str:
    """The last month that is due to be closed on a day."""
    return periods.next_day(f"{periods.next_day(today, -after_days)[:7]}-01", -1)[:7]


def close_due(
    scope: Scope, reseller_id: str, after_days: int, out_of_time: Callable[[], bool] = lambda: False
) -> Closing:
    """Close what is due at ``scope.now`` for the clients of a reseller, one after the other, and then for itself.

    Run again it goes on with the ledgers that are still open; with none of them it costs one read.
    """
    zone = periods.zone(posting.get_reseller(reseller_id).time_zone)
    open_batches = bool(term_versions.head_of(reseller_id).open_batches)
    due = due_month(periods.local_day(scope.now, zone), after_days + GRACE_DAYS * open_batches)
    run = Closing()
    if months.all_closed_through(reseller_id) >= due:
        return run
    for ledger in _ledgers(reseller_id):
        owner = ledger.read()
        open_months = months.open_months(owner, zone, due)
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
    found = ledger.check()
    for difference in found:
        log.error("%s is not closed, its books differ: %s", owner.owner_id, difference)
    return not found
