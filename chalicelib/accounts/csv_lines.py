"""A CSV file with a header, as lines of named cells; everything wrong with its shape is said by line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

SHOWN = 50
"""Characters of a column's name that are told: what is no CSV can be one endless name."""


class BadLine(NamedTuple):
    """One thing wrong with one line; ``column`` is empty where it is about the line."""

    line: int
    column: str
    message: str


@dataclass(frozen=True)
class Line:
    """A line of a file, by the number at which it begins; cells that are empty are left out."""

    number: int
    cells: dict[str, str]


def read(text: str, columns: Collection[str], required: Collection[str]) -> tuple[list[Line], list[BadLine]]:
    """The good lines, and what is wrong with the others. Columns may stand in any order; blank lines count for nothing.

    Separated by ``,`` ``;`` or tab, whichever the header has most of.
    """
    text = text.removeprefix("\ufeff")
    header = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    records = _records(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    lines: list[Line] = []
    bad: list[BadLine] = []
    try:
        number, names = next(records, (1, []))
        names = [name.strip().lower() for name in names]
        bad += _header_faults(number, names, columns, required)
        if bad:
            return [], bad
        for number, cells in records:
            if len(cells) != len(names):
                bad.append(BadLine(number, "", f"has {len(cells)} columns where the header has {len(names)}"))
            else:
                named = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
                lines.append(Line(number, {name: cell for name, cell in named.items() if cell}))
    except _Unreadable as problem:
        bad.append(BadLine(problem.line, "", f"cannot be read: {problem}"))
    return lines, bad


class _Unreadable(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


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
    number: int, names: list[str], columns: Collection[str], required: Collection[str]
) -> Iterator[BadLine]:
    for name in required:
        if name not in names:
            yield BadLine(number, name, "is missing from the header")
    for place, name in enumerate(names):
        if name not in columns:
            yield BadLine(number, name[:SHOWN], f"is not a column of this file; they are {', '.join(columns)}")
        elif name in names[:place]:
            yield BadLine(number, name[:SHOWN], "stands twice in the header")
