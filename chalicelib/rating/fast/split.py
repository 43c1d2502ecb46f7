"""The bytes of a chunk to columns of numbers.

Each reader takes where a field starts and ends in every line and returns values with a mask of the lines whose field it
understood; the others are the reference engine's. Fields are looked at as words of eight bytes, all digits of a word at
once (arithmetic within a register), so a million short fields are a few operations on columns of integers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.records import Chunk

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]

PAD = 160
"""Bytes behind the chunk, so that every window lies in the buffer: the longest is a call id."""
MAX_LINE = 1 << 14
DIGITS = 15
_LOW_BYTES = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_ZEROS = np.uint64(0x3030303030303030)
_ONES, _HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_OVER_NINE = np.uint64(0x7676767676767676)
"""Added to a byte of a nibble it sets the high bit of those over 9."""
_TO_THE_END = np.array([0, *(64 - 8 * n for n in range(1, 9))], np.uint64)


class Lines(NamedTuple):
    """The lines of a chunk that have the right number of fields. ``starts`` and ``ends`` are one row per field."""

    buffer: Bytes
    data: bytes
    line: Ints
    starts: NDArray[Any]
    ends: NDArray[Any]
    others: Ints
    bounds: tuple[Ints, Ints]


def line_feeds(data: bytes) -> int:
    """How many line feeds there are, for ``records.chunks``."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))


def lines(chunk: Chunk, delimiter: str, width: int) -> Lines | None:
    """Fields of a chunk, or ``None`` for a chunk that is not plain. ``others``: lines of another width, from 0.

    Empty lines are no records and are left out.
    """
    data = chunk.data
    if b'"' in data or b"\x7f" in data or not data.isascii():
        return None
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    buffer = np.frombuffer(data + bytes(PAD), np.uint8)
    body = buffer[: len(data)]
    mask = body == ord(delimiter)
    mask |= body == 10
    marks = np.flatnonzero(mask)
    ends = marks[width - 1 :: width]
    regular = len(marks) == len(ends) * width and bool((body[ends] == 10).all())
    if not regular:
        ends = np.flatnonzero(body == 10)
    tabs = np.count_nonzero(body == 9) if b"\t" in data else 0
    if np.count_nonzero(np.less(body, 32, out=mask)) != tabs + len(ends):
        # A control character that is neither tab nor line end.
        return None
    begins = np.concatenate([[0], ends[:-1] + 1])
    if regular:
        table, chosen, others = marks.reshape(-1, width), np.arange(len(ends)), np.zeros(0, np.int64)
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


def window(buffer: Bytes, starts: Ints, count: int) -> Words:
    """The ``count`` words of eight bytes behind each start, one row each."""
    # A view that has an element at every byte: taking from it copies a row at a time, four times as fast as a window.
    size = 8 * count
    everywhere: NDArray[Any] = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, strides=(1,))
    return everywhere[starts].view(np.uint64).reshape(-1, count)


def words(buffer: Bytes, starts: Ints, lengths: Ints, count: int) -> Words:
    """Fields as ``count`` words of eight bytes each, zero behind the field's end: equal words are equal fields."""
    got: Words = window(buffer, starts, count)
    got &= _inside(count).take(np.minimum(lengths, 8 * count), axis=0)
    return got


@lru_cache(maxsize=32)
def _inside(count: int) -> Words:
    """Per length, the bits of ``count`` words that lie inside a field so long."""
    lengths = np.arange(8 * count + 1)[:, None] - 8 * np.arange(count)
    bits: Words = _LOW_BYTES[np.clip(lengths, 0, 8)]
    return bits


@lru_cache(maxsize=1)
def _ends() -> Words:
    """Per length of up to ten, the high bits of the first and the last byte of a field in two words."""
    places = [(1 << 7 | 1 << 8 * size - 1) if size else 0 for size in range(11)]
    return np.array([(bits & 2**64 - 1, bits >> 64) for bits in places], np.uint64)


