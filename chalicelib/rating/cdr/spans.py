"""The spellings of a length of time: seconds, or a clock of hours, minutes and seconds -> seconds.

``12:34`` may be minutes and seconds, or hours and minutes: only a source can say which (``seconds_format``).
"""

from __future__ import annotations

import re

from chalicelib import periods

FORMATS = AUTO, MINUTES, HOURS = "auto", "m:s", "h:m"
"""The values of ``seconds_format``. By ``auto`` two numbers are read only where a call can have one of both lengths."""
MOST = periods.DAY_SECONDS
"""Of one call."""
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)", re.ASCII)
_TWO = re.compile(r"(\d{1,4}):([0-5]\d)", re.ASCII)


class Ambiguous(ValueError):
    """A text such as ``12:34``, whose two readings are different lengths."""


def read(text: str, seconds_format: str = AUTO) -> int:
    """Whole seconds, ``h:mm:ss``, or two numbers as ``seconds_format`` says -> seconds; blanks around it do no harm.

    Raises ``Ambiguous``, and ``ValueError`` for any other text; the message is the rest of a sentence about the text.
    """
    seconds = _seconds(text.strip(), seconds_format)
    if seconds is None or seconds > MOST:
        raise ValueError(f"is neither a whole number from 0 to {MOST} nor h:mm:ss")
    return seconds


def _seconds(text: str, seconds_format: str) -> int | None:
    if _SECONDS.fullmatch(text):
        return int(text)
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    two = _TWO.fullmatch(text)
    if two is None:
        return None
    by_minutes = int(two[1]) * 60 + int(two[2])
    by_hours = 60 * by_minutes
    if seconds_format == HOURS:
        return by_hours
    if seconds_format == AUTO and by_minutes and by_hours <= MOST:
        raise Ambiguous("may be minutes and seconds or hours and minutes; declare seconds_format")
    return by_minutes


def is_nothing(text: str) -> bool:
    """Whether a text is empty or zero in any spelling."""
    return not text.strip().strip("0:")
