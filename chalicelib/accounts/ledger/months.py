"""Closing a month of a ledger, and checking that a ledger adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib import periods
from chalicelib.accounts.ledger.posting import owner_change
from chalicelib.accounts.store.due import Closed
from chalicelib.accounts.store.ledger import Entry, Month
from chalicelib.accounts.store.owners import Owner as Owner
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import Conflict


@dataclass(frozen=True)
class Difference:
    """Two figures that should be equal and are not."""

    owner_id: str
    what: str
    expected: int
    found: int


@settled
def close(scope: Scope, read_owner: Callable[[], Owner], month: str) -> Month:
    """Close one month of one ledger: from then on its entries are final, and late ones are counted in the next.

    Months close in order; closing a closed month changes nothing.
    """
    owner = read_owner()
    found = Month.find_or_new(owner.owner_id, month)
    if owner.closed_through >= month:
        return found
    if owner.closed_through and periods.next_month(owner.closed_through) != month:
        raise Conflict(f"{periods.next_month(owner.closed_through)} is still open; months close in order.")
    found.state, found.closing = "closed", _closing(owner, month)
    told = {name: value for name, value in found.closing.items() if name != "ahead"}
    writes = [
        owner_change(owner, replace(owner.account(), closed_through=month)),
        Put(found, anyway=True),
        event(scope, _reseller_id(owner), "month.closed", f"{owner.owner_id}/{month}", told),
    ]
    commit(scope, writes)
    return found


def _closing(owner: Owner, month: str) -> dict[str, Any]:
    """How a ledger stands while one of its months is closed.

    Entries of later months may have been posted by then: ``ahead`` has their sums, and ``period_balance_e8`` leaves
    them out, so that it is what the closed month's statement ends with.
    """
    later = Month.under(*Month.of_owner(owner.owner_id), after=Month.key(owner.owner_id, month).sk)
    ahead = {row.month: dict(row.posted) for row in later if row.posted}
    balance_e8 = owner.balance_e8
    return {
        "balance_e8": balance_e8,
        "entries": owner.entries,
        "period_balance_e8": balance_e8 - sum(amount for posted in ahead.values() for amount in posted.values()),
        "ahead": ahead,
    }


def open_months(owner: Owner, zone: ZoneInfo, upto: str) -> list[str]:
    """The months of a ledger that are still open, from its first one up to ``upto``, oldest first."""
    if owner.closed_through:
        first = periods.next_month(owner.closed_through)
    else:
        # Calls may be older than the client that they were found to belong to.
        posted = [row.month for row in Month.under(*Month.of_owner(owner.owner_id), limit=1)]
        first = min(periods.local_month(owner.created_at, zone), *posted, "9999-12")
    found = []
    while first <= upto:
        found.append(first)
        first = periods.next_month(first)
    return found


def all_closed_through(reseller_id: str) -> str:
    """The last month that is closed in every ledger of a reseller, ``""`` when none is."""
    found = Closed.find(*Closed.key(reseller_id))
    return str(found.through) if found else ""


@settled
def note_all_closed(scope: Scope, reseller_id: str, month: str) -> None:
    """Remember that no ledger of the reseller has this month open, so that the next hour need not look at each."""
    if all_closed_through(reseller_id) < month:
        earlier = Closed.pk.does_not_exist() | (Closed.through < month)
        commit(scope, [Put(Closed(*Closed.key(reseller_id), through=month), earlier, anyway=True)])


def check(read_owner: Callable[[], Owner]) -> list[Difference]:
    """Level 1 of a ledger: entries since the last closed month against balance, running balances and months."""
    owner = read_owner()
    owner_id = owner.owner_id
    since = Month.find_or_new(owner_id, owner.closed_through).closing if owner.closed_through else None
    balance, sequence = (since["balance_e8"], since["entries"]) if since else (0, 0)
    entries = Entry.under(*Entry.of_owner(owner_id), after=Entry.key(owner_id, sequence).sk if sequence else None)
    months = {row.month: row for row in Month.under(*Month.of_owner(owner_id))}
    if owner.version != int(read_owner().version):
        # It moved while we read: what we read belongs to two states, so look again.
        return check(read_owner)
    found = list(_closed(owner_id, months))
    ahead: dict[str, dict[str, int]] = (since or {}).get("ahead", {})
    posted = {(name, kind): amount for name, sums in ahead.items() for kind, amount in sums.items()}
    for entry in entries:
        balance, sequence = balance + entry.amount_e8, sequence + 1
        _compare(found, owner_id, f"balance after entry {sequence}", balance, entry.balance_after_e8)
        place = (entry.period, entry.kind)
        posted[place] = posted.get(place, 0) + entry.amount_e8
    _compare(found, owner_id, "balance", balance, owner.balance_e8)
    _compare(found, owner_id, "entries", sequence, owner.entries)
    for name, month in months.items():
        if name > owner.closed_through:
            for kind, amount in month.posted.items():
                _compare(found, owner_id, f"{kind} of {name}", posted.pop((name, kind), 0), amount)
    for (name, kind), amount in posted.items():
        _compare(found, owner_id, f"{kind} of {name}", amount, 0)
    return found


def _closed(owner_id: str, months: Mapping[str, Month]) -> Iterator[Difference]:
    """Closed months whose sums are no longer what they were closed with."""
    balance = 0
    for name, month in sorted(months.items()):
        balance += sum(month.posted.values())
        if month.closing and month.closing["period_balance_e8"] != balance:
            yield Difference(owner_id, f"balance of the closed {name}", balance, month.closing["period_balance_e8"])


def _compare(found: list[Difference], owner_id: str, what: str, expected: int, actual: int) -> None:
    if expected != actual:
        found.append(Difference(owner_id, what, expected, actual))


def _reseller_id(owner: Any) -> str:
    return str(owner.reseller_id)
