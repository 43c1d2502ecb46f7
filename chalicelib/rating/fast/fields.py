"""The fields of Forfait's own CSV as columns of numbers, and which lines they could be read of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalicelib import periods
from chalicelib.money import AMOUNT_PLACES
from chalicelib.rating import call_fields
from chalicelib.rating.fast import split
from chalicelib.rating.fast.split import Ints, Lines, Mask, word
from chalicelib.rating.formats import Layout, Source

NANP = frozenset(("US", "CA"))
"""Homes whose 10 and 11 digits are read here; other homes' national numbers are the reference's."""
_OUTBOUND, _INBOUND, _ANSWERED = word(b"outbound"), word(b"inbound"), word(b"ANSWERED")
_NO_ANSWER, _BUSY, _FAILED = word(b"NO ANSWE"), word(b"BUSY"), word(b"FAILED")


@dataclass
class Fields:
    """Per line: ``code`` as ``columns.code_of``; ``called`` digits filled up to 15, ``called_digits`` of them real.

    ``good`` marks the lines of which every field was understood; the values of the others mean nothing.
    """

    start: Ints
    hour: Ints
    code: Ints
    called: Ints
    called_digits: Ints
    seconds: Ints
    cost_e8: Ints
    good: Mask


def read(lines: Lines, layout: Layout, source: Source) -> Fields:
    """Every field but account and texts."""
    buffer = lines.buffer

    def field(name: str) -> tuple[Ints, Ints]:
        begin = lines.starts[layout.columns[name]]
        return begin, lines.ends[layout.columns[name]] - begin

    start, hour, good = _starts(buffer, *field("start"), source)
    code, known = _codes(buffer, field("direction"), field("disposition"))
    called, digits, plain = _numbers(buffer, *field("to"), source.home_country in NANP)
    seconds, whole = split.small_numbers(buffer, *field("seconds"), 5)
    good &= known & plain & whole & (seconds <= call_fields.MAX_SECONDS) & _ids(buffer, *field("call_id"))
    cost = np.full(len(start), -1)
    if "cost" in layout.columns:
        cost, priced = split.decimals(buffer, *field("cost"), AMOUNT_PLACES)
        good &= priced
    return Fields(start, hour, code, called, digits, seconds, cost, good)


def _starts(buffer: NDArray[np.uint8], begin: Ints, length: Ints, source: Source) -> tuple[Ints, Ints, Mask]:
    """Instants, their hours' first instants, and the lines understood: those spelled like the first."""
    text = split.window(buffer, begin, 26)
    marked = (text[:, [4, 7, 13, 16]] == _MARKS).all(axis=1)
    if not marked.any():
        return begin, begin, marked
    # The file's first line may be a header, so the pattern is that of the first line that looks like an instant.
    model = int(marked.argmax())
    first, tail = text[model], int(min(max(length[model] - 19, 0), 6))
    good = length == 19 + tail
    same = [4, 7, 10, 13, 16, *range(19, 19 + tail)]
    good &= (text[:, same] == first[same]).all(axis=1)
    digits = text[:, [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]] - np.uint8(48)
    good &= (digits <= 9).all(axis=1) & (digits[:, 10] < 6) & (digits[:, 12] < 6)
    key = np.zeros(len(begin), np.int64)
    for place in range(10):
        key = key * 10 + digits[:, place]
    past = (digits[:, 10] * 10 + digits[:, 11]).astype(np.int64) * 60 + digits[:, 12] * 10 + digits[:, 13]
    keys, which = np.unique(np.where(good, key, -1), return_inverse=True)
    behind, between = bytes(first[19 : 19 + tail]).decode(), chr(first[10])
    hours = [_hour(int(k), between, behind, source) if k >= 0 else None for k in keys]
    known = np.array([hour is not None for hour in hours])
    firsts = np.array([hour or 0 for hour in hours], np.int64)
    hour = firsts[which]
    return hour + past, hour, good & known[which]


def _hour(key: int, between: str, behind: str, source: Source) -> int | None:
    text = f"{key:010d}"
    hour = f"{text[:4]}-{text[4:6]}-{text[6:8]}{between}{text[8:]}:"
    return call_fields.hour_start(hour, behind, periods.zone(source.zone))


def _codes(
    buffer: NDArray[np.uint8], direction: tuple[Ints, Ints], disposition: tuple[Ints, Ints]
) -> tuple[Ints, Mask]:
    way, way_length = split.words(buffer, direction[0], direction[1], 1)[:, 0], direction[1]
    outbound = (way == _OUTBOUND) & (way_length == 8)
    inbound = (way == _INBOUND) & (way_length == 7)
    begin, length = disposition
    end = split.words(buffer, begin, length, 1)[:, 0]
    answered = (end == _ANSWERED) & (length == 8)
    no_answer = (end == _NO_ANSWER) & (length == 9) & (buffer[begin + 8] == ord("R"))
    busy, failed = (end == _BUSY) & (length == 4), (end == _FAILED) & (length == 6)
    code = inbound + 2 * (no_answer + 2 * busy.astype(np.int64) + 3 * failed)
    return code, (outbound | inbound) & (answered | no_answer | busy | failed)


def _numbers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, nanp: bool) -> tuple[Ints, Ints, Mask]:
    """Numbers as ``numbers.normalise`` reads them: digits filled up to 15, how many are real, and which were read."""
    head = split.window(buffer, begin, 3)
    plus = head[:, 0] == ord("+")
    skip, ten = plus.astype(np.int64), np.zeros(len(begin), bool)
    known = plus.copy()
    if nanp:
        one, zero = head[:, 0] == 49, head[:, 0] == 48
        eleven = one & (length == 11) & (head[:, 1] > 49)
        ten = (length == 10) & (head[:, 0] > 49)
        world = zero & (head[:, 1] == 49) & (head[:, 2] == 49)
        double = zero & (head[:, 1] == 48)
        skip += 3 * world + 2 * double
        known |= eleven | ten | world | double
    value, good = split.left_digits(buffer, begin + skip, length - skip)
    digits = length - skip + ten
    value = np.where(ten, 10**14 + value // 10, value)
    leading = buffer[begin + skip] != 48
    return value, digits, good & known & leading & (digits >= 7) & (digits <= 15) & (skip + 6 < length)


def _ids(buffer: NDArray[np.uint8], begin: Ints, length: Ints) -> Mask:
    """Call ids that stand as they are: not empty, not too long, no blank at either end."""
    last = buffer[begin + np.maximum(length, 1) - 1]
    sized = (length >= 1) & (length <= call_fields.MAX_CALL_ID)
    return sized & ~np.isin(buffer[begin], _BLANKS) & ~np.isin(last, _BLANKS)


_MARKS = np.frombuffer(b"--::", np.uint8)
_BLANKS = np.frombuffer(b" \t", np.uint8)
