"""Items of rated calls: where a client's calls of a UTC day are in S3, and which files for Athena are out of date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib import periods
from chalicelib.aws.items import IntegerAttribute, KeyOf, KeyPart
from chalicelib.aws.transactions import Item
from chalicelib.calls.totals import Totals
from chalicelib.client_month import ClientMonth

COMPACTED = "+"
"""First character of the batch id of a compacted segment. No id of a batch begins with it."""


class Segment(Item):
    """``L#<client_id>`` / ``SEG#<day>#<batch_id>#<generation>#<month>``; in ``month_index`` under
    ``R#<reseller>#<month>``

    A compacted segment, which holds calls of several batches, has the batch id ``<COMPACTED><id>`` and generation 0.
    ``day`` is in UTC and ``month`` local, so one day of one batch can be in two segments. ``members``: for each gzip
    member of ``object_key`` a list ``[offset, length, rows, first start, last start]``.
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

    key = KeyOf("L#<client_id>", "SEG#<day>#<batch_id>#<generation>#<month>")
    batch_id = KeyPart(2, str)
    """The batch that billed the calls; of a compacted segment an id that begins with ``COMPACTED``."""
    generation = KeyPart(3, int)
    """The generation of that batch."""

    @staticmethod
    def month_index_key(reseller_id: str, day: str) -> str:
        """The key of ``month_index`` that all segments of a reseller's month have; ``day`` is one of it, in UTC."""
        return f"R#{reseller_id}#{day[:7]}"

    @property
    def is_compacted(self) -> bool:
        return self.batch_id.startswith(COMPACTED)

    @property
    def totals(self) -> Totals:
        return Totals(self.rows, self.seconds, self.billed_seconds, self.amount_e8, self.cost_e8)


class Emptied(Item):
    """``L#<client_id>`` / ``EMPTIED#<month>``: calls were taken out of a month, so its file in the lake is stale"""

    token = UnicodeAttribute()

    key = KeyOf("L#<client_id>", "EMPTIED#<month>")
    of_client = KeyOf("L#<client_id>", "EMPTIED#")
    month = KeyPart(1, str)


def segment_item(
    reseller_id: str,
    client_month: ClientMonth,
    day: str,
    batch_id: str,
    generation: int,
    *,
    object_key: str,
    members: Sequence[Sequence[int]],
    totals: Totals,
    written_at: int,
) -> Segment:
    """The index item of a new segment. ``members`` are kept, not copied: offsets and lengths may be filled in later."""
    client_id, month = client_month
    return Segment(
        *Segment.key(client_id, day, batch_id, generation, month),
        month_key=Segment.month_index_key(reseller_id, day),
        client_id=client_id,
        day=day,
        month=month,
        object_key=object_key,
        members=members,
        first=members[0][3],
        last=members[-1][4],
        written_at=written_at,
        rows=totals.calls,
        seconds=totals.seconds,
        billed_seconds=totals.billed_seconds,
        amount_e8=totals.amount_e8,
        cost_e8=totals.cost_e8,
    )


def segments_of(client_id: str, first_day: str, last_day: str) -> list[Segment]:
    """A client's segments of some days, oldest day first."""
    return Segment.under(f"L#{client_id}", f"SEG#{first_day}", last=f"SEG#{last_day}#\U0010ffff")


def segments_of_month(client_month: ClientMonth) -> list[Segment]:
    """The segments of a client-month, oldest day first. A local month begins and ends within a UTC day of its own."""
    first, last = periods.month_days(client_month.month)
    found = segments_of(client_month.client_id, periods.next_day(first, -1), periods.next_day(last))
    return [segment for segment in found if segment.month == client_month.month]


def newest_of(reseller_id: str, client_id: str | None, first_day: str, last_day: str) -> Iterator[Segment]:
    """The segments of some days, latest day first, of one client or (``None``) of all clients of a reseller.

    They are read when they are needed, by one range query for a client, or one for each month. For all clients the
    index may be a moment behind a commit.
    """
    span = Segment.sk.between(f"SEG#{first_day}", f"SEG#{last_day}#\U0010ffff")
    if client_id is not None:
        yield from Segment.query(f"L#{client_id}", span, consistent_read=True, scan_index_forward=False)
        return
    keys = dict.fromkeys(Segment.month_index_key(reseller_id, day) for day in periods.days_between(first_day, last_day))
    for key in reversed(keys):
        found = Segment.month_index.query(key, span, scan_index_forward=False)
        yield from found  # type: ignore[misc]
