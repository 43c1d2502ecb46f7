"""Rows of a segment as bytes, some thousand at a time and without a Python string for any of them.

Every column gets a slot as wide as its widest text, and its separator; what a slot has to spare is zeros. No text has a
zero byte in it, so leaving all of them out afterwards closes the gaps. The text is that of ``segments.row_of``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from chalicelib import money, periods
from chalicelib.rating.columns import CODE_TEXTS, DAY_SECONDS, Ints, Strings, Texts
from chalicelib.rating.shared import Shared

_TEN_THOUSAND = 10_000
_MOST_AMOUNT = (2**63 - 1) // 100


@dataclass(frozen=True)
class Rows:
    """Rows of one client and UTC day; ``before`` and ``behind`` stand around the columns of ``shared`` in each.

    ``shared`` is a function of some neighbouring rows, because those texts take more memory than all the rest.
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
    shared: Callable[[slice], Shared]
    before: bytes
    behind: bytes

    def __len__(self) -> int:
        return len(self.start)


def render(rows: Rows, first: int, last: int) -> bytes:
    """Rows ``first`` to ``last`` as CSV."""
    here = slice(first, last)
    hour, past = np.divmod(rows.start[here] % DAY_SECONDS, 3600)
    slots: list[Strings | bytes] = [_day(int(rows.start[first])), _hours()[hour], _past()[past]]
    slots.append(_kinds()[rows.code[here]])
    for text in rows.texts:
        slots += [text[here], b","]
    for number in (rows.seconds, rows.billed, rows.free):
        slots += [*_whole(number[here]), b","]
    for amount in (rows.amount_e8, rows.cost_e8):
        slots += [*_amounts(amount[here]), b","]
    slots += [*_whole(rows.line[here]), rows.before]
    shared = rows.shared(here)
    for column in (shared.package, shared.destination, shared.country, shared.rule):
        slots += [column, b","]
    return _squeezed([*slots, *_rates(shared.rate_e10), rows.behind], last - first)


def _squeezed(slots: list[Strings | bytes], rows: int) -> bytes:
    widths = [len(slot) if isinstance(slot, bytes) else slot.dtype.itemsize for slot in slots]
    table = np.empty(rows, np.dtype([(f"c{n}", f"S{width}") for n, width in enumerate(widths)]))
    for n, slot in enumerate(slots):
        table[f"c{n}"] = slot
    padded = table.view(np.uint8)
    text: bytes = padded[padded != 0].tobytes()
    return text


def _day(start: int) -> bytes:
    return periods.utc_day(start).encode()


@lru_cache(maxsize=1)
def _hours() -> Strings:
    return np.array([f"T{hour:02d}".encode() for hour in range(24)])


@lru_cache(maxsize=1)
def _past() -> Strings:
    return np.array([f":{n // 60:02d}:{n % 60:02d}Z,".encode() for n in range(3600)])


@lru_cache(maxsize=1)
def _kinds() -> Strings:
    return np.array([f"{text},".encode() for text in CODE_TEXTS])


class _Fours(NamedTuple):
    """Texts of 0 to 9999: ``full`` with leading zeros, ``head`` without, ``tail`` without those behind.

    Nothing is left of 0 but in ``last``, which is ``head`` with it.
    """

    full: Strings
    head: Strings
    last: Strings
    tail: Strings


@lru_cache(maxsize=1)
def _fours() -> _Fours:
    full = [f"{n:04d}" for n in range(_TEN_THOUSAND)]
    heads, tails = [text.lstrip("0") for text in full], [text.rstrip("0") for text in full]
    texts = (full, heads, ["0", *heads[1:]], tails)
    return _Fours(*(np.array([text.encode() for text in column], "S4") for column in texts))


@lru_cache(maxsize=1)
def _cents() -> Strings:
    return np.array([f".{n:02d}".encode() for n in range(100)])


def _whole(values: Ints, alone: Strings | None = None) -> list[Strings]:
    """Numbers from 0 on, in slots of four digits; ``alone`` has the texts of the last slot where others are empty."""
    fours = _fours()
    alone = fours.last if alone is None else alone
    high = values // _TEN_THOUSAND
    if not high.any():
        return [alone[values]]
    low = values - high * _TEN_THOUSAND
    return [*_whole(high, fours.head), np.where(high > 0, fours.full[low], alone[low])]


def _amounts(values: Ints) -> list[Strings]:
    """Amounts as ``money.format_amount`` writes them."""
    if len(values) and not 0 <= int(values.min()) <= int(values.max()) <= _MOST_AMOUNT:
        return [np.array([money.format_amount(value).encode() for value in values.tolist()])]
    return _rates(values * 100)


def _rates(values: Ints) -> list[Strings]:
    """Rates from 0 on as ``money.format_rate`` writes them: two decimals, and as many more as there are."""
    fours = _fours()
    high = values // 10**8
    decimals = values - high * 10**8
    whole = high // 100
    first = decimals // _TEN_THOUSAND
    last = decimals - first * _TEN_THOUSAND
    middle = np.where(last > 0, fours.full[first], fours.tail[first])
    return [*_whole(whole), _cents()[high - whole * 100], middle, fours.tail[last]]
