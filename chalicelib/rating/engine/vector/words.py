"""Fields -> columns of numbers.

A function gets the buffer, and the begins and lengths of a field in every row; it returns values and a mask of the rows
whose field it understood. A *word* is eight bytes of a field as one integer, the first byte lowest; words end with
zeros where the field is shorter. All digits of a word are computed at once, so a million short fields need only a few
operations on columns of integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.cdr.spans import CLOCKS, HOURS, IN_MINUTES, IN_MS
from chalicelib.rating.engine.columns import Strings

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]

HEADS = 1 << 16
"""One more than the highest of ``heads``."""
PAD = 160
"""Zeros after the chunk, so that every window is inside the buffer: the longest is that of a call id."""
DIGITS = 15
MOST_TEXT = 64
"""The longest text, in bytes, that the rules of a format are asked about."""
_LOW_BYTES = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_ZEROS = np.uint64(0x3030303030303030)
_ONES, _HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_OVER_NINE = np.uint64(0x7676767676767676)
"""Added to bytes, it sets the high bit of those over 9."""
_CLOCK, _COLONS = np.uint64(int.from_bytes(b"00:00:00", "little")), np.uint64(0x0000FF0000FF0000)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""Odd, and without a pattern in its bits, so that products with it are a hash."""
_TO_THE_END = np.array([0, *(64 - 8 * n for n in range(1, 9))], np.uint64)


def line_feeds(data: bytes) -> int:
    """The count of line feeds, for ``records.chunks``."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))


def window(buffer: Bytes, starts: Ints, count: int) -> Words:
    """The ``count`` words from each start on, one row each, regardless of the lengths of the fields."""
    # A view with an element at every byte: an index copies a row at once, four times as fast as windows.
    size = 8 * count
    everywhere: NDArray[Any] = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, strides=(1,))
    return everywhere[starts].view(np.uint64).reshape(-1, count)


def put(buffer: Bytes, starts: Ints, rows: Words) -> None:
    """Write rows of words over the bytes from each start on."""
    size = 8 * rows.shape[1]
    everywhere: NDArray[Any] = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, strides=(1,))
    everywhere[starts] = rows.view(f"V{size}")[:, 0]


def words(buffer: Bytes, starts: Ints, lengths: Ints, count: int) -> Words:
    """Fields as ``count`` words each: equal words are equal fields. Longer fields are cut."""
    got: Words = window(buffer, starts, count)
    got &= _inside(count).take(np.minimum(lengths, 8 * count), axis=0)
    return got


@lru_cache(maxsize=32)
def _inside(count: int) -> Words:
    """Per length, a mask of the bits of ``count`` words that are inside a field of that length."""
    lengths = np.arange(8 * count + 1)[:, None] - 8 * np.arange(count)
    bits: Words = _LOW_BYTES[np.clip(lengths, 0, 8)]
    return bits


@lru_cache(maxsize=1)
def _ends() -> Words:
    """Per length of up to ten, the high bits of the first and the last byte of a field in two words."""
    places = [(1 << 7 | 1 << 8 * size - 1) if size else 0 for size in range(11)]
    return np.array([(bits & 2**64 - 1, bits >> 64) for bits in places], np.uint64)


def strings(buffer: Bytes, begin: Ints, length: Ints) -> Strings:
    """Fields as an array of byte strings, as wide as the longest."""
    count = max(1, -(-int(length.max(initial=1)) // 8))
    found: Strings = words(buffer, begin, length, count).view(f"S{8 * count}")[:, 0]
    return found


def distinct(texts: Strings) -> tuple[Ints, Ints]:
    """The indexes of the distinct texts, and for each text the place of its equal among them."""
    if not len(texts):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    size = -(-texts.itemsize // 8)
    rows = texts.astype(f"S{8 * size}", copy=False).view(np.uint64).reshape(len(texts), size)
    head = heads(rows)
    # The last text with the first bits of a hash stands for all texts that have them.
    last, places = np.empty(HEADS, np.int64), np.arange(len(texts))
    last[head] = places
    like = last[head]
    differ = rows.take(like, axis=0) != rows
    if differ.any():
        # Different texts may have equal hashes; they are few, unless somebody made the file so.
        others = np.flatnonzero(differ.any(axis=1))
        _, firsts, which = np.unique(texts[others], return_index=True, return_inverse=True)
        like[others] = others[firsts][which]
    is_first = like == places
    return np.flatnonzero(is_first), (np.cumsum(is_first) - 1)[like]


def beside(buffer: Bytes, fields: Sequence[tuple[Ints, Ints]]) -> tuple[list[Strings], Words, Mask]:
    """The texts of some fields, the same as one row of words per row, and which rows have texts of at most
    ``MOST_TEXT`` bytes: those of the others are cut."""
    short: Mask = np.logical_and.reduce([length <= MOST_TEXT for _, length in fields])
    texts = [strings(buffer, begin, np.minimum(length, MOST_TEXT)) for begin, length in fields]
    rows = [text.view(np.uint64).reshape(len(text), text.itemsize // 8) for text in texts]
    return texts, np.concatenate(rows, 1), short


def cases(texts: Sequence[Strings], rows: Words) -> tuple[list[tuple[str, ...]], Ints, Ints]:
    """The distinct combinations of texts that ``beside`` returned, the index of the first row of each, and the place
    of each row's among them."""
    firsts, which = distinct(np.ascontiguousarray(rows).view(f"S{8 * rows.shape[1]}")[:, 0])
    # Not ``np.char.decode``, which takes longer for a few short texts.
    found = zip(*([each.decode("latin-1") for each in text[firsts].tolist()] for text in texts), strict=True)
    return list(found), firsts, which


