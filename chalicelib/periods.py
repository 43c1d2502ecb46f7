"""Instants, days and months.

Instants are whole seconds since 1970-01-01T00:00:00Z (``int``), as text RFC 3339 with ``Z``. ``day`` is
``"YYYY-MM-DD"`` and ``month`` ``"YYYY-MM"``, so both sort as text. A reseller's days and months are those of its
``Calendar``, whose rules are the tables of ``docs/time-zones.md``. This module reads no clock: callers pass the current
instant.
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from dataclasses import dataclass, field
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


def parse_instant(text: str, local: Calendar | None = None) -> int:
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
    return at_offset(naive, offset, local)


def at_offset(naive: dt.datetime, offset: str | None, local: Calendar | None) -> int:
    """A time with its offset (``Z``, ``-05:00``, ``-0500`` or ``-05``), or without one in ``local`` -> instant.

    ``ValueError`` for an impossible offset, and for a time without an offset if there is no ``local``.
    """
    if offset is None:
        if local is None:
            raise ValueError("needs Z or an offset such as -05:00")
        return instant_of(naive, local)
    if offset in "Zz":
        return int(naive.replace(tzinfo=UTC).timestamp())
    hours, past = int(offset[1:3]), int(offset[3:].removeprefix(":") or 0)
    if hours >= 24 or past > 59:
        raise ValueError("has an impossible offset")
    sign = -1 if offset[0] == "-" else 1
    return int(naive.replace(tzinfo=UTC).timestamp()) - sign * (hours * 60 + past) * 60


def instant_of(naive: dt.datetime, local: Calendar) -> int:
    """A local time, read in the zone of its month -> instant.

    The first of two if the time comes twice; ``MissingHour`` if it does not exist.
    """
    zone_of_month = local.zone(f"{naive.year:04d}-{naive.month:02d}")
    instant = int(naive.replace(tzinfo=zone_of_month, fold=0).timestamp())
    if dt.datetime.fromtimestamp(instant, zone_of_month).replace(tzinfo=None) != naive:
        raise MissingHour("falls in an hour that the clocks jumped over")
    return instant


def format_instant(instant: int) -> str:
    """Instant -> RFC 3339 with ``Z``."""
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_day(instant: int) -> str:
    """The day of an instant in UTC."""
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d")


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


def next_day(day: str, days: int = 1) -> str:
    """The day so many days later; earlier if negative."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=days)).isoformat()


