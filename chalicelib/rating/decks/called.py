"""The numbers that all resellers called lately, to weigh a new deck by.

Rated calls are in files in S3, so they are read: all of them up to ``MOST_CALLS`` calls in ``MOST_READS`` parts, else
parts at even distances. So a new deck is weighed in a few seconds, however many calls there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib import periods
from chalicelib.accounts.ledger.queries import reseller_ids
from chalicelib.calls import format as call_format
from chalicelib.calls import index, store
from chalicelib.calls.format import OUTBOUND
from chalicelib.calls.store import Segment

DAYS = 30
"""The UTC days before the present one whose calls are read, beside those of the present one: "last month"."""
MOST_CALLS, MOST_READS = 100_000, 200
_DIRECTION, _TO, _SECONDS = (call_format.COLUMNS.index(name) for name in ("direction", "to", "seconds"))
Part = tuple[Segment, Sequence[int]]
"""A segment and one of its ``members``; the bytes of an object never change."""


def parts(now: int) -> Sequence[Part]:
    """The parts of the rated calls of the last ``DAYS`` by which a deck is weighed at an instant."""
    today = periods.utc_day(now)
    found: list[Part] = [
        (segment, member)
        for segment in _segments(periods.next_day(today, -DAYS), periods.next_day(today))
        for member in segment.members
    ]
    return _spread(found)


def seconds_called(parts: Sequence[Part]) -> dict[str, int]:
    """Seconds by the digits of the number called, of the outbound calls in parts."""
    found: dict[str, int] = {}
    for segment, member in parts:
        for data in index.portions(segment, [member]):
            for row in call_format.row_texts(data):
                if row[_DIRECTION] == OUTBOUND and row[_SECONDS] != "0":
                    digits = row[_TO].removeprefix("+")
                    found[digits] = found.get(digits, 0) + int(row[_SECONDS])
    return found


def rated_from(day: str, now: int) -> bool:
    """Whether any call that began on a UTC day or later is rated. Calls of the last moment may be missing."""
    last = periods.next_day(periods.utc_day(now))
    return day <= last and any(True for _ in _segments(day, last))


def _segments(first_day: str, last_day: str) -> Iterator[Segment]:
    """The segments of all resellers, the latest month first."""
    resellers, month = reseller_ids(), last_day[:7]
    while month >= first_day[:7]:
        first, last = periods.month_days(month)
        for reseller_id in resellers:
            yield from store.newest_of(reseller_id, None, max(first, first_day), min(last, last_day))
        month = periods.next_month(month, -1)


def _spread(parts: Sequence[Part]) -> Sequence[Part]:
    """All parts, or as many at even distances as stay within the limits."""
    rows = sum(member[2] for _, member in parts)
    return parts[:: max(1, -(-len(parts) // MOST_READS), -(-rows // MOST_CALLS))]
