"""Fields to columns of numbers.

Each reader takes where a field starts and ends in every line and returns values with a mask of the lines whose field it
understood; the others are the reference engine's. Fields are looked at as words of eight bytes, all digits of a word at
once (arithmetic within a register), so a million short fields are a few operations on columns of integers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.engine import hashing
from chalicelib.rating.engine.columns import Strings

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]

PAD = 160
"""Bytes behind the chunk, so that every window lies in the buffer: the longest is a call id."""
DIGITS = 15
_LOW_BYTES = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_ZEROS = np.uint64(0x3030303030303030)
_ONES, _HIGH_BITS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_OVER_NINE = np.uint64(0x7676767676767676)
"""Added to a byte of a nibble it sets the high bit of those over 9."""
_TO_THE_END = np.array([0, *(64 - 8 * n for n in range(1, 9))], np.uint64)


def line_feeds(data: bytes) -> int:
    """How many line feeds there are, for ``records.chunks``."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10))


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


def strings(buffer: Bytes, begin: Ints, length: Ints) -> Strings:
    """Fields as an array of byte strings, as wide as the longest needs."""
    count = max(1, -(-int(length.max(initial=1)) // 8))
    found: Strings = words(buffer, begin, length, count).view(f"S{8 * count}")[:, 0]
    return found


def distinct(texts: Strings) -> tuple[Ints, Ints]:
    """Places of the distinct ones among the texts, and which of them each text is."""
    hashes = hashing.hashes(texts)
    _, firsts, which = np.unique(hashes, return_index=True, return_inverse=True)
    if (texts[firsts][which] != texts).any():
        # Hashes may be forged.
        _, firsts, which = np.unique(texts, return_index=True, return_inverse=True)
    return firsts, which


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


class Points(NamedTuple):
    """Of fields: whether they are ``digits`` and points only, how many points, and whether one is at an ``end``."""

    digits: Mask
    points: Ints
    end: Mask


def points(buffer: Bytes, starts: Ints, sizes: Ints, count: int) -> Points:
    """How numbers with points are made; ``sizes`` of at most ``count`` words."""
    got = words(buffer, starts, sizes, count).view(np.uint8)
    dots = (got == 46).view(np.uint64)
    digits = (got - np.uint8(48) <= 9).view(np.uint64)
    filled = _inside(count)[sizes] & np.uint64(0x0101010101010101)
    plain = ((dots | digits) == filled).all(axis=1)
    total = dots[:, 0]
    for place in range(1, count):
        total = total + dots[:, place]
    # Adding up the bytes of a word: their sum comes to lie in the highest byte.
    number = (total * np.uint64(0x0101010101010101) >> np.uint64(56)).view(np.int64)
    first, last = buffer[starts], buffer[starts + np.maximum(sizes, 1) - 1]
    return Points(plain, number, (first == 46) | (last == 46))


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
