"""Rated lines as columns: the result of an engine for one chunk, and the input of the steps after it.

There is one array per field instead of one object per call, so a million calls are a few large blocks of memory. Values
that many calls share (who pays, the month, the terms) are numbers; ``RateBook`` and ``TermTable`` have their values.
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
"""One rated line without its texts.

``line`` in the file, ``start`` an instant, ``seconds`` and ``billed`` seconds, ``amount_e8`` without free minutes.
``holder`` and ``month`` are numbers in the rate book, ``terms`` one in the term table; ``code``: see ``CODES``.
"""

_MOST_RANGE = 1 << 16
_MOST = (1 << 63) - 1


CODES = {
    (direction, disposition): way + 2 * end
    for way, direction in enumerate(DIRECTIONS)
    for end, disposition in enumerate(DISPOSITIONS)
}
"""Direction and disposition as one small number: bit 0 is set for inbound, the rest is the disposition."""
CODE_TEXTS = tuple(f"{DIRECTIONS[code & 1]},{DISPOSITIONS[code >> 1]}" for code in range(8))
"""Each code as two fields of CSV, as in stored calls."""


class Texts(NamedTuple):
    """The texts of calls as stored, one array of byte strings per column; ids and callers are CSV fields."""

    call_id: Strings
    account: Strings
    caller: Strings
    called: Strings

    def at(self, places: Ints | slice) -> Texts:
        """The texts of some of the calls."""
        return Texts(*(column[places] for column in self))

    @classmethod
    def of(cls, *columns: Iterable[str]) -> Texts:
        """From one iterable per column, in order, with texts as they are stored."""
        return cls(*(np.array([text.encode() for text in column], np.bytes_) for column in columns))

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """The calls of several texts, one after the other; each column becomes as wide as its widest part."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass
class Columns:
    """The rated and the refused lines of one chunk, in the order of the lines; ``rows`` have the type ``ROW``.

    ``skipped``: how many lines are no calls.

    ``texts`` is a function because it takes longer than rating, and some callers need only the sums.
    """

    rows: NDArray[Any]
    texts: Callable[[], Texts]
    rejected: Sequence[Rejection]
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.rows)


def empty(rejected: Sequence[Rejection] = ()) -> Columns:
    """A chunk without rated lines."""
    return Columns(np.zeros(0, ROW), lambda: Texts.of([], [], [], []), rejected)


def exact_sum(values: Ints) -> int:
    """The sum of amounts or costs, however large: a sum that leaves 64 bits is made of two that do not.

    One amount can be 3e17 (see ``money.MAX_RATE``) and one cost of a record 1e17, so 31 calls may be too much.
    """
    if not len(values) or max(int(values.max()), -int(values.min())) <= _MOST // len(values):
        return int(values.sum())
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def distinct(keys: Ints) -> tuple[Ints, Ints]:
    """The distinct keys, sorted, and the index of each key among them; quick for keys that are close together."""
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
