"""Date formats: the text of a ``date_format`` -> the regular expressions that read it.

A format is ``auto`` (the year first, as ISO 8601 writes it), ``epoch_s``, ``epoch_ms``, or a pattern of some of CLDR's
letters. ``docs/cdr-formats.md`` has the table of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

AUTO, EPOCH_S, EPOCH_MS = "auto", "epoch_s", "epoch_ms"
GROUPS = ("y", "M", "d", "H", "a", "zone", "m", "s")
"""The parts of a text, in the order in which the groups of a format's expression are asked for."""
_ABBREVIATIONS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONTHS = {name: n for n, name in enumerate(_ABBREVIATIONS, 1)}
UTC = ("Z", "UTC", "GMT")
"""The zones that have a name; others are offsets."""
_LETTERS = {"y": "the year", "M": "the month", "d": "the day", "m": "the minutes"}
_NAME = "(?i:" + "|".join(MONTHS) + ")"
_NOON = r"[AaPp]\.?[Mm]\.?"
_ZONE = r"[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?"
_NUMBERS = "yMdHhmsS"
_TOKEN = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*| +|[^A-Za-z' ]|'")


class Format(NamedTuple):
    """``expressions``: a text is read by the first that fits all of it. Their groups are ``GROUPS``, or ``epoch``."""

    name: str
    expressions: tuple[re.Pattern[str], ...]
    per_second: int = 0
    """Units of an epoch in a second; 0 for a format that is no epoch."""


def checked(date_format: str) -> str:
    """The format itself; ``ValueError`` with a sentence for one that is no format."""
    compiled(date_format)
    return date_format


@lru_cache(maxsize=1024)
def compiled(date_format: str) -> Format:
    """A format as regular expressions. ``ValueError`` for a pattern without a part, or with letters not known here."""
    if date_format == AUTO:
        ends = rf"(?: ?(?P<zone>{_ZONE}))?(?P<a>(?!))?"
        day = r"(?P<y>\d{4})(?P<between>[-/])(?P<M>\d\d?)(?P=between)(?P<d>\d\d?)(?:[Tt]| +)"
        clock = r"(?P<H>\d\d?):(?P<m>\d\d)(?::(?P<s>\d\d)(?:[.,]\d+)?)?"
        compact = r"(?P<y>\d{4})(?P<M>\d\d)(?P<d>\d\d)[-Tt ](?P<H>\d\d)(?P<m>\d\d)(?P<s>\d\d)(?:[.,]\d+)?"
        return Format(AUTO, tuple(re.compile(text + ends, re.ASCII) for text in (day + clock, compact)))
    if date_format in (EPOCH_S, EPOCH_MS):
        expression = re.compile(r"(?P<epoch>\d{1,14})(?:\.\d+)?", re.ASCII)
        return Format(date_format, (expression,), 1 if date_format == EPOCH_S else 1000)
    return Format(date_format, (re.compile(_expression(date_format), re.ASCII),))


def _expression(pattern: str) -> str:
    """A pattern as the text of a regular expression."""
    tokens = [found[0] for found in _TOKEN.finditer(pattern)]
    letters = [token[0] for token in tokens if token[0].isalpha()]
    for letter, what in _LETTERS.items():
        if letter not in letters:
            raise ValueError(f"lacks {what} ({letter})")
    if ("H" in letters) == ("h" in letters) or ("h" in letters) != ("a" in letters):
        raise ValueError("needs the hour: H, or h and a (AM or PM)")
    if "S" in letters and "s" not in letters:
        raise ValueError("has fractions (S) without seconds (s)")
    zones = [letter for letter in letters if letter in "XxZz"]
    if len(set(letters)) < len(letters) or len(zones) > 1:
        raise ValueError("has one part twice")
    missing = "".join(rf"(?P<{name}>(?!))?" for name in ("s", "a") if name not in letters)
    missing += "" if zones else r"(?P<zone>(?!))?"
    parts = [_part(tokens, place) for place in range(len(tokens))]
    return "".join(parts) + missing


def _part(tokens: list[str], place: int) -> str:
    """One token of a pattern as a part of the expression."""
    token = tokens[place]
    letter, count = token[0], len(token)
    if letter == " ":
        return " +"
    if letter == "'":
        text = token[1:-1].replace("''", "'") if count > 2 else "'" * (count - 1)
        if count == 1:
            raise ValueError("has a quote (') without its end")
        if text.upper() in UTC:
            raise ValueError(f"has {token} in quotes, which would be ignored: write X, which reads a zone")
        if any(character.isdigit() for character in text):
            raise ValueError("has digits in quotes")
        return re.escape(text)
    if not letter.isalpha():
        if letter.isdigit():
            raise ValueError("has a digit; a pattern has letters for the numbers, such as d/M/y H:m:s")
        return re.escape(letter)
    if letter in "XxZz" and count <= 5:
        return rf"(?P<zone>{_ZONE})"
    if letter == "a" and count == 1:
        return rf"(?P<a>{_NOON})"
    if token == "MMM":
        return rf"(?P<M>{_NAME})"
    if letter == "S":
        if place + 1 < len(tokens) and tokens[place + 1][0] in _NUMBERS:
            raise ValueError("has a number right behind fractions (S), whose digits are not counted")
        return r"\d+"
    if token in ("y", "yy", "yyyy"):
        return rf"(?P<y>\d{{{2 if count == 2 else 4}}})"
    if letter in "MdHhms" and count <= 2:
        touching = any(
            0 <= near < len(tokens) and tokens[near][0] in _NUMBERS and tokens[near] != "MMM"
            for near in (place - 1, place + 1)
        )
        if touching and count == 1:
            raise ValueError(f"has {letter} beside another number: write {letter * 2}, for two digits")
        return rf"(?P<{letter.upper() if letter == 'h' else letter}>\d{'' if touching else '?'}\d)"
    raise ValueError(
        f"has {token}, which is not read here: use y yy yyyy M MM MMM d dd H HH h hh m mm s ss S a X Z z, "
        "and put text in '...'"
    )
