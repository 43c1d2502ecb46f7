"""Closing a month of a ledger, and checking that a ledger adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib import periods
from chalicelib.accounts.ledger.posting import entry_key, owner_change
from chalicelib.accounts.store import ledger
from chalicelib.accounts.store.due import Closed
from chalicelib.accounts.store.ledger import Entry, Marker, Month
from chalicelib.accounts.store.owners import Client, ResellerPointer
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
    """Close one month of one ledger: from then on its entries are final, and late ones are counted in the next.

    Months close in order; closing a closed month changes nothing.
    """
    owner = read_owner()
    found = ledger.month(owner.owner_id, month)
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
    later = Month.under(f"L#{owner.owner_id}", "MONTH#", after=f"MONTH#{month}")
    ahead = {row.sk.removeprefix("MONTH#"): dict(row.posted) for row in later if row.posted}
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
        posted = [row.sk.removeprefix("MONTH#") for row in Month.under(f"L#{owner.owner_id}", "MONTH#", limit=1)]
        first = min(periods.local_month(owner.created_at, zone), *posted, "9999-12")
    found = []
    while first <= upto:
        found.append(first)
        first = periods.next_month(first)
    return found


def all_closed_through(reseller_id: str) -> str:
    """The last month that is closed in every ledger of a reseller, ``""`` when none is."""
    found = Closed.find(f"R#{reseller_id}", "CLOSED")
    return str(found.through) if found else ""


@settled
def note_all_closed(scope: Scope, reseller_id: str, month: str) -> None:
    """Remember that no ledger of the reseller has this month open, so that the next hour need not look at each."""
    if all_closed_through(reseller_id) < month:
        earlier = Closed.pk.does_not_exist() | (Closed.through < month)
        commit(scope, [Put(Closed(f"R#{reseller_id}", "CLOSED", through=month), earlier, anyway=True)])


def check(read_owner: Callable[[], Owner]) -> list[Difference]:
    """Level 1 of a ledger: entries since the last closed month against balance, running balances and months."""
    owner = read_owner()
    pk, owner_id = f"L#{owner.owner_id}", owner.owner_id
    since = ledger.month(owner_id, owner.closed_through).closing if owner.closed_through else None
    balance, sequence = (since["balance_e8"], since["entries"]) if since else (0, 0)
    entries = Entry.under(pk, "ENTRY#", after=entry_key(sequence) if sequence else None)
    months = {row.sk.removeprefix("MONTH#"): row for row in Month.under(pk, "MONTH#")}
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


def reseller_ids() -> list[str]:
    """Every reseller of the deployment."""
    return [str(row.sk) for row in ResellerPointer.under("RESELLERS", "")]


def client_ids(reseller_id: str) -> list[str]:
    """Every client a reseller ever had."""
    return [str(row.client_id) for row in Client.under(f"R#{reseller_id}", "CLIENT#")]


def usage(client_id: str) -> dict[str, dict[str, int]]:
    """What the months of a client say about its calls: ``calls, seconds, revenue_e8, cost_e8`` by month."""
    return {row.sk.removeprefix("MONTH#"): dict(row.usage) for row in Month.under(f"L#{client_id}", "MONTH#")}


@dataclass(frozen=True)
class Marked:
    """What a marker says that one batch did to one client and month."""

    batch_id: str
    generation: int
    month: str
    calls: int
    duplicates: int
    revenue_e8: int
    cost_e8: int


def marked(client_id: str) -> list[Marked]:
    """Every marker of a client."""
    return [
        Marked(
            *_parts(marker.sk),
            calls=marker.rated,
            duplicates=marker.duplicates,
            revenue_e8=marker.amount_e8,
            cost_e8=marker.cost_e8,
        )
        for marker in Marker.under(f"L#{client_id}", "MARK#")
    ]


def _parts(key: str) -> tuple[str, int, str]:
    _, batch_id, generation, month = key.split("#")
    return batch_id, int(generation), month


def debited(owner_id: str) -> dict[str, int]:
    """What calls have debited an owner, ``_e8`` and positive, by the source of its entries: ``batch:<id>``.

    A debit that a re-rating took back is balanced by a reversal of the same source.
    """
    sums: dict[str, int] = {}
    for row in Entry.under(f"L#{owner_id}", "ENTRY#"):
        if row.kind == "call_usage" or (row.kind == "reversal" and row.source.startswith("batch:")):
            sums[row.source] = sums.get(row.source, 0) - row.amount_e8
    return sums


def _compare(found: list[Difference], owner_id: str, what: str, expected: int, actual: int) -> None:
    if expected != actual:
        found.append(Difference(owner_id, what, expected, actual))


def _reseller_id(owner: Any) -> str:
    return str(owner.reseller_id)
