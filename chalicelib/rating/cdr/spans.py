"""The spellings of a length of time: a number of seconds, milliseconds or minutes, or a clock -> whole seconds.

``12:34`` may be minutes and seconds, or hours and minutes: only a source can say which (``seconds_format``).
A plain number is seconds, unless a source declares another unit.
"""

from __future__ import annotations

import re

from chalicelib import periods

FORMATS = AUTO, MINUTES, HOURS, IN_SECONDS, IN_MS, IN_MINUTES = "auto", "m:s", "h:m", "s", "ms", "min"
"""The values of ``seconds_format``; the last three are units of plain numbers. Two numbers are read as the second and
the third say, and by the others only where a call can have one of both lengths."""
CLOCKS = (MINUTES, HOURS)
MOST = periods.DAY_SECONDS
"""Of one call."""
_MINUTES = re.compile(r"(\d{1,4})(?:\.(\d{1,6}))?", re.ASCII)
_NUMBERS = {IN_MS: f"milliseconds from 0 to {1000 * MOST}", IN_MINUTES: f"minutes from 0 to {MOST // 60}"}
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)", re.ASCII)
_TWO = re.compile(r"(\d{1,4}):([0-5]\d)", re.ASCII)


class Ambiguous(ValueError):
    """A text such as ``12:34``, whose two readings are different lengths."""


def read(text: str, seconds_format: str = AUTO) -> int:
    """A number, ``h:mm:ss``, or two numbers as ``seconds_format`` says -> whole seconds; blanks around it do no harm.

    A begun second counts where milliseconds are declared. Decimal minutes are rounded half-up: two decimals of them
    are then exactly the seconds that they were made of.

    Raises ``Ambiguous``, and ``ValueError`` for any other text; the message is the rest of a sentence about the text.
    """
    seconds = _seconds(text.strip(), seconds_format)
    if seconds is None or seconds > MOST:
        number = _NUMBERS.get(seconds_format, f"a whole number from 0 to {MOST}")
        raise ValueError(f"is neither {number} nor h:mm:ss")
    return seconds


def _seconds(text: str, seconds_format: str) -> int | None:
    if seconds_format == IN_MINUTES and (minutes := _MINUTES.fullmatch(text)):
        decimals = minutes[2] or ""
        unit: int = 10 ** len(decimals)
        return (2 * 60 * int(minutes[1] + decimals) + unit) // (2 * unit)
    if _SECONDS.fullmatch(text):
        return -(-int(text) // 1000) if seconds_format == IN_MS else int(text)
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    two = _TWO.fullmatch(text)
    if two is None:
        return None
    by_minutes = int(two[1]) * 60 + int(two[2])
    by_hours = 60 * by_minutes
    if seconds_format == HOURS:
        return by_hours
    if seconds_format != MINUTES and by_minutes and by_hours <= MOST:
        raise Ambiguous("may be minutes and seconds or hours and minutes; declare seconds_format")
    return by_minutes


def is_nothing(text: str) -> bool:
    """Whether a text is empty or zero in any spelling."""
    return not text.strip().strip("0:.")
