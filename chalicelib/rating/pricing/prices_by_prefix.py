"""The prices of a package by prefix: the row with the longest matching prefix prices a number, for all E.164 numbers.

A number line of a deck has a row of its own (``match`` is ``number``), which prices only this number: a short one as it
is dialled (411), or an E.164 number.

The rows come from the rate book that prices calls, so a number has the same price here and in a quote. Numbers can
have different prices only where a prefix of a deck, of a custom rate or of a country begins. Of these prefixes, those
become rows that differ from the row of the next shorter prefix: as few rows as give every price.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import merge
from typing import NamedTuple

from chalicelib import numbers
from chalicelib.rating.decks.deck import DIGITS, NUMBER, PREFIX, SHORT_DIGITS, Deck, DeckLine
from chalicelib.rating.pricing.precedence import CustomRate, combine
from chalicelib.rating.pricing.price import CallTerms, Pulse, rule_for_client
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Epoch, route_of

_NUMBER_MARK = "!"
"""It is sorted before all digits."""
NO_RATE = "no_rate"
"""The rule of a row whose numbers cannot be called: the deck for their country has no line that matches them."""


class PriceRow(NamedTuple):
    """The price of a call to a number that begins with ``prefix``, unless a row with a longer prefix matches.

    With the ``match`` ``number`` it is the price of the number ``prefix`` and of no other. ``rate_e10`` (per minute) is
    ``None`` with the rule ``no_rate``; ``minimum_e8`` 0: no minimum; calls of at most ``grace_seconds`` cost nothing.
    """

    prefix: str
    destination: str
    country: str | None
    rate_e10: int | None
    initial: int
    increment: int
    fee_e8: int
    minimum_e8: int
    grace_seconds: int
    rule: str
    match: str = PREFIX

    @property
    def place(self) -> str:
        """The place in the order of rows: a number comes behind the prefix with its digits, before all longer ones."""
        return self.prefix + _NUMBER_MARK * (self.match == NUMBER)

    @property
    def pulse(self) -> Pulse | None:
        return Pulse.of(self.initial, self.increment)


class PriceList:
    """The prices of a package at an instant; raises ``ValueError`` for a package that is not in ``book``.

    ``for_client``: rules are shown as a client sees them, so rows that differ only in the rule are one row.
    ``epoch``: custom rates that count instead of those in force.
    """

    def __init__(
        self, book: RateBook, package_id: str, at: int, *, for_client: bool = False, epoch: Epoch | None = None
    ) -> None:
        self._for_client = for_client
        if book.terms.package(package_id, at) is None:
            raise ValueError(f"unknown package {package_id}")
        self._epoch: Epoch = epoch or book.terms.epoch(package_id, at)
        self._home = book.plan.home_country
        self._decks = {route: _deck(book, route, at) for route in sorted(set(self._epoch.package.routes))}
        # A row is compared with that of the next shorter prefix, which was computed a moment ago.
        self._row = lru_cache(maxsize=256)(self._find)

    def rows(self, within: str = "", after: str = "") -> Iterator[PriceRow]:
        """Rows in order of their ``place``: those behind the place ``after`` whose prefixes begin with ``within``.

        The first row has exactly the prefix ``within``, so that the rows price every number that begins with it.
        """
        return merge(self._prefix_rows(within, after), self._number_rows(within, after), key=lambda row: row.place)

    def _prefix_rows(self, within: str, after: str) -> Iterator[PriceRow]:
        if within and within > after:
            if (first := self._row(within)).rule != NO_RATE:
                yield first
            after = within
        for prefix in self._prefixes(within, after):
            row, shorter = self._row(prefix), self._row(prefix[:-1])
            if row[1:] != shorter[1:]:
                yield row

    def _number_rows(self, within: str, after: str) -> Iterator[PriceRow]:
        """The rows of number lines that apply to the reseller's home country."""
        found = {deck.prefix(index) for deck in self._opened() for index in range(deck.prefix_count, len(deck))}
        for digits in sorted(digits for digits in found if digits.startswith(within)):
            is_short = len(digits) <= SHORT_DIGITS
            country = None if is_short else numbers.country_of(digits)
            routes = self._epoch.package.routes
            deck = self._decks[routes[2] if is_short else route_of(routes, country, digits)]
            index = deck.number(digits, self._home) if deck is not None else -1
            if deck is None or index < 0 or digits + _NUMBER_MARK <= after:
                continue
            rule, custom = next(self._epoch.matching(digits, country), ("markup", None))
            yield _row(
                digits, self._shown(rule), combine(self._epoch.package, rule, custom, deck.line(index), country), NUMBER
            )

    def _prefixes(self, within: str, after: str) -> Iterator[str]:
        """The prefixes that may have a price of their own, in order, each once."""
        last = after
        for prefix in merge(*(_behind(source, after) for source in self._sources())):
            if not prefix.startswith(within):
                return
            if prefix > last:
                yield prefix
                last = prefix

    def _sources(self) -> Iterator[Sequence[str] | Deck]:
        yield from self._opened()
        yield self._epoch.prefixes()
        yield _country_prefixes()

    def _opened(self) -> Iterator[Deck]:
        return (deck for deck in self._decks.values() if deck is not None)

    def dearest_costs(self) -> dict[str, DeckLine]:
        """By the rule of each custom rate that prices any number: the deck line of the dearest of its calls."""
        dearest: dict[str, DeckLine] = {}
        for prefix in self._prefixes("", ""):
            matched = self._match(prefix)
            if matched and matched[1]:
                rule, _, line, _ = matched
                if rule not in dearest or dearest[rule].rate_e10 < line.rate_e10:
                    dearest[rule] = line
        return dearest

    def _find(self, prefix: str) -> PriceRow:
        """The price of numbers that begin with a prefix, and with no longer one of ``_prefixes``."""
        matched = self._match(prefix)
        if matched is None:
            return PriceRow(prefix, "", None, None, 0, 0, 0, 0, 0, NO_RATE)
        rule, custom, line, country = matched
        return _row(prefix, self._shown(rule), combine(self._epoch.package, rule, custom, line, country), PREFIX)

    def _match(self, prefix: str) -> tuple[str, CustomRate | None, DeckLine, str | None] | None:
        """Rule, custom rate, deck line and country for these numbers; ``None``: no deck line matches them."""
        country = numbers.country_of(prefix) if prefix else None
        # Filled up to a whole number, because short numbers are matched by other rules.
        digits = prefix.ljust(DIGITS, "0")
        deck = self._decks[route_of(self._epoch.package.routes, country, digits)]
        index = deck.match(prefix) if deck is not None and prefix else -1
        if deck is None or index < 0:
            return None
        matching = (
            (rule, custom)
            for rule, custom in self._epoch.matching(digits, country)
            if custom.scope != "prefix" or len(custom.code) <= len(prefix)
        )
        rule, custom = next(matching, ("markup", None))
        return rule, custom, deck.line(index), country

    def _shown(self, rule: str) -> str:
        return rule_for_client(rule) if self._for_client else rule


def _row(prefix: str, rule: str, terms: CallTerms, match: str) -> PriceRow:
    return PriceRow(
        prefix,
        terms.destination,
        terms.country,
        terms.rate_e10,
        terms.initial,
        terms.increment,
        terms.fee_e8,
        terms.minimum_e8,
        terms.grace_seconds,
        rule,
        match,
    )


def _deck(book: RateBook, route: str, at: int) -> Deck | None:
    place = book.place(route, at)
    return book.deck_at(route, place) if place >= 0 else None


def _behind(source: Sequence[str] | Deck, after: str) -> Iterator[str]:
    """The prefixes of a source that are greater than ``after``, in order."""
    if isinstance(source, Deck):
        start = bisect_right(range(source.prefix_count), after, key=source.prefix)
        return (source.prefix(index) for index in range(start, source.prefix_count))
    return iter(source[bisect_right(source, after) :])


@lru_cache(maxsize=1)
def _country_prefixes() -> list[str]:
    return sorted(numbers.country_prefixes())
