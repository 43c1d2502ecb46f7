"""The fields of rows as columns of numbers, and which rows they could be read of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib import periods
from chalicelib.money import AMOUNT_PLACES
from chalicelib.rating import call_fields
from chalicelib.rating.columns import distinct
from chalicelib.rating.fast import split
from chalicelib.rating.fast.rows import Field, Rows
from chalicelib.rating.fast.split import Ints, Mask, word
from chalicelib.rating.tables import Tables

NANP = frozenset(("US", "CA"))
"""Homes whose 10 and 11 digits are read here; other homes' national numbers are the reference's."""
_OUTBOUND, _INBOUND, _ANSWERED = word(b"outbound"), word(b"inbound"), word(b"ANSWERED")
_DATE, _TIME, _END = word(b"0000-00-"), word(b"00T00:00"), word(b":00")
_DATE_MARKS, _TIME_MARKS = word(b"\0\0\0\0\xff\0\0\xff"), word(b"\0\0\0\0\0\xff\0\0")
_BETWEEN, _FIRST = word(b"\0\0\xff"), word(b"\xff")
_NO_ANSWER, _BUSY, _FAILED = word(b"NO ANSWE"), word(b"BUSY"), word(b"FAILED")


@dataclass
class Fields:
    """Per line: ``month`` as ``Tables`` numbers it, ``code`` as ``columns.CODES``, ``called`` filled up to 15 digits.

    ``called_digits`` of them are real. ``good`` marks the lines of which every field was understood; the values of the
    others mean nothing.
    """

    start: Ints
    month: Ints
    code: Ints
    called: Ints
    called_digits: Ints
    seconds: Ints
    cost_e8: Ints
    good: Mask


def read(rows: Rows, zone: str, home: str, tables: Tables) -> Fields:
    """Every field but account and texts; ``zone`` is that of starts without an offset."""
    buffer, field = rows.buffer, rows.fields
    start, month, good = _starts(buffer, *field["start"], rows.good, zone, tables)
    code, known = _codes(buffer, field["direction"], field["disposition"])
    called, digits, plain = _numbers(buffer, *field["to"], home)
    seconds, whole = split.small_numbers(buffer, *field["seconds"], 5)
    good &= known & plain & whole & (seconds <= call_fields.MAX_SECONDS) & _ids(buffer, *field["call_id"])
    good &= field["from"][1] <= call_fields.MAX_TEXT
    cost = None
    if "cost" in field:
        good &= split.are_decimals(buffer, *field["cost"])
        # The value is read only where the reseller takes costs from its records.
        cost = split.decimals(buffer, *field["cost"], AMOUNT_PLACES) if tables.record_costs else None
    return Fields(start, month, code, called, digits, seconds, np.full(len(start), -1) if cost is None else cost, good)


def _starts(
    buffer: NDArray[np.uint8], begin: Ints, length: Ints, sure: Mask, zone: str, tables: Tables
) -> tuple[Ints, Ints, Mask]:
    """Instants, their local months, and the rows understood: of the ``sure`` ones those spelled like the first."""
    date, time, end, last = split.window(buffer, begin, 4).T
    marked = (date & _DATE_MARKS == _DATE & _DATE_MARKS) & (time & _TIME_MARKS == _TIME & _TIME_MARKS)
    marked &= (end & _FIRST == _END & _FIRST) & sure
    if not marked.any():
        return begin, begin, marked
    # The file's first line may be a header, so the pattern is that of the first line that looks like an instant.
    model = int(marked.argmax())
    tail = int(min(max(length[model] - 19, 0), 6))
    between = time & _BETWEEN
    good = marked & (length == 19 + tail) & (between == between[model])
    for behind, count in ((end >> np.uint64(24), min(tail, 5)), (last, tail - 5)):
        seen = behind & split.low_bytes(count)
        good &= seen == seen[model]
    date, time, end = date ^ _DATE, (time ^ _TIME) & ~_BETWEEN, (end ^ _END) & split.low_bytes(3)
    good &= split.all_digits(date) & split.all_digits(time) & split.all_digits(end)
    # The marks are zeros now: year and month read as yyyy0mm0, day, hour and minute as dd0hh0mm.
    day_hour, minute = _parts(split.decimal(time))
    day, hour = _parts(day_hour)
    second = split.decimal(end << np.uint64(40))
    good &= (day < 32) & (hour < 24) & (minute < 60) & (second < 60)
    key = (split.decimal(date) // 10 << 10) + (day << 5) + hour
    keys, which = distinct(np.where(good, key, key[good.argmax()]))
    text = bytes(buffer[begin[model] : begin[model] + 19 + tail])
    hours = [_hour(each, chr(text[10]), text[19:].decode(), zone) for each in keys.tolist()]
    firsts = np.array([hour or 0 for hour in hours], np.int64)
    known = np.array([hour is not None for hour in hours])
    start = firsts[which] + minute * 60 + second
    return start, _months(start, firsts, which, tables), good & known[which]


def _parts(number: Ints) -> tuple[Ints, Ints]:
    """``number`` divided by 1,000, and the rest."""
    whole = number // 1_000
    return whole, number - whole * 1_000


def _hour(key: int, between: str, behind: str, zone: str) -> int | None:
    """First instant of an hour; ``key`` holds year and month as yyyy0mm, then day and hour in five bits each."""
    year, month = divmod(key >> 10, 1_000)
    hour = f"{year:04d}-{month:02d}-{key >> 5 & 31:02d}{between}{key & 31:02d}:"
    return call_fields.hour_start(hour, behind, periods.zone(zone))


def _months(start: Ints, firsts: Ints, which: Ints, tables: Tables) -> Ints:
    """Number of each start's local month; hours that lie in two months are looked at one by one."""
    first = np.array([tables.month(int(hour)) for hour in firsts], np.int64)
    last = np.array([tables.month(int(hour) + 3599) for hour in firsts], np.int64)
    months = first[which]
    if (first != last).any():
        for place in np.flatnonzero((first != last)[which]).tolist():
            months[place] = tables.month(int(start[place]))
    return months


