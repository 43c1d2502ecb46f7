"""The tables of ``docs/paypal.md``."""

from __future__ import annotations

import documents
from documents import Row

LEAST_ROWS = {"What a message does": 75, "What several messages do": 38, "Reasons": 25}


def table(heading: str) -> list[Row]:
    return documents.table("paypal.md", heading, LEAST_ROWS[heading])


def words(cell: str) -> list[str]:
    """The parts of a cell, in order."""
    return [part.strip() for part in cell.split(",") if part.strip()]
