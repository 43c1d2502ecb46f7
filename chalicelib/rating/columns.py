"""Rated lines as columns: what an engine makes of a chunk, and what the rest of rating works on.

One array per fact instead of one object per call, so that a million calls are a few large blocks of memory. Facts that
many calls share (who pays, the month, the terms) are numbers that ``Tables`` resolves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.formats import Rejection

Ints = NDArray[np.int64]

ROW = np.dtype(
    [
        ("line", "<i8"),
        ("start", "<i8"),
        ("terms", "<i8"),
        ("amount_e8", "<i8"),
        ("cost_e8", "<i8"),
        ("holder", "<i4"),
        ("seconds", "<i4"),
        ("billed", "<i4"),
        ("month", "<i4"),
        ("code", "u1"),
    ]
)
"""One rated line but its texts. ``code``: see ``code_of``; ``amount_e8`` is without free minutes."""

DIRECTIONS = ("outbound", "inbound")
DISPOSITIONS = ("ANSWERED", "NO ANSWER", "BUSY", "FAILED")
DAY_SECONDS = 86_400


def code_of(direction: str, disposition: str) -> int:
    """Direction and disposition as one small number: bit 0 is set for inbound, the rest is the disposition."""
    return DIRECTIONS.index(direction) + 2 * DISPOSITIONS.index(disposition)


CODE_TEXTS = tuple(f"{DIRECTIONS[code & 1]},{DISPOSITIONS[code >> 1]}" for code in range(8))
"""A code as it stands in a segment's row."""
CODE_KEYS = tuple(f"{'i' if code & 1 else 'o'}{'a' if code >> 1 == 0 else 'n'}" for code in range(8))
"""The part of a code that tells calls apart (``segments.key_of``): direction, and whether it was answered."""


@dataclass
class Columns:
    """What became of one chunk, in the order of its lines.

    ``texts()`` gives per row ``call_id,account,from,to`` as CSV; it is a function because it takes longer than rating
    and some callers only want the sums.
    """

    rows: NDArray[Any]
    texts: Callable[[], list[str]]
    rejected: Sequence[Rejection]

    def __len__(self) -> int:
        return len(self.rows)


def empty(rejected: Sequence[Rejection] = ()) -> Columns:
    return Columns(np.zeros(0, ROW), list, rejected)
