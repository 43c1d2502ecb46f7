"""The terms of a call by the number called, for a package while neither its terms nor its decks change.

The country, the deck line and the custom rate of a number are each found by its longest matching prefix, but the deck
line first by the whole number. Its first seven digits, its *head*, nearly always decide all three, so results are
cached by head.

A *bare* number has no ``+``: a short number that a deck prices, an emergency number or an internal one, as
``DialPlan.read`` returns them. It has no country, goes by the international route, and never matches a prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chalicelib import numbers
from chalicelib.dialling import DialPlan
from chalicelib.rating.decks.deck import SHORT_DIGITS, Deck, DeckLine
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.terms import Epoch, route_of

NO_RATE = CallTerms(rule="markup")
"""Terms of a call to a number without a rate: an unanswered call costs nothing, so it needs none."""
HEAD = numbers.E164_LEAST
"""Digits of a head; every E.164 number has as many."""
MOST_HEADS = 1 << 18
"""The most results that the tariffs and routings of a rate book cache together: some 25 MB."""

Routed = tuple[str | None, DeckLine | None, bool]
"""Country and deck line of a number, and whether all numbers with the same head have them."""
_V = TypeVar("_V")


class Heads:
    """Caches of results by head; when they hold ``most`` together, all are emptied."""

    def __init__(self, most: int = MOST_HEADS) -> None:
        self.most = most
        self._caches: list[dict[str, Any]] = []
        self._count = 0

    def __len__(self) -> int:
        return sum(map(len, self._caches))

    def new(self) -> dict[str, Any]:
        """Another cache, to read from; ``keep`` writes to it."""
        self._caches.append({})
        return self._caches[-1]

    def keep(self, cache: dict[str, _V], head: str, value: _V) -> _V:
        """Write ``value`` to a cache and return it."""
        if self._count >= self.most:
            for full in self._caches:
                full.clear()
            self._count = 0
        self._count += 1
        cache[head] = value
        return value


class Routing:
    """The deck line of each number, while the same decks are in force.

    ``routes`` are a package's, for the US, Canada and other countries; ``decks`` the functions that open the decks in
    force, by route, called when a deck is first needed. ``home``: the reseller's country, for number lines.
    """

    def __init__(
        self, routes: tuple[str, str, str], decks: Mapping[str, Callable[[], Deck]], heads: Heads, home: str
    ) -> None:
        self._routes, self._decks, self._heads, self._home = routes, decks, heads, home
        self._opened: dict[str, Deck | None] = {}
        self._by_head: dict[str, Routed] = heads.new()

    def routed(self, digits: str) -> Routed:
        """Country and deck line of an E.164 number without ``+``."""
        head = digits[:HEAD]
        routed = self._by_head.get(head)
        if routed is None:
            routed = self._heads.keep(self._by_head, head, self._of_head(head))
        if routed[2]:
            return routed
        country = numbers.country_of(digits)
        return country, self.line(digits, country), False

    def line(self, digits: str, country: str | None) -> DeckLine | None:
        """The deck line of an E.164 number without ``+``."""
        deck = self._deck(route_of(self._routes, country, digits))
        index = -1 if deck is None else deck.find(digits, self._home)
        return deck.line(index) if deck is not None and index >= 0 else None

    def route(self, number: str, country: str | None) -> str:
        """The route of the deck that prices ``+<digits>`` or a bare number."""
        return route_of(self._routes, country, number[1:]) if number[:1] == "+" else self._routes[2]

    def bare_line(self, number: str) -> DeckLine | None:
        """The deck line of a bare number: a number line."""
        deck = self._deck(self._routes[2])
        # A text such as *97 has none; a longer number would be taken for an E.164 number.
        index = deck.number(number, self._home) if deck and len(number) <= SHORT_DIGITS and number.isdecimal() else -1
        return deck.line(index) if deck is not None and index >= 0 else None

    def _of_head(self, head: str) -> Routed:
        """The ``Routed`` of all numbers with a head; ``(None, None, False)`` if they differ."""
        country, decided = numbers.country_of_first(head)
        deck = self._deck(route_of(self._routes, country, head)) if decided else None
        index = -1 if deck is None else deck.find_all(head)
        if not decided or index is None:
            return None, None, False
        return country, deck.line(index) if deck is not None and index >= 0 else None, True

    def _deck(self, route: str) -> Deck | None:
        if route not in self._opened:
            self._opened[route] = self._decks[route]() if route in self._decks else None
        return self._opened[route]


class Tariff:
    """Terms of a package's outbound calls while nothing about them changes.

    ``epoch`` ``None``: an unknown package. ``record_costs``: a number needs no deck line if a custom rate matches it.
    ``numbered`` numbers terms (``RateBook.priced``). ``plan`` says which bare numbers are emergency or internal ones.
    """

    def __init__(
        self,
        package_id: str,
        epoch: Epoch | None,
        routing: Routing,
        record_costs: bool,
        numbered: Callable[[CallTerms], int],
        heads: Heads,
        plan: DialPlan,
    ) -> None:
        self.routing, self._heads, self._plan = routing, heads, plan
        self._package_id, self._epoch = package_id, epoch
        self._record_costs, self._numbered = record_costs, numbered
        self._by_head: dict[str, int] = heads.new()
        prefixes = epoch.prefixes() if epoch else ()
        self._undecided = frozenset(prefix[:HEAD] for prefix in prefixes if len(prefix) > HEAD)

    def number_of(self, called: str) -> int:
        """Number of the terms of a call to ``called`` (``+<digits>``, or a bare number); without a rate that of
        ``NO_RATE``."""
        # A bare number has no "+"; one that is longer than a head is not cached.
        head = called[: HEAD + 1]
        number = self._by_head.get(head)
        if number is None:
            terms, decided = self._resolve(called)
            number = self._numbered(terms or NO_RATE)
            if decided:
                self._heads.keep(self._by_head, head, number)
        return number

    def resolve(self, called: str) -> CallTerms | None:
        """Terms of a call to ``called``, not cached; ``None``: no rate."""
        return self._resolve(called)[0]

    def _resolve(self, called: str) -> tuple[CallTerms | None, bool]:
        """Terms, and whether all numbers with the same head have them."""
        if called[:1] != "+":
            return self._resolve_bare(called), len(called) <= HEAD + 1
        digits = called[1:]
        country, line, decided = self.routing.routed(digits)
        decided = decided and digits[:HEAD] not in self._undecided
        if self._epoch is None or (line is None and not self._record_costs):
            return None, decided
        return self._epoch.resolve(digits, country, line), decided

    def _resolve_bare(self, number: str) -> CallTerms | None:
        line = self.routing.bare_line(number)
        if line is not None:
            return self._epoch.resolve(number, None, line) if self._epoch else None
        if self._plan.is_emergency(number):
            return price.emergency_terms(self._package_id)
        return price.internal_terms(self._package_id) if self._plan.is_internal(number) else None
