"""The file format of rated calls: CSV in gzip members that can be read one by one.

A segment is a range of an S3 object. Each of its gzip members can be read without the others, so a page of calls reads
one range of bytes, and ``zcat`` reads the whole. There is no header line, because a member from the middle has none;
the columns never change. Texts that differ from call to call come first, then the money, then what many calls share.
The last column is the batch that billed the call: what repeats from row to row takes hardly any space when compressed.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
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
"""Members of a segment, more or less. Each takes 50 bytes of the index, so a month of such days fits a transaction."""

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
    """One gzip member: its place in the object (bytes), how many rows it has, and its first and last start."""

    offset: int
    length: int
    rows: int
    first: int
    last: int


def rows_per_member(rows: int) -> int:
    """How many rows a member has in a segment of ``rows`` rows: more than usual only in a very large segment."""
    return max(ROWS_PER_MEMBER, -(-rows // MOST_MEMBERS))


def quoted(field: str) -> str:
    """A field as CSV has it: in quotes when it must be. The same field is always written the same way."""
    return '"' + field.replace('"', '""') + '"' if not _SPECIAL.isdisjoint(field) else field


def first_field(text: str) -> str:
    """The first field of a row with its quotes: the call id, by which calls are compared."""
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

    ``offset``: where in the object these bytes begin, if it is written in pieces. No rows make no bytes.
    """
    pieces: list[bytes] = []
    members: list[Member] = []
    for at in range(0, len(rows), per_member):
        some = rows[at : at + per_member]
        packed = pack(("\r\n".join(some) + "\r\n").encode())
        pieces.append(packed)
        members.append(Member(offset, len(packed), len(some), starts[at], starts[at + len(some) - 1]))
        offset += len(packed)
    return b"".join(pieces), members


def pack(text: bytes) -> bytes:
    """Rows as text -> one gzip member."""
    # Imported here, because the API imports this module and most of its requests read no calls.
    from isal import isal_zlib

    return isal_zlib.compress(text, _LEVEL, GZIP)


def decode(data: bytes) -> Iterator[RatedCall]:
    """The rows of one or more whole members. Damaged bytes raise (``EOFError``, ``zlib.error``)."""
    for row in row_texts(data):
        yield _call(row)


def row_texts(data: bytes) -> Iterator[list[str]]:
    """The rows of one or more whole members as texts, in the order of ``COLUMNS``."""
    return _split_rows(unpacked(data))


def decode_some(data: bytes, places: Iterable[int]) -> Iterator[RatedCall]:
    """Some of the rows; ``places`` are their numbers from 0, ascending."""
    rows, at = _split_rows(unpacked(data)), 0
    for place in places:
        yield _call(next(islice(rows, place - at, None)))
        at = place + 1


def _call(row: Sequence[str]) -> RatedCall:
    return RatedCall._make(
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


def holder_of_account(username: str) -> str:
    """The holder of outbound calls: their sub-account."""
    return f"sub:{username}"


def holder_of_did(number: str) -> str:
    """The holder of inbound calls: the DID, ``+<digits>``."""
    return f"did:{number}"


def holder_of(call: RatedCall) -> str:
    """The sub-account or DID by which the call was billed to the client: ``sub:<username>`` or ``did:<number>``."""
    return holder_of_did(call.to_number) if call.direction == INBOUND else holder_of_account(call.account)


def decode_keys(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Only what identifies each call: direction, disposition and call id, the id quoted as in the row."""
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

    texts = []
    while data:
        member = isal_zlib.decompressobj(GZIP)
        try:
            texts.append(member.decompress(data))
        except isal_zlib.error as problem:  # type: ignore[misc]  # a class, whatever its stub says
            raise zlib.error(str(problem)) from None
        if not member.eof:
            raise EOFError("a segment is cut short")
        data = member.unused_data
    return b"".join(texts).decode()


def _split_rows(text: str) -> Iterator[list[str]]:
    if '"' in text:
        yield from csv.reader(io.StringIO(text, newline=""))
    else:
        yield from (row.split(",") for row in text.split("\r\n") if row)


def start_of(text: str) -> int:
    """``2026-11-23T08:30:00Z`` -> the instant; quicker than ``periods.parse_instant`` for calls of the same hours."""
    return _hour_start(text[:13]) + int(text[14:16]) * 60 + int(text[17:19])


@lru_cache(maxsize=4096)
def _hour_start(hour: str) -> int:
    """``2026-11-23T08`` -> its first instant."""
    return periods.parse_instant(hour + ":00:00Z")