def _codes(buffer: NDArray[np.uint8], direction: Field, disposition: Field) -> tuple[Ints, Mask]:
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


class Spelling(NamedTuple):
    """How numbers are spelled: bytes to ``skip``, ``digits`` behind them, ``ten`` of a number that lacks its 1.

    ``known`` marks those that may be read so, if they are digits.
    """

    skip: Ints
    digits: Ints
    ten: Mask
    known: Mask


def spelling(buffer: NDArray[np.uint8], begin: Ints, length: Ints, home: str) -> Spelling:
    """Numbers as ``numbers.normalise`` takes them apart."""
    head = split.window(buffer, begin, 1).view(np.uint8)
    plus = head[:, 0] == ord("+")
    skip, ten = plus.astype(np.int64), np.zeros(len(begin), bool)
    known = plus.copy()
    if home in NANP:
        one, zero = head[:, 0] == 49, head[:, 0] == 48
        eleven = one & (length == 11) & (head[:, 1] > 49)
        ten = (length == 10) & (head[:, 0] > 49)
        world = zero & (head[:, 1] == 49) & (head[:, 2] == 49)
        double = zero & (head[:, 1] == 48)
        skip += 3 * world + 2 * double
        known |= eleven | ten | world | double
    digits = length - skip + ten
    leading = buffer[begin + skip] != 48
    return Spelling(skip, digits, ten, known & leading & (digits >= 7) & (digits <= split.DIGITS) & (skip + 6 < length))


def _numbers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, home: str) -> tuple[Ints, Ints, Mask]:
    """Numbers as digits filled up to 15, how many of them are real, and which were read."""
    skip, digits, ten, known = spelling(buffer, begin, length, home)
    value, good = split.left_digits(buffer, begin + skip, length - skip)
    return np.where(ten, 10**14 + value // 10, value), digits, good & known


def _ids(buffer: NDArray[np.uint8], begin: Ints, length: Ints) -> Mask:
    """Call ids that stand as they are: not empty, not too long, no blank at either end."""
    last = buffer[begin + np.maximum(length, 1) - 1]
    sized = (length >= 1) & (length <= call_fields.MAX_CALL_ID)
    first = buffer[begin]
    good: Mask = sized & (first != 32) & (first != 9) & (last != 32) & (last != 9)
    return good
