"""The CSV of a deck file -> deck lines, and everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from chalicelib.money import MAX_FEE, MAX_RATE, parse_amount, parse_rate
from chalicelib.numbers import home_countries
from chalicelib.rating.decks.deck import NUMBER, PREFIX, SHORT_DIGITS, DeckLine

MAX_INCREMENT = 3600
"""Seconds, of ``initial`` and ``increment``."""
MAX_DESTINATION = 200
"""Characters of a destination."""
SHOWN_VALUE = 100
"""Characters of a wrong value that are listed."""
REQUIRED = ("prefix", "destination", "rate_per_minute", "initial", "increment")
OPTIONAL = ("connect_fee", "match", "home")

_PREFIX = re.compile(r"\+?([1-9][0-9]{0,14})", re.ASCII)
_NUMBER = re.compile(rf"[0-9]{{1,{SHORT_DIGITS}}}|\+?([1-9][0-9]{{{SHORT_DIGITS},14}})", re.ASCII)
_SHORT_NUMBER = re.compile(r"[2-9]11|1[01][0-9]|1[5789]|118[0-9]{1,3}|988|999", re.ASCII)
_SERVICE = re.compile(
    r"emergen|urgen[ct]|notruf|polic|\bsos\b|\bsamu\b|psap|e-?911|\bfire\b|ambulan|crisis|suicid|hot ?line|lifeline|"
    r"directory|enquir|inquir|\binfo|auskunft|renseign|repair|community|^\W*[0-9]{2,6}\W*$",
    re.I,
)
_BETWEEN_HOMES = re.compile(r"[\s|]+")
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadLine(NamedTuple):
    """An error in a line; ``field`` is the column, and the subject of the sentence ``message`` ("must be ...").

    ``code`` names the kind of error (``docs/decks.md`` lists them). ``value`` is the beginning of the text that is
    wrong; empty where no text is.
    """

    line: int
    field: str
    message: str
    code: str
    value: str = ""


def bad_line(line: int, field: str, message: str, code: str, value: str = "") -> BadLine:
    """A ``BadLine`` whose value is cut to ``SHOWN_VALUE`` characters."""
    return BadLine(line, field, message, code, value[:SHOWN_VALUE])


def bad_width(line: int, fields: Sequence[str], width: int) -> BadLine:
    """The error of a row that has more or fewer cells than the first row, which has ``width``."""
    remedy = "quote cells that hold the delimiter" if fields else "its quotes or its encoding are broken"
    message = f"has {len(fields)} columns where the first row has {width}; {remedy}"
    return bad_line(line, "", message, "bad_width", ",".join(fields))


class _Wrong(NamedTuple):
    """What is wrong with a cell of a line: as in ``BadLine``."""

    field: str
    message: str
    code: str
    value: str


def parse_deck(records: Iterable[tuple[int, Sequence[str]]]) -> tuple[list[DeckLine], list[BadLine]]:
    """``(line number, fields)`` of each record, the header first -> the good lines in file order, and all errors.

    A deck with one error is refused whole. The columns may have any order; those of ``OPTIONAL`` may be missing or
    blank. ``docs/decks.md`` defines them all.
    """
    rows = iter(records)
    header = next(rows, None)
    if header is None:
        return [], [BadLine(1, "prefix", "is missing: the file has no lines", "empty_file")]
    names = [name.strip().lower() for name in header[1]]
    bad = list(_header_problems(header[0], names))
    if bad:
        return [], bad
    places = {name: names.index(name) for name in names}
    lines: list[DeckLine] = []
    first_seen: dict[str | tuple[str, str], int] = {}
    for number, fields in rows:
        if len(fields) != len(names):
            bad.append(bad_width(number, fields, len(names)))
            continue
        parsed = _parse_line(fields, places)
        if isinstance(parsed, DeckLine):
            earlier = sorted({first_seen.setdefault(key, number) for key in _keys(parsed)} - {number})
            for first in earlier:
                message = f"{parsed.prefix} is already on line {first}; leave one of them out"
                bad.append(BadLine(number, "prefix", message, "two_prices", parsed.prefix))
            if not earlier:
                lines.append(parsed)
        else:
            bad.extend(bad_line(number, *wrong) for wrong in parsed)
    if not lines and not bad:
        bad.append(BadLine(header[0], "prefix", "is missing: the deck has no lines under its header", "empty_file"))
    return lines, bad


def _header_problems(line: int, names: Sequence[str]) -> Iterator[BadLine]:
    for name in REQUIRED:
        if name not in names:
            yield BadLine(line, name, "is missing from the header", "no_column", name)
    for place, name in enumerate(names):
        if name not in REQUIRED + OPTIONAL:
            # Not ignored: with a misspelt fee column, fees would silently be 0.
            message = f"is not a column of a deck; they are {', '.join(REQUIRED + OPTIONAL)}"
            yield bad_line(line, name, message, "extra_column", name)
        elif name in names[:place]:
            yield BadLine(line, name, "stands twice in the header", "no_column", name)


def _keys(line: DeckLine) -> Sequence[str | tuple[str, str]]:
    """What no other line of the deck may have: the prefix, or the number with each home country ("" for all)."""
    return [line.prefix] if line.match == PREFIX else [(line.prefix, home) for home in line.homes or ("",)]


def _parse_line(fields: Sequence[str], places: dict[str, int]) -> DeckLine | list[_Wrong]:
    """The fields of a line, and the place of each column -> the deck line, or each error."""
    values: dict[str, Any] = {}
    wrong: list[_Wrong] = []
    for column, read in _READERS.items():
        if column == "prefix" and values.get("match") == NUMBER:
            read = number_of
        try:
            values[column] = read(fields[places[column]].strip() if column in places else "")
        except ValueError as problem:
            wrong.append(_Wrong(column, str(problem), f"bad_{column}", fields[places[column]].strip()))
    if wrong:
        return wrong
    match, prefix, destination, rate_e10, fee_e8, initial, increment, homes = values.values()
    if match == PREFIX:
        if homes:
            return [home_of_prefix(homes)]
        if is_service(prefix, destination):
            return [prefix_of_service(prefix)]
    return DeckLine(prefix, destination, rate_e10, initial, increment, fee_e8, match, homes)


def home_of_prefix(homes: Sequence[str]) -> _Wrong:
    """The error of a line for a prefix that names home countries."""
    return _Wrong("home", "is only for lines whose match is number", "bad_home", "|".join(homes))


def prefix_of_service(prefix: str) -> _Wrong:
    """The error of a line for a prefix of which ``is_service`` is true."""
    message = f"must be number: as a prefix, {prefix} prices the numbers abroad that begin with it"
    return _Wrong("match", message, "short_number", prefix)


def is_service(prefix: str, destination: str) -> bool:
    """Whether the digits are those of a well-known short number and the destination says so (911, emergency)."""
    return bool(_SHORT_NUMBER.fullmatch(prefix) and _SERVICE.search(destination))


def match_of(text: str) -> str:
    match = text.lower() or PREFIX
    if match not in (PREFIX, NUMBER):
        raise ValueError(f"must be {PREFIX}, {NUMBER} or empty")
    return match


def _prefix(text: str) -> str:
    match = _PREFIX.fullmatch(text)
    if not match:
        raise ValueError("must be 1 to 15 digits without a leading 0, such as 1305")
    return match.group(1)


def number_of(text: str) -> str:
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ValueError(
            f"must be up to {SHORT_DIGITS} digits as they are dialled, such as 411, or a number with its calling code"
        )
    return match.group(1) or text


@lru_cache(maxsize=1024)
def homes_of(text: str) -> tuple[str, ...]:
    homes = tuple(sorted({home.upper() for home in _BETWEEN_HOMES.split(text) if home}))
    unknown = [home for home in homes if home not in home_countries()]
    if unknown:
        raise ValueError(f"must be ISO codes of countries, such as CA|US; {unknown[0]} is none")
    return homes


def destination_of(text: str) -> str:
    destination = " ".join(text.split())
    if len(destination) > MAX_DESTINATION or _CONTROL.search(destination):
        raise ValueError(f"must be text of at most {MAX_DESTINATION} characters")
    return destination


def _rate(text: str) -> int:
    return within(parse_rate(text), MAX_RATE)


def _fee(text: str) -> int:
    return within(parse_amount(text), MAX_FEE) if text else 0


def within(value: int, limit: int) -> int:
    if not 0 <= value <= limit:
        raise ValueError("must be 0 to 1000")
    return value


def seconds_of(text: str) -> int:
    if not _SECONDS.fullmatch(text) or not 1 <= int(text) <= MAX_INCREMENT:
        raise ValueError(f"must be whole seconds, 1 to {MAX_INCREMENT}")
    return int(text)


_READERS: dict[str, Callable[[str], str | int | tuple[str, ...]]] = {
    "match": match_of,
    "prefix": _prefix,
    "destination": destination_of,
    "rate_per_minute": _rate,
    "connect_fee": _fee,
    "initial": seconds_of,
    "increment": seconds_of,
    "home": homes_of,
}
"""By column what reads its text and raises ``ValueError``, in the order in which the errors of a line are listed.

``prefix`` comes after ``match``, which decides how it is read.
"""
