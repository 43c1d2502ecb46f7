"""Lists as CSV, for spreadsheets. Lambda answers at most 6 MB, so a file in an answer has a bound."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from chalicelib.csv_cells import inert
from chalicelib.errors import TooLarge
from chalicelib.web.routes import Text

ROWS, BYTES = 10_000, 4_000_000
"""What an answer of the API may carry; larger reports are files."""


def text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with CR LF, as RFC 4180 has it; no spreadsheet runs a cell of it (``csv_cells``)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(map(inert, row) for row in rows)
    return out.getvalue()


def file(content: str, filename: str, otherwise: str) -> Text:
    """A CSV file as an answer; ``TooLarge`` with what to do ``otherwise`` for one that is over the bound."""
    if len(content.encode()) > BYTES:
        raise TooLarge(f"The file has more than {BYTES} bytes; {otherwise}.")
    return Text(content, "text/csv; charset=utf-8", filename)
