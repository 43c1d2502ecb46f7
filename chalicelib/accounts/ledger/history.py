"""Reading a ledger: the entries from one day to another, and the balances before and after them.

Entries are numbered without a gap and their instants never decrease. So two bisections find the first and last number
of a selection, and a page of it is a range of numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_client, get_reseller
from chalicelib.accounts.store.ledger import Entry
from chalicelib.accounts.store.owners import Owner
from chalicelib.errors import Invalid, NotFound, TooLarge
from chalicelib.principals import Principal


@dataclass(frozen=True)
class Selection:
    """Entries ``first`` to ``last`` of a ledger (none if ``last`` is before ``first``) and the balances around them."""

    owner_id: str
    first: int
    last: int
    opening_e8: int
    closing_e8: int

    @property
    def entries(self) -> int:
        """How many entries it has."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Days:
    """First and last day, both included, of the reseller's calendar; ``None`` is no limit."""

    first: str | None
    last: str | None


def of_client(who: Principal, client_id: str, days: Days) -> Selection:
    """A client's entries; 404 for a client of another reseller, and for the key of another client."""
    if who.client_id and who.client_id != client_id:
        raise NotFound()
    return _select(get_client(who.reseller_id, client_id), who.reseller_id, days)


def of_reseller(reseller_id: str, days: Days) -> Selection:
    """The entries of what a reseller owes the operator."""
    return _select(get_reseller(reseller_id), reseller_id, days)


def page(selection: Selection, before: int | None, limit: int) -> tuple[list[Entry], int | None]:
    """At most ``limit`` entries whose numbers are under ``before``, newest first; and ``before`` of the next page."""
    last = selection.last if before is None else min(selection.last, before - 1)
    first = max(selection.first, last - limit + 1)
    entries = _entries(selection.owner_id, first, last, newest_first=True)
    return entries, first if first > selection.first else None


def every(selection: Selection, most: int) -> Iterator[Entry]:
    """All entries, oldest first; ``TooLarge`` if there are more than ``most``."""
    if selection.entries > most:
        raise TooLarge(f"These are {selection.entries} entries and a file carries {most}; ask for fewer days.")
    yield from _entries(selection.owner_id, selection.first, selection.last)


def _select(owner: Owner, reseller_id: str, days: Days) -> Selection:
    """422 if the last day is before the first one."""
    if days.first and days.last and days.first > days.last:
        raise Invalid.field("date_to", "must not be before date_from")
    calendar = get_reseller(reseller_id).calendar
    first, last, owner_id = 1, owner.entries, owner.owner_id
    if days.first:
        first = _number_at(owner_id, last, calendar.day_start(days.first))
    if days.last:
        last = _number_at(owner_id, last, calendar.day_start(periods.next_day(days.last))) - 1
    closing_e8 = owner.balance_e8 if last == owner.entries else _balance(owner_id, last)
    return Selection(owner_id, first, last, _balance(owner_id, first - 1), closing_e8)


def _number_at(owner_id: str, count: int, instant: int) -> int:
    """The number of the first of ``count`` entries that was posted at or after an instant; ``count + 1`` for none."""
    low, high = 1, count + 1
    while low < high:
        middle = (low + high) // 2
        if _entry(owner_id, middle).posted_at < instant:
            low = middle + 1
        else:
            high = middle
    return low


def _balance(owner_id: str, number: int) -> int:
    """The balance after an entry, ``_e8``; 0 before the first one."""
    return _entry(owner_id, number).balance_after_e8 if number else 0


def _entry(owner_id: str, number: int) -> Entry:
    return Entry.get(*Entry.key(owner_id, number), consistent_read=True)


def _entries(owner_id: str, first: int, last: int, *, newest_first: bool = False) -> list[Entry]:
    if last < first:
        return []
    after, limit = Entry.key(owner_id, last + 1 if newest_first else first - 1).sk, last - first + 1
    return Entry.under(*Entry.of_owner(owner_id), after=after, limit=limit, newest_first=newest_first)
