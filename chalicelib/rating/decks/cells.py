"""The cells of a carrier's deck: prefixes in lists and ranges, prices, increments, dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from chalicelib.money import AMOUNT_PLACES, MAX_FEE, MAX_RATE, RATE_PLACES, parse_decimal
from chalicelib.rating.decks.deck import DIGITS
from chalicelib.rating.decks.formats import DeckFormat
from chalicelib.rating.decks.parse import number_of, seconds_of, within

MOST_OF_A_RANGE = 10_000
"""Prefixes of one range."""
_LIST = re.compile(r"\s*[,;|/]\s*")
_BLANK = re.compile(r"(?<=[0-9])\s+(?=\+?[0-9])")
_DASH = re.compile(r"\s*[-\u2010-\u2014]\s*")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_UNIT = r"\s*(s|secs?|seconds?|mins?|minutes?|sek|minuten?|secondes?|segundos?|minutos?|)"
_INCREMENTS = re.compile(rf"([0-9]{{1,4}}){_UNIT}(?:\s*[/:+-]\s*([0-9]{{1,4}}){_UNIT})?", re.ASCII | re.I)
_SIGNS = "$€£¥₹"
_GROUPS = {
    ".": re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?", re.ASCII),
    ",": re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?", re.ASCII),
}
_WHOLE = 4
"""Digits before the decimal sign of a price that is not too high."""
_LETTERS = re.compile(r"y+|M+|d+|[^yMd]+")
_TIME = r"(?:[ T][0-9:.]{4,12}(?: ?[AP]M)?Z?)?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Wrong(NamedTuple):
    """What is wrong with a cell: the end of a sentence that begins with the column, and the cell."""

    message: str
    text: str


def rate_reader(form: DeckFormat) -> Callable[[str], int]:
    """A function from the text of a price to ``_e10`` per minute; it raises ``ValueError``."""
    places = RATE_PLACES - len(str(form.price_unit)) + 1
    if form.price_per == "hour":
        return lambda text: within(_of_an_hour(_decimal(text, form.decimal, places)), MAX_RATE)
    times = 60 if form.price_per == "second" else 1
    return lambda text: within(_decimal(text, form.decimal, places) * times, MAX_RATE)


def _of_an_hour(rate_e10: int) -> int:
    if rate_e10 % 60:
        raise ValueError(f"of an hour has no exact price of a minute with {RATE_PLACES} decimals; ask for such prices")
    return rate_e10 // 60


def without_currency(text: str) -> str:
    """The text of a price without one currency sign before or behind it."""
    if text[:1] in _SIGNS:
        return text[1:].lstrip()
    return text[:-1].rstrip() if text[-1:] in _SIGNS else text


def currency_signs(texts: Iterable[str]) -> set[str]:
    """The currency signs that the texts of prices have."""
    return {sign for text in texts for sign in _SIGNS if sign in text}


def fee_reader(form: DeckFormat) -> Callable[[str], int]:
    """A function from the text of a fee per call, in the unit of prices, to ``_e8``; blank: 0."""
    places = AMOUNT_PLACES - len(str(form.price_unit)) + 1
    return lambda text: within(_decimal(text, form.decimal, places), MAX_FEE) if text else 0


def _decimal(text: str, decimal: str, places: int) -> int:
    """``text`` x 10**places, exactly; ``decimal`` is its decimal sign."""
    whole, sign, fraction = text.partition(decimal)
    # What nearly all cells hold.
    digits = whole + fraction
    short = len(whole) <= _WHOLE and len(fraction) <= places
    if short and digits.isdigit() and digits.isascii() and bool(sign) == bool(fraction):
        return int(digits.ljust(len(whole) + places, "0"))
    plain = text = without_currency(text)
    other = "," if decimal == "." else "."
    if other in text:
        if not _GROUPS[decimal].fullmatch(text):
            raise ValueError(f"must be a number with the decimal sign {decimal} of the format; declare decimal {other}")
        plain = text.replace(other, "")
    plain = plain.replace(",", ".")
    try:
        return parse_decimal("0" + plain if plain.startswith(".") else plain, places)
    except ValueError as problem:
        raise ValueError(str(problem).replace("0.012", f"0{decimal}012") + ", without words") from None


def seconds_reader(default: str) -> Callable[[int], Callable[[str], int]]:
    """0 or 1 -> a function from the text of increments (``60/60``, ``60``) to initial or following seconds."""

    def reader(part: int) -> Callable[[str], int]:
        def read(text: str) -> int:
            match = _INCREMENTS.fullmatch(text or default)
            # Of 1/6 min it is not clear whether both are minutes.
            if not match or (match[3] and (match[2] or _in_minutes(match[4])) and not (match[2] and match[4])):
                message = "must be seconds, such as 60/60 or 60, or 1 min/6 s with the unit of both"
                raise ValueError(f"{message}; declare increments for files without them")
            number, unit = match.group(3, 4) if part and match[3] else match.group(1, 2)
            return seconds_of(str(int(number) * 60) if _in_minutes(unit) else number)

        return read

    return reader


def _in_minutes(unit: str | None) -> bool:
    return unit is not None and unit[:1].lower() == "m"


def date_reader(pattern: str) -> Callable[[str], str]:
    """A function from the text of a date to an ISO date; blank: "", which is before all dates."""
    read = _date_pattern(pattern)

    def iso(text: str) -> str:
        match = read.fullmatch(text)
        if not text:
            return ""
        if not match:
            raise ValueError(f"must be a date as {pattern}; declare date_format")
        parts = match.groupdict()
        month = parts["M"].lower()[:3]
        year = int(parts["y"])
        try:
            return date(
                year if year > 99 else 2000 + year if year < 69 else 1900 + year,
                _MONTHS.index(month) + 1 if month in _MONTHS else int(month),
                int(parts["d"]),
            ).isoformat()
        except ValueError:
            raise ValueError(f"must be a date of the calendar as {pattern}; declare date_format") from None

    return iso


def fits_date(pattern: str, text: str) -> bool:
    """Whether a text is a date of this pattern."""
    try:
        return bool(date_reader(pattern)(text))
    except ValueError:
        return False


@cache
def _date_pattern(pattern: str) -> re.Pattern[str]:
    """Letters of CLDR (``d/M/y``, ``yyyyMMdd``, ``d-MMM-yy``) -> a regex with groups d, M and y.

    Raises ``ValueError`` for a pattern that does not have each of the three once.
    """
    parts = _LETTERS.findall(pattern)
    letters = [part[0] for part in parts if part[0] in "yMd"]
    if sorted(letters) != ["M", "d", "y"]:
        raise ValueError("must have y, M and d once each, such as d/M/y")
    packed = len(parts) == len(letters)
    written = ""
    for part in parts:
        if part[0] not in "yMd":
            written += re.escape(part)
        elif part.startswith("MMM"):
            written += r"(?P<M>[A-Za-z]{3,9})"
        elif packed:
            written += rf"(?P<{part[0]}>[0-9]{{{len(part)}}})"
        else:
            written += rf"(?P<{part[0]}>[0-9]{{{'2,4' if part[0] == 'y' else '1,2'}}})"
    return re.compile(written + _TIME, re.ASCII)


def check_date_pattern(pattern: str) -> str:
    """The pattern; ``ValueError`` if it is none."""
    _date_pattern(pattern)
    return pattern


def numbers(text: str) -> Sequence[str]:
    """The number of a number line."""
    return (number_of(text),)


def calling_code(text: str) -> str:
    """A cell with a calling code -> its digits."""
    digits = text.removeprefix("+")
    if not _DIGITS.fullmatch(digits) or digits[0] == "0":
        raise ValueError("must have a calling code such as 44 beside it")
    return digits


def parts_of(text: str) -> list[str]:
    """A cell of prefixes -> the parts of its list, in which dashes and blanks may stand."""
    return _LIST.split(text)


def prefixes(text: str, form: DeckFormat, before: str) -> list[str]:
    """A cell with a prefix, a list (``4479,4480``) or ranges (``4479-4481``) -> its prefixes, with ``before`` first.

    Dashes, blanks and digits to cut are read as the format says. A blank cell is ``before`` alone.
    """
    found: list[str] = []
    if form.blank:
        text = _BLANK.sub("" if form.blank == "join" else ",", text)
    for part in _LIST.split(text) if text else [""]:
        ends = [_cut(end, form.prefix_cut) for end in _DASH.split(part)] if form.dash == "range" else [part]
        if len(ends) == 2:
            found += (before + digits for digits in _range(*ends))
        else:
            whole = part if form.dash == "range" else _DASH.sub("", part)
            found.append(before + _cut(whole, form.prefix_cut))
    for digits in found:
        if not _DIGITS.fullmatch(digits) or digits[0] == "0" or len(digits) > DIGITS:
            part = "blank" if " " in digits else "prefix_cut" if digits[:1] == "0" else ""
            raise ValueError(
                "must be 1 to 15 digits without a leading 0, such as 1305, or a list or range of such: "
                "4479,4480 or 4479-4481" + (f"; declare {part} if all lines are written like this" if part else "")
            )
    return found


def _cut(text: str, cut: str) -> str:
    """A prefix without its plus sign and the digits to cut; ``ValueError`` if it does not begin with them."""
    digits = text.removeprefix("+")
    if not digits.startswith(cut):
        raise ValueError(f"must begin with {cut}, the prefix_cut of the format, as the other lines do")
    return digits[len(cut) :]


def _range(first: str, last: str) -> list[str]:
    first, last = first.removeprefix("+"), last.removeprefix("+")
    if not (_DIGITS.fullmatch(first) and _DIGITS.fullmatch(last) and len(first) == len(last) and first <= last):
        raise ValueError("must be a range with as many digits at both ends, such as 4479-4481; or declare dash join")
    if int(last) - int(first) >= MOST_OF_A_RANGE:
        raise ValueError(f"must be a range of at most {MOST_OF_A_RANGE} prefixes")
    return [str(digits).zfill(len(first)) for digits in range(int(first), int(last) + 1)]