def combinations(buffer: Bytes, fields: Sequence[tuple[Ints, Ints]]) -> tuple[list[tuple[str, ...]], Ints, Mask]:
    """The distinct combinations of the texts of some fields, the place of each row's among them, and which rows have
    texts of at most ``MOST_TEXT`` bytes: those of the others are cut."""
    texts, rows, short = beside(buffer, fields)
    found, _, which = cases(texts, rows)
    return found, which, short


def heads(rows: Words) -> Ints:
    """16 bits of a hash of each row of words; different rows may have equal ones."""
    factors = np.arange(1, 2 * rows.shape[1], 2, dtype=np.uint64) * _GOLDEN
    found: Ints = (rows @ factors >> np.uint64(48)).view(np.int64)
    return found


def low_bytes(count: int) -> np.uint64:
    """A mask of the first ``count`` bytes of a word; 0 for a negative count."""
    low: np.uint64 = _LOW_BYTES[max(count, 0)]
    return low


def word(text: bytes) -> np.uint64:
    """Up to eight bytes as a word."""
    return np.uint64(int.from_bytes(text, "little"))


def all_digits(nibbles: Words) -> Mask:
    """Whether all bytes are digits; ``nibbles`` are words exclusive-or the character ``0`` in every byte."""
    over: Mask = (nibbles + _OVER_NINE) & _HIGH_BITS == 0
    return over


def pairs(nibbles: Words) -> Words:
    """In each byte, the two-digit number of this digit and the next one."""
    two: Words = nibbles * np.uint64(10) + (nibbles >> np.uint64(8))
    return two


