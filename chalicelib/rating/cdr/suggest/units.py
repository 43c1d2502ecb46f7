"""Finds the unit of lengths that are plain numbers: seconds, milliseconds or minutes, by when calls began and ended."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from chalicelib.rating.cdr.mapping import plain
from chalicelib.rating.cdr.spans import IN_MINUTES, IN_MS, IN_SECONDS
from chalicelib.rating.cdr.suggest import dates
from chalicelib.rating.cdr.suggest.found import CERTAIN, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid
from chalicelib.rating.cdr.suggest.places import Places
from chalicelib.rating.cdr.suggest.titles import bare

_NUMBER = re.compile(r"\d{1,8}(?:\.\d{1,6})?", re.ASCII)
_SECONDS_OF = {IN_SECONDS: 1.0, IN_MS: 0.001, IN_MINUTES: 60.0}
"""Only compared, with a second to spare: no length is made of it."""
_TITLED = (
    (IN_MS, re.compile(r"msecs?$|millis|[a-z](?<!hm)ms$")),
    (IN_MINUTES, re.compile(r"minut|mins?$|^min")),
    (IN_SECONDS, re.compile(r"sec|segundos")),
)
"""How a title in ``bare`` form says the unit."""
_MOST_SECONDS = 10_000
"""A longer call is so rare that its length may be milliseconds."""
_LEAST_MS = 1000
"""If every length is at least so many, they may be milliseconds: else a call of less than a second would be there."""


def is_number(text: str) -> bool:
    """Whether a text can be a length in some unit."""
    return _NUMBER.fullmatch(text) is not None


def unit(grid: Grid, places: Places, fitting: Collection[int], found: Suggestion) -> None:
    """Declare the unit of lengths if it is certain and not seconds; while it is not, no column of lengths is declared.

    ``fitting``: the column of the billable seconds, or those that may be it.
    """
    ways = [(place, some) for place in fitting if (some := _units(grid, place, places.of)) is not None]
    decided = {some.ways[0] for _, some in ways if some.is_certain}
    doubts = [one for _, some in ways if not some.is_certain for one in some.ways]
    if doubts or len(decided) > 1:
        texts = [text for place, _ in ways for text in grid.column(place) if text.strip("0.")]
        asked = list(dict.fromkeys([*doubts, *sorted(decided)]))
        found.ask("unit", "seconds_format", asked, [row.line for row in grid.rows], example=texts[0])
        if "seconds" in places.of:
            found.ask("seconds", "columns.seconds", [str(places.name(places.of.pop("seconds")))])
        places.of.pop("duration", None)
    elif decided - {IN_SECONDS}:
        found.say("seconds_format", decided.pop(), CERTAIN)


class _Units(NamedTuple):
    """The units in which a column can be, the most likely first; if it ``is_certain``, one."""

    ways: list[str]
    is_certain: bool


def _units(grid: Grid, place: int, at: Mapping[str, int]) -> _Units | None:
    """The units of a column of lengths; None if it has no number.

    ``at``: Forfait's columns -> places, with ``start``, ``answer`` and ``end``.
    """
    lengths = [float(text) if is_number(text) else 0.0 for text in grid.column(place)]
    given = [length for length in lengths if length]
    if not given:
        return None
    # A column of this name is read also if no source names it.
    is_ours = grid.titles is not None and plain(grid.titles[place]) == "seconds"
    said, known = _said(grid, place), _measured(grid, lengths, at)
    exact = [one for one in _SECONDS_OF if known and _is_exact(known, one)]
    if exact:
        # Where lengths are so short that two units fit, seconds are what they are written in.
        is_shown = exact[0] == IN_SECONDS or (len(exact) == 1 and len({n for n, *_ in known}) > 1)
        return (
            _Units(exact[:1], True)
            if is_shown and (is_ours or said in (None, exact[0]))
            else _Units([*exact, said or IN_SECONDS], False)
        )
    if is_ours:
        return _Units([IN_SECONDS], True)
    possible = [one for one in _SECONDS_OF if all(n * _SECONDS_OF[one] <= whole + 60 for n, _, whole in known)]
    if any(n > whole + 1 for n, _, whole in known) or any("." in text for text in grid.column(place)):
        # The one unit that is left only fits; that is no proof.
        return _Units([one for one in possible if one != IN_SECONDS] or [IN_MS, IN_MINUTES], False)
    may_be_ms = min(given) >= _LEAST_MS or max(given) >= _MOST_SECONDS
    if said == IN_SECONDS or (said is None and not _as_minutes(known) and not may_be_ms):
        return _Units([IN_SECONDS], True)
    likely = [*([said] if said else []), IN_SECONDS, IN_MS if may_be_ms else IN_MINUTES]
    return _Units(list(dict.fromkeys(likely)), False)


def _said(grid: Grid, place: int) -> str | None:
    """The unit that the title says, or that of another column with the same lengths."""
    if grid.titles is None:
        return None
    same = [n for n in range(grid.width) if grid.column(n) == grid.column(place)]
    for n in (place, *same):
        title = bare(grid.titles[n])
        for one, pattern in _TITLED:
            if pattern.search(title):
                return one
    return None


def _measured(grid: Grid, lengths: list[float], at: Mapping[str, int]) -> list[tuple[float, int | None, int]]:
    """Each length with the seconds from the answer and from the start to the end, where the row has these."""
    if "start" not in at or "end" not in at:
        return []
    texts = [grid.column(at[name]) if name in at else [] for name in ("start", "answer", "end")]
    start, answer, end = (dates.instants(column) for column in texts)
    answer = answer or [0] * len(start)
    return [
        (length, done - reply if reply else None, done - begun)
        for length, begun, reply, done in zip(lengths, start, answer, end, strict=True)
        if length and begun and done
    ]


def _is_exact(known: list[tuple[float, int | None, int]], unit: str) -> bool:
    """Whether all lengths are the seconds from the answer on, or all those of the whole call."""
    seconds = [(n * _SECONDS_OF[unit], talked, whole) for n, talked, whole in known]
    by_answer = all(talked is not None and abs(n - talked) <= 1 for n, talked, _ in seconds)
    return by_answer or all(abs(n - whole) <= 1 for n, _, whole in seconds)


def _as_minutes(known: list[tuple[float, int | None, int]]) -> bool:
    """Whether all lengths are as many minutes as were begun."""
    return bool(known) and all(
        n == -(-whole // 60) or (talked is not None and n == -(-talked // 60)) for n, talked, whole in known
    )
