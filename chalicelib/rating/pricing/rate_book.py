"""Everything that prices a batch, pinned: who held what, which terms, which decks.

Both engines, quotes and authorisations ask here. What many calls share is given a number once (``holder``, ``month``,
``terms``), so that columns can carry it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from chalicelib import dated, periods
from chalicelib.rating.decks.deck import Deck, DeckLine
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.tariffs import Heads, Routing, Tariff
from chalicelib.rating.pricing.terms import DEFAULT_ROUTES, Epoch, Terms

_T = TypeVar("_T")
_Decks = tuple[tuple[str, str, str], tuple[tuple[str, int], ...]]
"""A package's routes, and which deck of each is in force."""


class Holder(NamedTuple):
    """Who pays: ``name`` is ``sub:<username>`` or ``did:<number>``."""

    name: str
    client_id: str
    package_id: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``first`` on, before ``until``, nothing changes for a sub-account or a DID.

    ``holder`` is the number of who pays; ``terms_number`` gives that of a call's terms for the number called.
    """

    first: int
    until: int
    holder: int
    terms_number: Callable[[str], int]


class Numbering(Generic[_T]):
    """Values to numbers from 0, and back."""

    def __init__(self) -> None:
        self.values: list[_T] = []
        self._number: dict[_T, int] = {}

    def number(self, value: _T) -> int:
        found = self._number.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


@dataclass
class RateBook:
    """``decks`` lists per route ``(first instant, how to load it)``, in order; a deck is loaded when first needed."""

    ownership: Ownership
    terms: Terms
    decks: Mapping[str, Sequence[tuple[int, Callable[[], Deck]]]]
    zone: ZoneInfo
    record_costs: bool = False
    holders: Numbering[Holder] = field(default_factory=Numbering)
    months: Numbering[str] = field(default_factory=Numbering)
    priced: Numbering[CallTerms] = field(default_factory=Numbering)
    heads: Heads = field(default_factory=Heads)
    _months: dict[int, int] = field(default_factory=dict)
    _open: dict[tuple[str, int], Deck] = field(default_factory=dict)
    _routings: dict[_Decks, Routing] = field(default_factory=dict)
    _tariffs: dict[tuple[str, Epoch | None, _Decks], Tariff] = field(default_factory=dict)
    _accounts: dict[str, Stretch] = field(default_factory=dict)
    _dids: dict[str, Stretch] = field(default_factory=dict)

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

    def tariff(self, package_id: str, at: int) -> tuple[Tariff, int, int]:
        """What prices a package's outbound calls, the instant from which it does, and the one from which it may not."""
        epoch, first, until = self.terms.stretch(package_id, at)
        routes, places = epoch.package.routes if epoch else DEFAULT_ROUTES, []
        for route in sorted(set(routes)):
            number, begun, ended = dated.stretch(self._firsts.get(route, ()), at)
            first, until = max(first, begun), min(until, ended)
            if number:
                places.append((route, number - 1))
        key = routes, tuple(places)
        tariff = self._tariffs.get((package_id, epoch, key))
        if tariff is None:
            if key not in self._routings:
                decks = {route: partial(self.deck_at, route, place) for route, place in places}
                self._routings[key] = Routing(routes, decks, self.heads)
            tariff = Tariff(package_id, epoch, self._routings[key], self.record_costs, self.priced.number, self.heads)
            self._tariffs[package_id, epoch, key] = tariff
        return tariff, first, until

    def outbound(self, package_id: str, at: int, number: str) -> CallTerms | None:
        """Terms of a call to ``number`` (``+<digits>``, or bare digits of a short one); ``None``: no rate."""
        return self.tariff(package_id, at)[0].resolve(number)

    def deck_line(self, package_id: str, at: int, digits: str, country: str | None) -> DeckLine | None:
        """The deck line that a package buys this number by; a short code only by a line of exactly its digits."""
        return self.tariff(package_id, at)[0].routing.line(digits, country)

    def inbound(self, number: str, holding: Holding) -> CallTerms:
        """Terms of a call to a DID."""
        return price.did_terms(number, holding.rate_e10, holding.initial, holding.increment, holding.cost_e10)

    def account(self, username: str, at: int) -> Stretch | None:
        """What holds for a sub-account's calls at an instant; ``None`` when nobody held it then."""
        stretch = self._accounts.get(username)
        if stretch is None or not stretch.first <= at < stretch.until:
            holding, first, until = self.ownership.account_stretch(username, at)
            if holding is None:
                return None
            tariff, begun, ended = self.tariff(holding.package_id, at)
            holder = self.holders.number(Holder(f"sub:{username}", holding.client_id, holding.package_id))
            stretch = Stretch(max(first, begun), min(until, ended), holder, tariff.number_of)
            self._accounts[username] = stretch
        return stretch

    def did(self, number: str, at: int) -> Stretch | None:
        """What holds for calls to a DID at an instant; ``None`` when nobody held it then."""
        stretch = self._dids.get(number)
        if stretch is None or not stretch.first <= at < stretch.until:
            holding, first, until = self.ownership.did_stretch(number, at)
            if holding is None:
                return None
            terms = self.priced.number(self.inbound(number, holding))
            holder = self.holders.number(Holder(f"did:{number}", holding.client_id, holding.package_id))
            stretch = self._dids[number] = Stretch(first, until, holder, lambda _: terms)
        return stretch

    def month(self, at: int) -> int:
        """The number of an instant's local month; zones change offset on quarters of an hour at the finest."""
        quarter = at // 900
        number = self._months.get(quarter)
        if number is None:
            number = self._months[quarter] = self.months.number(periods.local_month(at, self.zone))
        return number

    def call_terms(self, number: int) -> CallTerms:
        """The terms that ``priced`` has given a number."""
        return self.priced.values[number]
