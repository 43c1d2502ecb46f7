"""How the cells of a carrier's columns are written -> parts of a deck format, or a question where two fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.numbers import country_prefixes
from chalicelib.rating.decks import cells

DATE_FORMATS = (
    "y-M-d",
    "y/M/d",
    "y.M.d",
    "yyyyMMdd",
    "d/M/y",
    "M/d/y",
    "d.M.y",
    "d-M-y",
    "M-d-y",
    "d-MMM-y",
    "d MMM y",
)
_EITHER = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_DASHED = re.compile(r"([0-9]+)\s*-\s*([0-9]+)", re.ASCII)


class Question(NamedTuple):
    """What only a person can decide. ``choices``: parts of a format; each answers the question (may be empty)."""

    code: str
    message: str
    choices: list[dict[str, Any]]


Found = dict[str, Any] | Question | None
"""Parts of a format, a question about them, or nothing to say."""


def decimal_of(prices: Sequence[str]) -> Found:
    """The cells of prices and fees -> ``decimal``."""
    signs = {sign for text in prices for sign in ".," if sign in text}
    last = {text[max(text.rfind("."), text.rfind(","))] for text in prices if "." in text and "," in text}
    if len(last) == 1:
        return {"decimal": last.pop()}
    written = [text for text in prices if "." in text or "," in text]
    if len(signs) == 1 and all(map(_EITHER.fullmatch, written)):
        sign = signs.pop()
        message = f"{written[0]} may have the decimal sign {sign}, or {sign} between thousands"
        return Question("decimal", message, [{"decimal": sign}, {"decimal": "," if sign == "." else "."}])
    commas = sum("," in text for text in written)
    return {"decimal": "," if 2 * commas > len(written) else "."}


def dash_of(prefixes: Sequence[str]) -> Found:
    """The cells of prefixes -> ``dash``."""
    pairs = [match.groups() for text in prefixes if (match := _DASHED.search(text))]
    ranges = [len(first) == len(last) and first < last for first, last in pairs]
    codes = country_prefixes()
    joined = [first in codes for first, _ in pairs]
    if pairs and all(ranges) and all(joined):
        message = f"{'-'.join(pairs[0])} may be a range of prefixes, or one prefix written with a dash"
        return Question("dash", message, [{"dash": "range"}, {"dash": "join"}])
    return {"dash": "join" if all(joined) else "range"} if pairs else None


def cut_of(prefixes: Sequence[str]) -> Found:
    """The cells of prefixes -> ``prefix_cut``, where all of them begin with an international dialling prefix."""
    parts = [part for text in prefixes for part in cells.parts_of(text)]
    # No calling code begins with 0.
    return next(({"prefix_cut": cut} for cut in ("011", "00") if all(part.startswith(cut) for part in parts)), None)


def blanks_of(prefixes: Sequence[str]) -> Found:
    """The cells of prefixes -> ``blank``: what ``44 20`` is. All begin with a plus sign: one number each."""
    written = [text for text in prefixes if any(sign.isspace() for part in cells.parts_of(text) for sign in part)]
    if not written:
        return None
    if all(part.startswith("+") and part.count("+") == 1 for text in prefixes for part in cells.parts_of(text)):
        return {"blank": "join"}
    message = f"{written[0]} may be one prefix written with a blank, or a list of prefixes"
    return Question("blank", message, [{"blank": "join"}, {"blank": "list"}])


def dates_of(written: Sequence[str]) -> Found:
    """The cells of dates -> ``date_format``."""
    if not written:
        return None
    readings: dict[tuple[str, ...], str] = {}
    for pattern in DATE_FORMATS:
        if are_dates(written, pattern):
            readings.setdefault(tuple(map(cells.date_reader(pattern), written)), pattern)
    if len(readings) == 1:
        return {"date_format": next(iter(readings.values()))}
    message = f"the dates, such as {written[0]}, fit {' and '.join(readings.values()) or 'no known pattern'}"
    choices: list[dict[str, Any]] = [{"date_format": pattern} for pattern in readings.values()]
    return Question("date_format", f"{message}; declare date_format", choices)


def are_dates(written: Sequence[str], *patterns: str) -> bool:
    """Whether all cells are dates of one of the patterns (none given: of one that is known)."""
    return bool(written) and any(
        all(cells.fits_date(pattern, text) for text in written) for pattern in patterns or DATE_FORMATS
    )
