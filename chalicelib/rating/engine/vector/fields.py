"""The fields of rows as columns of numbers, and which rows were understood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib import numbering, periods
from chalicelib.calls.format import DIRECTIONS, DISPOSITIONS
from chalicelib.dialling import DialPlan
from chalicelib.money import AMOUNT_PLACES
from chalicelib.rating.cdr import call
from chalicelib.rating.engine.columns import distinct
from chalicelib.rating.engine.vector import ids, prices, words
from chalicelib.rating.engine.vector.internal import internal
from chalicelib.rating.engine.vector.layouts import Field, MappedRows
from chalicelib.rating.engine.vector.words import Ints, Mask, Words, word
from chalicelib.rating.pricing.rate_book import RateBook

NANP = frozenset(("US", "CA"))
"""Home countries whose national numbers (10 and 11 digits) are read here; those of others are left to the reference."""
_OUTBOUND, _INBOUND = (word(text.encode()) for text in DIRECTIONS)
_ANSWERED, _NO_ANSWER, _BUSY, _FAILED = (word(text.encode()[:8]) for text in DISPOSITIONS)
_DATE, _TIME, _END = word(b"0000-00-"), word(b"00T00:00"), word(b":00")
_DATE_MARKS, _TIME_MARKS = word(b"\0\0\0\0\xff\0\0\xff"), word(b"\0\0\0\0\0\xff\0\0")
_BETWEEN, _FIRST = word(b"\0\0\xff"), word(b"\xff")


@dataclass
class Fields:
    """One item per row. ``good`` marks the rows whose fields were all understood; other rows have arbitrary values.

    ``start`` is an instant; ``month`` a number in ``RateBook.months``; ``code``: see ``columns.CODES``. ``called`` is
    the number called, padded with zeros to 15 digits; ``called_digits``: how many it really has. ``cost_e8`` is -1
    without a cost. ``internal`` marks outbound calls to internal numbers, which have no ``called``; None: there are
    none.
    """

    start: Ints
    month: Ints
    code: Ints
    called: Ints
    called_digits: Ints
    seconds: Ints
    cost_e8: Ints
    good: Mask
    internal: Mask | None


def read(rows: MappedRows, zone: str, plan: DialPlan, book: RateBook, fx_e10: int = 0) -> Fields:
    """Read all fields but the account and the texts; ``zone``: see ``formats.zone_of``, ``fx_e10``: ``Declaration``."""
    buffer, field = rows.buffer, rows.fields
    start, month, good = _starts(buffer, *field["start"], rows.good, zone, book)
    code, known = _codes(buffer, field["direction"], field["disposition"])
    called, digits, plain = numbers(buffer, *field["to"], plan)
    inside = internal(buffer, *field["to"], np.flatnonzero(~plain & (code & 1 == 0)), plan)
    if inside is not None:
        plain = plain | inside
    seconds, whole = words.small_numbers(buffer, *field["seconds"], 5)
    good &= known & plain & whole & (seconds <= call.MAX_SECONDS) & ids.are_known(buffer, *field["call_id"])
    good &= field["from"][1] <= call.MAX_TEXT
    cost = None
    if "cost" in field:
        good &= words.are_decimals(buffer, *field["cost"])
        # The value is read only when the reseller takes costs from the records.
        if book.record_costs or fx_e10:
            cost = words.decimals(buffer, *field["cost"], AMOUNT_PLACES)
        if cost is not None and fx_e10:
            cost, fits = prices.converted(cost, fx_e10)
            good &= fits
    cost = np.full(len(start), -1) if cost is None else cost
    return Fields(start, month, code, called, digits, seconds, cost, good, inside)


def _starts(
    buffer: NDArray[np.uint8], begin: Ints, length: Ints, sure: Mask, zone: str, book: RateBook
) -> tuple[Ints, Ints, Mask]:
    """Instants, their local months, and which rows were understood: ``sure`` ones spelled like the first of them."""
    date, time, end, last = words.window(buffer, begin, 4).T
    model = _model(date, time, end, sure)
    if model is None:
        return begin, begin, np.zeros(len(begin), bool)
    tail = int(min(max(length[model] - 19, 0), 6))
    good = (length == 19 + tail) & sure
    end_marks = _FIRST | words.low_bytes(min(tail, 5)) << np.uint64(24)
    marks = (date, _DATE_MARKS), (time, _TIME_MARKS | _BETWEEN), (end, end_marks), (last, words.low_bytes(tail - 5))
    for column, mark in marks:
        good &= column & mark == column[model] & mark
    if (date == date[model]).all():
        # Nearly always all dates have one year and month: then one value is used for all.
        date = date[model : model + 1]
    date, time, end = date ^ _DATE, (time ^ _TIME) & ~_BETWEEN, (end ^ _END) & words.low_bytes(3)
    good &= words.all_digits(date) & words.all_digits(time) & words.all_digits(end)
    # The marks are zeros now: year and month read as yyyy0mm0, day, hour and minute as dd0hh0mm, the second as 0ss.
    pairs = words.pairs(time).view(np.int64)
    day, hour, minute = pairs & 255, pairs >> 24 & 255, pairs >> 48 & 255
    second = words.pairs(end).view(np.int64) >> 8 & 255
    good &= (day < 32) & (hour < 24) & (minute < 60) & (second < 60)
    key = (words.decimal(date) // 10 << 10) + (day << 5) + hour
    keys, which = distinct(np.where(good, key, key[good.argmax()]))
    text = bytes(buffer[begin[model] : begin[model] + 19 + tail])
    hours = [_hour(each, chr(text[10]), text[19:].decode(), zone) for each in keys.tolist()]
    firsts = np.array([hour or 0 for hour in hours], np.int64)
    known = np.array([hour is not None for hour in hours])
    start = firsts[which] + minute * 60 + second
    return start, _months(start, firsts, which, book), good & known[which]


def _model(date: Words, time: Words, end: Words, sure: Mask) -> int | None:
    """The first sure row with an instant, or None; mostly it is among the first two, as the first may be a header."""
    for some in (slice(2), slice(None)):
        marked = (date[some] & _DATE_MARKS == _DATE & _DATE_MARKS) & (time[some] & _TIME_MARKS == _TIME & _TIME_MARKS)
        marked &= (end[some] & _FIRST == _END & _FIRST) & sure[some]
        if marked.any():
            return int(marked.argmax())
    return None


@lru_cache(maxsize=1 << 10)
def _hour(key: int, between: str, behind: str, zone: str) -> int | None:
    """The first instant of an hour; ``key`` is year and month as yyyy0mm, then day and hour in five bits each."""
    year, month = divmod(key >> 10, 1_000)
    hour = f"{year:04d}-{month:02d}-{key >> 5 & 31:02d}{between}{key & 31:02d}:"
    return call.hour_start(hour, behind, periods.calendar(zone))


def _months(start: Ints, firsts: Ints, which: Ints, book: RateBook) -> Ints:
    """The number of the local month of each start; starts in an hour with parts of two months are read one by one."""
    first = np.array([book.month(int(hour)) for hour in firsts], np.int64)
    last = np.array([book.month(int(hour) + 3599) for hour in firsts], np.int64)
    months = first[which]
    if (first != last).any():
        for place in np.flatnonzero((first != last)[which]).tolist():
            months[place] = book.month(int(start[place]))
    return months


def _codes(buffer: NDArray[np.uint8], direction: Field, disposition: Field) -> tuple[Ints, Mask]:
    """The code (``columns.CODES``) of each row, and which rows have words of Forfait's own CSV."""
    # Fields shorter than eight bytes are filled up with zeros, which no field has, so equal words have equal lengths.
    way = words.words(buffer, *direction, 1)[:, 0]
    outbound, inbound = (way == _OUTBOUND) & (direction[1] == 8), way == _INBOUND
    begin, length = disposition
    end = words.words(buffer, begin, length, 1)[:, 0]
    answered = (end == _ANSWERED) & (length == 8)
    no_answer = (end == _NO_ANSWER) & (length == 9) & (buffer[begin + 8] == ord("R"))
    busy, failed = end == _BUSY, end == _FAILED
    ending = 1 * no_answer.view(np.int8) + 2 * busy.view(np.int8) + 3 * failed.view(np.int8)
    code = (inbound + 2 * ending).astype(np.int64)
    return code, (outbound | inbound) & (answered | no_answer | busy | failed)


