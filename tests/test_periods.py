"""Days and months of a calendar: the tables of ``docs/time-zones.md``, and what holds in every zone at every change."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from markdown_tables import tables

from chalicelib import periods
from chalicelib.periods import Calendar

DOCS = tables((Path(__file__).parent.parent / "docs" / "time-zones.md").read_text())
DAYS, INSTANTS = DOCS["Days at a change"], DOCS["Instants at a change"]
FIRST, LAST = -(2**31), 4_133_980_800
"""The range of starts of calls: 1901 to 2100."""
ODD = ["Etc/GMT+12", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Apia", "Africa/Monrovia", "Africa/Cairo"]
ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name) + ODD * 20)
MONTHS = st.integers(1950 * 12, 2090 * 12).map(lambda n: f"{n // 12:04d}-{n % 12 + 1:02d}")


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    months = draw(st.lists(MONTHS, max_size=3, unique=True).map(sorted))
    text = " ".join([draw(ZONES), *(f"{month} {draw(ZONES)}" for month in months)])
    return periods.calendar(text)


@st.composite
def near_edges(draw: st.DrawFn) -> tuple[Calendar, int]:
    """A calendar and an instant, mostly within two days of a change of its zone."""
    calendar = draw(calendars())
    if len(calendar.zones) == 1 or draw(st.integers(0, 4)) == 0:
        return calendar, draw(st.integers(FIRST, LAST))
    month = draw(st.sampled_from(calendar.zones[1:]))[0]
    midnight = periods.parse_instant(f"{month}-01T00:00:00Z")
    return calendar, midnight + draw(st.integers(-2 * 86_400, 2 * 86_400))


@pytest.mark.parametrize("row", DAYS, ids=lambda row: f"{row['zones']} {row['day']}")
def test_a_day_begins_and_ends_as_the_table_says(row: dict[str, str]):
    begins, end = periods.calendar(row["zones"]).span(row["day"], row["day"])
    assert (periods.format_instant(begins), periods.format_instant(end)) == (row["begins"], row["ends"])
    assert end - begins == int(row["hours"]) * 3600


@pytest.mark.parametrize("row", INSTANTS, ids=lambda row: f"{row['zones']} {row['instant']}")
def test_an_instant_has_the_day_and_month_of_the_table(row: dict[str, str]):
    calendar, instant = periods.calendar(row["zones"]), periods.parse_instant(row["instant"])
    assert (calendar.day_of(instant), calendar.month_of(instant)) == (row["day"], row["month"])


def test_the_tables_have_changes_to_the_east_to_the_west_and_across_the_date_line():
    assert len(DAYS) > 12
    assert len(INSTANTS) > 10
    assert {int(row["hours"]) for row in DAYS} >= {0, 10, 23, 25, 38, 49}


@given(near_edges())
@examples(2000)
def test_every_instant_is_within_its_day_and_its_day_within_its_month(case: tuple[Calendar, int]):
    calendar, instant = case
    day = calendar.day_of(instant)
    begins, end = calendar.span(day, day)
    assert begins <= instant < end
    month, first, last = calendar.month_span(instant)
    assert month == calendar.month_of(instant) == day[:7]
    assert (first, last) == calendar.span(*periods.month_days(month))


@given(near_edges(), st.integers(1, 4 * 86_400))
@examples(1000)
def test_days_and_months_never_go_back(case: tuple[Calendar, int], later: int):
    calendar, instant = case
    assert calendar.day_of(instant) <= calendar.day_of(instant + later)
    assert calendar.month_of(instant) <= calendar.month_of(instant + later)


@given(near_edges())
@examples(500)
def test_the_days_around_a_change_follow_each_other_without_gap_or_overlap(case: tuple[Calendar, int]):
    calendar, instant = case
    day = calendar.day_of(instant)
    days = periods.days_between(periods.next_day(day, -40), periods.next_day(day, 40))
    spans = [calendar.span(each, each) for each in days]
    assert all(begins <= end for begins, end in spans)
    assert all(end == begins for (_, end), (begins, _) in pairwise(spans))
    assert calendar.days_around(instant)[1] == (day, calendar.day_start(day))
    for each, (begins, end) in zip(days, spans, strict=True):
        assert begins == end or {calendar.day_of(begins), calendar.day_of(end - 1)} == {each}


@given(ZONES, st.integers(0, LAST))
@examples(2000)
def test_the_day_in_one_zone_is_the_date_of_its_clocks_but_where_they_went_back_over_midnight(zone: str, instant: int):
    day = periods.calendar(zone).day_of(instant)
    shown = dt.datetime.fromtimestamp(instant, periods.zone(zone)).strftime("%Y-%m-%d")
    # St. John's and some others set their clocks back from 00:01, so for an hour they show the day before again.
    assert day == shown or (day == periods.next_day(shown) and periods.calendar(zone).day_start(day) <= instant)


@given(near_edges())
@examples(500)
def test_a_calendar_is_read_back_from_its_text(case: tuple[Calendar, int]):
    assert periods.calendar(str(case[0])) == case[0]


@given(near_edges(), ZONES)
@examples(2000)
def test_a_change_leaves_every_instant_up_to_now_its_day_and_month(case: tuple[Calendar, int], zone: str):
    calendar, now = case
    first = calendar.first_change(now, zone)
    changed = calendar.changed(now, first, zone)
    assert first in [periods.next_month(calendar.month_of(now), months) for months in (1, 2)]
    for ago in (0, 1, 3_600, 86_400, 31 * 86_400):
        assert (changed.day_of(now - ago), changed.month_of(now - ago)) == (
            calendar.day_of(now - ago),
            calendar.month_of(now - ago),
        )
    assert changed.zone_name(first) == zone
    assert changed.zones[-1][0] <= first


@pytest.mark.parametrize("text", ["", "Mars/Olympus", "UTC 2026-12", "UTC 2026-12 Mars/Olympus"])
def test_a_text_that_is_no_calendar_is_refused(text: str):
    with pytest.raises(ValueError):
        periods.calendar(text)


def test_a_local_time_is_read_in_the_zone_of_the_month_that_it_names():
    calendar = periods.calendar("America/Toronto 2026-12 Asia/Tokyo")
    for text, instant in (
        ("2026-11-30 23:00:00", "2026-12-01T04:00:00Z"),
        ("2026-12-01 00:00:00", "2026-11-30T15:00:00Z"),
        ("2026-12-01T04:00:00Z", "2026-12-01T04:00:00Z"),
    ):
        assert periods.format_instant(periods.parse_instant(text, calendar)) == instant


@pytest.mark.parametrize(
    ("month", "months", "expected"),
    [("2026-11", 1, "2026-12"), ("2026-12", 1, "2027-01"), ("2026-12", 2, "2027-02"), ("2027-01", -1, "2026-12")],
)
def test_months_follow_each_other(month: str, months: int, expected: str):
    assert periods.next_month(month, months) == expected
