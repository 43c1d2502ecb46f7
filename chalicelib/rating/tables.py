"""Everything that prices a batch, pinned: who held what, which terms, which decks.

Both engines, quotes and authorisations ask here. What many calls share is given a number once (``holder``, ``month``,
``terms``), so that columns can carry it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from chalicelib import numbers, periods
from chalicelib.rating import pricing
from chalicelib.rating.decks import Deck, DeckLine
from chalicelib.rating.directory import Directory, Holding
from chalicelib.rating.pricing import CallTerms
from chalicelib.rating.terms import Terms

NO_RATE = CallTerms(rule="markup")
"""Terms of an unanswered call to a number that no deck knows: it costs nothing, so it needs no rate."""
_KEPT_TERMS = 100_000
VECTORISED = 1 << 62
"""Numbers of terms from here on are the vectorised engine's own, and ``vectorised`` knows them."""
DECK_BITS = 44
"""Such a number has its deck's number from this bit on."""
_T = TypeVar("_T")


class Holder(NamedTuple):
    """Who pays: ``name`` is ``sub:<username>`` or ``did:<number>``."""

    name: str
    client_id: str
    package_id: str


class Numbering(Generic[_T]):
    """Values to numbers from 0, and back."""

    def __init__(self) -> None:
        self.values: list[_T] = []
        self._number: dict[_T, int] = {}

    def number(self, value: _T) -> int:
        found = self._number.get(value)
        if found is None:
            found = self._number[value] = len(self.values)
            self.values.append(value)
        return found


@dataclass
class Tables:
    """``decks`` lists per route ``(first instant, how to load it)``, in order; a deck is loaded when first needed."""

    directory: Directory
    terms: Terms
    decks: Mapping[str, Sequence[tuple[int, Callable[[], Deck]]]]
    zone: ZoneInfo
    record_costs: bool = False
    holders: Numbering[Holder] = field(default_factory=Numbering)
    months: Numbering[str] = field(default_factory=Numbering)
    priced: Numbering[CallTerms] = field(default_factory=Numbering)
    vectorised: Any = None
    _months: dict[int, int] = field(default_factory=dict)
    _open: dict[tuple[str, int], Deck] = field(default_factory=dict)
    _terms: dict[int, tuple[int, CallTerms]] = field(default_factory=dict)
    _payers: dict[int, int] = field(default_factory=dict)
    _inbound: dict[int, CallTerms] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._firsts = {route: [first for first, _ in versions] for route, versions in self.decks.items()}

    def place(self, route: str, at: int) -> int:
        """Which deck of a route is in force at an instant; -1 for none."""
        return bisect_right(self._firsts.get(route, ()), at) - 1

    def deck_at(self, route: str, place: int) -> Deck:
        deck = self._open.get((route, place))
        if deck is None:
            deck = self._open[route, place] = self.decks[route][place][1]()
        return deck

    def deck_line(self, package_id: str, at: int, digits: str, country: str | None) -> DeckLine | None:
        """The deck line that a package buys this number by; a short code only by a line of exactly its digits."""
        route = self.terms.route_of(package_id, at, country, digits)
        place = self.place(route, at)
        if place < 0:
            return None
        deck = self.deck_at(route, place)
        index = deck.exact(digits) if len(digits) <= numbers.INTERNAL_MOST else deck.match(digits)
        return deck.line(index) if index >= 0 else None

    def outbound(self, package_id: str, at: int, number: str) -> CallTerms | None:
        """Terms of a call to ``number`` (``+<digits>``, or bare digits of a short one); ``None``: no rate."""
        short = not number.startswith("+")
        digits = number.lstrip("+")
        country = None if short else numbers.country_of(digits)
        line = self.deck_line(package_id, at, digits, country)
        if line is None and short:
            return pricing.internal_terms(package_id)
        if line is None and not self.record_costs:
            return None
        return self.terms.resolve(package_id, at, digits, country, line)

    def terms_number(self, terms: CallTerms) -> int:
        """The number of terms; the same object is known at a glance, and its equals by their values."""
        known = self._terms.get(id(terms))
        if known is None:
            if len(self._terms) >= _KEPT_TERMS:
                self._terms.clear()
            # The object is kept, so its identity stays its own.
            known = self._terms[id(terms)] = self.priced.number(terms), terms
        return known[0]

    def holder_number(self, direction: str, account: str, number: str, holding: Holding) -> int:
        """The number of whoever pays: the directory has one holding object per stretch of time."""
        found = self._payers.get(id(holding))
        if found is None:
            name = f"sub:{account}" if direction == "outbound" else f"did:{number}"
            holder = Holder(name, holding.client_id, holding.package_id)
            found = self._payers[id(holding)] = self.holders.number(holder)
        return found

    def inbound(self, number: str, holding: Holding) -> CallTerms:
        """Terms of a call to a DID."""
        terms = self._inbound.get(id(holding))
        if terms is None:
            price = (holding.rate_e10, holding.initial, holding.increment, holding.cost_e10)
            terms = self._inbound[id(holding)] = pricing.did_terms(number, *price)
        return terms

    def month(self, at: int) -> int:
        """The number of an instant's local month; zones change offset on quarters of an hour at the finest."""
        quarter = at // 900
        if quarter not in self._months:
            self._months[quarter] = self.months.number(periods.local_month(at, self.zone))
        return self._months[quarter]

    def call_terms(self, number: int) -> CallTerms:
        """The terms that a column's ``terms`` stands for."""
        return self.vectorised.terms(number) if number >= VECTORISED else self.priced.values[number]
