"""Rated lines set aside by client, month and day, in a file, so that memory stays flat however long the input is.

Lines come in the order of the input and are wanted back one client-day at a time. They are gathered into parts of
bounded size; each part is sorted and written column by column, and only where its client-days begin is kept. Within a
part a client-day is sorted by start, so that a stretch of a day too long for memory can be read out of every part.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.client_month import ClientMonth
from chalicelib.rating.batches.column_file import Column, Rows, Shelf
from chalicelib.rating.engine.columns import DAY_SECONDS, Columns, Ints, Texts, distinct
from chalicelib.rating.pricing.rate_book import RateBook

PART_ROWS = 200_000
PART_BYTES = 32 << 20
"""A part is written when it has so many rows, or takes so much memory because of some very long text."""


class Spill:
    """``add`` columns, ``flush`` at the end, then read ``client_months`` and their lines, run by run or all at once.

    A run is what one part holds of a client, month and day: sorted by start, and equal starts in the order of the
    input. Each run comes before the next one in the input. ``shelf`` is open for more that must not stay in memory.
    """

    def __init__(self, file: IO[bytes], book: RateBook) -> None:
        self.shelf, self._book = Shelf(file), book
        self._waiting: list[tuple[NDArray[Any], Texts]] = []
        self._bytes = self._rows = 0
        self._written: list[tuple[Column, ...]] = []
        # Of each run the number of its part, its first row and the one behind its last: with thousands of clients there
        # are nearly as many runs as lines, and 12 bytes of each are a tenth of what an object is.
        self._runs: dict[ClientMonth, dict[int, array[int]]] = {}

    def add(self, columns: Columns) -> None:
        if not len(columns):
            return
        texts = columns.texts()
        self._waiting.append((columns.rows, texts))
        self._rows += len(columns)
        self._bytes += columns.rows.nbytes + sum(column.nbytes for column in texts)
        if self._rows >= PART_ROWS or self._bytes >= PART_BYTES:
            self.flush()

    def client_months(self) -> list[ClientMonth]:
        """Of everything set aside, sorted."""
        return sorted(self._runs)

    def days(self, client_month: ClientMonth) -> list[int]:
        """UTC days since 1970 of a client-month, in order; none of one that has no lines."""
        return sorted(self._runs.get(client_month, {}))

    def holds(self, client_month: ClientMonth) -> int:
        """How many lines a client-month has."""
        return sum(self.holds_of(client_month, day) for day in self.days(client_month))

    def holds_of(self, client_month: ClientMonth, day: int) -> int:
        """How many lines one client-day has."""
        found = self._runs[client_month][day]
        return sum(found[2::3]) - sum(found[1::3])

    def runs(self, client_month: ClientMonth, day: int) -> list[Rows]:
        """Where the runs of one client-day lie: ``columns.ROW``, then the columns of ``Texts``."""
        found = self._runs[client_month][day]
        places = zip(found[::3], found[1::3], found[2::3], strict=True)
        return [Rows(self._written[number], first, last) for number, first, last in places]

    def read(self, run: Rows) -> tuple[NDArray[Any], Texts]:
        """A run, or a stretch of one: rows (``columns.ROW``) and their texts."""
        rows, *texts = self.shelf.get(run)
        return rows, Texts(*texts)

    def starts(self, run: Rows) -> Ints:
        """Only the starts of a run."""
        found: Ints = self.shelf.get(run._replace(columns=run.columns[:1]))[0]["start"]
        return found

    def lines(self, client_month: ClientMonth, day: int) -> tuple[NDArray[Any], Texts]:
        """One client-day, all runs one after the other."""
        read = list(map(self.read, self.runs(client_month, day)))
        return np.concatenate([rows for rows, _ in read]), Texts.joined([texts for _, texts in read])

    def flush(self) -> None:
        """Write what was gathered as one part."""
        if not self._waiting:
            return
        rows = np.concatenate([rows for rows, _ in self._waiting])
        texts = Texts.joined([texts for _, texts in self._waiting])
        self._waiting, self._bytes, self._rows = [], 0, 0
        clients, names = _clients(self._book)
        months = len(self._book.months.values)
        day = rows["start"] // DAY_SECONDS
        day -= day.min()
        found, which = distinct((clients[rows["holder"]] * months + rows["month"]) * (day.max() + 1) + day)
        # Few places: as small numbers they are sorted by counting, which keeps the order of the input.
        order = np.argsort(which.astype(np.uint16) if len(found) < 1 << 16 else which, kind="stable")
        bounds = [0, *np.cumsum(np.bincount(which)).tolist()]
        starts = rows["start"][order]
        for first, last in pairwise(bounds):
            if last - first > 1:
                order[first:last] = order[first:last][np.argsort(starts[first:last], kind="stable")]
        number = len(self._written)
        self._written.append(self.shelf.put([column[order] for column in (rows, *texts)]))
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
    """Holder number -> client number, and the clients' ids."""
    names = sorted({holder.client_id for holder in book.holders.values})
    number = {name: n for n, name in enumerate(names)}
    return np.array([number[holder.client_id] for holder in book.holders.values], np.int64), names
