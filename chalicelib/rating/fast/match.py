"""Numbers to deck lines, countries and custom rates: one table of disjoint intervals answers all three.

Nested prefixes are intervals of numbers filled up to 15 digits. The intervals of a deck, of the countries and of every
package's custom prefixes are cut along each other's bounds once; then one search tells all that is known of a number.
Most numbers are settled by their first seven digits, for which a direct table is laid out when it pays.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chalicelib import numbers
from chalicelib.rating.decks import DIGITS, Deck, intervals

HEAD = 10**7
"""Numbers of seven digits: the size of the direct table."""
BEHIND = 10**8
"""What follows the first seven of fifteen digits."""
TABLE_PAYS_AFTER = 20_000
"""Numbers searched before the direct table (40 MB, some 20 ms) is laid out."""

Ints = NDArray[np.int64]


class Prefixes:
    """A set of prefixes as intervals: ``starts``, ``owners`` (index of a prefix, -1 none), ``lengths`` of prefixes."""

    def __init__(self, starts: Ints, owners: Ints, lengths: Ints) -> None:
        self.starts, self.owners, self.lengths = starts, owners, lengths

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> Prefixes:
        """``prefixes`` sorted as text; owners are their places."""
        ordered = list(prefixes)
        starts, owners, _, _ = intervals(ordered)
        sizes = np.array([len(prefix) for prefix in ordered], np.int64)
        return cls(np.array(starts, np.int64), np.array(owners, np.int64), sizes)

    def at(self, values: Ints) -> Ints:
        """The owner of the interval that each value lies in."""
        return self.owners[np.searchsorted(self.starts, values, "right") - 1]

    def cut(self, starts: Ints) -> tuple[Ints, Ints]:
        """The owner, and its length (0 for none), of each of finer intervals: all starts here are among ``starts``."""
        count = np.diff(np.append(np.searchsorted(starts, self.starts), len(starts)))
        # The owner -1 finds the zero at the end.
        lengths = np.append(self.lengths, 0)[self.owners]
        return np.repeat(self.owners, count), np.repeat(lengths, count)


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

    ``line``: index of the deck line, -1 none. ``country``: number of ``countries()``. ``customs[k]``: owner in the
    ``k``-th set of custom prefixes. ``least``: digits a number must have for all this to be sure; more than any number
    has where there is no line.
    """

    def __init__(self, deck: Deck, customs: list[Prefixes]) -> None:
        own, (regions, _, region_country) = deck.prefixes(), countries()
        mine = Prefixes(*(np.frombuffer(view, kind).astype(np.int64) for view, kind in zip(own, "qii", strict=True)))
        self.starts = _merged([each.starts for each in (mine, regions, *customs)])
        self.line, self.least = mine.cut(self.starts)
        self.least[self.line < 0] = DIGITS + 1
        region, lengths = regions.cut(self.starts)
        self.country = np.append(region_country, 0)[region]
        self.customs = []
        np.maximum(self.least, lengths, out=self.least)
        for each in customs:
            owners, lengths = each.cut(self.starts)
            self.customs.append(owners)
            np.maximum(self.least, lengths, out=self.least)
        self._table: NDArray[np.int32] | None = None
        self._searched = 0

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
