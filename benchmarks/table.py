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


def render(rows: Sequence[Row]) -> str:
    """The table as text; notes follow under their numbers."""
    notes: list[str] = []
    lines = []
    for row in rows:
        mark = ""
        if row.note:
            if row.note not in notes:
                notes.append(row.note)
            mark = f" [{notes.index(row.note) + 1}]"
        lines.append((row.section, row.what + mark, row.figure, row.bar, row.against, row.verdict))
    head = ("", "what", "measured", "bar", "against", "")
    widths = [max(len(line[n]) for line in (head, *lines)) for n in range(len(head))]
    shown = [_line(head, widths), "  ".join("-" * width for width in widths)]
    before = ""
    for line in lines:
        shown.append(_line((line[0] if line[0] != before else "", *line[1:]), widths))
        before = line[0]
    return "\n".join([*shown, "", *(f"[{n}] {note}" for n, note in enumerate(notes, 1))])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def write(path: Path, rows: Sequence[Row], machine: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Keep the table as JSON, with the machine and what was asked for."""
    told = {"machine": machine, "chosen": chosen, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
