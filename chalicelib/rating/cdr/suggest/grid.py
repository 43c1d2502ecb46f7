"""The first lines of a file as a table: its delimiter, its header and its rows, before any format is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from chalicelib.rating.cdr.records import Chunk, records
from chalicelib.rating.cdr.suggest.titles import ANSWER_TITLES, END_TITLES, TITLES, bare

DELIMITERS = (",", ";", "\t")
LEAST_TITLES = 3
"""A line is a header when it has at least so many different known titles."""
LOOKED_AT = 30
"""A header is looked for in so many records."""
LEAST_WIDTH = 4

KNOWN_TITLES = (
    ANSWER_TITLES | END_TITLES | {title for groups in TITLES.values() for row in groups for title in row.split()}
)


@dataclass(frozen=True)
class Row:
    """A row of the usual width, and the number of its line."""

    line: int
    fields: list[str]


@dataclass(frozen=True)
class Grid:
    """``titles``: those of the header, None without one; ``skip``: lines before it. ``rows``: those as wide as most."""

    delimiter: str
    titles: list[str] | None
    skip: int
    rows: list[Row]

    @property
    def width(self) -> int:
        return len(self.rows[0].fields) if self.rows else 0

    def column(self, place: int) -> list[str]:
        """The texts of a column, counted from 0, without blanks around them."""
        return [row.fields[place].strip() for row in self.rows]


def grid_of(chunk: Chunk) -> Grid:
    """The table of the delimiter that makes the most records equally wide; no rows if no delimiter makes a table."""
    return max(
        (_grid(chunk, delimiter) for delimiter in DELIMITERS), key=lambda grid: len(grid.rows) * (grid.width > 0)
    )


def _grid(chunk: Chunk, delimiter: str) -> Grid:
    found = [(row.line, row.fields) for row in records(chunk, delimiter) if not row.problem]
    header = next((n for n, (_, fields) in enumerate(found[:LOOKED_AT]) if is_header(fields)), None)
    titles = found[header][1] if header is not None else None
    below = found if header is None else found[header + 1 :]
    widths = Counter(len(fields) for _, fields in below)
    width = len(titles) if titles else max(widths, key=lambda one: (widths[one], one), default=0)
    if width < LEAST_WIDTH:
        return Grid(delimiter, None, 0, [])
    rows = [Row(line, fields) for line, fields in below if len(fields) == width and fields != titles]
    skip = found[header][0] - 1 if header is not None else 0
    return Grid(delimiter, titles, skip, rows)


def is_header(fields: list[str]) -> bool:
    """Whether these are titles: several known ones, and hardly a digit."""
    known = {bare(field) for field in fields} & KNOWN_TITLES
    numbers = sum(any(character.isdigit() for character in field) for field in fields)
    return len(known) >= LEAST_TITLES and numbers <= len(fields) // 4
