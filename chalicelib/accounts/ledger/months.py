"""Closing the months of a ledger, and checking that a ledger adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib import periods
from chalicelib.accounts.ledger.posting import owner_change
from chalicelib.accounts.store.due import Closed
from chalicelib.accounts.store.ledger import Entry, Month
from chalicelib.accounts.store.owners import Client, Reseller
from chalicelib.accounts.store.owners import Owner as Owner
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import Conflict


@dataclass(frozen=True)
class Difference:
    """Two figures that should be equal and are not; ``check``: the name of the check that found it."""

    owner_id: str
    what: str
    expected: int
    found: int
    check: str = ""


@settled
def close(scope: Scope, read_owner: Callable[[], Owner], month: str) -> Month:
    """Close a month of a ledger. Its entries are final from then on, and later ones of it count in the next month.

    Months close in order: ``Conflict`` if an earlier one is open. Closing a closed month changes nothing.
    """
    owner = read_owner()
    stored = Month.find_or_new(owner.owner_id, month)
    if owner.closed_through >= month:
        return stored
    if owner.closed_through and periods.next_month(owner.closed_through) != month:
        raise Conflict(f"{periods.next_month(owner.closed_through)} is still open; months close in order.")
    stored.state, stored.closing = "closed", _closing(owner, month)
    changes = {name: value for name, value in stored.closing.items() if name != "ahead"}
    writes = [
        owner_change(owner, replace(owner.account(), closed_through=month)),
        Put(stored, anyway=True),
        event(scope, _reseller_id(owner), "month.closed", f"{owner.owner_id}/{month}", changes),
    ]
    commit(scope, writes)
    return stored


def _closing(owner: Owner, month: str) -> dict[str, Any]:
    """The figures of a ledger at the moment when one of its months is closed; amounts ``_e8``.

    ``ahead``: sums by month and kind of entries that are posted in later months already. ``period_balance_e8`` is the
    balance without them: what the statement of the closed month ends with.
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


def open_months(owner: Owner, calendar: periods.Calendar, upto: str) -> list[str]:
    """The open months of a ledger, from its first one to ``upto``, oldest first; none if ``upto`` is before them."""
    if owner.closed_through:
        month = periods.next_month(owner.closed_through)
    else:
        # Calls may be older than their client.
        posted = [row.month for row in Month.under(*Month.of_owner(owner.owner_id), limit=1)]
        month = min(calendar.month_of(owner.created_at), *posted, "9999-12")
    months = []
    while month <= upto:
        months.append(month)
        month = periods.next_month(month)
    return months


def all_closed_through(reseller_id: str) -> str:
    """The last month that is closed in every ledger of a reseller, ``""`` if there is none."""
    closed = Closed.find(*Closed.key(reseller_id))
    return closed.through if closed else ""


@settled
def note_all_closed(scope: Scope, reseller_id: str, month: str) -> None:
    """Store that every ledger of the reseller is closed through a month, so the next run need not read each ledger."""
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
    if owner.version != read_owner().version:
        # The ledger changed during these reads, so they may not belong together.
        return check(read_owner)
    differences = list(_closed(owner_id, months))
    ahead: dict[str, dict[str, int]] = (since or {}).get("ahead", {})
    posted = {(name, kind): amount for name, sums in ahead.items() for kind, amount in sums.items()}
    for entry in entries:
        balance, sequence = balance + entry.amount_e8, sequence + 1
        _compare(differences, owner_id, f"balance after entry {sequence}", balance, entry.balance_after_e8)
        place = (entry.period, entry.kind)
        posted[place] = posted.get(place, 0) + entry.amount_e8
    _compare(differences, owner_id, "balance", balance, owner.balance_e8)
    _compare(differences, owner_id, "entries", sequence, owner.entries)
    for name, month in months.items():
        if name > owner.closed_through:
            for kind, amount in month.posted.items():
                _compare(differences, owner_id, f"{kind} of {name}", posted.pop((name, kind), 0), amount)
    for (name, kind), amount in posted.items():
        _compare(differences, owner_id, f"{kind} of {name}", amount, 0)
    return differences


def _closed(owner_id: str, months: Mapping[str, Month]) -> Iterator[Difference]:
    """Closed months whose sums differ from those at their closing."""
    balance = 0
    for name, month in sorted(months.items()):
        balance += sum(month.posted.values())
        if month.closing and month.closing["period_balance_e8"] != balance:
            yield Difference(owner_id, f"balance of the closed {name}", balance, month.closing["period_balance_e8"])


def _compare(differences: list[Difference], owner_id: str, what: str, expected: int, actual: int) -> None:
    if expected != actual:
        differences.append(Difference(owner_id, what, expected, actual))


def _reseller_id(owner: Owner) -> str:
    assert isinstance(owner, Client | Reseller)
    return owner.reseller_id
