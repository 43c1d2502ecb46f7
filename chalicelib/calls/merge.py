"""Merges the rows of several segments by their starts; nothing else of a row is read.

Rows are copied byte for byte. They are read from one gzip member at a time and written into members of a file, so
memory does not grow with the segments.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import IO

from chalicelib.calls.format import Member, encode_rows, rows_per_member, start_of

START_CHARACTERS = len("2026-11-23T08:30:00Z")
"""A row begins with its start. Texts of starts sort in the order of time."""


def rows(text: str) -> list[str]:
    """The text of whole members -> its rows, unchanged; a quoted field may contain line ends."""
    lines = text.split("\r\n")[:-1]
    if '"' not in text:
        return lines
    found, open_row = list[str](), list[str]()
    for line in lines:
        open_row.append(line)
        # Quotes within a field are doubled, so a row is complete when it has an even number of quotes.
        if sum(piece.count('"') for piece in open_row) % 2 == 0:
            found.append("\r\n".join(open_row))
            open_row = []
    return found


def merged(streams: Iterable[Iterable[str]]) -> Iterator[str]:
    """The rows of streams that are each sorted by start. Of equal starts, those of an earlier stream come first."""
    return heapq.merge(*streams, key=lambda row: row[:START_CHARACTERS])


class Packer:
    """Writes rows into a file as gzip members. They must be sorted by start; ``rows``: how many there are at most."""

    def __init__(self, file: IO[bytes], rows: int) -> None:
        self.file, self._per_member = file, rows_per_member(rows)
        self.members: list[Member] = []
        self._rows: list[str] = []
        self._offset = 0

    def add(self, row: str) -> None:
        self._rows.append(row)
        if len(self._rows) == self._per_member:
            self.flush()

    def flush(self) -> None:
        """Write the rows gathered so far. To be called once more at the end."""
        starts = [start_of(row[:START_CHARACTERS]) for row in self._rows]
        data, members = encode_rows(self._rows, starts, self._offset, self._per_member)
        self.file.write(data)
        self.members += members
        self._offset += len(data)
        self._rows = []
