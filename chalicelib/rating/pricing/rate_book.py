"""Everything that prices the calls of a batch: ownership, terms and decks, as of the versions that the batch pinned.

Engines, quotes and authorizations price calls with it. What many calls share (``holder``, ``month``, ``terms``) is
numbered, so that a rated line can hold the number.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from chalicelib import dated
from chalicelib.calls.format import holder_of_account, holder_of_did
from chalicelib.dialling import DialPlan
from chalicelib.periods import Calendar
from chalicelib.rating.decks.deck import Deck, DeckLine
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import DEFAULT_ROUTES
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.tariffs import Heads, Routing, Tariff
from chalicelib.rating.pricing.terms import Epoch, Terms

_T = TypeVar("_T")
_Decks = tuple[tuple[str, str, str], tuple[tuple[str, int], ...]]
"""The routes of a package, and for each the index of the deck in force."""


class Holder(NamedTuple):
    """The sub-account or DID of a call and the client that pays; ``name``: ``sub:<username>`` or ``did:<number>``."""

    name: str
    client_id: str
    package_id: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is in force for the calls of a sub-account or to a DID that start in ``[first, until)``.

    ``holder``: number of the ``Holder``; ``terms_number(called)``: number of the terms of a call to ``called``.
    """

    first: int
    until: int
    holder: int
    terms_number: Callable[[str], int]


class Numbering(Generic[_T]):
    """Numbers values from 0 in the order in which they come; ``values[number]`` is the value again."""

    def __init__(self) -> None:
        self.values: list[_T] = []
        self._number: dict[_T, int] = {}

    def number(self, value: _T) -> int:
        number = self._number.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


@dataclass
class RateBook:
    """``decks``: per route ``(first instant, load)`` in order; a deck is loaded when it is first needed.

    ``record_costs``: the cost of a call is what its CDR states. ``plan``: how numbers are dialled. ``priced``
    numbers the terms.
    """

    ownership: Ownership
    terms: Terms
    decks: Mapping[str, Sequence[tuple[int, Callable[[], Deck]]]]
    calendar: Calendar
    record_costs: bool = False
    plan: DialPlan = field(default_factory=DialPlan)
    holders: Numbering[Holder] = field(default_factory=Numbering)
    months: Numbering[str] = field(default_factory=Numbering)
    priced: Numbering[CallTerms] = field(default_factory=Numbering)
    heads: Heads = field(default_factory=Heads)
    _months: dict[int, int] = field(default_factory=dict)
    _span: tuple[str, int, int] = ("", 0, 0)
    _open: dict[tuple[str, int], Deck] = field(default_factory=dict)
    _routings: dict[_Decks, Routing] = field(default_factory=dict)
    _tariffs: dict[tuple[str, Epoch | None, _Decks], Tariff] = field(default_factory=dict)
    _accounts: dict[str, Stretch] = field(default_factory=dict)
    _dids: dict[str, Stretch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._firsts = {route: [first for first, _ in versions] for route, versions in self.decks.items()}

    def place(self, route: str, at: int) -> int:
        """Index of the deck of a route that is in force at an instant; -1: none."""
        return bisect_right(self._firsts.get(route, ()), at) - 1

    def deck_at(self, route: str, place: int) -> Deck:
        deck = self._open.get((route, place))
        if deck is None:
            deck = self._open[route, place] = self.decks[route][place][1]()
        return deck

    def tariff(self, package_id: str, at: int) -> tuple[Tariff, int, int]:
        """The tariff of a package at an instant, the first instant at which it is in force, and the first at which
        another may be."""
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
        """The deck line that a call to this number costs by; for a short code only a line of exactly its digits."""
        return self.tariff(package_id, at)[0].routing.line(digits, country)

    def inbound(self, number: str, holding: Holding) -> CallTerms:
        """Terms of a call to a DID."""
        return price.did_terms(number, holding.rate_e10, holding.initial, holding.increment, holding.cost_e10)

    def account(self, username: str, at: int) -> Stretch | None:
        """What is in force for the calls of a sub-account at an instant; ``None``: no client held it then."""
        stretch = self._accounts.get(username)
        if stretch is None or not stretch.first <= at < stretch.until:
            holding, first, until = self.ownership.account_stretch(username, at)
            if holding is None:
                return None
            tariff, begun, ended = self.tariff(holding.package_id, at)
            holder = self.holders.number(Holder(holder_of_account(username), holding.client_id, holding.package_id))
            stretch = Stretch(max(first, begun), min(until, ended), holder, tariff.number_of)
            self._accounts[username] = stretch
        return stretch

    def did(self, number: str, at: int) -> Stretch | None:
        """What is in force for calls to a DID at an instant; ``None``: no client held it then."""
        stretch = self._dids.get(number)
        if stretch is None or not stretch.first <= at < stretch.until:
            holding, first, until = self.ownership.did_stretch(number, at)
            if holding is None:
                return None
            terms = self.priced.number(self.inbound(number, holding))
            holder = self.holders.number(Holder(holder_of_did(number), holding.client_id, holding.package_id))
            stretch = self._dids[number] = Stretch(first, until, holder, lambda _: terms)
        return stretch

    def month(self, at: int) -> int:
        """Number of the local month of an instant."""
        quarter = at // 900
        number = self._months.get(quarter)
        if number is None:
            month, begins, end = self._span
            if not begins <= at < end:
                month, begins, end = self._span = self.calendar.month_span(at)
            number = self.months.number(month)
            # Months begin at whole quarters of an hour, but in the zones of long ago.
            if begins <= quarter * 900 and quarter * 900 + 900 <= end:
                self._months[quarter] = number
        return number

    def call_terms(self, number: int) -> CallTerms:
        """The terms that ``priced`` has given a number."""
        return self.priced.values[number]
