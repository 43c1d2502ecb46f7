"""Rated rows as CSV bytes, some thousand at a time and without a Python string for any of them.

Every column gets a slot as wide as its widest text, and its separator; unused bytes of a slot are zero. No text
contains a zero byte, so removing all of them at the end closes the gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from chalicelib import money, periods
from chalicelib.periods import DAY_SECONDS
from chalicelib.rating.engine.columns import CODE_TEXTS, Ints, Strings, Texts
from chalicelib.rating.engine.term_columns import TermColumns

_TEN_THOUSAND = 10_000
_MOST_AMOUNT = (2**63 - 1) // 100


@dataclass(frozen=True)
class RatedRows:
    """Rows of one client and UTC day. In each row the columns of ``shared`` are between ``before`` and ``after``.

    ``shared`` is called for some neighbouring rows at a time, because its texts take more memory than all the rest.
    """

    texts: Texts
    start: Ints
    code: Ints
    seconds: Ints
    billed: Ints
    free: Ints
    amount_e8: Ints
    cost_e8: Ints
    line: Ints
    shared: Callable[[slice], TermColumns]
    before: bytes
    after: bytes

    def __len__(self) -> int:
        return len(self.start)


def render(rows: RatedRows, first: int, last: int) -> bytes:
    """Rows ``first`` to ``last`` as CSV."""
    here, fours = slice(first, last), _fours()
    hour, second = np.divmod(rows.start[here] % DAY_SECONDS, 3600)
    slots: list[Strings | bytes] = [_day(int(rows.start[first])), _hours()[hour], _seconds()[second]]
    slots.append(_kinds()[rows.code[here]])
    for text in rows.texts:
        slots += [text[here], b","]
    for number in (rows.seconds, rows.billed, rows.free):
        slots += _whole(number[here], fours.closed)
    for amount in (rows.amount_e8, rows.cost_e8):
        slots += _amounts(amount[here])
    slots += [*_whole(rows.line[here], fours.whole), rows.before]
    shared = rows.shared(here)
    for column in (shared.package, shared.destination, shared.country, shared.rule):
        slots += [column, b","]
    return _squeezed([*slots, *_decimals(shared.rate_e10, fours.tail), rows.after], last - first)


def _squeezed(slots: list[Strings | bytes], rows: int) -> bytes:
    row = [slot if isinstance(slot, bytes) else bytes(slot.dtype.itemsize) for slot in slots]
    padded = np.frombuffer(bytearray(b"".join(row) * rows), np.uint8)
    table = padded.view(np.dtype([(f"c{n}", f"S{len(text)}") for n, text in enumerate(row)]))
    for n, slot in enumerate(slots):
        if not isinstance(slot, bytes):
            table[f"c{n}"] = slot
    text: bytes = padded[padded != 0].tobytes()
    return text


def _day(start: int) -> bytes:
    return periods.utc_day(start).encode()


@lru_cache(maxsize=1)
def _hours() -> Strings:
    return np.array([f"T{hour:02d}".encode() for hour in range(24)])


@lru_cache(maxsize=1)
def _seconds() -> Strings:
    return np.array([f":{n // 60:02d}:{n % 60:02d}Z,".encode() for n in range(3600)])


@lru_cache(maxsize=1)
def _kinds() -> Strings:
    return np.array([f"{text},".encode() for text in CODE_TEXTS])


class _Fours(NamedTuple):
    """Texts of four digits: first 0 to 9999 without zeros on one side, then 0000 to 9999 with all four digits.

    ``head``, ``whole`` and ``closed`` are without zeros at the beginning, ``middle``, ``tail`` and ``end`` without
    those at the end. 0 is empty, but not in ``whole`` and ``closed``. ``closed`` and ``end`` end with a comma.
    """

    head: Strings
    whole: Strings
    closed: Strings
    middle: Strings
    tail: Strings
    end: Strings


@lru_cache(maxsize=1)
def _fours() -> _Fours:
    full = np.array([b"%04d" % n for n in range(_TEN_THOUSAND)])
    heads, tails = np.strings.lstrip(full, b"0"), np.strings.rstrip(full, b"0")
    head, middle = np.concatenate([heads, full]), np.concatenate([tails, full])
    whole = head.copy()
    whole[0] = b"0"
    return _Fours(head, whole, np.strings.add(whole, b","), middle, tails, np.strings.add(tails, b","))


@lru_cache(maxsize=1)
def _cents() -> Strings:
    return np.array([f".{n:02d}".encode() for n in range(100)])


def _whole(values: Ints, last: Strings) -> list[Strings]:
    """Numbers from 0 on, in slots of four digits; ``last`` has the texts of the last slot."""
    high = values // _TEN_THOUSAND
    if not high.any():
        return [last[values]]
    low = values - high * _TEN_THOUSAND
    return [*_whole(high, _fours().head), last[low + _TEN_THOUSAND * (high > 0)]]


def _amounts(values: Ints) -> list[Strings]:
    """Amounts as ``money.format_amount`` writes them, each with a comma."""
    if len(values) and not 0 <= int(values.min()) <= int(values.max()) <= _MOST_AMOUNT:
        return [np.array([f"{money.format_amount(value)},".encode() for value in values.tolist()])]
    return _decimals(values * 100, _fours().end)


def _decimals(values: Ints, last: Strings) -> list[Strings]:
    """Rates from 0 on as ``money.format_rate`` writes them: two decimals, and more where they are not zero.

    ``last`` has the texts of the last four decimals.
    """
    fours = _fours()
    high = values // 10**8
    decimals = values - high * 10**8
    whole = high // 100
    first = decimals // _TEN_THOUSAND
    rest = decimals - first * _TEN_THOUSAND
    middle = fours.middle[first + _TEN_THOUSAND * (rest > 0)]
    return [*_whole(whole, fours.whole), _cents()[high - whole * 100], middle, last[rest]]