class Spelling(NamedTuple):
    """How numbers are spelled, one item per number.

    ``skip``: bytes before the digits of the E.164 number; ``digits``: the count of these digits; ``ten``: the number is
    written without the calling code 1, which ``digits`` counts. ``known``: it is E.164 if the other bytes are digits.
    """

    skip: Ints
    digits: Ints
    ten: Mask
    known: Mask


def spelling(buffer: NDArray[np.uint8], begin: Ints, length: Ints, plan: DialPlan) -> Spelling:
    """The spelling of numbers, as ``DialPlan.read`` reads them."""
    begins = words.window(buffer, begin, 1)[:, 0]
    head = begins[:, np.newaxis].view(np.uint8)
    # Copied, because comparing contiguous bytes is faster.
    first, second, third = (head[:, place].copy() for place in range(3))
    plus = first == ord("+")
    skips, ten = plus.view(np.int8), np.zeros(len(begin), bool)
    known = plus
    if plan.home_country in NANP:
        zero = first == 48
        eleven = (first == 49) & (length == 11) & (second > 49)
        ten = (length == 10) & (first > 49)
        world, double = zero & (second == 49) & (third == 49), zero & (second == 48)
        skips = skips + 3 * world.view(np.int8) + 2 * double.view(np.int8)
        bare = eleven | ten
        names = _names(plan)
        if len(names):
            # A user name that is written like a number is an internal one.
            bare &= ~np.isin(words.left_digits(buffer, begin, length)[0], names)
        known = plus | bare | world | double
    skip = skips.astype(np.int64)
    digits = length - skip + ten
    # Most numbers are of North America: only the others are looked up.
    plain = ten | (plus & (second == 49) & (third > 49))
    rest = np.flatnonzero(~plain)
    plain[rest] = _plain()[words.four(begins[rest] >> (skip[rest] << 3).view(np.uint64))]
    # Few of these numbers really have a trunk prefix; the others must not send their rows to the reference.
    for row in rest[known[rest] & ~plain[rest]].tolist():
        plain[row] = _is_itself(buffer[begin[row] + skip[row] : begin[row] + length[row]].tobytes())
    return Spelling(skip, digits, ten, known & plain & (digits >= 7) & (digits <= words.DIGITS) & (skip + 6 < length))


