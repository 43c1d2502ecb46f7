"""The table: what was measured, the bar, how it compares with which baseline, and whether the bar is met."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.plot import Point

MET, MISSED = "met", "NOT MET"
JUST_SHOWN = "shown"
"""There is no bar for it."""
NOT_JUDGED = "not judged"
"""There is a bar, but not for a run so small; ``note`` says what would judge it."""
NOT_YET = "not in this version"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


@dataclass(frozen=True)
class Row:
    """One line of the table. ``figure`` is ``value`` for people; ``against`` compares with a baseline, in words.

    ``points`` go into the plot.
    """

    section: str
    what: str
    figure: str
    value: float | None = None
    bar: str = ""
    against: str = ""
    verdict: str = JUST_SHOWN
    note: str = ""
    points: tuple[Point, ...] = ()


def judged(value: float, most: float | None = None, least: float | None = None) -> str:
    """Whether a figure keeps within its bar."""
    return MET if (most is None or value <= most) and (least is None or value >= least) else MISSED


def not_yet(section: str, what: str, bar: str) -> Row:
    return Row(section, what, "-", bar=bar, verdict=NOT_YET)


def seconds(value: float) -> str:
    """A duration as people read it."""
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


_HEAD = ("", "what", "measured", "bar", "against", "")


def render(rows: Sequence[Row]) -> str:
    """The table as text; notes follow under their numbers."""
    lines, notes = _cells(rows)
    widths = [max(len(line[n]) for line in (_HEAD, *lines)) for n in range(len(_HEAD))]
    shown = [_line(line, widths) for line in (_HEAD, tuple("-" * width for width in widths), *lines)]
    return "\n".join([*shown, "", *notes])


def markdown(rows: Sequence[Row]) -> str:
    """The same for a page."""
    lines, notes = _cells(rows)
    shown = [f"| {' | '.join(line)} |" for line in (_HEAD, ("---",) * len(_HEAD), *lines)]
    return "\n".join([*shown, "", *(f"{note}  " for note in notes)])


def put(page: str, rows: Sequence[Row], caption: str) -> str:
    """A page with the table, and ``caption`` above it, between the two marks of measured figures."""
    before, begun, rest = page.partition(BEGIN)
    _, end, behind = rest.partition(END)
    if not (begun and end):
        raise ValueError(f"the page has no place for the table: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{caption}\n\n{markdown(rows)}\n{END}{behind}"


def _cells(rows: Sequence[Row]) -> tuple[list[tuple[str, ...]], list[str]]:
    """The cells of each row, the section only in its first, and the numbered notes."""
    notes: list[str] = []
    lines = list[tuple[str, ...]]()
    before = ""
    for row in rows:
        mark = ""
        if row.note:
            if row.note not in notes:
                notes.append(row.note)
            mark = f" [{notes.index(row.note) + 1}]"
        section = row.section if row.section != before else ""
        lines.append((section, row.what + mark, row.figure, row.bar, row.against, row.verdict))
        before = row.section
    return lines, [f"[{n}] {note}" for n, note in enumerate(notes, 1)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def write(path: Path, rows: Sequence[Row], machine: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Keep the table as JSON, with the machine and what was asked for."""
    content = {"machine": machine, "chosen": chosen, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
