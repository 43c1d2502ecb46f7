"""Lists as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with CR LF, as RFC 4180 has it. A cell that a spreadsheet would run as a formula gets a leading quote."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell and not re.fullmatch(r"[+-]?[0-9.]+", cell):
        return "'" + cell
    return cell