def days_between(first: str, last: str) -> list[str]:
    """The days from first to last, both included, oldest first."""
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [(start + dt.timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def next_month(month: str, months: int = 1) -> str:
    """The month so many months later; earlier if negative."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + months, 12)
    return f"{year:04d}-{number + 1:02d}"


def month_days(month: str) -> tuple[str, str]:
    """First and last day of a month."""
    last = monthrange(int(month[:4]), int(month[5:]))[1]
    return f"{month}-01", f"{month}-{last:02d}"


def add_month(day: str, anchor: int | None = None) -> str:
    """The same day of the next month, or its last day if that is earlier. ``anchor`` (1..31) replaces the day."""
    number = anchor or int(day[8:])
    month = next_month(day[:7])
    return f"{month}-{min(number, int(month_days(month)[1][8:])):02d}"


@dataclass(frozen=True)
class Calendar:
    """The days and months of a reseller, whose zone may be another one from a month on.

    A day begins at 00:00 in the zone of its month, and an instant belongs to the last day that has begun. Where days of
    two zones overlap, the later day has the instants of both; a day has none if the next one begins before it.

    ``zones``: pairs of a month and the name of the zone from that month on, in order; the first month is ``""``.
    """

    zones: tuple[tuple[str, str], ...]
    _begins: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def zone_name(self, month: str) -> str:
        """The IANA name of the zone of a month."""
        if len(self.zones) == 1:
            return self.zones[0][1]
        return next(name for first, name in reversed(self.zones) if first <= month)

    def zone(self, month: str) -> ZoneInfo:
        """The zone of a month."""
        return zone(self.zone_name(month))

    def day_start(self, day: str) -> int:
        """First instant of a day, which is also the end of the day before it."""
        begins = self._midnight(day)
        if len(self.zones) > 1 and (after := next_day(day))[8:] == "01":
            return min(begins, self._midnight(after))
        return begins

    def span(self, first: str, last: str) -> tuple[int, int]:
        """First instant of the day ``first``, and the end of the day ``last``."""
        return self.day_start(first), self.day_start(next_day(last))

    def day_of(self, instant: int) -> str:
        """The day of an instant."""
        # No zone is 24 hours ahead of UTC, so no day after tomorrow's has begun anywhere.
        day = next_day(utc_day(instant))
        while self.day_start(day) > instant:
            day = next_day(day, -1)
        return day

    def month_of(self, instant: int) -> str:
        """The month of an instant: that of its day."""
        return self.month_span(instant)[0]

    def month_span(self, instant: int) -> tuple[str, int, int]:
        """The month of an instant, its first instant, and its end."""
        month = utc_day(instant)[:7]
        begins, end = self._month_start(month), self._month_start(next_month(month))
        if instant < begins:
            month, begins, end = next_month(month, -1), self._month_start(next_month(month, -1)), begins
        elif instant >= end:
            month, begins, end = next_month(month), end, self._month_start(next_month(month, 2))
        return month, begins, end

    def days_around(self, instant: int) -> list[tuple[str, int]]:
        """The days before, of and after an instant and one more, which ends them; each with its first instant."""
        yesterday = next_day(self.day_of(instant), -1)
        return [(day, self.day_start(day)) for day in (next_day(yesterday, n) for n in range(4))]

    def next_change(self, instant: int) -> tuple[str, str] | None:
        """The month and the name of the next zone after that of an instant; ``None`` if no change is planned."""
        return next((pair for pair in self.zones if pair[0] > self.month_of(instant)), None)

    def changed(self, instant: int, month: str, name: str) -> Calendar:
        """The calendar with another zone from a later month on, and no other change planned at an instant.

        A change that is planned for the next month stays if the end of the present one is over without it.
        """
        now = self.month_of(instant)
        for last in (now, next_month(now)):
            kept = tuple(pair for pair in self.zones if pair[0] <= last and pair[0] < month)
            found = Calendar(kept if kept[-1][1] == name else (*kept, (month, name)))
            if found.month_of(instant) == now:
                break
        return found

    def first_change(self, instant: int, name: str) -> str:
        """The first month from which a zone can hold, so that every instant up to this one keeps its day and month.

        It is the next month, or the one after it if the next month has begun in that zone.
        """
        now = self.month_of(instant)
        month = next_month(now)
        return month if self.changed(instant, month, name).month_of(instant) == now else next_month(month)

    def __str__(self) -> str:
        """The text that ``calendar`` reads."""
        return " ".join(" ".join(pair) for pair in self.zones).strip()

    def _midnight(self, day: str) -> int:
        """00:00 of a day in the zone of its month; the first instant after it if the clocks are set forward over it."""
        return int(dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), self.zone(day[:7])).timestamp())

    def _month_start(self, month: str) -> int:
        begins = self._begins.get(month)
        if begins is None:
            begins = self._begins[month] = self.day_start(f"{month}-01")
        return begins


@lru_cache(maxsize=1024)
def calendar(text: str) -> Calendar:
    """A stored calendar: the name of a zone, then for each change of it a month and the name of the zone from then on.

    ``America/Toronto 2026-12 Asia/Tokyo``. The name alone is the calendar of a zone that never changes. ``ValueError``
    for an unknown zone.
    """
    first, *changes = text.split(" ")
    zones = (("", first), *zip(changes[::2], changes[1::2], strict=True))
    for _, name in zones:
        zone(name)
    return Calendar(zones)
