"""Dates of CDR files: the tables of docs/cdr-formats.md, and what no format may do."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import call, date_patterns, starts
from chalicelib.rating.cdr.call import BadField
from tests.examples import examples
from tests.markdown_tables import Row, tables

TABLES = tables((Path(__file__).parents[3] / "docs" / "cdr-formats.md").read_text(encoding="utf-8"))
PARTS = {
    "y": "%Y",
    "yyyy": "%Y",
    "yy": "%y",
    "M": "%-m",
    "MM": "%m",
    "MMM": "%b",
    "d": "%-d",
    "dd": "%d",
    "H": "%-H",
    "HH": "%H",
    "h": "%-I",
    "hh": "%I",
    "m": "%-M",
    "mm": "%M",
    "s": "%-S",
    "ss": "%S",
    "a": "%p",
}
"""The letters of a pattern -> what writes them, by the C library: an independent truth."""


def read(date_format: str, zone: str, start: str) -> int:
    """The start of a call with that text, as the reader of calls reads it."""
    reader = call.call_reader(zone, DialPlan("US"), date_format)
    texts = ["id", start, "outbound", "office", "+15145550100", "+14165550123", "BUSY", "0", ""]
    return reader(1, texts, texts).start


@pytest.mark.parametrize("row", TABLES["Dates that are read"], ids=lambda row: row["start"])
def test_dates_are_read_as_the_table_says(row: Row):
    expected = periods.parse_instant(row["read as"])
    # The second time, its hour is remembered.
    assert [read(row["date_format"], row["zone"], row["start"]) for _ in range(2)] == [expected, expected]


@pytest.mark.parametrize("row", TABLES["Dates that are refused"], ids=lambda row: row["start"])
def test_dates_are_refused_with_the_sentence_of_the_table(row: Row):
    with pytest.raises(BadField) as refused:
        read(row["date_format"], row["zone"], row["start"])
    assert refused.value.message == row["message"]


@pytest.mark.parametrize("row", TABLES["Patterns that are refused"], ids=lambda row: row["date_format"])
def test_patterns_are_refused_with_the_sentence_of_the_table(row: Row):
    with pytest.raises(ValueError, match=f"^{re.escape(row['why'])}$"):
        date_patterns.checked(row["date_format"])


@pytest.mark.parametrize("row", TABLES["Which format is it?"], ids=lambda row: row["starts"])
def test_formats_are_found_as_the_table_says(row: Row):
    found = starts.candidates(enumerate(row["starts"].split(", "), 1))
    assert " and ".join(found.fitting) == row["formats that fit"]
    assert str(found.evidence or "") == row["settled by line"]
    assert (found.choice is None) == (" and " in row["formats that fit"])


def test_two_formats_disagree_on_the_first_line_that_they_read_as_different_instants():
    assert starts.candidates([(1, "5/5/2017 16:33"), (2, "6/5/2017 16:33")]).disagree == 2
    assert starts.candidates([(1, "5/5/2017 16:33")]).disagree is None


def test_a_line_that_is_no_date_does_not_decide_the_format():
    found = starts.candidates([(1, "calldate"), (2, "1/9/2017 16:33"), (3, ""), (4, "30/9/2017 16:33"), (5, "0")])
    assert (found.choice, found.evidence, found.unread) == ("d/M/y H:m", 4, (1, 5))
    assert starts.candidates([(1, "calldate")]) == starts.Candidates(unread=(1,))


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("2026-11-23 08:30:00", True),
        ('"2017-09-04 12:39"', True),
        ("2020/2/10 22:41", True),
        ("20071101-110325", True),
        ("2026-11-23T08:30:00.123456-0500", True),
        ("1/9/2017 16:33", True),
        ("1-sep-17, 4:33 p.m.", True),
        ("1500000000", True),
        ("12:34", False),
        ("ANSWERED", False),
        ("", False),
        ('"Reception" <100100>', False),
        ("2026-11-23 08:30:00 and twenty more letters", False),
    ],
)
def test_a_start_of_a_file_without_header_may_be_of_any_format(text: str, looks: bool):
    assert starts.looks_like_start(text) == looks


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Patterns in any order of day, month and year, each without a number that touches another."""
    pick = lambda *choices: draw(st.sampled_from(choices))  # noqa: E731
    day = draw(st.permutations([pick("y", "yy"), pick("M", "MM", "MMM"), pick("d", "dd")]))
    twelve, between = draw(st.booleans()), pick("/", "-", ".", " ")
    clock = [pick("h", "hh") if twelve else pick("H", "HH"), pick("m", "mm"), *pick([], [pick("s", "ss")])]
    noon = pick(" a", "a") if twelve else ""
    return between.join(day) + pick(" ", ", ", "'T'", " 'at' ") + ":".join(clock) + noon + pick("", " X", "X")


