"""Rated lines set aside by client, month and day, in a file, so that memory stays flat however long the input is.

Lines come in the order of the input and are wanted back one client-day at a time. They are gathered into parts of
bounded size; each part is sorted and written as runs of one client, month and day, and only where the runs lie is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.columns import DAY_SECONDS, ROW, Columns
from chalicelib.rating.tables import Tables

PART_ROWS = 200_000
_BETWEEN = "\x00"
"""Separates texts; no line with a control character gets this far."""


class Run(NamedTuple):
    """Some lines of one client, month and day: where their rows and their texts lie in the file."""

    rows_at: int
    rows: int
    texts_at: int
    text_bytes: int


class Spill:
    """``add`` columns, ``flush`` at the end, then read ``parts`` and ``lines``."""

    def __init__(self, file: IO[bytes], tables: Tables) -> None:
        self._file, self._tables = file, tables
        self._rows: list[NDArray[Any]] = []
        self._texts: list[str] = []
        self._runs: dict[tuple[str, str], dict[int, list[Run]]] = {}

    def add(self, columns: Columns) -> None:
        if len(columns):
            self._rows.append(columns.rows)
            self._texts += columns.texts()
        if len(self._texts) >= PART_ROWS:
            self.flush()

    def parts(self) -> list[tuple[str, str]]:
        """Client and month of everything set aside, sorted."""
        return sorted(self._runs)

    def days(self, part: tuple[str, str]) -> list[int]:
        """UTC days since 1970 of a part, in order; none of a part that has no lines."""
        return sorted(self._runs.get(part, {}))

    def holds(self, part: tuple[str, str]) -> int:
        """How many lines a part has."""
        return sum(run.rows for runs in self._runs.get(part, {}).values() for run in runs)

    def lines(self, part: tuple[str, str], day: int) -> tuple[NDArray[Any], list[str]]:
        """One client-day in the order of the input: rows (``columns.ROW``) and their texts."""
        rows, texts = [], list[str]()
        for run in self._runs[part][day]:
            self._file.seek(run.rows_at)
            rows.append(np.frombuffer(self._file.read(run.rows * ROW.itemsize), ROW))
            self._file.seek(run.texts_at)
            texts += self._file.read(run.text_bytes).decode().split(_BETWEEN)
        return np.concatenate(rows), texts

    def flush(self) -> None:
        """Write what was gathered as one part."""
        if not self._rows:
            return
        rows, texts = np.concatenate(self._rows), self._texts
        self._rows, self._texts = [], []
        clients, names = _clients(self._tables)
        client, day = clients[rows["holder"]], rows["start"] // DAY_SECONDS
        order = np.lexsort((rows["line"], day, rows["month"], client))
        rows, client, day = rows[order], client[order], day[order]
        texts = [texts[place] for place in order.tolist()]
        at = self._file.seek(0, 2)
        self._file.write(rows.tobytes())
        texts_at = self._file.tell()
        for first, last in _runs(client, rows["month"], day):
            blob = _BETWEEN.join(texts[first:last]).encode()
            self._file.write(blob)
            part = names[client[first]], self._tables.months.values[rows["month"][first]]
            run = Run(at + first * ROW.itemsize, last - first, texts_at, len(blob))
            self._runs.setdefault(part, {}).setdefault(int(day[first]), []).append(run)
            texts_at += len(blob)


def _clients(tables: Tables) -> tuple[NDArray[Any], list[str]]:
    """Holder number -> client number, and the clients' ids."""
    names = sorted({holder.client_id for holder in tables.holders.values})
    number = {name: n for n, name in enumerate(names)}
    return np.array([number[holder.client_id] for holder in tables.holders.values], np.int64), names


def _runs(*columns: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """First and end of each stretch in which no column changes."""
    changes = np.zeros(len(columns[0]) - 1, bool)
    for column in columns:
        changes |= column[1:] != column[:-1]
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), len(columns[0])]
    yield from pairwise(bounds)
