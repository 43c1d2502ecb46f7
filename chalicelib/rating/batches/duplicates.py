"""Finds the duplicates among the lines of a client-day: first by 64-bit hashes, then by the ids themselves.

A day may have tens of millions of calls. So it is read in blocks, and only 8 bytes a line stay in memory. Ids are
compared only where hashes are equal: hardly ever, unless a file was sent twice. For that, the keys with equal hashes
are distributed over so many partitions of a temporary file that one partition fits into memory. The partition is chosen
by Python's own hash, which differs from process to process. So a collision of the first hash, even one made on purpose,
costs time but never a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls import identity
from chalicelib.rating.batches.column_file import ColumnFile, Extent
from chalicelib.rating.engine.call_keys import Billed, hashes
from chalicelib.rating.engine.columns import Ints, Strings
from chalicelib.rating.engine.hashing import Hashes

PARTITION_KEYS = 100_000
"""Keys of a partition, more or less; some 20 MB while they are compared."""
_BILLED = -1

Mask = NDArray[np.bool_]


class Lines(NamedTuple):
    """Some lines of a client-day: number in the file, kind (``call_keys.kinds``) and call id."""

    line: Ints
    kind: Ints
    call_id: Strings


def find(blocks: Callable[[], Iterable[Lines]], count: int, billed: Billed, column_file: ColumnFile) -> Mask | None:
    """Which of ``count`` lines are already billed, or repeat an earlier line; ``None`` when there is no such line.

    ``blocks()`` gives the lines, each time it is called; the answer has them in that order. The lines of a block may be
    in any order, but all of them come before those of the next block in the file.
    """
    doubtful, against_billed = _doubtful(blocks(), count, billed)
    if not len(doubtful):
        return None
    partitions = _Partitions(column_file, 1 + len(doubtful) // PARTITION_KEYS, count)
    with column_file.temporarily():
        for kinds, call_ids in billed.keys() if against_billed else ():
            some = np.flatnonzero(_among(doubtful, hashes(kinds, call_ids)))
            partitions.add(np.full(len(some), _BILLED), kinds[some], call_ids[some])
        at = 0
        for block in blocks():
            some = np.flatnonzero(_among(doubtful, hashes(block.kind, block.call_id)))
            some = some[np.argsort(block.line[some])]
            partitions.add(at + some, block.kind[some], block.call_id[some])
            at += len(block.line)
        return partitions.duplicates()


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
    """Keys of doubtful calls. Of equal keys, the first one to be added is the original."""

    def __init__(self, column_file: ColumnFile, partitions: int, count: int) -> None:
        self._file = column_file
        self._extents: list[list[Extent]] = [[] for _ in range(partitions)]
        self._duplicates = np.zeros(count, bool)

    def add(self, places: Ints, kinds: Ints, call_ids: Strings) -> None:
        """Calls in order; ``places`` are positions of lines, or ``_BILLED``."""
        for at in range(0, len(places), PARTITION_KEYS):
            here = slice(at, at + PARTITION_KEYS)
            self._append(places[here].tolist(), kinds[here].tolist(), call_ids[here].tolist())

    def duplicates(self) -> Mask:
        """Every line whose key was added before."""
        for extents in self._extents:
            seen = set[bytes]()
            for extent in extents:
                places, keys = self._file.read(extent)
                for place, key in zip(places.tolist(), keys.tolist(), strict=True):
                    self._mark(place, key in seen)
                    seen.add(key)
        return self._duplicates

    def _append(self, places: list[int], kinds: list[int], call_ids: list[bytes]) -> None:
        # Duplicates that are close together are not written: a file may have one call a million times.
        first = dict[bytes, int]()
        for place, kind, call_id in zip(places, kinds, call_ids, strict=True):
            self._mark(place, first.setdefault(identity.key(kind, call_id), place) != place)
        which = np.array([hash(key) % len(self._extents) for key in first], np.int64)
        order = np.argsort(which, kind="stable")
        columns = self._file.append([np.array(list(first.values()), np.int64)[order], np.array(list(first))[order]])
        bounds = np.searchsorted(which[order], np.arange(len(self._extents) + 1)).tolist()
        for extents, (low, high) in zip(self._extents, pairwise(bounds), strict=True):
            if low < high:
                extents.append(Extent(columns, low, high))

    def _mark(self, place: int, seen_before: bool) -> None:
        if seen_before and place != _BILLED:
            self._duplicates[place] = True
