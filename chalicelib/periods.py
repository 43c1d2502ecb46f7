"""Instants, days and months.

Instants are whole seconds since 1970-01-01T00:00:00Z (``int``); text is RFC 3339 with ``Z``. A reseller's days
and months are read in its own IANA zone; ``day`` is ``"YYYY-MM-DD"`` and ``month`` ``"YYYY-MM"``, so both sort as text.
Nothing here asks what time it is now: callers hand it in.
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
"""Instants outside (1901..2242) are typing errors."""

_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


class MissingHour(ValueError):
    """A local time that the clocks jumped over."""


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """IANA name -> zone; ``ValueError`` for an unknown one."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:
        raise ValueError("must be an IANA time zone such as America/Toronto") from problem


def parse_instant(text: str, local: ZoneInfo | None = None) -> int:
    """RFC 3339 (a blank for the T is taken) -> instant; fractions of a second are dropped.

    Without an offset the time is read in ``local``: an hour that comes twice is the first one, an hour that the
    clocks jump over raises ``MissingHour``. Without ``local`` the offset is required (``ValueError``).
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError("must be an RFC 3339 instant such as 2026-11-23T08:30:00Z")
    *parts, offset = match.groups()
    # Naive on purpose: the zone is put on below, offset or local.
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
    """A wall-clock time in a zone -> instant; an ambiguous time is the first; ``MissingHour`` in a gap."""
    instant = int(naive.replace(tzinfo=local, fold=0).timestamp())
    if dt.datetime.fromtimestamp(instant, local).replace(tzinfo=None) != naive:
        raise MissingHour("falls in an hour that the clocks jumped over")
    return instant


def format_instant(instant: int) -> str:
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_day(instant: int) -> str:
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d")


def local_day(instant: int, local: ZoneInfo) -> str:
    return dt.datetime.fromtimestamp(instant, local).strftime("%Y-%m-%d")


def local_month(instant: int, local: ZoneInfo) -> str:
    return dt.datetime.fromtimestamp(instant, local).strftime("%Y-%m")


def parse_day(text: str) -> str:
    """Validated ``YYYY-MM-DD``; ``ValueError`` otherwise."""
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueError("must be a date such as 2026-11-23")


def parse_month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise ValueError("must be a month such as 2026-11")
    return text


def day_start(day: str, local: ZoneInfo) -> int:
    """First instant of a local day (where midnight is skipped by the clocks, the first one after it)."""
    midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), local)
    return int(midnight.timestamp())


def days_around(instant: int, local: ZoneInfo) -> list[tuple[str, int]]:
    """Yesterday, today and tomorrow with their first instants, and the day after to end them."""
    yesterday = next_day(local_day(instant, local), -1)
    return [(day, day_start(day, local)) for day in (next_day(yesterday, n) for n in range(4))]


def next_day(day: str, days: int = 1) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()


def days_between(first: str, last: str) -> list[str]:
    """Every day from first to last, both included, oldest first."""
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [(start + dt.timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def month_days(month: str) -> tuple[str, str]:
    """First and last day of a month."""
    last = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
    return f"{month}-01", f"{month}-{last:02d}"


def add_month(day: str, anchor: int | None = None) -> str:
    """The same day of the next month; ``anchor`` (1..31) is the day wanted, clamped to the month's end."""
    wanted = anchor or int(day[8:])
    month = next_month(day[:7])
    return f"{month}-{min(wanted, int(month_days(month)[1][8:])):02d}"
