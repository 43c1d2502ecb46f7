"""The bytes of a chunk to columns of numbers.

Each reader takes where a field starts and ends in every line and returns values with a mask of the lines whose field it
understood; the others are the reference engine's. Fields are looked at as fixed windows of bytes behind their start,
so a million short fields are a few operations on a matrix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.records import Chunk, has_control

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

PAD = 160
"""Bytes behind the chunk, so that every window lies in the buffer: the longest is a call id."""
MAX_LINE = 1 << 14
DIGITS = 15


class Lines(NamedTuple):
    """The lines of a chunk that have the right number of fields. ``starts`` and ``ends`` are one row per field."""

    buffer: Bytes
    data: bytes
    line: Ints
    starts: NDArray[Any]
    ends: NDArray[Any]
    others: Ints
    bounds: tuple[Ints, Ints]


def lines(chunk: Chunk, delimiter: str, width: int) -> Lines | None:
    """Fields of a chunk, or ``None`` for a chunk that is not plain. ``others``: lines of another width, from 0.

    Empty lines are no records and are left out.
    """
    data = chunk.data
    if b'"' in data or not data.isascii() or has_control(data):
        return None
    data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    buffer = np.frombuffer(data + bytes(PAD), np.uint8)
    body = buffer[: len(data)]
    ends = np.flatnonzero(body == 10)
    begins = np.concatenate([[0], ends[:-1] + 1])
    marks = np.flatnonzero((body == ord(delimiter)) | (body == 10))
    count = len(ends)
    if len(marks) == count * width and bool((body[marks[width - 1 :: width]] == 10).all()):
        table, chosen = marks.reshape(count, width), np.arange(count)
        others = np.zeros(0, np.int64)
    else:
        last = np.searchsorted(marks, ends)
        good = np.diff(np.concatenate([[-1], last])) == width
        chosen, others = np.flatnonzero(good), np.flatnonzero(~good)
        table = marks[last[chosen][:, None] + np.arange(1 - width, 1)]
    others = others[ends[others] > begins[others]]
    long = (ends - begins)[chosen] > MAX_LINE
    if long.any():
        others = np.sort(np.concatenate([others, chosen[long]]))
        table, chosen = table[~long], chosen[~long]
    field_ends = np.ascontiguousarray(table.T)
    field_starts = np.empty_like(field_ends)
    field_starts[0] = begins[chosen]
    field_starts[1:] = field_ends[:-1] + 1
    return Lines(buffer, data, chosen, field_starts, field_ends, others, (begins, ends))


def window(buffer: Bytes, starts: Ints, width: int) -> Bytes:
    """The ``width`` bytes behind each start, one row each."""
    return np.lib.stride_tricks.sliding_window_view(buffer, width)[starts]


def words(buffer: Bytes, starts: Ints, lengths: Ints, count: int) -> NDArray[np.uint64]:
    """Fields as ``count`` words of eight bytes each, zero behind the field's end: equal words are equal fields."""
    got = window(buffer, starts, 8 * count).view(np.uint64)
    for place in range(count):
        inside = np.clip(lengths - 8 * place, 0, 8)
        got[:, place] &= _LOW_BYTES[inside]
    return got


_LOW_BYTES = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as ``words`` has them."""
    return np.uint64(int.from_bytes(text, "little"))


def small_numbers(buffer: Bytes, starts: Ints, lengths: Ints, digits: int) -> tuple[Ints, Mask]:
    """Fields of 1 to ``digits`` digits -> their values."""
    columns = window(buffer, starts, digits) - np.uint8(48)
    good = (lengths >= 1) & (lengths <= digits)
    values = np.zeros(len(starts), np.int64)
    for place in range(digits):
        inside = lengths > place
        good &= ~inside | (columns[:, place] <= 9)
        values = np.where(inside, values * 10 + columns[:, place], values)
    return values, good


def left_digits(buffer: Bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Mask]:
    """Digits, filled up with zeros on the right to 15: how prefixes are searched. At most 15 are understood."""
    columns = window(buffer, starts, DIGITS) - np.uint8(48)
    good = (lengths >= 1) & (lengths <= DIGITS)
    values = np.zeros(len(starts), np.int64)
    for place in range(DIGITS):
        inside = lengths > place
        good &= ~inside | (columns[:, place] <= 9)
        values *= 10
        values += np.where(inside, columns[:, place], 0)
    return values, good


def decimals(buffer: Bytes, starts: Ints, lengths: Ints, places: int) -> tuple[Ints, Mask]:
    """``1.25`` -> 1.25 x 10**places; empty -> -1. Up to 16 characters, no sign, no more than ``places`` decimals."""
    width = 16
    columns = window(buffer, starts, width)
    good = lengths <= width
    values, behind = np.zeros(len(starts), np.int64), np.full(len(starts), -1)
    for place in range(width):
        inside = lengths > place
        point = inside & (columns[:, place] == 46)
        digit = columns[:, place] - np.uint8(48)
        number = inside & ~point
        good &= ~(number & (digit > 9)) & ~(point & (behind >= 0))
        values = np.where(number, values * 10 + digit, values)
        behind = np.where(point, 0, behind + (number & (behind >= 0)))
    # A point needs digits on both sides, and what would not fit the scale is the reference's.
    first_is_point = columns[:, 0] == 46
    good &= ~(first_is_point & (lengths > 0)) & (behind != 0) & (behind <= places) & (values < 10**9)
    shift = np.where(behind > 0, places - behind, places)
    values = values * 10 ** np.clip(shift, 0, places)
    return np.where(lengths == 0, -1, values), good | (lengths == 0)
