"""The starts of rows: texts -> instants.

Most files write every start as ISO 8601 does, in one width: its digits are read at fixed places. The texts of other
files are sorted by *shape*: the text with every digit replaced by 0 (``0/00/0000 00:00:00``). A file has few shapes.
The expression of the date format (``date_patterns``) says where the numbers of a shape are, so both engines read alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from chalicelib import periods
from chalicelib.rating.cdr import call, starts
from chalicelib.rating.cdr.date_patterns import AUTO, GROUPS, MONTHS, Format, compiled
from chalicelib.rating.engine.columns import distinct
from chalicelib.rating.engine.vector import words
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask, Words, word
from chalicelib.rating.pricing.rate_book import RateBook

_DATE, _TIME, _END = word(b"0000-00-"), word(b"00T00:00"), word(b":00")
_DATE_MARKS, _TIME_MARKS = word(b"\0\0\0\0\xff\0\0\xff"), word(b"\0\0\0\0\0\xff\0\0")
_BETWEEN, _FIRST = word(b"\0\0\xff"), word(b"\xff")
_POINTS = (ord("."), ord(","))
_WIDEST = 32
"""Bytes of a text that is read by its shape."""
_MOST_SHAPES = 256


def read(
    buffer: Bytes, begin: Ints, length: Ints, sure: Mask, zone: str, date_format: str, book: RateBook
) -> tuple[Ints, Ints, Mask]:
    """Instants, their local months, and which rows were understood: only ``sure`` ones.

    ``zone``: see ``formats.zone_of``.
    """
    if date_format == AUTO:
        found = _of_one_spelling(buffer, begin, length, sure, zone, book)
        if 2 * np.count_nonzero(found[2]) >= np.count_nonzero(sure):
            return found
    return _of_shapes(buffer, begin, length, sure, zone, compiled(date_format), book)


def _of_one_spelling(
    buffer: Bytes, begin: Ints, length: Ints, sure: Mask, zone: str, book: RateBook
) -> tuple[Ints, Ints, Mask]:
    """As ``read``, for rows spelled like the first ISO instant that has seconds, without a fraction of them."""
    date, time, end, last = words.window(buffer, begin, 4).T
    model = _model(date, time, end, sure)
    if model is None or (length[model] > 19 and buffer[begin[model] + 19] in _POINTS):
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
    return call.hour_start(hour, behind, _iso(zone))


@lru_cache(maxsize=64)
def _iso(zone: str) -> Callable[[str], int]:
    return starts.reader(AUTO, periods.calendar(zone))


def _months(start: Ints, firsts: Ints, which: Ints, book: RateBook) -> Ints:
    """The number of the local month of each start; starts in an hour with parts of two months are read one by one."""
    first = np.array([book.month(int(hour)) for hour in firsts], np.int64)
    last = np.array([book.month(int(hour) + 3599) for hour in firsts], np.int64)
    months = first[which]
    if (first != last).any():
        for place in np.flatnonzero((first != last)[which]).tolist():
            months[place] = book.month(int(start[place]))
    return months


class _Shape(NamedTuple):
    """A shape as the format reads it: the text, the rows that have it, and the places of the numbers in it."""

    text: str
    rows: Ints
    found: re.Match[str]


def _of_shapes(
    buffer: Bytes, begin: Ints, length: Ints, sure: Mask, zone: str, date_format: Format, book: RateBook
) -> tuple[Ints, Ints, Mask]:
    """As ``read``, for texts of any shape with at most 32 bytes."""
    good = np.zeros(len(begin), bool)
    key, past = np.zeros(len(begin), np.int64), np.zeros(len(begin), np.int64)
    texts = words.words(buffer, begin, length, _WIDEST // 8).view(np.uint8)
    zones: dict[str, int] = {}
    for shape in _shapes(texts, length, sure, date_format):
        # Copied, so that a column of digits is contiguous.
        digits = texts[shape.rows].T.copy()
        if date_format.per_second:
            value = _number(digits, shape.found.span("epoch")) // date_format.per_second
            key[shape.rows], past[shape.rows] = value // 3600, value % 3600
            good[shape.rows] = (value >= starts.EARLIEST) & (value < starts.LATEST)
        else:
            key[shape.rows], past[shape.rows], good[shape.rows] = _clock(digits, shape, zones)
    if not good.any():
        return begin, begin, good
    keys, which = distinct(np.where(good, key, key[good.argmax()]))
    if date_format.per_second:
        hours: list[int | None] = (keys * 3600).tolist()
    else:
        # Each hour is read from one of the texts that have it.
        model = np.zeros(len(keys), np.int64)
        model[which[good]] = np.flatnonzero(good)
        hours = [
            _hour_of(bytes(buffer[begin[row] : begin[row] + length[row]]).decode(), date_format, zone)
            for row in model.tolist()
        ]
    firsts = np.array([hour or 0 for hour in hours], np.int64)
    known = np.array([hour is not None for hour in hours])
    start = firsts[which] + past
    return start, _months(start, firsts, which, book), good & known[which]


def _shapes(texts: Bytes, length: Ints, sure: Mask, date_format: Format) -> list[_Shape]:
    """The shapes that the format reads; ``texts`` has one row of ``_WIDEST`` bytes per text."""
    if not len(texts):
        return []
    plain = np.where(texts - np.uint8(48) <= 9, np.uint8(48), texts).view(np.uint64)
    if (plain == plain[0]).all():
        firsts, which = np.zeros(1, np.int64), np.zeros(len(plain), np.int64)
    else:
        firsts, which = words.distinct(plain.view(f"S{_WIDEST}")[:, 0])
    found = []
    for number, first in enumerate(firsts.tolist()):
        text = plain[first].tobytes().rstrip(b"\0").decode("latin-1")
        fits = next((fits for each in date_format.expressions if (fits := each.fullmatch(text))), None)
        if fits and text.isascii():
            # A text that ends with NULs, or is longer than its window, has another length than its shape.
            found.append(_Shape(text, np.flatnonzero((which == number) & sure & (length == len(text))), fits))
            if len(found) == _MOST_SHAPES:
                break
    return found


def _clock(digits: Bytes, shape: _Shape, zones: dict[str, int]) -> tuple[Ints, Ints, Mask]:
    """A number for the hour of each row, the seconds past that hour, and which rows have possible numbers.

    ``zones``: the zones in shapes, numbered; the others are added.
    """
    span, noon = shape.found.span, shape.found["a"]
    year, day, hour, minute = (_number(digits, span(name)) for name in ("y", "d", "H", "m"))
    name = shape.found["M"].upper()
    month = np.full(len(year), MONTHS[name]) if name in MONTHS else _number(digits, span("M"))
    second = _number(digits, span("s")) if shape.found["s"] else np.zeros(len(year), np.int64)
    good: Mask = (month < 13) & (day < 32) & (hour < 24) & (minute < 60) & (second < 60)
    if noon:
        good &= (hour >= 1) & (hour <= 12)
        hour = hour % 12 + (12 if noon[0] in "Pp" else 0)
    zone = zones.setdefault(shape.found["zone"] or "", len(zones))
    offset = _number(digits, span("zone")) if shape.found["zone"] else 0
    # An hour of one zone is one number; hours of a month are close together.
    key = (((year << 4) + month << 5) + day << 5) + hour + (zone + _MOST_SHAPES * offset << 28)
    return key, minute * 60 + second, good


def _number(digits: Bytes, span: tuple[int, int]) -> Ints:
    """The number that the digits in some columns of a shape are; bytes that are no digits are left out."""
    value = np.zeros(digits.shape[1], np.int64)
    for column in digits[slice(*span)]:
        if len(column) and 48 <= column[0] <= 57:
            value = value * 10 + (column - np.uint8(48))
    return value


@lru_cache(maxsize=1 << 12)
def _hour_of(text: str, date_format: Format, zone: str) -> int | None:
    """The first instant of the hour of a text that the format reads; None: see ``starts.hour_start``."""
    found = next(found for each in date_format.expressions if (found := each.fullmatch(text)))
    return starts.hour_start(list(found.group(*GROUPS[:-2])), periods.calendar(zone))
