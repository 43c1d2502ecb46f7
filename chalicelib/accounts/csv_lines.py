"""A CSV file with a header as lines of named cells, or everything that is wrong with it, by line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SHOWN = 50
"""Most characters of a column's name in a message: a file that is not CSV may have one very long name."""


class BadLine(NamedTuple):
    """What is wrong with a line; ``column`` is empty if it is about the whole line."""

    line: int
    column: str
    message: str


@dataclass(frozen=True)
class Line:
    """A record of a file: number of its first line, and its cells by column; empty cells are left out."""

    number: int
    cells: dict[str, str]


def titles(text: str) -> list[str]:
    """The cells of the header, as they are written; none if it cannot be read."""
    try:
        return next(_all_records(text), (1, list[str]()))[1]
    except _Unreadable:
        return []


def read(
    text: str, columns: Collection[str], required: Collection[str], read_as: Sequence[str | None] | None = None
) -> tuple[list[Line], list[BadLine]]:
    """The good lines, and what is wrong with the others.

    ``columns``: all that the file may have, in any order; ``required``: those that it must have. ``read_as``: the
    column that each title of the header means, ``None`` for one that is ignored; without it the titles are the columns.
    The delimiter is the one of ``,`` ``;`` and tab that the header has most of. Blank lines are ignored.
    """
    records = _all_records(text)
    lines: list[Line] = []
    bad: list[BadLine] = []
    try:
        number, names = next(records, (1, []))
        names = [name.strip().lower() for name in names] if read_as is None else [name or "" for name in read_as]
        bad += _header_faults(number, names, columns, required, any_ignored=read_as is not None)
        if bad:
            return [], bad
        for number, cells in records:
            if len(cells) != len(names):
                bad.append(BadLine(number, "", f"has {len(cells)} columns where the header has {len(names)}"))
            else:
                named = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
                lines.append(Line(number, {name: cell for name, cell in named.items() if cell and name}))
    except _Unreadable as problem:
        bad.append(BadLine(problem.line, "", f"cannot be read: {problem}"))
    return lines, bad


class _Unreadable(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _all_records(text: str) -> Iterator[tuple[int, list[str]]]:
    text = text.removeprefix("\ufeff")
    header = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    return _records(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def _records(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with the number of its first line."""
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise _Unreadable(before + 1, str(problem)) from None
        first, before = before + 1, reader.line_num  # type: ignore[attr-defined]
        if any(cell.strip() for cell in cells):
            yield first, cells


def _header_faults(
    number: int, names: list[str], columns: Collection[str], required: Collection[str], *, any_ignored: bool
) -> Iterator[BadLine]:
    for name in required:
        if name not in names:
            yield BadLine(number, name, "is missing from the header")
    for position, name in enumerate(names):
        if not name and any_ignored:
            continue
        if name not in columns:
            yield BadLine(number, name[:SHOWN], f"is not a column of this file; they are {', '.join(columns)}")
        elif name in names[:position]:
            yield BadLine(number, name[:SHOWN], "stands twice in the header")
