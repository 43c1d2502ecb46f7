"""From a number to its deck line, country and custom prefixes: with one search in one table of disjoint intervals.

Numbers are filled up with zeros to 15 digits, so a prefix is an interval of numbers. The intervals of a deck, of the
countries and of the custom prefixes of every package are cut at each other's bounds, once. Then one search finds all
of them for a number. The first seven digits decide the interval of most numbers; when many numbers are searched, a
table with one entry per seven digits replaces the search. Each number line of a deck that is of an E.164 number has an
interval of its own behind all others, which is found by the whole number.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib import numbers
from chalicelib.rating.decks.deck import DIGITS, SHORT_DIGITS, Deck, home_code, intervals

HEAD = 10**7
"""The count of numbers of seven digits, and of entries in the table."""
BEHIND = 10**8
"""The count of numbers of 15 digits that begin with the same seven."""
TABLE_PAYS_AFTER = 20_000
"""Numbers searched before the table (40 MB, some 20 ms) is made."""

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]


class Prefixes:
    """A set of prefixes as intervals. Per interval: its first number, its owner, and the length of the owner.

    The *owner* of an interval is the index of the longest prefix of its numbers, -1 for none. Owners have 32 bits and
    lengths 8, so that little memory is copied when they are repeated for the intervals of a deck.
    """

    def __init__(self, starts: Ints, owners: Int32s, lengths: NDArray[Any]) -> None:
        self.starts, self.owners = starts, owners
        # The owner -1 has the zero at the end.
        self.lengths = np.append(lengths, 0).astype(np.int8)[owners]

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> Prefixes:
        """From prefixes sorted as text; owners are indexes into them."""
        ordered = list(prefixes)
        starts, owners, _, _ = intervals(ordered)
        sizes = np.array([len(prefix) for prefix in ordered])
        return cls(np.array(starts, np.int64), np.array(owners, np.int32), sizes)

    def place(self, values: Ints) -> Ints:
        """The interval of each number (15 digits)."""
        return np.searchsorted(self.starts, values, "right") - 1

    def at(self, values: Ints) -> Int32s:
        """The owner of the interval of each number (15 digits)."""
        return self.owners[self.place(values)]

    def cuts(self, starts: Ints) -> Ints:
        """Into how many finer intervals each one is cut; ``starts`` are theirs, and include all starts here."""
        return np.diff(np.append(np.searchsorted(starts, self.starts), len(starts)))


@lru_cache(maxsize=1)
def countries() -> tuple[Prefixes, list[str | None], Ints]:
    """The prefixes of countries, the countries by number (0: none), and the number of the country of each prefix."""
    table = numbers.country_prefixes()
    names: list[str | None] = [None, *sorted({name for name in table.values() if name})]
    number = {name: n for n, name in enumerate(names)}
    ordered = sorted(table)
    return Prefixes.of(ordered), names, np.array([number[table[prefix]] for prefix in ordered], np.int64)


class Matcher:
    """The intervals of one deck, of countries and of custom prefixes. ``find`` returns the index of an interval.

    ``home``: the reseller's country. The arrays have one item per interval. ``line``: index of the deck line, -1 for
    none. ``country``: number in ``countries()``. ``least``: how many digits a number must have for these to be right;
    where there is no line, more than a number can have.
    """

    def __init__(self, deck: Deck, customs: list[Prefixes], home: str) -> None:
        own, (regions, _, region_country) = deck.prefixes(), countries()
        starts, owners, lengths = (np.frombuffer(view, kind) for view, kind in zip(own, "qii", strict=True))
        mine = Prefixes(starts, owners, lengths)
        self.starts = _merged([each.starts for each in (mine, regions, *customs)])
        self.line = np.repeat(mine.owners, mine.cuts(self.starts))
        country_of = np.append(region_country, 0).astype(np.int32)
        self.country = np.repeat(country_of[regions.owners], regions.cuts(self.starts))
        self.least = np.zeros(len(self.starts), np.int8)
        for each in (mine, regions, *customs):
            np.maximum(self.least, np.repeat(each.lengths, each.cuts(self.starts)), out=self.least)
        self.least[self.line < 0] = DIGITS + 1
        self._keys, lines = _number_lines(deck, home)
        if len(lines):
            values = self._keys >> 4
            owners = regions.at(values)
            self.line = np.concatenate([self.line, lines])
            self.country = np.concatenate([self.country, country_of[owners]])
            least = [each.lengths[each.place(values)] for each in (regions, *customs)]
            self.least = np.concatenate([self.least, np.max(least, axis=0)])
        self._customs = customs
        self._table: NDArray[np.int32] | None = None
        self._searched = 0

    def custom(self, number: int) -> Int32s:
        """Per interval, the owner in the custom prefixes with this number."""
        each = self._customs[number]
        owners = np.repeat(each.owners, each.cuts(self.starts))
        return np.concatenate([owners, each.at(self._keys >> 4)]) if len(self._keys) else owners

    def find(self, values: Ints, counts: Ints) -> Ints:
        """Numbers filled up to 15 digits, and their own counts of digits -> the index of the interval of each."""
        places = self._find(values)
        if len(self._keys):
            wanted = values << 4 | counts
            which = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
            found = np.flatnonzero(self._keys[which] == wanted)
            places[found] = len(self.starts) + which[found]
        return places

    def _find(self, values: Ints) -> Ints:
        if self._table is None:
            self._searched += len(values)
            if self._searched < TABLE_PAYS_AFTER:
                return np.searchsorted(self.starts, values, "right") - 1
            self._table = self._make_table()
        places = self._table[values // BEHIND].astype(np.int64)
        undecided = np.flatnonzero(places < 0)
        if len(undecided):
            places[undecided] = np.searchsorted(self.starts, values[undecided], "right") - 1
        return places

    def _make_table(self) -> NDArray[np.int32]:
        """First seven digits -> interval; -1 where the further digits decide it."""
        first = -(-self.starts // BEHIND)
        table = np.repeat(np.arange(len(first), dtype=np.int32), np.diff(np.append(first, HEAD)))
        heads = self.starts // BEHIND
        table[heads[heads * BEHIND != self.starts]] = -1
        return table


def _number_lines(deck: Deck, home: str) -> tuple[Ints, Int32s]:
    """The number lines of E.164 numbers for a home country: ``number_key``, sorted, and index of the line of each."""
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int32)
    if not deck.long_numbers:
        return nothing
    keys, homes, lines = (np.frombuffer(view, kind) for view, kind in zip(deck.number_items(), "qii", strict=True))
    mine = np.flatnonzero((keys & 15 > SHORT_DIGITS) & ((homes == 0) | (homes == home_code(home))))
    # Of equal keys the last one counts: the one of the country comes after the one of all.
    last = mine[np.diff(keys[mine], append=-1) != 0]
    return keys[last], lines[last]


def _merged(parts: list[Ints]) -> Ints:
    """The distinct values in order. To sort is several times as fast as ``np.unique``, which hashes."""
    together = np.sort(np.concatenate(parts))
    return together[np.diff(together, prepend=-1) > 0]
