"""The starts of calls: the text of a date and a time in a source's ``date_format`` -> an instant.

A text that a format does not read is refused, never guessed. ``candidates`` finds the formats that read all of some
texts, so that a person can choose.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from chalicelib import periods
from chalicelib.periods import Calendar
from chalicelib.rating.cdr.date_patterns import AUTO, EPOCH_MS, EPOCH_S, GROUPS, MONTHS, UTC, compiled

EARLIEST, LATEST = 631_152_000, 4_133_980_800
"""1990-01-01 and 2101-01-01, 00:00 UTC: a start before the first, or from the second on, is refused."""
_HOURS_KEPT = 4096
_LIKE = re.compile(r"[0-9A-Za-z /:.,+_-]{6,40}")
_SHOWN = 40
"""Characters of a refused text in its message."""


class BadStart(ValueError):
    """A text that is no start in this format; its message is a sentence with the text in it."""


def reader(date_format: str, local: Calendar) -> Callable[[str], int]:
    """A function: a text without blanks around it -> its instant.

    A text without an offset is a time in ``local`` (``periods.instant_of``). Fractions of a second are dropped. The
    function raises ``BadStart``, and ``periods.MissingHour`` for a local time that does not exist.
    """
    name, expressions, per_second = compiled(date_format)
    hours: dict[tuple[str, ...], int | None] = {}

    def read(text: str) -> int:
        found = next((found for each in expressions if (found := each.fullmatch(text))), None)
        if not found:
            raise BadStart(_unread(text, name))
        if per_second:
            return within(int(found["epoch"]) // per_second, text)
        *hour, minute, second = found.group(*GROUPS)
        key, minutes, seconds = tuple(hour), int(minute), int(second or 0)
        if minutes < 60 and seconds < 60:
            if key not in hours:
                if len(hours) >= _HOURS_KEPT:
                    hours.clear()
                hours[key] = hour_start(hour, local)
            first = hours[key]
            if first is not None:
                return first + 60 * minutes + seconds
        return within(_instant(hour, minutes, seconds, text, local), text)

    return read


def hour_start(hour: list[str], local: Calendar) -> int | None:
    """The first instant of an hour, given as the texts of ``GROUPS`` before the minutes.

    None when its starts must be read one by one: there is no such hour, the clocks change within it, or it is refused.
    """
    try:
        first, last = (within(_instant(hour, past, past, "", local), "") for past in (0, 59))
    except ValueError:
        return None
    return first if last - first == 3599 else None


def within(instant: int, text: str) -> int:
    """The instant itself; ``BadStart`` when no call can have started then. ``text``: for the message."""
    if instant < EARLIEST:
        raise BadStart(f"`{text[:_SHOWN]}` is before 1990: the clock of the switch was not set")
    if instant >= LATEST:
        raise BadStart(f"`{text[:_SHOWN]}` is after 2100")
    return instant


def looks_like_start(text: str) -> bool:
    """Whether a text may be a date and time in some format; files without a header are recognised by it."""
    text = text.strip(' "')
    return _LIKE.fullmatch(text) is not None and sum(map(str.isdigit, text)) >= 6


def _unread(text: str, name: str) -> str:
    shown = f"`{text[:_SHOWN]}` is no date in this source's format"
    return f"{shown}; declare date_format" if name == AUTO else f"{shown}, {name}; correct its date_format"


def _instant(hour: list[str], minutes: int, seconds: int, text: str, local: Calendar) -> int:
    """An instant before its bounds are checked; raises ``BadStart`` and ``periods.MissingHour``."""
    year, month, day, hours, noon, zone = hour
    number = int(hours)
    if noon:
        if not 1 <= number <= 12:
            raise BadStart(f"`{text[:_SHOWN]}` has an hour that a clock of twelve hours does not have")
        number = number % 12 + (12 if noon[0] in "Pp" else 0)
    try:
        # Naive on purpose: offset or local zone are applied below.
        naive = dt.datetime(_year(year), _month(month), int(day), number, minutes, seconds)  # noqa: DTZ001
        return periods.at_offset(naive, "Z" if zone and zone.upper() in UTC else zone, local)
    except periods.MissingHour:
        raise
    except (ValueError, OverflowError):
        raise BadStart(f"`{text[:_SHOWN]}` is no date and time that exists") from None


def _year(text: str) -> int:
    """Two digits are a year from 1969 to 2068, as POSIX reads them."""
    return int(text) if len(text) == 4 else int(text) + (1900 if int(text) >= 69 else 2000)


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS[text.upper()]


@dataclass(frozen=True)
class Candidates:
    """The formats of ``known_formats`` for some texts; a text is named by the number of its line.

    ``fitting``: the formats that read every text that any known format reads, the first one of several that read them
    alike. With more than one, a person has to choose: what they agree on here, other lines may read in two ways.
    ``excluded``: each other format that reads some of the texts -> the first line that it does not read.
    ``disagree``: the first line that two of the fitting formats read as different instants, or None.
    ``unread``: the lines that no known format reads; they decide nothing.
    """

    fitting: tuple[str, ...] = ()
    excluded: dict[str, int] = field(default_factory=dict)
    disagree: int | None = None
    unread: tuple[int, ...] = ()

    @property
    def choice(self) -> str | None:
        """The only format that fits, or None."""
        return self.fitting[0] if len(self.fitting) == 1 else None

    @property
    def evidence(self) -> int | None:
        """The line from which on ``choice`` is the only one left; None if no other format reads any text."""
        return max(self.excluded.values(), default=None) if self.choice else None


def candidates(texts: Iterable[tuple[int, str]]) -> Candidates:
    """The date formats of texts, each with the number of its line; empty texts are left out."""
    local = periods.calendar("UTC")
    lines = {text.strip(): line for line, text in reversed(list(texts)) if text.strip()}
    found: dict[str, dict[int, int]] = {}
    for name in known_formats():
        read = reader(name, local)
        for text, line in lines.items():
            try:
                found.setdefault(name, {})[line] = read(text)
            except ValueError:
                continue
    read_lines = sorted({line for instants in found.values() for line in instants})
    fitting: list[str] = []
    excluded: dict[str, int] = {}
    for name, instants in found.items():
        missing = next((line for line in read_lines if line not in instants), None)
        if missing is None:
            fitting.append(name)
        elif instants:
            excluded[name] = missing
    disagree = next((line for line in read_lines if len({found[name][line] for name in fitting}) > 1), None)
    unread = tuple(sorted(set(lines.values()) - set(read_lines)))
    return Candidates(tuple(fitting), excluded, disagree, unread)


@cache
def known_formats() -> tuple[str, ...]:
    """The formats that ``candidates`` tries.

    Two of them read the same text only where the order of day, month and year is in question.
    """
    numbers = ("d{0}M{0}y", "M{0}d{0}y", "d{0}M{0}yy", "M{0}d{0}yy", "yy{0}M{0}d")
    days = [order.format(between) for between, order in product("/-.", numbers)] + ["y.M.d"]
    days += ["d MMM y", "d-MMM-y", "d-MMM-yy", "d MMM yy", "MMM d y", "MMM d, y"]
    clocks = ("H:m:s", "H:m", "h:m:s a", "h:m a", "H:m:s.S")
    written = [f"{day}{between}{clock}" for day, between, clock in product(days, (" ", ", "), clocks)]
    written += ["yyyyMMddHHmmss", "ddMMyyyyHHmmss", "yyyyMMdd HH:mm:ss", "y-M-d h:m:s a", "y-M-d h:m a"]
    written += ["y/M/d h:m:s a", "y/M/d h:m a"]
    return (AUTO, EPOCH_S, EPOCH_MS, *(f"{each}{zone}" for each, zone in product(written, ("", "X", " X"))))
