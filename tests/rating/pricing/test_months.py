"""The month of a call in the rate book: that of the calendar, at every second and in any order of the calls."""

from __future__ import annotations

from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import periods
from chalicelib.rating.pricing.ownership import Ownership
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

CALENDARS = [
    "America/Toronto",
    "America/Toronto 2026-12 Asia/Tokyo",
    "Asia/Kathmandu 2026-12 Pacific/Chatham",
    "Pacific/Kiritimati 2026-12 Pacific/Pago_Pago 2027-01 America/St_Johns",
    # Until 1972 its clocks were 44 minutes and 30 seconds behind UTC.
    "Africa/Monrovia",
]
EDGES = [periods.parse_instant(f"{month}-01T00:00:00Z") for month in ("1971-06", "2026-11", "2026-12", "2027-01")]
STARTS = st.builds(int.__add__, st.sampled_from(EDGES), st.integers(-100_000, 100_000))


@given(st.sampled_from(CALENDARS), st.lists(STARTS, min_size=1, max_size=60))
@examples(500)
def test_a_call_has_the_month_of_the_calendar(zones: str, starts: list[int]):
    calendar = periods.calendar(zones)
    book = RateBook(Ownership({}, {}), Terms([], []), {}, calendar)
    for start in [*starts, *(start + 1 for start in starts)]:
        assert book.months.values[book.month(start)] == calendar.day_of(start)[:7]


def test_two_months_within_a_quarter_of_an_hour_are_told_apart():
    book = RateBook(Ownership({}, {}), Terms([], []), {}, periods.calendar("Africa/Monrovia"))
    edge = periods.parse_instant("1971-06-01T00:44:30Z")
    months = [book.months.values[book.month(edge + second)] for second in (0, -1, 1, -2)]
    assert months == ["1971-06", "1971-05", "1971-06", "1971-05"]
