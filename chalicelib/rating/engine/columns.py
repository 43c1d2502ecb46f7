"""Rated lines as columns: what an engine makes of a chunk, and what the rest of rating works on.

One array per fact instead of one object per call, so that a million calls are a few large blocks of memory. Facts that
many calls share (who pays, the month, the terms) are numbers that ``RateBook`` resolves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls.format import DIRECTIONS, DISPOSITIONS
from chalicelib.rating.cdr.formats import Rejection

Ints = NDArray[np.int64]
Strings = NDArray[np.bytes_]

ROW = np.dtype(
    [
        ("line", "<i8"),
        ("start", "<i8"),
        ("terms", "<i8"),
        ("amount_e8", "<i8"),
        ("cost_e8", "<i8"),
        ("holder", "<i4"),
        ("seconds", "<i4"),
        ("billed", "<i4"),
        ("month", "<i4"),
        ("code", "u1"),
    ]
)
"""One rated line but its texts. ``code``: see ``CODES``; ``amount_e8`` is without free minutes."""

_MOST_RANGE = 1 << 16


CODES = {
    (direction, disposition): way + 2 * end
    for way, direction in enumerate(DIRECTIONS)
    for end, disposition in enumerate(DISPOSITIONS)
}
"""Direction and disposition as one small number: bit 0 is set for inbound, the rest is the disposition."""
CODE_TEXTS = tuple(f"{DIRECTIONS[code & 1]},{DISPOSITIONS[code >> 1]}" for code in range(8))
"""A code as it stands in a segment's row."""


class Texts(NamedTuple):
    """A call's texts as they stand in a segment's row, one array of byte strings each: ids and callers are CSV."""

    call_id: Strings
    account: Strings
    caller: Strings
    called: Strings

    def at(self, places: Ints | slice) -> Texts:
        """Some rows of each."""
        return Texts(*(column[places] for column in self))

    @classmethod
    def of(cls, *columns: Iterable[str]) -> Texts:
        """The columns in order, as they are to stand in a row."""
        return cls(*(np.array([text.encode() for text in column], np.bytes_) for column in columns))

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """One after the other; each column becomes as wide as the widest."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass
class Columns:
    """What became of one chunk, in the order of its lines.

    ``texts()`` is a function because it takes longer than rating and some callers only want the sums.
    """

    rows: NDArray[Any]
    texts: Callable[[], Texts]
    rejected: Sequence[Rejection]

    def __len__(self) -> int:
        return len(self.rows)


def empty(rejected: Sequence[Rejection] = ()) -> Columns:
    return Columns(np.zeros(0, ROW), lambda: Texts.of([], [], [], []), rejected)


def distinct(keys: Ints) -> tuple[Ints, Ints]:
    """Sorted distinct values, and which of them each key is; quick where the keys lie close together."""
    if not len(keys):
        return keys, keys
    least = int(keys.min())
    if int(keys.max()) - least >= _MOST_RANGE:
        found, which = np.unique(keys, return_inverse=True)
        return found, which
    found = np.flatnonzero(np.bincount(keys - least))
    place = np.zeros(int(found[-1]) + 1, np.int64)
    place[found] = np.arange(len(found))
    return found + least, place[keys - least]