def low_bytes(count: int) -> np.uint64:
    """A mask of the first ``count`` bytes of a word; none where it is negative."""
    low: np.uint64 = _LOW_BYTES[max(count, 0)]
    return low


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as ``words`` has them."""
    return np.uint64(int.from_bytes(text, "little"))


def all_digits(nibbles: Words) -> Mask:
    """Whether no byte of a word is over 9; ``nibbles`` are ASCII characters with ``0`` taken off (by exclusive or)."""
    over: Mask = (nibbles + _OVER_NINE) & _HIGH_BITS == 0
    return over


def pairs(nibbles: Words) -> Words:
    """In each byte the number that its digit and the next one are."""
    two: Words = nibbles * np.uint64(10) + (nibbles >> np.uint64(8))
    return two


def decimal(nibbles: Words) -> Ints:
    """Eight digits, one per byte and the first in the lowest, as a number: pairs, then fours, then all eight."""
    twos = pairs(nibbles) & np.uint64(0x00FF00FF00FF00FF)
    fours = (twos * np.uint64(100) + (twos >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    value = (fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return value.view(np.int64)


def small_numbers(buffer: Bytes, starts: Ints, lengths: Ints, most: int) -> tuple[Ints, Mask]:
    """Fields of 1 to ``most`` digits (8 at most) -> their values."""
    good = (lengths >= 1) & (lengths <= most)
    sizes = np.minimum(lengths, most)
    nibbles = (window(buffer, starts, 1)[:, 0] ^ _ZEROS) & _LOW_BYTES[sizes]
    # Digits go to the word's end; the zeros that are left before them change nothing.
    return decimal(nibbles << _TO_THE_END[sizes]), good & all_digits(nibbles)


def digits(buffer: Bytes, starts: Ints, lengths: Ints) -> tuple[Words, Words, Mask]:
    """Fields as ``words`` of their first 15 characters, the same as nibbles, and which of them are 1 to 15 digits."""
    inside = _inside(2).take(np.minimum(lengths, DIGITS), axis=0)
    got = window(buffer, starts, 2) & inside
    nibbles = (got ^ _ZEROS) & inside
    over = nibbles + _OVER_NINE
    return got, nibbles, (lengths >= 1) & (lengths <= DIGITS) & ((over[:, 0] | over[:, 1]) & _HIGH_BITS == 0)


def left_digits(buffer: Bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Mask]:
    """Digits, filled up with zeros on the right to 15: how prefixes are searched. At most 15 are understood."""
    _, nibbles, good = digits(buffer, starts, lengths)
    # Seven digits are in the second word: before them comes a zero.
    nibbles[:, 1] <<= np.uint64(8)
    values = decimal(nibbles)
    return values[:, 0] * 10_000_000 + values[:, 1], good


def are_decimals(buffer: Bytes, starts: Ints, lengths: Ints) -> Mask:
    """Fields such as ``1.25``: digits with at most one point, which has digits on both sides; empty is good too.

    Longer ones than ten characters are not understood, so values stay small and decimals are at most eight.
    """
    sizes = np.minimum(lengths, 10)
    nibbles = (window(buffer, starts, 2) ^ _ZEROS) & _inside(2).take(sizes, axis=0)
    points = (nibbles.view(np.uint8) == ord(".") ^ ord("0")).view(np.uint64)
    # Adding up the bytes of a word of ones: their count comes to lie in the highest byte.
    count = (points[:, 0] + points[:, 1]) * _ONES >> np.uint64(56)
    # What is over 9 must be a point, and no point stand at an end.
    over, points = (nibbles + _OVER_NINE) & _HIGH_BITS, points << np.uint64(7)
    wrong = (over ^ points) | (points & _ends().take(sizes, axis=0))
    good: Mask = (wrong[:, 0] | wrong[:, 1] == 0) & (count <= 1) & (lengths - count.view(np.int64) < 10)
    return good


def decimals(buffer: Bytes, starts: Ints, lengths: Ints, places: int) -> Ints:
    """``1.25`` -> 1.25 x 10**places, for fields that ``are_decimals``; empty -> -1."""
    columns = words(buffer, starts, lengths, 2).view(np.uint8)
    values, behind = np.zeros(len(starts), np.int64), np.full(len(starts), -1)
    for place in range(10):
        inside = lengths > place
        point = inside & (columns[:, place] == 46)
        number = inside & ~point
        values = np.where(number, values * 10 + (columns[:, place] - np.uint8(48)), values)
        behind = np.where(point, 0, behind + (number & (behind >= 0)))
    shift = np.where(behind > 0, places - behind, places)
    return np.where(lengths == 0, -1, values * 10 ** np.clip(shift, 0, places))
