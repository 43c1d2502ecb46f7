"""Instants, days and months.

Instants are whole seconds since 1970-01-01T00:00:00Z (``int``), as text RFC 3339 with ``Z``. A reseller's days and
months are those of its own IANA zone. ``day`` is ``"YYYY-MM-DD"`` and ``month`` ``"YYYY-MM"``, so both sort as text.
This module reads no clock: callers pass the current instant.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

UTC = dt.UTC
DAY_SECONDS = 86_400
EARLIEST, LATEST = -(2**31), 2**33
"""Range of instants in requests and files (1901 to 2242); others are typing errors."""

_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


class MissingHour(ValueError):
    """A local time that does not exist, because the clocks were set forward over it."""


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """IANA name -> zone; ``ValueError`` for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:
        raise ValueError("must be an IANA time zone such as America/Toronto") from problem


def parse_instant(text: str, local: ZoneInfo | None = None) -> int:
    """RFC 3339, with T or a blank -> instant; fractions of a second are dropped.

    A text without an offset is a time in ``local``, read as ``instant_of`` does. ``ValueError`` for any other text, for
    an impossible offset, and for a text without an offset if there is no ``local``.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError("must be an RFC 3339 instant such as 2026-11-23T08:30:00Z")
    *parts, offset = match.groups()
    # Naive on purpose: offset or local zone are applied below.
    naive = dt.datetime(*map(int, parts))  # type: ignore[arg-type]  # noqa: DTZ001
    if offset is None:
        if local is None:
            raise ValueError("needs Z or an offset such as -05:00")
        return instant_of(naive, local)
    if offset in "Zz":
        return int(naive.replace(tzinfo=UTC).timestamp())
    sign = -1 if offset[0] == "-" else 1
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    if minutes >= 24 * 60 or int(offset[-2:]) > 59:
        raise ValueError("has an impossible offset")
    return int(naive.replace(tzinfo=UTC).timestamp()) - sign * minutes * 60


def instant_of(naive: dt.datetime, local: ZoneInfo) -> int:
    """A local time -> instant. The first of two if the time comes twice; ``MissingHour`` if it does not exist."""
    instant = int(naive.replace(tzinfo=local, fold=0).timestamp())
    if dt.datetime.fromtimestamp(instant, local).replace(tzinfo=None) != naive:
        raise MissingHour("falls in an hour that the clocks jumped over")
    return instant


def format_instant(instant: int) -> str:
    """Instant -> RFC 3339 with ``Z``."""
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_day(instant: int) -> str:
    """The day of an instant in UTC."""
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d")


def local_day(instant: int, local: ZoneInfo) -> str:
    """The day of an instant in a zone."""
    return dt.datetime.fromtimestamp(instant, local).strftime("%Y-%m-%d")


def local_month(instant: int, local: ZoneInfo) -> str:
    """The month of an instant in a zone."""
    return dt.datetime.fromtimestamp(instant, local).strftime("%Y-%m")


def parse_day(text: str) -> str:
    """A day that exists, as ``YYYY-MM-DD``; ``ValueError`` otherwise."""
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueError("must be a date such as 2026-11-23")


def parse_month(text: str) -> str:
    """A month as ``YYYY-MM``; ``ValueError`` otherwise."""
    if not _MONTH.fullmatch(text):
        raise ValueError("must be a month such as 2026-11")
    return text


def day_start(day: str, local: ZoneInfo) -> int:
    """First instant of a day in a zone; the first one after midnight if the clocks are set forward over midnight."""
    midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), local)
    return int(midnight.timestamp())


def days_around(instant: int, local: ZoneInfo) -> list[tuple[str, int]]:
    """The days before, of and after an instant and one more, which ends them; each with its first instant."""
    yesterday = next_day(local_day(instant, local), -1)
    return [(day, day_start(day, local)) for day in (next_day(yesterday, n) for n in range(4))]


def next_day(day: str, days: int = 1) -> str:
    """The day so many days later; earlier if negative."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()


def days_between(first: str, last: str) -> list[str]:
    """The days from first to last, both included, oldest first."""
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [(start + dt.timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def next_month(month: str) -> str:
    """The month after a month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def month_days(month: str) -> tuple[str, str]:
    """First and last day of a month."""
    last = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
    return f"{month}-01", f"{month}-{last:02d}"


def add_month(day: str, anchor: int | None = None) -> str:
    """The same day of the next month, or its last day if that is earlier. ``anchor`` (1..31) replaces the day."""
    number = anchor or int(day[8:])
    month = next_month(day[:7])
    return f"{month}-{min(number, int(month_days(month)[1][8:])):02d}"
