"""A rate book in the form that the vector engine needs, made once per batch and only as far as calls need it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.decks.deck import Deck
from chalicelib.rating.engine.columns import Strings, distinct
from chalicelib.rating.engine.term_columns import TermColumns, texts
from chalicelib.rating.engine.term_table import COMPILED, DECK_BITS
from chalicelib.rating.engine.vector import prices
from chalicelib.rating.engine.vector.match import Matcher, Prefixes, countries
from chalicelib.rating.engine.vector.owners import DidTerms, Owners, Timelines
from chalicelib.rating.engine.vector.owning import KeptRules
from chalicelib.rating.engine.vector.prices import DeckCosts, Rules, Slot
from chalicelib.rating.pricing.precedence import PackageVersion, combine, covers
from chalicelib.rating.pricing.price import CallTerms, internal_terms
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Epoch

Ints = NDArray[np.int64]
MOST_SLOTS = 200
"""The most slots of one deck (some 1.5 MB each); calls of further ones go through the reference engine."""
_SLOT = 24
"""A number of terms from ``COMPILED`` on: the deck from bit ``DECK_BITS`` on, the slot from this bit on, below the
interval. Such a number is called a code here.
"""
_SLOT_MASK, _PLACE_MASK = (1 << DECK_BITS - _SLOT) - 1, (1 << _SLOT) - 1


class Priced:
    """One deck with the slots that calls have needed so far; the arrays of the slots are joined.

    ``rule`` has, slot after slot, the index in ``rules`` for each interval of the matcher. ``is_safe`` has one item
    more, for the slot -1, which means none. ``costs`` are those of the deck line of each interval.
    """

    def __init__(self, number: int, matcher: Matcher, costs: DeckCosts, route: str, place: int, epochs: int) -> None:
        self.number, self.matcher, self.line_costs = number, matcher, costs
        self.costs = np.take(costs.lines, matcher.line)
        self.route, self.place = route, place
        self.slots: list[Slot] = []
        self.slot_of = np.full(epochs, -1)

    def lay_out(self) -> None:
        """Join the arrays of the slots again, after slots were added."""
        self.rules = Rules.joined([slot.rules for slot in self.slots])
        counts = [len(slot.rules.names) for slot in self.slots]
        bases = np.cumsum([0, *counts[:-1]]).astype(np.int32)
        self.rule = np.concatenate([slot.rule + base for slot, base in zip(self.slots, bases, strict=True)])
        self.is_safe = np.array([*(slot.is_safe for slot in self.slots), False])
        self.packages = texts([slot.epoch.package.package_id for slot in self.slots])
        self.names = texts(self.rules.names)
        self.covered = np.array([_covered(slot.epoch.package) for slot in self.slots], bool)

    def rule_of(self, slot: Ints, interval: Ints) -> Ints:
        """The index in ``rules`` of the rule that sets the price of each call."""
        rule: Ints = self.rule[slot * len(self.matcher.line) + interval].astype(np.int64)
        return rule

    def code(self, slot: Ints, interval: Ints) -> Ints:
        """The code of the terms of each call."""
        return COMPILED | self.number << DECK_BITS | slot << _SLOT | interval


class Compiled:
    """Owners, epochs and decks of one ``RateBook``; a ``CompiledTerms``."""

    def __init__(self, book: RateBook) -> None:
        self.book, self.kept_rules = book, KeptRules()
        self.packages = book.terms.package_ids()
        self.owners = Owners(book, self.packages)
        self.did_terms = DidTerms.of(self.owners.did_terms)
        self.did_numbers = np.array([book.priced.number(term) for term in self.owners.did_terms] or [0], np.int64)
        changes = [book.terms.changes(package_id) for package_id in self.packages]
        self.epochs = Timelines(changes)
        self.epoch_list = [
            book.terms.epoch(package_id, at)
            for package_id, own in zip(self.packages, changes, strict=True)
            for at in (own[0] - 1 if own else 0, *own)
        ]
        routes = [epoch.package.routes for epoch in self.epoch_list]
        self.routes = sorted({route for each in routes for route in each})
        self.deck_firsts = [
            np.array([first for first, _ in book.decks.get(route, ())], np.int64) for route in self.routes
        ]
        self.route_numbers = np.array([[self.routes.index(route) for route in each] for each in routes], np.int64)
        self.custom_prefixes = tuple(tuple(epoch.prefixes()) for epoch in self.epoch_list if epoch.prefixes())
        self._custom_of = _numbered([bool(epoch.prefixes()) for epoch in self.epoch_list])
        self._decks: dict[tuple[str, int], Priced] = {}
        self._by_number: list[Priced] = []

    def deck(self, route: str, place: int) -> Priced:
        """A deck in compiled form; ``place``: as ``RateBook.place`` returns it."""
        found = self._decks.get((route, place))
        if found is None:
            deck = self.book.deck_at(route, place)
            matcher = _matcher(deck, self.custom_prefixes, self.book.plan.home_country if deck.long_numbers else "")
            found = Priced(len(self._by_number), matcher, _costs(deck), route, place, len(self.epoch_list))
            self._decks[route, place] = found
            self._by_number.append(found)
        return found

    @cached_property
    def internal_numbers(self) -> Ints:
        """Per package, the number of the terms of its calls to internal numbers."""
        terms = (internal_terms(package_id) for package_id in self.packages)
        return np.array([self.book.priced.number(each) for each in terms], np.int64)

    def slots(self, deck: Priced, epochs: Ints) -> Ints:
        """The slot of each epoch (by number) on a deck, made when needed; -1 beyond ``MOST_SLOTS``."""
        slot = deck.slot_of[epochs]
        missing = np.flatnonzero(slot < 0)
        room = MOST_SLOTS - len(deck.slots)
        if not len(missing) or not room:
            return slot
        for number in distinct(epochs[missing])[0][:room].tolist():
            deck.slot_of[number] = len(deck.slots)
            epoch, customs = self.epoch_list[number], self._custom_of[number]
            deck.slots.append(_slots(deck.matcher, deck.line_costs)(epoch, customs))
        deck.lay_out()
        return deck.slot_of[epochs]

    def call_terms(self, code: int) -> CallTerms:
        """The terms of a code."""
        deck, slot, place = self._parts(code)
        line = self._line(deck, place)
        country = countries()[1][int(deck.matcher.country[place])]
        rule = int(slot.rule[place])
        return combine(slot.epoch.package, slot.rules.names[rule], slot.customs[rule], line, country)

    def columns(self, codes: Ints) -> TermColumns:
        """The columns of several codes of one deck."""
        deck = self._by_number[int(codes[0]) - COMPILED >> DECK_BITS]
        slot, place = codes >> _SLOT & _SLOT_MASK, codes & _PLACE_MASK
        country, rule = deck.matcher.country[place], deck.rule_of(slot, place)
        lines, destinations = _destinations(self.book.deck_at(deck.route, deck.place))
        return TermColumns(
            package=deck.packages[slot],
            destination=destinations[lines[deck.matcher.line[place]]],
            country=_country_texts()[country],
            rule=deck.names[rule],
            rate_e10=prices.rates(deck.rules, rule, deck.costs["rate_e10"][place]),
            covered=deck.covered[slot, country],
        )

    def _line(self, deck: Priced, place: int) -> Any:
        opened = self.book.deck_at(deck.route, deck.place)
        return opened.line(int(deck.matcher.line[place]))

    def _parts(self, code: int) -> tuple[Priced, Slot, int]:
        code -= COMPILED
        deck = self._by_number[code >> DECK_BITS]
        return deck, deck.slots[code >> _SLOT & _SLOT_MASK], code & _PLACE_MASK


def _covered(package: PackageVersion) -> list[bool]:
    """Per country, whether the free minutes of the package may pay."""
    scope = package.free_minutes_scope if package.free_minutes > 0 else ()
    return [covers(scope, country) for country in countries()[1]]


# The container caches these from file to file: small files would spend most of their time on compiling the same deck.
# Decks and epochs are the same objects as long as ``loading`` caches them.


@lru_cache(maxsize=2)
def _matcher(deck: Deck, custom_prefixes: tuple[tuple[str, ...], ...], home: str) -> Matcher:
    return Matcher(deck, [Prefixes.of(prefixes) for prefixes in custom_prefixes], home)


@lru_cache(maxsize=4)
def _costs(deck: Deck) -> DeckCosts:
    return DeckCosts(deck)


@lru_cache(maxsize=2)
def _slots(matcher: Matcher, costs: DeckCosts) -> Callable[[Epoch, int | None], Slot]:
    """A cached function that makes slots of a matcher. It is cached with the matcher, because slots refer to it."""
    return lru_cache(maxsize=16)(lambda epoch, customs: Slot(epoch, matcher, costs, customs))


@lru_cache(maxsize=1)
def _country_texts() -> Strings:
    return texts([country or "" for country in countries()[1]])


@lru_cache(maxsize=8)
def _destinations(deck: Deck) -> tuple[Ints, Strings]:
    """Per line of a deck the number of its destination; and the destinations as CSV fields."""
    places, names = deck.destinations()
    return np.frombuffer(places, "i").astype(np.int64), texts(names)


def _numbered(wanted: list[bool]) -> list[int | None]:
    """Consecutive numbers for the items that are True, None for the others."""
    count = 0
    numbers: list[int | None] = []
    for each in wanted:
        numbers.append(count if each else None)
        count += each
    return numbers
