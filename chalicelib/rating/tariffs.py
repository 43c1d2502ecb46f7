"""From a number called to the terms of the call, while neither a package's terms nor the decks in force change.

The country, the deck line and the custom rate of a number are each found by the longest prefix that it begins with. The
first seven digits nearly always settle all three, so what they led to is remembered by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib import numbers
from chalicelib.rating import pricing
from chalicelib.rating.decks import Deck, DeckLine
from chalicelib.rating.pricing import CallTerms
from chalicelib.rating.terms import Epoch, route_of

NO_RATE = CallTerms(rule="markup")
"""Terms of a call to a number that no deck knows. One that is not answered costs nothing, so it needs no rate."""
HEAD = numbers.E164_LEAST
"""Digits by which terms are remembered: every E.164 number has as many."""
HEADS_KEPT = 1 << 16
"""Per tariff; more are forgotten at once, so that memory stays flat over any number of lines."""


class Tariff:
    """One package's outbound calls, as long as nothing changes.

    ``decks`` are the decks in force by route, opened when first needed. ``numbered`` gives terms their number.
    """

    def __init__(
        self,
        package_id: str,
        epoch: Epoch | None,
        decks: Mapping[str, Callable[[], Deck]],
        record_costs: bool,
        numbered: Callable[[CallTerms], int],
    ) -> None:
        self._package_id, self._epoch, self._decks = package_id, epoch, decks
        self._record_costs, self._numbered = record_costs, numbered
        self._opened: dict[str, Deck | None] = {}
        self._known: dict[str, int] = {}
        prefixes = epoch.prefixes() if epoch else ()
        self._undecided = frozenset(prefix[:HEAD] for prefix in prefixes if len(prefix) > HEAD)

    def number_of(self, called: str) -> int:
        """Number of the terms, or of ``NO_RATE``, of a call to ``called`` (``+<digits>``, or short and bare)."""
        # A short number has no "+", and is its own head.
        found = self._known.get(called[: HEAD + 1])
        if found is None:
            terms, decided = self._resolve(called)
            found = self._numbered(terms or NO_RATE)
            if decided:
                if len(self._known) >= HEADS_KEPT:
                    self._known.clear()
                self._known[called[: HEAD + 1]] = found
        return found

    def resolve(self, number: str) -> CallTerms | None:
        """Terms of a call to ``number``; ``None``: no rate. Nothing is remembered by the number."""
        return self._resolve(number)[0]

    def line(self, digits: str, country: str | None) -> DeckLine | None:
        """The deck line that a number is bought by; a short code only by a line of exactly its digits."""
        deck = self._deck(country, digits)
        if deck is None:
            return None
        index = deck.exact(digits) if len(digits) <= numbers.INTERNAL_MOST else deck.match(digits)
        return deck.line(index) if index >= 0 else None

    def _resolve(self, number: str) -> tuple[CallTerms | None, bool]:
        """Terms, and whether all numbers with the same head have them."""
        if not number.startswith("+"):
            line = self.line(number, None)
            return self._terms(number, None, line) if line else pricing.internal_terms(self._package_id), True
        digits = number[1:]
        head = digits[:HEAD]
        country, decided = numbers.country_of_first(head)
        if not decided:
            country = numbers.country_of(digits)
        deck, line = self._deck(country, digits), None
        if deck is not None:
            index, whole = deck.match_first(head)
            if not whole:
                index, decided = deck.match(digits), False
            line = deck.line(index) if index >= 0 else None
        return self._terms(digits, country, line), decided and head not in self._undecided

    def _terms(self, digits: str, country: str | None, line: DeckLine | None) -> CallTerms | None:
        if self._epoch is None or (line is None and not self._record_costs):
            return None
        return self._epoch.resolve(digits, country, line)

    def _deck(self, country: str | None, digits: str) -> Deck | None:
        route = route_of(self._epoch.package if self._epoch else None, country, digits)
        if route not in self._opened:
            self._opened[route] = self._decks[route]() if route in self._decks else None
        return self._opened[route]
