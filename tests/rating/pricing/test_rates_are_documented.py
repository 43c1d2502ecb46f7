"""``docs/imports.md`` names every column of a file of custom rates, which are required, and how long it may be."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[3] / "docs" / "imports.md").read_text()


def test_the_columns_are_those_of_the_code() -> None:
    from chalicelib.rating.pricing.rate_lines import COLUMNS, MOST_LINES, REQUIRED

    section = TEXT.partition("## I have a list of rates")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    told = [(name, what) for cell, what in rows for name in re.findall(r"`(\w+)`", cell)]
    assert tuple(name for name, _ in told) == COLUMNS
    assert tuple(name for name, what in told if what.startswith("required")) == REQUIRED
    assert f"up to {MOST_LINES:,} lines" in section
