"""Which lines of a client-day are copies: found by hashes of 64 bits, decided by the ids themselves.

A day may hold tens of millions of calls, so it comes block by block, and 8 bytes a line are all that is kept of it. Ids
are compared only where hashes are equal: nearly never, unless a file was sent twice. Then they are sorted into so many
heaps on the shelf that one heap fits into memory: by Python's own hash, which nobody outside this process can foresee.
So a collision of the first hash, even one that somebody made on purpose, costs time and never a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls import identity
from chalicelib.rating.batches.column_file import Rows, Shelf
from chalicelib.rating.engine.call_keys import Billed, hashes
from chalicelib.rating.engine.columns import Ints, Strings
from chalicelib.rating.engine.hashing import Hashes

HEAP_KEYS = 100_000
"""Keys of a heap, more or less; some 20 MB while it is looked through."""
_BILLED = -1

Mask = NDArray[np.bool_]


class Lines(NamedTuple):
    """Some lines of a client-day: number in the file, kind (``call_keys.kinds``) and call id."""

    line: Ints
    kind: Ints
    call_id: Strings


def copies(blocks: Callable[[], Iterable[Lines]], count: int, billed: Billed, shelf: Shelf) -> Mask | None:
    """Which of ``count`` lines are billed already, or copies of an earlier line; ``None`` when none is.

    ``blocks()`` gives the lines, and again when needed; the answer has them in that order. The lines of a block may
    stand in any order, but all come before those of the next block in the file.
    """
    doubtful, against_billed = _doubtful(blocks(), count, billed)
    if not len(doubtful):
        return None
    heaps = _Heaps(shelf, 1 + len(doubtful) // HEAP_KEYS, count)
    with shelf.for_now():
        for kinds, call_ids in billed.keys() if against_billed else ():
            some = np.flatnonzero(_among(doubtful, hashes(kinds, call_ids)))
            heaps.add(np.full(len(some), _BILLED), kinds[some], call_ids[some])
        at = 0
        for block in blocks():
            some = np.flatnonzero(_among(doubtful, hashes(block.kind, block.call_id)))
            some = some[np.argsort(block.line[some])]
            heaps.add(at + some, block.kind[some], block.call_id[some])
            at += len(block.line)
        return heaps.copies()


def _doubtful(blocks: Iterable[Lines], count: int, billed: Billed) -> tuple[Hashes, bool]:
    """Hashes, sorted, that several lines have, or a line and a billed call; whether any is that of a billed call."""
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
    """Which values are among the known ones; those are sorted, and there are some."""
    place = np.searchsorted(known, values)
    place[place == len(known)] = 0
    found: Mask = known[place] == values
    return found


class _Heaps:
    """Keys of doubtful calls, in the order in which the first of equal ones stands."""

    def __init__(self, shelf: Shelf, heaps: int, count: int) -> None:
        self._shelf = shelf
        self._pieces: list[list[Rows]] = [[] for _ in range(heaps)]
        self._copies = np.zeros(count, bool)

    def add(self, places: Ints, kinds: Ints, call_ids: Strings) -> None:
        """Calls in order; ``places`` are those of the lines, or ``_BILLED``."""
        for at in range(0, len(places), HEAP_KEYS):
            here = slice(at, at + HEAP_KEYS)
            self._put(places[here].tolist(), kinds[here].tolist(), call_ids[here].tolist())

    def copies(self) -> Mask:
        """Every line whose key stood before it."""
        for pieces in self._pieces:
            seen = set[bytes]()
            for piece in pieces:
                places, keys = self._shelf.get(piece)
                for place, key in zip(places.tolist(), keys.tolist(), strict=True):
                    self._look(place, key in seen)
                    seen.add(key)
        return self._copies

    def _put(self, places: list[int], kinds: list[int], call_ids: list[bytes]) -> None:
        # Copies that stand together never reach a heap: a file may hold one call a million times.
        first = dict[bytes, int]()
        for place, kind, call_id in zip(places, kinds, call_ids, strict=True):
            self._look(place, first.setdefault(identity.key(kind, call_id), place) != place)
        which = np.array([hash(key) % len(self._pieces) for key in first], np.int64)
        order = np.argsort(which, kind="stable")
        columns = self._shelf.put([np.array(list(first.values()), np.int64)[order], np.array(list(first))[order]])
        bounds = np.searchsorted(which[order], np.arange(len(self._pieces) + 1)).tolist()
        for pieces, (low, high) in zip(self._pieces, pairwise(bounds), strict=True):
            if low < high:
                pieces.append(Rows(columns, low, high))

    def _look(self, place: int, seen_before: bool) -> None:
        if seen_before and place != _BILLED:
            self._copies[place] = True
