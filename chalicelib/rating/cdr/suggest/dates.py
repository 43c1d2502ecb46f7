"""Finds the date format of a file: the one pattern by which every date of the sample can be read, or a question."""

from __future__ import annotations

import re
from collections.abc import Collection

from chalicelib import periods
from chalicelib.rating.cdr import starts
from chalicelib.rating.cdr.suggest.found import CERTAIN, LIKELY, Evidence, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid
from chalicelib.rating.cdr.suggest.titles import bare

_SAMPLE = 12
_DATED = re.compile(r"(?=(?:\D*\d){8})(?=.*(?:\d[:]\d\d|\d{6}))[\dA-Za-z:/.,+\- ]{12,40}", re.ASCII)
_DAY = re.compile(r"\d{1,4}[-/. ](?:\d{1,2}|[A-Za-z]{3})[-/. ]\d{1,4}|(?:19|20)\d{6}", re.ASCII)
_TIME = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?", re.ASCII)
_EPOCH = re.compile(r"(?:9[5-9]|1\d\d)\d{7,8}(?:\d{3})?|1\d{9}(?:\d{3})?", re.ASCII)
"""Seconds or milliseconds from 2000 to 2033: greater ones may be numbers of North America."""


def is_date(text: str) -> bool:
    """Whether a text is spelled like a date with a time, or like an epoch, in any format."""
    return bool(_EPOCH.fullmatch(text)) or (bool(_DATED.fullmatch(text)) and not text.isdigit()) or _is_run(text)


def _is_run(text: str) -> bool:
    """``20171104153000``, which is too long for a telephone number of today's form."""
    return len(text) == 14 and text.isdigit() and text[:2] in ("19", "20")


def are_dates(texts: list[str]) -> bool:
    """Whether most texts of a column are dates in formats that Forfait knows."""
    some = [text for text in dict.fromkeys(texts) if text][:_SAMPLE]
    likely = [text for text in some if is_date(text)]
    if len(likely) * 10 < len(some) * 9 or not likely:
        return False
    return len(starts.candidates(enumerate(likely)).unread) * 10 <= len(likely)


def instants(texts: list[str]) -> list[int]:
    """What a column is compared by with another column of dates; 0 for a text that cannot be read."""
    some = [text for text in dict.fromkeys(texts) if text][:_SAMPLE]
    fitting = starts.candidates(enumerate(some)).fitting
    if not fitting:
        return [0] * len(texts)
    read = starts.reader(fitting[0], periods.calendar("UTC"))

    def instant(text: str) -> int:
        try:
            return read(text)
        except ValueError:
            return 0

    return [instant(text) for text in texts]


def date_and_time(grid: Grid, titles: Collection[str]) -> tuple[int, int] | None:
    """The column of the dates and that of the times, where starts are in two columns; None if it is not sure.

    ``titles``: in ``bare`` form, of one of which each of them has, in a file with a header.
    """
    some = [n for n in range(grid.width) if grid.titles is None or bare(grid.titles[n]) in titles]
    columns = {n: grid.column(n) for n in some}
    days = [n for n, texts in columns.items() if all(map(_DAY.fullmatch, texts))]
    times = [n for n, texts in columns.items() if all(map(_TIME.fullmatch, texts))]
    if len(days) != 1 or len(times) != 1:
        return None
    return (days[0], times[0]) if are_dates(joined(columns[days[0]], columns[times[0]])) else None


def joined(days: list[str], times: list[str]) -> list[str]:
    """Dates and times as they are read together."""
    return [f"{day} {time}" for day, time in zip(days, times, strict=True)]


def date_format(grid: Grid, starts_of: list[str], found: Suggestion) -> None:
    """Declare the date format of the starts of the rows, or ask for it; a file in ISO dates needs none."""
    read = [(row.line, text) for row, text in zip(grid.rows, starts_of, strict=True)]
    ways = starts.candidates(read)
    shown = dict(read)
    if not ways.fitting:
        lines = sorted({*ways.unread, *ways.excluded.values()})
        code = "date_format" if ways.excluded else "no_date_format"
        found.ask(code, "date_format", sorted(ways.excluded), lines, example=shown.get(lines[0], "") if lines else "")
        return
    if ways.choice is None:
        lines = [ways.disagree] if ways.disagree else [line for line, text in read if text]
        found.ask("date_format", "date_format", list(ways.fitting), lines, example=shown.get(lines[0], ""))
        return
    confidence = LIKELY if ways.unread else CERTAIN
    if ways.choice == "auto":
        found.confidence["date_format"] = confidence
        return
    found.say("date_format", ways.choice, confidence)
    if ways.evidence:
        found.evidence.append(Evidence("date_format", ways.evidence, shown[ways.evidence]))
