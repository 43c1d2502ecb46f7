"""Lists as CSV, for spreadsheets. Lambda answers at most 6 MB, so a file in an answer has a bound."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from chalicelib.errors import TooLarge
from chalicelib.web.routes import Text

ROWS, BYTES = 10_000, 4_000_000
"""What an answer of the API may carry; larger reports are files."""


def text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with CR LF, as RFC 4180 has it. A cell that a spreadsheet would run as a formula gets a leading quote."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def file(content: str, filename: str, otherwise: str) -> Text:
    """A CSV file as an answer; ``TooLarge`` with what to do ``otherwise`` for one that is over the bound."""
    if len(content.encode()) > BYTES:
        raise TooLarge(f"The file has more than {BYTES} bytes; {otherwise}.")
    return Text(content, "text/csv; charset=utf-8", filename)


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell and not re.fullmatch(r"[+-]?[0-9.]+", cell):
        return "'" + cell
    return cell
