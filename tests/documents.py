"""Tables of the documents in ``docs/``, which tests read row by row."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"

Row = dict[str, str]


def table(document: str, heading: str, least_rows: int) -> list[Row]:
    """The table under a heading of a document; a row taken out of it is a test lost, so there are ``least_rows``."""
    section = re.split(r"^## ", (DOCS / document).read_text(), flags=re.M)
    lines = next(part for part in section if part.startswith(heading + "\n")).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    header, _, *rows = cells
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert len(found) >= least_rows
    return found
