"""Items of rated calls: where a client's calls of a UTC day lie in S3, and which copies for Athena are outdated."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item

COMPACTED = "+"
"""No batch id begins like this."""


class Segment(Item):
    """``L#<client_id>`` / ``SEG#<day>#<batch_id>#<generation>#<month>``; in ``day_index`` under ``R#<reseller>#<day>``

    One made of several by a compaction has ``<COMPACTED><id>`` in the place of the batch, and generation 0.
    ``day`` is in UTC and ``month`` local, so one day of one batch can lie in two segments. ``members``
    holds ``[offset, length, rows, first start, last start]`` of each gzip member of ``object_key``.
    """

    client_id = UnicodeAttribute()
    day = UnicodeAttribute()
    month = UnicodeAttribute()
    object_key = UnicodeAttribute()
    members: Any = JSONAttribute()
    rows = IntegerAttribute()
    seconds = IntegerAttribute()
    billed_seconds = IntegerAttribute()
    amount_e8 = IntegerAttribute()
    cost_e8 = IntegerAttribute()
    first = IntegerAttribute()
    last = IntegerAttribute()
    written_at = IntegerAttribute()


class Emptied(Item):
    """``L#<client_id>`` / ``EMPTIED#<month>``: calls were taken out of a month, so its file in the lake is stale"""

    token = UnicodeAttribute()


def segments_of(client_id: str, first_day: str, last_day: str) -> list[Segment]:
    """A client's segments of some days, oldest day first."""
    return Segment.under(f"L#{client_id}", f"SEG#{first_day}", last=f"SEG#{last_day}#\U0010ffff")


def segments_of_day(reseller_id: str, day: str) -> list[Segment]:
    """Every client's segments of one day. Read from the index, which may lag a moment behind a commit."""
    return list(Segment.day_index.query(f"R#{reseller_id}#{day}"))  # type: ignore[arg-type]
