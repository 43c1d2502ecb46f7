"""Finds the duplicates among the lines of a client-day, and which of them are conflicting (``calls.identity``).

Hashes of 64 bits are compared first, then the ids themselves.

A day may have tens of millions of calls. So it is read in blocks, and only 8 bytes a line stay in memory. Ids are
compared only where hashes are equal: hardly ever, unless a file was sent twice. For that, the keys with equal hashes
are distributed over so many partitions of a temporary file that one partition fits into memory. The partition is chosen
by Python's own hash, which differs from process to process. So a collision of the first hash, even one made on purpose,
costs time but never a call. What else the records say is read only where ids are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls import identity
from chalicelib.rating.batches.column_file import ColumnFile, Extent
from chalicelib.rating.engine.call_keys import Billed, Keys, Said, hashes
from chalicelib.rating.engine.columns import Ints, Strings
from chalicelib.rating.engine.hashing import Hashes

PARTITION_KEYS = 50_000
"""Keys of a partition, more or less; some 30 MB while they are compared."""
_BILLED = -1
_COMPARED, _LINE = len(identity.COMPARED), Said._fields.index("line")

_Record = tuple[Any, ...]
"""The fields of ``Said`` of one call."""

Mask = NDArray[np.bool_]

CONFLICT = np.dtype(
    [
        ("line", "<i8"),
        ("differs", "u1"),
        ("start", "<i8"),
        ("code", "u1"),
        ("called", "S64"),
        ("seconds", "<i4"),
        ("billed_line", "<i8"),
        ("batch_id", "S32"),
    ]
)
"""A conflicting line and the call that was billed instead.

``line``: the number of the conflicting line. ``differs``: a bit for each of ``identity.COMPARED`` in which it differs.
The other fields are those of the billed call, as in ``call_keys.Said``.
"""


class Lines(NamedTuple):
    """Some lines of a client-day: number in the file, and what ``call_keys.Keys`` has."""

    line: Ints
    kind: Ints
    call_id: Strings
    said: Callable[[Ints], Said]


def find(
    blocks: Callable[[], Iterable[Lines]],
    count: int,
    billed: Billed,
    column_file: ColumnFile,
    conflicts: Callable[[NDArray[Any]], None],
) -> Mask | None:
    """Which of ``count`` lines are already billed, or repeat an earlier line; ``None`` when there is no such line.

    ``blocks()`` gives the lines, each time it is called; the answer has them in that order. The lines of a block may be
    in any order, but all of them come before those of the next block in the file. ``conflicts`` is called with the
    conflicting lines (``CONFLICT``), some at a time and in no order.
    """
    doubtful, against_billed = _doubtful(blocks(), count, billed)
    if not len(doubtful):
        return None
    partitions = _Partitions(column_file, 1 + len(doubtful) // PARTITION_KEYS, count)
    with column_file.temporarily():
        for keys in billed.keys() if against_billed else ():
            some = np.flatnonzero(_among(doubtful, hashes(keys.kind, keys.call_id)))
            partitions.add(np.full(len(some), _BILLED), keys, some)
        at = 0
        for block in blocks():
            some = np.flatnonzero(_among(doubtful, hashes(block.kind, block.call_id)))
            some = some[np.argsort(block.line[some])]
            partitions.add(at + some, block, some)
            at += len(block.line)
        return partitions.duplicates(conflicts)


def _doubtful(blocks: Iterable[Lines], count: int, billed: Billed) -> tuple[Hashes, bool]:
    """Sorted hashes that several lines have, or a line and a billed call; whether one of them is of a billed call."""
    own, at = np.empty(count, np.uint64), 0
    for block in blocks:
        own[at : at + len(block.line)] = hashes(block.kind, block.call_id)
        at += len(block.line)
    own.sort()
    again = own[1:] == own[:-1]
    doubtful = np.zeros(count, bool)
    doubtful[1:] |= again
    doubtful[:-1] |= again
    against_billed = False
    for some in billed.hashes():
        found = _among(own, some)
        against_billed |= bool(found.any())
        doubtful[np.searchsorted(own, some[found])] = True
    return own[doubtful], against_billed


def _among(known: Hashes, values: Hashes) -> Mask:
    """Which values are in ``known``, which is sorted and not empty."""
    place = np.searchsorted(known, values)
    place[place == len(known)] = 0
    found: Mask = known[place] == values
    return found


class _Partitions:
    """Doubtful calls. Of equal keys, the first one to be added is the original."""

    def __init__(self, column_file: ColumnFile, partitions: int, count: int) -> None:
        self._file = column_file
        self._extents: list[list[Extent]] = [[] for _ in range(partitions)]
        self._duplicates = np.zeros(count, bool)

    def add(self, places: Ints, calls: Keys | Lines, some: Ints) -> None:
        """``some`` of the calls, in this order; ``places`` are positions of lines, or ``_BILLED``."""
        for at in range(0, len(some), PARTITION_KEYS):
            here = some[at : at + PARTITION_KEYS]
            pairs = zip(calls.kind[here].tolist(), calls.call_id[here].tolist(), strict=True)
            self._append(places[at : at + PARTITION_KEYS], [identity.key(*pair) for pair in pairs], calls.said(here))

    def duplicates(self, conflicts: Callable[[NDArray[Any]], None]) -> Mask:
        """Every line whose key was added before; ``conflicts``: see ``find``."""
        for extents in self._extents:
            first = dict[bytes, _Record]()
            for extent in extents:
                if found := list(self._compared(extent, first)):
                    conflicts(np.array(found, CONFLICT))
        return self._duplicates

    def _compared(self, extent: Extent, first: dict[bytes, _Record]) -> Iterator[tuple[Any, ...]]:
        """Marks the duplicates of an extent; yields the conflicting ones, in the order of ``CONFLICT``."""
        places, keys, *said = (column.tolist() for column in self._file.read(extent))
        for place, key, record in zip(places, keys, zip(*said, strict=True), strict=True):
            original = first.setdefault(key, record)
            if original is record or place == _BILLED:
                continue
            self._duplicates[place] = True
            if record[:_COMPARED] != original[:_COMPARED]:
                pairs = zip(record[:_COMPARED], original, strict=False)
                yield record[_LINE], sum((a != b) << n for n, (a, b) in enumerate(pairs)), *original

    def _append(self, places: Ints, keys: list[bytes], said: Said) -> None:
        which = np.array([hash(key) % len(self._extents) for key in keys], np.int64)
        order = np.argsort(which, kind="stable")
        columns = self._file.append([column[order] for column in (places, np.array(keys), *said)])
        bounds = np.searchsorted(which[order], np.arange(len(self._extents) + 1)).tolist()
        for extents, (low, high) in zip(self._extents, pairwise(bounds), strict=True):
            if low < high:
                extents.append(Extent(columns, low, high))
