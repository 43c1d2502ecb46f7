"""Rated lines in a temporary file, sorted by client, month and day, so that memory does not grow with the input.

Lines come in the order of the input, and are read back one client-day at a time. They are gathered into chunks of
bounded size. Each chunk is sorted and written column by column; memory keeps only where its client-days begin. A *run*
is what one chunk has of one client-day, sorted by start. So a time span of a day that is too long for memory can be
read out of every chunk.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.client_month import ClientMonth
from chalicelib.periods import DAY_SECONDS
from chalicelib.rating.batches.column_file import Column, ColumnFile, Extent
from chalicelib.rating.engine.columns import Columns, Ints, Texts, distinct
from chalicelib.rating.pricing.rate_book import RateBook

CHUNK_ROWS = 200_000
CHUNK_BYTES = 32 << 20
"""A chunk is written when it has so many rows, or needs so much memory because of very long texts."""


class Spill:
    """``add`` columns, ``flush`` at the end, then read ``client_months`` and their lines, run by run or all at once.

    In a run, equal starts are in the order of the input, and the runs of a client-day are in that order too.
    ``column_file`` may take other data that must not stay in memory.
    """

    def __init__(self, file: IO[bytes], book: RateBook) -> None:
        self.column_file, self._book = ColumnFile(file), book
        self._waiting: list[tuple[NDArray[Any], Texts]] = []
        self._bytes = self._rows = 0
        self._written: list[tuple[Column, ...]] = []
        # For each run the number of its chunk, its first row and the row after its last: with thousands of clients
        # there are nearly as many runs as lines, and 12 bytes are a tenth of what an object takes.
        self._runs: dict[ClientMonth, dict[int, array[int]]] = {}

    def add(self, columns: Columns) -> None:
        if not len(columns):
            return
        texts = columns.texts()
        self._waiting.append((columns.rows, texts))
        self._rows += len(columns)
        self._bytes += columns.rows.nbytes + sum(column.nbytes for column in texts)
        if self._rows >= CHUNK_ROWS or self._bytes >= CHUNK_BYTES:
            self.flush()

    def client_months(self) -> list[ClientMonth]:
        """Those that have lines, sorted."""
        return sorted(self._runs)

    def days(self, client_month: ClientMonth) -> list[int]:
        """UTC days of a client-month, counted from 1970, in order; none for one without lines."""
        return sorted(self._runs.get(client_month, {}))

    def line_count(self, client_month: ClientMonth) -> int:
        return sum(self.day_line_count(client_month, day) for day in self.days(client_month))

    def day_line_count(self, client_month: ClientMonth, day: int) -> int:
        found = self._runs[client_month][day]
        return sum(found[2::3]) - sum(found[1::3])

    def runs(self, client_month: ClientMonth, day: int) -> list[Extent]:
        """The runs of one client-day: a column of ``columns.ROW``, then the columns of ``Texts``."""
        found = self._runs[client_month][day]
        places = zip(found[::3], found[1::3], found[2::3], strict=True)
        return [Extent(self._written[number], first, last) for number, first, last in places]

    def read(self, run: Extent) -> tuple[NDArray[Any], Texts]:
        """A run, or an extent of one: rows (``columns.ROW``) and their texts."""
        rows, *texts = self.column_file.read(run)
        return rows, Texts(*texts)

    def starts(self, run: Extent) -> Ints:
        """Only the starts of a run."""
        found: Ints = self.column_file.read(run._replace(columns=run.columns[:1]))[0]["start"]
        return found

    def lines(self, client_month: ClientMonth, day: int) -> tuple[NDArray[Any], Texts]:
        """One client-day, run after run."""
        read = list(map(self.read, self.runs(client_month, day)))
        return np.concatenate([rows for rows, _ in read]), Texts.joined([texts for _, texts in read])

    def flush(self) -> None:
        """Write what was gathered as one chunk."""
        if not self._waiting:
            return
        rows = np.concatenate([rows for rows, _ in self._waiting])
        texts = Texts.joined([texts for _, texts in self._waiting])
        self._waiting, self._bytes, self._rows = [], 0, 0
        clients, names = _clients(self._book)
        months = len(self._book.months.values)
        day = rows["start"] // DAY_SECONDS
        day -= day.min()
        # A product far from 64 bits: starts and months lie within 400 years, and a chunk has some 10**5 clients.
        found, which = distinct((clients[rows["holder"]] * months + rows["month"]) * (day.max() + 1) + day)
        # Few distinct values: as small numbers they are sorted by counting, which keeps the order of the input.
        order = np.argsort(which.astype(np.uint16) if len(found) < 1 << 16 else which, kind="stable")
        bounds = [0, *np.cumsum(np.bincount(which)).tolist()]
        starts = rows["start"][order]
        for first, last in pairwise(bounds):
            if last - first > 1:
                order[first:last] = order[first:last][np.argsort(starts[first:last], kind="stable")]
        number = len(self._written)
        self._written.append(self.column_file.append([column[order] for column in (rows, *texts)]))
        heads = rows[order[bounds[:-1]]]
        whose, when = clients[heads["holder"]].tolist(), (heads["start"] // DAY_SECONDS).tolist()
        before: tuple[int, int] | None = None
        days: dict[int, array[int]] = {}
        for client, month, at, (first, last) in zip(
            whose, heads["month"].tolist(), when, pairwise(bounds), strict=True
        ):
            if (client, month) != before:
                before = client, month
                days = self._runs.setdefault(ClientMonth(names[client], self._book.months.values[month]), {})
            days.setdefault(at, array("I")).extend((number, first, last))


def _clients(book: RateBook) -> tuple[NDArray[Any], list[str]]:
    """The client's number for each holder number, and the clients' ids by that number."""
    names = sorted({holder.client_id for holder in book.holders.values})
    number = {name: n for n, name in enumerate(names)}
    return np.array([number[holder.client_id] for holder in book.holders.values], np.int64), names