@lru_cache(maxsize=64)
def _names(plan: DialPlan) -> Ints:
    """The user names of 10 and 11 digits, as ``words.left_digits`` reads them."""
    names = {name for name in plan.accounts if name.isdigit() and name.isascii() and 10 <= len(name) <= 11}
    return np.array(sorted(int(name.ljust(words.DIGITS, "0")) for name in names), np.int64)


@lru_cache(maxsize=1 << 14)
def _is_itself(digits: bytes) -> bool:
    """Whether digits with a calling code are an E.164 number as they are."""
    text = digits.decode("latin-1")
    try:
        return text.isascii() and text.isdigit() and numbering.e164(text) == "+" + text
    except ValueError:
        return False


@cache
def _plain() -> Mask:
    """Which first four digits, packed as ``words.four`` packs them, E.164 numbers have that are read as themselves."""
    plain = np.ones(1 << 16, bool)
    plain[: 1 << 12] = False
    plain[[int(head, 16) for head in numbering.odd_heads()]] = False
    return plain


def numbers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, plan: DialPlan) -> tuple[Ints, Ints, Mask]:
    """Numbers filled up with zeros to 15 digits, how many digits are their own, and which numbers were understood."""
    skip, digits, ten, known = spelling(buffer, begin, length, plan)
    value, good = words.left_digits(buffer, begin + skip, length - skip)
    tens = np.flatnonzero(ten)
    value[tens] = 10**14 + value[tens] // 10
    return value, digits, good & known
