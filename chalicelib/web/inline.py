"""Files that an answer carries in itself: Lambda answers at most 6 MB, so there is a bound."""

from __future__ import annotations

from chalicelib.errors import TooLarge
from chalicelib.web.routes import Text

ROWS, BYTES = 10_000, 4_000_000
"""What an answer of the API may carry; larger reports are files."""


def csv_file(text: str, filename: str, otherwise: str) -> Text:
    """A CSV file as an answer; ``TooLarge`` with what to do ``otherwise`` for one that is over the bound."""
    if len(text.encode()) > BYTES:
        raise TooLarge(f"The file has more than {BYTES} bytes; {otherwise}.")
    return Text(text, "text/csv; charset=utf-8", filename)
