"""Finds how the lengths of calls are spelled: seconds, a clock, or two numbers that only a person can read."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.rating.cdr import spans
from chalicelib.rating.cdr.suggest.found import CERTAIN, Evidence, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid

_MOST_DIGITS = 5
"""Of seconds without a colon: longer numbers are telephone numbers or epochs."""


def seconds_of(text: str) -> int | None:
    """A length -> seconds, two numbers as minutes and seconds; None for another text.

    It shows only which of two lengths that are spelled alike is longer.
    """
    if ":" not in text and len(text) > _MOST_DIGITS:
        return None
    try:
        return spans.read(text, spans.MINUTES)
    except ValueError:
        return None


def is_length(text: str) -> bool:
    """Whether a text is the length of a call in any spelling."""
    return seconds_of(text) is not None


def pairs(some: list[str], others: list[str]) -> list[tuple[int, int]]:
    """The lengths in each row of two columns, for the rows whose two texts are spelled alike."""
    return [
        (one, other)
        for text, more in zip(some, others, strict=True)
        if _is_two(text) == _is_two(more)
        and (one := seconds_of(text)) is not None
        and (other := seconds_of(more)) is not None
    ]


def seconds_format(grid: Grid, places: Collection[int], found: Suggestion) -> None:
    """Declare what two numbers are in the columns that are, or may be, the billable seconds; or ask for it."""
    lines = [row.line for row in grid.rows]
    columns = [list(zip(lines, grid.column(place), strict=True)) for place in places]
    asked = [[one for one in column if _is_open(one[1])] for column in columns]
    settled = [[one for one in column if _is_minutes(one[1])] for column in columns]
    if any(settled) and all(proof or not doubts for proof, doubts in zip(settled, asked, strict=True)):
        found.say("seconds_format", spans.MINUTES, CERTAIN)
        found.evidence.append(Evidence("seconds_format", *next(proof[0] for proof in settled if proof)))
    elif some := [one for doubts in asked for one in doubts]:
        ways = [spans.MINUTES, spans.HOURS]
        found.ask("seconds_format", "seconds_format", ways, sorted({n for n, _ in some}), example=some[0][1])


def _is_open(text: str) -> bool:
    """Whether a text may be minutes and seconds or hours and minutes."""
    try:
        spans.read(text)
    except ValueError as problem:
        return isinstance(problem, spans.Ambiguous)
    return False


def _is_minutes(text: str) -> bool:
    """Whether a text can only be minutes and seconds."""
    return bool(_is_two(text) and not _is_open(text) and seconds_of(text))


def _is_two(text: str) -> bool:
    return text.count(":") == 1
