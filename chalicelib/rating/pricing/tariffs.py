"""From a number called to the terms of the call, while neither a package's terms nor the decks in force change.

The country, the deck line and the custom rate of a number are each found by the longest prefix that it begins with. The
first seven digits nearly always settle all three, so what they led to is remembered by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chalicelib import numbers
from chalicelib.rating.decks.deck import Deck, DeckLine
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.terms import Epoch, route_of

NO_RATE = CallTerms(rule="markup")
"""Terms of a call to a number that no deck knows. One that is not answered costs nothing, so it needs no rate."""
HEAD = numbers.E164_LEAST
"""Digits by which terms are remembered: every E.164 number has as many."""
HEADS_KEPT = 1 << 18
"""By all tariffs and routings together; then all are forgotten, so that memory stays flat (some 25 MB) over any
number of lines, packages and their changes."""

Bought = tuple[str | None, DeckLine | None, bool]
"""Country and deck line of a number, and whether all numbers with the same head have them."""
_V = TypeVar("_V")


class Heads:
    """Counts what is remembered by heads, and forgets all of it when it is too much."""

    def __init__(self, most: int = HEADS_KEPT) -> None:
        self.most = most
        self._known: list[dict[str, Any]] = []
        self._count = 0

    def __len__(self) -> int:
        return sum(map(len, self._known))

    def new(self) -> dict[str, Any]:
        """A place to look heads up in; only ``keep`` puts any into it."""
        self._known.append({})
        return self._known[-1]

    def keep(self, known: dict[str, _V], head: str, value: _V) -> _V:
        if self._count >= self.most:
            for each in self._known:
                each.clear()
            self._count = 0
        self._count += 1
        known[head] = value
        return value


class Routing:
    """By which deck line numbers are bought, as long as no other deck takes over.

    ``routes`` are a package's, for us, canada and international; ``decks`` those in force, opened when first needed.
    """

    def __init__(self, routes: tuple[str, str, str], decks: Mapping[str, Callable[[], Deck]], heads: Heads) -> None:
        self._routes, self._decks, self._heads = routes, decks, heads
        self._opened: dict[str, Deck | None] = {}
        self._known: dict[str, Bought] = heads.new()

    def bought(self, digits: str) -> Bought:
        """Where an E.164 number without ``+`` is called, and by which line."""
        head = digits[:HEAD]
        found = self._known.get(head)
        if found is None:
            found = self._heads.keep(self._known, head, self._of_all(head))
        if found[2]:
            return found
        country = numbers.country_of(digits)
        return country, self.line(digits, country), False

    def line(self, digits: str, country: str | None) -> DeckLine | None:
        """The deck line of a number; of a short code only one of exactly its digits."""
        deck = self._deck(digits, country)
        if deck is None:
            return None
        index = deck.exact(digits) if len(digits) <= numbers.INTERNAL_MOST else deck.match(digits)
        return deck.line(index) if index >= 0 else None

    def _of_all(self, head: str) -> Bought:
        country, decided = numbers.country_of_first(head)
        deck = self._deck(head, country) if decided else None
        index = -1 if deck is None else deck.match_all(head)
        if not decided or index is None:
            return None, None, False
        return country, deck.line(index) if deck is not None and index >= 0 else None, True

    def _deck(self, digits: str, country: str | None) -> Deck | None:
        route = route_of(self._routes, country, digits)
        if route not in self._opened:
            self._opened[route] = self._decks[route]() if route in self._decks else None
        return self._opened[route]


class Tariff:
    """One package's outbound calls, as long as nothing changes; ``numbered`` gives terms their number."""

    def __init__(
        self,
        package_id: str,
        epoch: Epoch | None,
        routing: Routing,
        record_costs: bool,
        numbered: Callable[[CallTerms], int],
        heads: Heads,
    ) -> None:
        self.routing, self._heads = routing, heads
        self._package_id, self._epoch = package_id, epoch
        self._record_costs, self._numbered = record_costs, numbered
        self._known: dict[str, int] = heads.new()
        prefixes = epoch.prefixes() if epoch else ()
        self._undecided = frozenset(prefix[:HEAD] for prefix in prefixes if len(prefix) > HEAD)

    def number_of(self, called: str) -> int:
        """Number of the terms, or of ``NO_RATE``, of a call to ``called`` (``+<digits>``, or short and bare)."""
        # A short number has no "+", and is its own head.
        head = called[: HEAD + 1]
        found = self._known.get(head)
        if found is None:
            terms, decided = self._resolve(called)
            found = self._numbered(terms or NO_RATE)
            if decided:
                self._heads.keep(self._known, head, found)
        return found

    def resolve(self, called: str) -> CallTerms | None:
        """Terms of a call to ``called``; ``None``: no rate. They are not remembered."""
        return self._resolve(called)[0]

    def _resolve(self, called: str) -> tuple[CallTerms | None, bool]:
        """Terms, and whether all numbers with the same head have them."""
        digits = called[1:]
        if called[0] == "+":
            country, line, decided = self.routing.bought(digits)
            decided = decided and digits[:HEAD] not in self._undecided
        else:
            digits, country, line, decided = called, None, self.routing.line(called, None), True
            if line is None:
                return price.internal_terms(self._package_id), True
        if self._epoch is None or (line is None and not self._record_costs):
            return None, decided
        return self._epoch.resolve(digits, country, line), decided
