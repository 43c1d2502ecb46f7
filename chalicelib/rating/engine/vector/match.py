"""Numbers to deck lines, countries and custom rates: one table of disjoint intervals answers all three.

Nested prefixes are intervals of numbers filled up to 15 digits. The intervals of a deck, of the countries and of every
package's custom prefixes are cut along each other's bounds once; then one search tells all that is known of a number.
Most numbers are settled by their first seven digits, for which a direct table is laid out when it pays.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib import numbers
from chalicelib.rating.decks.deck import DIGITS, Deck, intervals

HEAD = 10**7
"""Numbers of seven digits: the size of the direct table."""
BEHIND = 10**8
"""What follows the first seven of fifteen digits."""
TABLE_PAYS_AFTER = 20_000
"""Numbers searched before the direct table (40 MB, some 20 ms) is laid out."""

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]


class Prefixes:
    """A set of prefixes as intervals: where each starts, its ``owners`` (index of a prefix, -1 none) and its length.

    Owners have 32 bits and lengths 8, so that little is moved when they are spread over a deck's intervals.
    """

    def __init__(self, starts: Ints, owners: Int32s, lengths: NDArray[Any]) -> None:
        self.starts, self.owners = starts, owners
        # The owner -1 finds the zero at the end.
        self.lengths = np.append(lengths, 0).astype(np.int8)[owners]

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> Prefixes:
        """``prefixes`` sorted as text; owners are their places."""
        ordered = list(prefixes)
        starts, owners, _, _ = intervals(ordered)
        sizes = np.array([len(prefix) for prefix in ordered])
        return cls(np.array(starts, np.int64), np.array(owners, np.int32), sizes)

    def at(self, values: Ints) -> Int32s:
        """The owner of the interval that each value lies in."""
        return self.owners[np.searchsorted(self.starts, values, "right") - 1]

    def cuts(self, starts: Ints) -> Ints:
        """How many finer intervals each one is cut into; all starts here are among the ``starts`` of those."""
        return np.diff(np.append(np.searchsorted(starts, self.starts), len(starts)))


@lru_cache(maxsize=1)
def countries() -> tuple[Prefixes, list[str | None], Ints]:
    """The countries' prefixes, the countries by number (0: none), and which country each prefix has."""
    table = numbers.country_prefixes()
    names: list[str | None] = [None, *sorted({name for name in table.values() if name})]
    number = {name: n for n, name in enumerate(names)}
    ordered = sorted(table)
    return Prefixes.of(ordered), names, np.array([number[table[prefix]] for prefix in ordered], np.int64)


class Matcher:
    """One deck, cut along countries and custom prefixes. ``find`` gives an interval's number; the arrays tell of it.

    ``line``: index of the deck line, -1 none. ``country``: number of ``countries()``. ``least``: digits a number must
    have for all this to be sure; more than any number has where there is no line.
    """

    def __init__(self, deck: Deck, customs: list[Prefixes]) -> None:
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
        self._customs = customs
        self._table: NDArray[np.int32] | None = None
        self._searched = 0

    def custom(self, number: int) -> Int32s:
        """Per interval the owner in one of the sets of custom prefixes."""
        each = self._customs[number]
        return np.repeat(each.owners, each.cuts(self.starts))

    def find(self, values: Ints) -> Ints:
        """Numbers filled up to 15 digits -> the number of the interval each lies in."""
        if self._table is None:
            self._searched += len(values)
            if self._searched < TABLE_PAYS_AFTER:
                return np.searchsorted(self.starts, values, "right") - 1
            self._table = self._lay_out()
        places = self._table[values // BEHIND].astype(np.int64)
        open_ones = np.flatnonzero(places < 0)
        if len(open_ones):
            places[open_ones] = np.searchsorted(self.starts, values[open_ones], "right") - 1
        return places

    def _lay_out(self) -> NDArray[np.int32]:
        """First seven digits -> interval; -1 where an interval begins behind them, so that they do not settle it."""
        first = -(-self.starts // BEHIND)
        table = np.repeat(np.arange(len(first), dtype=np.int32), np.diff(np.append(first, HEAD)))
        heads = self.starts // BEHIND
        table[heads[heads * BEHIND != self.starts]] = -1
        return table


def _merged(parts: list[Ints]) -> Ints:
    """All values once, in order. Sorting is several times as fast as ``np.unique``, which hashes."""
    together = np.sort(np.concatenate(parts))
    return together[np.diff(together, prepend=-1) > 0]
