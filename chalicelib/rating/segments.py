"""Rated calls as they are kept: gzip CSV in members that can be read apart.

A segment is one S3 object. Each of its gzip members stands on its own, so a page of calls reads one range of bytes and
``zcat`` reads the whole. There is no header line: a member from the middle has none, and the columns never change.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from chalicelib import money, periods

COLUMNS = (
    "start",
    "call_id",
    "direction",
    "client_id",
    "account",
    "from",
    "to",
    "destination",
    "country",
    "disposition",
    "seconds",
    "billed_seconds",
    "free_seconds",
    "rule",
    "rate_per_minute",
    "amount",
    "cost",
    "package_id",
    "line",
)

_GZIP = 31  # zlib's name for "window of 32 KB, gzip header and checksum"; the header has no time in it
_LEVEL = 1  # half the time of level 6 for a tenth more bytes


class RatedCall(NamedTuple):
    """One rated call, in the order of ``COLUMNS``: ``start`` an instant, ``country`` ``""`` where there is none."""

    start: int
    call_id: str
    direction: str
    client_id: str
    account: str
    from_number: str
    to_number: str
    destination: str
    country: str
    disposition: str
    seconds: int
    billed_seconds: int
    free_seconds: int
    rule: str
    rate_e10: int
    amount_e8: int
    cost_e8: int
    package_id: str
    line: int


class Member(NamedTuple):
    """Where one gzip member stands in its object (bytes), how many rows it has, and its first and last start."""

    offset: int
    length: int
    rows: int
    first: int
    last: int


def encode(rows: Sequence[RatedCall], rows_per_member: int = 1024, offset: int = 0) -> tuple[bytes, list[Member]]:
    """Rows sorted by (start, call_id) -> an object's bytes and its members; the same rows give the same bytes.

    ``offset`` is where these bytes will stand in the object, for one that is written in parts. No rows: no bytes.
    """
    parts: list[bytes] = []
    members: list[Member] = []
    for at in range(0, len(rows), rows_per_member):
        some = rows[at : at + rows_per_member]
        packed = _packed(some)
        parts.append(packed)
        members.append(Member(offset, len(packed), len(some), some[0].start, some[-1].start))
        offset += len(packed)
    return b"".join(parts), members


def decode(data: bytes) -> Iterator[RatedCall]:
    """The rows of one or more whole members. Damaged bytes raise (``OSError``, ``EOFError``, ``zlib.error``)."""
    with gzip.open(io.BytesIO(data), "rt", encoding="utf-8", newline="") as text:
        for row in csv.reader(text):
            yield RatedCall._make(
                (
                    _hour_start(row[0][:13]) + int(row[0][14:16]) * 60 + int(row[0][17:19]),
                    *row[1:10],
                    *map(int, row[10:13]),
                    row[13],
                    money.parse_decimal(row[14], money.RATE_PLACES),
                    money.parse_decimal(row[15], money.AMOUNT_PLACES),
                    money.parse_decimal(row[16], money.AMOUNT_PLACES),
                    row[17],
                    int(row[18]),
                )
            )


def _packed(rows: Sequence[RatedCall]) -> bytes:
    text = io.StringIO()
    # The two-character line end makes the csv module quote fields that have either character.
    csv.writer(text, lineterminator="\r\n").writerows(map(_texts, rows))
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(text.getvalue().encode()) + packer.flush()


def _texts(call: RatedCall) -> tuple[str | int, ...]:
    return (
        f"{_hour_text(call.start // 3600)}:{call.start // 60 % 60:02d}:{call.start % 60:02d}Z",
        *call[1:14],
        _rate(call.rate_e10),
        _amount(call.amount_e8),
        _amount(call.cost_e8),
        *call[17:],
    )


# Calls of one member share few hours, rates and amounts, and formatting them anew takes longer than packing them.
_rate = lru_cache(maxsize=1 << 14)(money.format_rate)
_amount = lru_cache(maxsize=1 << 16)(money.format_amount)


@lru_cache(maxsize=4096)
def _hour_text(hour: int) -> str:
    """Hours since 1970 -> ``2026-11-23T08``."""
    return periods.format_instant(hour * 3600)[:13]


@lru_cache(maxsize=4096)
def _hour_start(hour: str) -> int:
    """``2026-11-23T08`` -> its first instant."""
    return periods.parse_instant(hour + ":00:00Z")
