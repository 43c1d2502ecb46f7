"""Rated calls as they are kept: gzip CSV in members that can be read apart.

A segment is a range of an S3 object. Each of its gzip members stands on its own, so a page of calls reads one range of
bytes and ``zcat`` reads the whole. There is no header line: a member from the middle has none, and the columns never
change. Texts that differ per call come first, then the money, then what many calls share: last the batch that billed
the call, which costs nearly nothing because packing folds what repeats from row to row.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from chalicelib import money, periods

COLUMNS = (
    "start",
    "direction",
    "disposition",
    "call_id",
    "account",
    "from",
    "to",
    "seconds",
    "billed_seconds",
    "free_seconds",
    "amount",
    "cost",
    "line",
    "client_id",
    "package_id",
    "destination",
    "country",
    "rule",
    "rate_per_minute",
    "batch_id",
)
DIRECTIONS = OUTBOUND, INBOUND = "outbound", "inbound"
DISPOSITIONS = ANSWERED, NO_ANSWER, BUSY, FAILED = "ANSWERED", "NO ANSWER", "BUSY", "FAILED"
ROWS_PER_MEMBER = 2048
MOST_MEMBERS = 2000
"""Members of a segment, more or less. The index lists each in 50 bytes, so a month of such days fits a transaction."""

GZIP = 31
"""What zlib calls a window of 32 KB with gzip header and checksum; the header has no time in it."""
_LEVEL = 1  # of isal's four: a quarter of zlib's time at its level 1, and fewer bytes (decisions/0015)
_SPECIAL = frozenset('",\r\n')


class RatedCall(NamedTuple):
    """One rated call, in the order of ``COLUMNS``: ``start`` an instant, ``country`` ``""`` where there is none."""

    start: int
    direction: str
    disposition: str
    call_id: str
    account: str
    from_number: str
    to_number: str
    seconds: int
    billed_seconds: int
    free_seconds: int
    amount_e8: int
    cost_e8: int
    line: int
    client_id: str
    package_id: str
    destination: str
    country: str
    rule: str
    rate_e10: int
    batch_id: str


class Member(NamedTuple):
    """Where one gzip member stands in its object (bytes), how many rows it has, and its first and last start."""

    offset: int
    length: int
    rows: int
    first: int
    last: int


def rows_per_member(rows: int) -> int:
    """How many rows a member has in a segment of ``rows``: more than usual only in a very large one."""
    return max(ROWS_PER_MEMBER, -(-rows // MOST_MEMBERS))


def quoted(field: str) -> str:
    """A field as CSV has it: in quotes when it must be. The same field is always written the same way."""
    return '"' + field.replace('"', '""') + '"' if not _SPECIAL.isdisjoint(field) else field


def first_field(text: str) -> str:
    """The first field of a row, still quoted where it was: what calls are told apart by."""
    if text[:1] != '"':
        return text.partition(",")[0]
    end = 1
    while text[end : end + 2] == '""' or text[end] != '"':
        end += 2 if text[end] == '"' else 1
    return text[: end + 1]


def encode_rows(
    rows: Sequence[str], starts: Sequence[int], offset: int = 0, per_member: int = ROWS_PER_MEMBER
) -> tuple[bytes, list[Member]]:
    """Rows as text, sorted by start -> an object's bytes and its members; the same rows give the same bytes.

    ``offset`` is where these bytes will stand in the object, for one that is written in parts. No rows: no bytes.
    """
    parts: list[bytes] = []
    members: list[Member] = []
    for at in range(0, len(rows), per_member):
        some = rows[at : at + per_member]
        packed = pack(("\r\n".join(some) + "\r\n").encode())
        parts.append(packed)
        members.append(Member(offset, len(packed), len(some), starts[at], starts[at + len(some) - 1]))
        offset += len(packed)
    return b"".join(parts), members


def pack(text: bytes) -> bytes:
    """Rows as text -> one gzip member."""
    # Here and not above: the API imports this module, and most of its requests read no calls.
    from isal import isal_zlib

    return isal_zlib.compress(text, _LEVEL, GZIP)


def decode(data: bytes) -> Iterator[RatedCall]:
    """The rows of one or more whole members. Damaged bytes raise (``EOFError``, ``zlib.error``)."""
    for row in _split_rows(unpacked(data)):
        yield RatedCall._make(
            (
                start_of(row[0]),
                *row[1:7],
                *map(int, row[7:10]),
                money.parse_decimal(row[10], money.AMOUNT_PLACES),
                money.parse_decimal(row[11], money.AMOUNT_PLACES),
                int(row[12]),
                *row[13:18],
                money.parse_decimal(row[18], money.RATE_PLACES),
                row[19],
            )
        )


def holder_of(call: RatedCall) -> str:
    """Whose assignment made the client pay: ``sub:<username>`` or ``did:<number>``."""
    return f"did:{call.to_number}" if call.direction == INBOUND else f"sub:{call.account}"


def decode_keys(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Only what tells calls apart: direction, disposition and call id, the id quoted as in the row."""
    text = unpacked(data)
    if '"' in text:
        yield from ((row[1], row[2], quoted(row[3])) for row in _split_rows(text))
        return
    for row in text.split("\r\n"):
        if row:
            _, direction, disposition, rest = row.split(",", 3)
            yield direction, disposition, first_field(rest)


def unpacked(data: bytes) -> str:
    """The text of one or more whole members. Damaged bytes raise (``EOFError``, ``zlib.error``)."""
    from isal import isal_zlib

    parts = []
    while data:
        member = isal_zlib.decompressobj(GZIP)
        try:
            parts.append(member.decompress(data))
        except isal_zlib.error as problem:  # type: ignore[misc]  # a class, whatever its stub says
            raise zlib.error(str(problem)) from None
        if not member.eof:
            raise EOFError("a segment is cut short")
        data = member.unused_data
    return b"".join(parts).decode()


def _split_rows(text: str) -> Iterator[list[str]]:
    if '"' in text:
        yield from csv.reader(io.StringIO(text, newline=""))
    else:
        yield from (row.split(",") for row in text.split("\r\n") if row)


def start_of(text: str) -> int:
    return _hour_start(text[:13]) + int(text[14:16]) * 60 + int(text[17:19])


@lru_cache(maxsize=4096)
def _hour_start(hour: str) -> int:
    """``2026-11-23T08`` -> its first instant."""
    return periods.parse_instant(hour + ":00:00Z")