def decimal(nibbles: Words) -> Ints:
    """Eight digits, one per byte and the first in the lowest, as a number: pairs, then fours, then all eight."""
    twos = pairs(nibbles) & np.uint64(0x00FF00FF00FF00FF)
    fours = (twos * np.uint64(100) + (twos >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    value = (fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return value.view(np.int64)


def four(columns: Words) -> Ints:
    """The first four digits of a word, four bits each and the first in the highest: ``1234`` is 0x1234."""
    low = columns & np.uint64(0x0F0F0F0F)
    pair = (low << np.uint64(12) | low) >> np.uint64(8)
    packed = (pair & np.uint64(0xFF)) << np.uint64(8) | pair >> np.uint64(16) & np.uint64(0xFF)
    return packed.view(np.int64)


def small_numbers(buffer: Bytes, starts: Ints, lengths: Ints, most: int) -> tuple[Ints, Mask]:
    """Fields of 1 to ``most`` digits (8 at most) -> their values."""
    good = (lengths >= 1) & (lengths <= most)
    sizes = np.minimum(lengths, most)
    nibbles = (window(buffer, starts, 1)[:, 0] ^ _ZEROS) & _LOW_BYTES[sizes]
    # Digits are moved to the end of the word; the zeros before them change nothing.
    return decimal(nibbles << _TO_THE_END[sizes]), good & all_digits(nibbles)


def spans(buffer: Bytes, begin: Ints, length: Ints, most: int, seconds_format: str) -> tuple[Ints, Mask]:
    """Fields of 1 to ``most`` digits, or hours, minutes and seconds as ``cdr.spans`` reads them -> seconds.

    Two numbers are understood only where ``seconds_format`` says what they are. Decimal minutes are not understood.
    """
    seconds, known = small_numbers(buffer, begin, length, 8 if seconds_format == IN_MS else most)
    if seconds_format == IN_MS:
        seconds = -(-seconds // 1000)
    elif seconds_format == IN_MINUTES:
        # Five digits are left to the reference, which reads four.
        seconds, known = seconds * 60, known & (length <= 4)
    if known.all():
        return seconds, known
    sizes = np.minimum(length, 8)
    # Moved to the end, behind as much of 00:00:00 as is missing.
    text = (window(buffer, begin, 1)[:, 0] & _LOW_BYTES[sizes]) << _TO_THE_END[sizes]
    marked = (text | _CLOCK & _LOW_BYTES[8 - sizes]) ^ _CLOCK
    # The colons are zeros now: hours at the first byte, minutes at the fourth, seconds at the seventh.
    twos = pairs(marked).view(np.int64)
    minutes, past = twos >> 24 & 255, twos >> 48 & 255
    clock = (twos & 255) * 3600 + minutes * 60 + past
    two = (length == 4) | (length == 5)
    if seconds_format == HOURS:
        clock = np.where(two, clock * 60, clock)
    fits = (length == 7) | (length == 8) | (two if seconds_format in CLOCKS else False)
    fits &= all_digits(marked) & (marked & _COLONS == 0) & (minutes < 60) & (past < 60)
    return np.where(known, seconds, clock), known | fits


def are_within(
    buffer: Bytes, begin: Ints, length: Ints, whole_begin: Ints, whole_length: Ints, seconds_format: str
) -> Mask:
    """Where the seconds in a field are at most those in another, both as ``spans`` reads them, or the other is empty.

    Where the first field is not understood the answer is arbitrary; where the other is not, it is False.
    """
    if not whole_length.any():
        return np.ones(len(begin), bool)
    whole, known = spans(buffer, whole_begin, whole_length, 7, seconds_format)
    within: Mask = (whole_length == 0) | (known & (spans(buffer, begin, length, 5, seconds_format)[0] <= whole))
    return within


def digits(buffer: Bytes, starts: Ints, lengths: Ints) -> tuple[Words, Words, Mask]:
    """Fields as two words of their first 15 characters, the same as nibbles, and which fields are 1 to 15 digits."""
    inside = _inside(2).take(np.minimum(lengths, DIGITS), axis=0)
    got = window(buffer, starts, 2) & inside
    nibbles = (got ^ _ZEROS) & inside
    over = nibbles + _OVER_NINE
    return got, nibbles, (lengths >= 1) & (lengths <= DIGITS) & ((over[:, 0] | over[:, 1]) & _HIGH_BITS == 0)


def left_digits(buffer: Bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Mask]:
    """Fields of 1 to 15 digits -> numbers filled up with zeros on the right to 15 digits, as prefixes are searched."""
    _, nibbles, good = digits(buffer, starts, lengths)
    # The second word has seven digits: a zero is put before them.
    nibbles[:, 1] <<= np.uint64(8)
    values = decimal(nibbles)
    return values[:, 0] * 10_000_000 + values[:, 1], good


class Points(NamedTuple):
    """Per field: whether it has only digits and points, its count of points, and whether one is at its begin or end."""

    digits: Mask
    points: Ints
    end: Mask


def points(buffer: Bytes, starts: Ints, sizes: Ints, count: int) -> Points:
    """Digits and points of fields; ``sizes`` are lengths of at most ``count`` words."""
    got = words(buffer, starts, sizes, count).view(np.uint8)
    dots = (got == 46).view(np.uint64)
    digits = (got - np.uint8(48) <= 9).view(np.uint64)
    filled = _inside(count)[sizes] & np.uint64(0x0101010101010101)
    plain = ((dots | digits) == filled).all(axis=1)
    total = dots[:, 0]
    for place in range(1, count):
        total = total + dots[:, place]
    # This product adds up the bytes of a word: the sum is in the highest byte.
    number = (total * np.uint64(0x0101010101010101) >> np.uint64(56)).view(np.int64)
    first, last = buffer[starts], buffer[starts + np.maximum(sizes, 1) - 1]
    return Points(plain, number, (first == 46) | (last == 46))


def are_decimals(buffer: Bytes, starts: Ints, lengths: Ints) -> Mask:
    """Which fields are like ``1.25`` (digits, with at most one point between digits) or empty.

    Fields of more than ten characters are not understood, so values are small and have at most eight decimals.
    """
    sizes = np.minimum(lengths, 10)
    nibbles = (window(buffer, starts, 2) ^ _ZEROS) & _inside(2).take(sizes, axis=0)
    points = (nibbles.view(np.uint8) == ord(".") ^ ord("0")).view(np.uint64)
    # This product adds up the bytes of a word: the count of ones is in the highest byte.
    count = (points[:, 0] + points[:, 1]) * _ONES >> np.uint64(56)
    # A byte over 9 must be a point, and no point may be at an end.
    over, points = (nibbles + _OVER_NINE) & _HIGH_BITS, points << np.uint64(7)
    wrong = (over ^ points) | (points & _ends().take(sizes, axis=0))
    good: Mask = (wrong[:, 0] | wrong[:, 1] == 0) & (count <= 1) & (lengths - count.view(np.int64) < 10)
    return good


def decimals(buffer: Bytes, starts: Ints, lengths: Ints, places: int) -> Ints:
    """``1.25`` -> 1.25 x 10**places, for fields that ``are_decimals`` accepts; empty -> -1."""
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
