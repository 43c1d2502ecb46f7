"""The lines of a file of custom rates: good rates, or everything that is wrong; and the file that export writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from chalicelib import dated, money, periods
from chalicelib.accounts import csv_lines
from chalicelib.errors import Invalid, NotFound
from chalicelib.rating.pricing.custom_rates import check_code
from chalicelib.rating.pricing.precedence import CustomRate

COLUMNS = (
    "scope", "code", "rate_per_minute", "pulse", "connection_fee", "minimum_charge", "grace_seconds", "effective_from",
)  # fmt: skip
REQUIRED = COLUMNS[:3]
MOST_LINES = 20_000
MOST_SECONDS = 3600
SHOWN = 40
"""Most characters of a cell in a message."""
_T = TypeVar("_T")


class RateLine(NamedTuple):
    """A line of a file, by its number; ``since`` ``None``: the line has no ``effective_from``."""

    number: int
    rate: CustomRate
    since: int | None


class RateFault(NamedTuple):
    """What is wrong with a line: the column (empty: the whole line), a code, the cell, and what to do."""

    line: int
    column: str
    code: str
    value: str
    message: str


def read(text: str, package_id: str, number_format: str) -> tuple[list[RateLine], list[RateFault]]:
    """The good lines of a file, and what is wrong with the others. ``number_format``: see ``money.plain_number``."""
    lines, bad = csv_lines.read(text, COLUMNS, REQUIRED)
    faults = [RateFault(one.line, one.column, "unreadable", "", one.message) for one in bad]
    if len(lines) > MOST_LINES:
        message = f"the file has {len(lines)} lines, and an import takes {MOST_LINES}: split it"
        return [], [RateFault(lines[MOST_LINES].number, "", "too_many_lines", "", message)]
    good: list[RateLine] = []
    first: dict[str, int] = {}
    for line in lines:
        reader = _Cells(line, number_format)
        rate = reader.rate(package_id)
        faults += reader.faults
        if reader.faults:
            continue
        before = first.setdefault(rate.place, line.number)
        if before != line.number:
            message = f"{rate.scope} {rate.code} is already on line {before}; keep one of them"
            faults.append(RateFault(line.number, "code", "duplicate", rate.code, message))
        else:
            good.append(RateLine(line.number, rate, reader.since))
    return good, sorted(faults)


class _Cells:
    """Reads the cells of one line; ``faults`` has what is wrong with them."""

    def __init__(self, line: csv_lines.Line, number_format: str) -> None:
        self._line, self._format = line, number_format
        self.faults: list[RateFault] = []
        self.since: int | None = None

    def rate(self, package_id: str) -> CustomRate:
        """The rate of the line; it counts only if there are no ``faults``."""
        scope = self._line.cells.get("scope", "").lower()
        code = self._read("code", lambda cell: check_code(scope, cell.lower() if scope == "group" else cell), "")
        rate_e10 = self._read("rate_per_minute", lambda cell: _not_negative(money.parse_rate(self._plain(cell))), 0)
        initial, increment = self._read("pulse", _pulse, (0, 0))
        fee, minimum = (self._read(name, self._fee, None) for name in ("connection_fee", "minimum_charge"))
        grace = self._read("grace_seconds", lambda cell: _seconds(cell, 0), 0)
        self.since = self._read("effective_from", _instant, None)
        for name in REQUIRED:
            if name not in self._line.cells:
                self._add(name, "missing", "is required")
        return CustomRate(package_id, scope, code, 0, 0, rate_e10, initial, increment, fee, minimum, grace)

    def _read(self, column: str, parse: Callable[[str], _T], empty: _T) -> _T:
        cell = self._line.cells.get(column)
        if cell is None:
            return empty
        try:
            return parse(cell)
        except NotFound:
            self._add("scope", "bad_scope", "must be prefix, country or group")
        except (ValueError, Invalid) as problem:
            self._add(column, f"bad_{column}", str(problem))
        return empty

    def _add(self, column: str, code: str, message: str) -> None:
        value = self._line.cells.get(column, "")[:SHOWN]
        self.faults.append(RateFault(self._line.number, column, code, value, message))

    def _plain(self, cell: str) -> str:
        return money.plain_number(cell, self._format)

    def _fee(self, cell: str) -> int | None:
        amount = _not_negative(money.parse_amount(self._plain(cell)))
        if amount > money.MAX_FEE:
            raise ValueError("is too large")
        return amount


def _not_negative(value: int) -> int:
    if value < 0:
        raise ValueError("must be 0 or more")
    return value


def _seconds(cell: str, least: int) -> int:
    if not re.fullmatch("[0-9]{1,4}", cell, re.ASCII) or not least <= int(cell) <= MOST_SECONDS:
        raise ValueError(f"must be whole seconds, {least} to {MOST_SECONDS}")
    return int(cell)


def _pulse(cell: str) -> tuple[int, int]:
    initial, slash, increment = cell.partition("/")
    if not slash:
        raise ValueError("must be two numbers of seconds such as 60/60: the first step, and each one after it")
    return _seconds(initial.strip(), 1), _seconds(increment.strip(), 1)


def _instant(cell: str) -> int:
    instant = periods.parse_instant(cell)
    if not periods.EARLIEST <= instant <= periods.LATEST:
        raise ValueError("must be between 1902 and 2242")
    return instant


def cells(rates: Sequence[CustomRate]) -> Iterator[tuple[object, ...]]:
    """Rates as lines of ``COLUMNS``, which ``read`` reads back."""
    for rate in rates:
        yield (
            rate.scope,
            rate.code,
            money.format_rate(rate.rate_e10 or 0),
            f"{rate.initial}/{rate.increment}" if rate.increment else None,
            None if rate.connection_fee_e8 is None else money.format_amount(rate.connection_fee_e8),
            None if rate.minimum_charge_e8 is None else money.format_amount(rate.minimum_charge_e8),
            rate.grace_seconds,
            None if rate.effective_from == dated.FIRST else periods.format_instant(rate.effective_from),
        )
