"""One client-day without its duplicates, in slices that fit into memory.

Nearly every day is one slice. A longer day is cut between two seconds, so that the slices one after the other have the
order of the whole day: free minutes are spent by start, then by call id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.client_month import ClientMonth
from chalicelib.periods import DAY_SECONDS
from chalicelib.rating.batches import duplicates
from chalicelib.rating.batches.charges import covered
from chalicelib.rating.batches.duplicates import Lines, Mask
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.engine.call_keys import Billed, Said, kinds
from chalicelib.rating.engine.columns import Ints, Texts
from chalicelib.rating.engine.term_table import TermTable

SLICE_ROWS = 250_000
"""Lines of a slice: some 100 MB."""

Piece = tuple[NDArray[Any], Texts]
"""Rows (``columns.ROW``) and their texts."""


class ClientDay:
    """A client-day: iterate over it for its ``unique_lines`` lines, slice by slice.

    ``by_id``: calls of the same second are ordered by id, because free minutes may pay for some line of the day.
    ``conflicts`` is called with the conflicting ones of the duplicates, as by ``duplicates.find``.
    """

    def __init__(
        self,
        spill: Spill,
        client_month: ClientMonth,
        day: int,
        billed: Billed,
        table: TermTable,
        conflicts: Callable[[NDArray[Any]], None],
    ) -> None:
        count = spill.day_line_count(client_month, day)
        self._spill, self._first, self._runs = spill, day * DAY_SECONDS, spill.runs(client_month, day)
        self._begins = [0, *accumulate(run.last - run.first for run in self._runs)]
        self._whole = whole = spill.lines(client_month, day) if count <= SLICE_ROWS else None

        def pieces() -> Iterable[Piece]:
            return map(spill.read, self._runs) if whole is None else [whole]

        self.by_id = table.book.terms.grant_minutes() and any(
            covered(np.unique(rows["terms"]), table).any() for rows, _ in pieces()
        )
        found = duplicates.find(lambda: map(_lines, pieces()), count, billed, spill.column_file, conflicts)
        self._duplicates = found
        self.unique_lines = count - (0 if found is None else int(found.sum()))

    def __iter__(self) -> Iterator[Piece]:
        if self._whole is not None:
            yield _without(self._whole, self._duplicates)
            return
        for stretches in self._cut():
            for ids in self._ids(stretches):
                read = (self._piece(stretch, ids) for stretch in stretches)
                pieces = [piece for piece in read if len(piece[0])]
                if pieces:
                    yield np.concatenate([rows for rows, _ in pieces]), Texts.joined([texts for _, texts in pieces])

    def _piece(self, stretch: _Stretch, ids: _Ids) -> Piece:
        """The unique lines of a stretch whose call ids are in the range ``ids``."""
        number, first, last = stretch
        at = self._begins[number]
        found = self._spill.read(self._runs[number].between(first, last))
        gone = None if self._duplicates is None else self._duplicates[at + first : at + last]
        if ids == _ALL:
            return _without(found, gone)
        call_id, (low, high) = found[1].call_id, ids
        others = (call_id < low) | (call_id >= high if high else False)
        return _without(found, others if gone is None else others | gone)

    def _ids(self, stretches: list[_Stretch]) -> list[_Ids]:
        """The ranges of call ids to cut a slice into: one range, unless a single second has too many lines."""
        if sum(last - first for _, first, last in stretches) <= SLICE_ROWS:
            return [_ALL]
        step = max(1, SLICE_ROWS // 100)
        some = [self._spill.read(self._runs[number].between(*rows))[1].call_id[::step] for number, *rows in stretches]
        bounds = np.sort(np.concatenate(some))[:: SLICE_ROWS // step].tolist()[1:]
        return list(pairwise([b"", *bounds, b""]))

    def _cut(self) -> Iterator[list[_Stretch]]:
        """The stretches that make up each slice."""
        counts = np.zeros(DAY_SECONDS, np.int64)
        for run in self._runs:
            counts += np.bincount(self._spill.starts(run) - self._first, minlength=DAY_SECONDS)
        cuts = _cuts(counts)
        bounds = [np.searchsorted(self._spill.starts(run) - self._first, cuts).tolist() for run in self._runs]
        for place in range(len(cuts) - 1):
            found = [(number, own[place], own[place + 1]) for number, own in enumerate(bounds)]
            yield from [found] if self.by_id else _portions(found)


_Stretch = tuple[int, int, int]
"""Neighbouring rows of one run: number of the run, first row, and the row after the last."""
_Ids = tuple[bytes, bytes]
"""A range of call ids: from the first one on, before the second one; an empty second one means no end."""
_ALL = b"", b""


def _portions(stretches: Iterable[_Stretch]) -> Iterator[list[_Stretch]]:
    """The rows between two cuts; if they are one second with more than ``SLICE_ROWS`` lines, cut in file order."""
    some, rows = list[_Stretch](), 0
    for number, begin, end in stretches:
        for first in range(begin, end, SLICE_ROWS):
            last = min(first + SLICE_ROWS, end)
            if rows + last - first > SLICE_ROWS:
                yield some
                some, rows = [], 0
            some.append((number, first, last))
            rows += last - first
    yield some


def _cuts(counts: Ints) -> list[int]:
    """Calls per second of the day -> the seconds at which slices begin, and the end of the day."""
    upto = np.cumsum(counts)
    cuts = [0]
    while cuts[-1] < DAY_SECONDS:
        begun = int(upto[cuts[-1] - 1]) if cuts[-1] else 0
        cuts.append(max(int(np.searchsorted(upto, begun + SLICE_ROWS, "right")), cuts[-1] + 1))
    return cuts


def _lines(piece: Piece) -> Lines:
    rows, texts = piece

    def said(some: Ints) -> Said:
        here = rows[some]
        start, code, seconds, line = (here[name].astype(np.int64) for name in ("start", "code", "seconds", "line"))
        return Said(start, code, texts.called[some], seconds, line, np.zeros(len(some), "S1"))

    return Lines(rows["line"], kinds(rows["code"].astype(np.int64)), texts.call_id, said)


def _without(piece: Piece, gone: Mask | None) -> Piece:
    if gone is None or not gone.any():
        return piece
    rows, texts = piece
    stay = np.flatnonzero(~gone)
    return rows[stay], texts.at(stay)