def rendered(pattern: str, at: dt.datetime, zone: str) -> str:
    """The text of a date in a pattern."""
    texts = []
    for found in date_patterns._TOKEN.finditer(pattern):
        token = found[0]
        if token == "X":
            texts.append(zone)
        else:
            texts.append(at.strftime(PARTS[token]) if token in PARTS else token.strip("'"))
    return "".join(texts)


ZONES = ["America/Toronto", "Australia/Lord_Howe", "America/St_Johns", "UTC", "Europe/Dublin", "Asia/Tehran"]
TIMES = st.datetimes(dt.datetime(1990, 1, 3), dt.datetime(2068, 12, 30))  # noqa: DTZ001
NEAR_CHANGES = st.sampled_from(
    [dt.datetime(2026, 3, 8, 1, 30), dt.datetime(2026, 11, 1, 0), dt.datetime(2026, 10, 4, 1, 40)]  # noqa: DTZ001
).flatmap(lambda at: st.integers(0, 4 * 3600).map(lambda past: at + dt.timedelta(seconds=past)))


@given(
    pattern=patterns(),
    at=TIMES | NEAR_CHANGES,
    zone=st.sampled_from(ZONES),
    offset=st.sampled_from(["Z", "UTC", "+01:00", "-0530", "+14"]),
)
@example("d/M/y H:m:s", dt.datetime(2026, 11, 1, 1, 30), "America/Toronto", "Z")  # noqa: DTZ001
@examples(400)
def test_a_date_that_the_c_library_writes_is_read_as_that_date(pattern: str, at: dt.datetime, zone: str, offset: str):
    at = at.replace(microsecond=0, second=at.second if "s" in pattern else 0)
    text = rendered(pattern, at, offset)
    known = {"Z": "Z", "UTC": "Z"}.get(offset, offset) if "X" in pattern else None
    try:
        expected: int | str = periods.at_offset(at, known, periods.calendar(zone))
    except periods.MissingHour:
        expected = "missing_hour"
    try:
        found: int | str = read(pattern, zone, text)
    except BadField as bad:
        found = bad.reason
    assert found == expected


@given(at=st.lists(TIMES, min_size=1, max_size=5), name=st.sampled_from(starts.known_formats()[3:]))
@examples(200)
def test_a_format_that_is_found_alone_never_reads_another_date(at: list[dt.datetime], name: str):
    pattern = name.replace(".S", "")
    whole = [each.replace(microsecond=0, second=each.second if "s" in pattern else 0) for each in at]
    texts = [rendered(pattern, each, "+0200") for each in whole]
    found = starts.candidates(enumerate(texts, 1))
    # The truth is one that fits; where it is the only one, it is chosen, else a person is asked.
    local = periods.calendar("UTC")
    truth = [starts.reader(pattern, local)(text) for text in texts]
    readings = [[starts.reader(fits, local)(text) for text in texts] for fits in found.fitting]
    assert truth in readings
    assert found.choice is None or readings == [truth]
    assert (found.disagree is None) == all(reading == truth for reading in readings)
