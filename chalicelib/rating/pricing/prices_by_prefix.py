"""The price list of a package: rows that price every number of the world by the longest prefix.

It is made of the rate book that prices calls. The price of a number can change only where a deck's prefix, a custom
prefix or a country begins; each such cut becomes a row where the price differs from what lies around it. So a list has
as few rows as tell everything, and looking a number up in it is the price that a quote says.

Short numbers (411) are not in it: they are matched whole, and a quote tells their price.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import merge
from typing import NamedTuple

from chalicelib import numbers
from chalicelib.rating.decks.deck import DIGITS, Deck
from chalicelib.rating.pricing.price import Pulse
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Epoch, combine, route_of

NO_RATE = "no_rate"
"""The rule of a row whose numbers cannot be called: another deck is in force for their country, and lacks them."""


class PriceRow(NamedTuple):
    """What a call to a number under ``prefix`` is sold for, unless a row with a longer prefix has it.

    ``rate_e10`` is ``None`` with the rule ``no_rate``; ``minimum_e8`` 0 is none; calls of up to ``grace_seconds`` cost
    nothing.
    """

    prefix: str
    destination: str
    country: str | None
    rate_e10: int | None
    initial: int
    increment: int
    fee_e14: int
    minimum_e8: int
    grace_seconds: int
    rule: str

    @property
    def pulse(self) -> Pulse | None:
        return Pulse.of(self.initial, self.increment)


class PriceList:
    """A package's prices at one instant; ``ValueError`` for a package that ``book`` does not know."""

    def __init__(self, book: RateBook, package_id: str, at: int) -> None:
        if book.terms.package(package_id, at) is None:
            raise ValueError(f"unknown package {package_id}")
        self._epoch: Epoch = book.terms.epoch(package_id, at)
        self._decks = {route: _deck(book, route, at) for route in sorted(set(self._epoch.package.routes))}
        # A row is compared with the one around it, which was just made.
        self._row = lru_cache(maxsize=256)(self._find)

    def rows(self, within: str = "", after: str = "") -> Iterator[PriceRow]:
        """Rows in the order of their prefixes, as text: those behind ``after``, of prefixes that begin with ``within``.

        With ``within``, the first row is of exactly that prefix, so that the rows price every number under it.
        """
        if within and within > after:
            if (first := self._row(within)).rule != NO_RATE:
                yield first
            after = within
        for prefix in self._cuts(within, after):
            row = self._row(prefix)
            around = self._row(prefix[:-1])
            if row[1:] != around[1:]:
                yield row

    def _cuts(self, within: str, after: str) -> Iterator[str]:
        """Every prefix at which a price may change, in order, each once."""
        last = after
        for prefix in merge(*(_behind(each, after) for each in self._sources())):
            if not prefix.startswith(within):
                return
            if prefix > last:
                yield prefix
                last = prefix

    def _sources(self) -> Iterator[Sequence[str] | Deck]:
        yield from (deck for deck in self._decks.values() if deck is not None)
        yield self._epoch.prefixes()
        yield _country_prefixes()

    def _find(self, prefix: str) -> PriceRow:
        """The price of the numbers under a prefix that no longer cut has."""
        country = numbers.country_of(prefix) if prefix else None
        # As long as a whole number, because short numbers have rules of their own.
        digits = prefix.ljust(DIGITS, "0")
        deck = self._decks[route_of(self._epoch.package.routes, country, digits)]
        index = deck.match(prefix) if deck is not None and prefix else -1
        if deck is None or index < 0:
            return PriceRow(prefix, "", None, None, 0, 0, 0, 0, 0, NO_RATE)
        matching = (
            (rule, custom)
            for rule, custom in self._epoch.matching(digits, country)
            if custom.scope != "prefix" or len(custom.code) <= len(prefix)
        )
        rule, custom = next(matching, ("markup", None))
        terms = combine(self._epoch.package, rule, custom, deck.line(index), country)
        return PriceRow(
            prefix,
            terms.destination,
            country,
            terms.rate_e10,
            terms.initial,
            terms.increment,
            terms.fee_e14,
            terms.minimum_e8,
            terms.grace_seconds,
            rule,
        )


def _deck(book: RateBook, route: str, at: int) -> Deck | None:
    place = book.place(route, at)
    return book.deck_at(route, place) if place >= 0 else None


def _behind(source: Sequence[str] | Deck, after: str) -> Iterator[str]:
    """The prefixes of a source that stand behind one, in order."""
    if isinstance(source, Deck):
        start = bisect_right(range(len(source)), after, key=source.prefix)
        return (source.prefix(index) for index in range(start, len(source)))
    return iter(source[bisect_right(source, after) :])


@lru_cache(maxsize=1)
def _country_prefixes() -> list[str]:
    return sorted(numbers.country_prefixes())
