"""Lengths of calls: the tables of docs/cdr-formats.md, in every format and by both engines, and what a preview asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import call, formats, spans
from chalicelib.rating.cdr.call import BadField, Call, Rejection
from chalicelib.rating.cdr.declaration import read as declared
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.cdr.suggest import suggest
from chalicelib.rating.cdr.suggest.found import Suggestion
from chalicelib.rating.engine.vector import words
from tests.markdown_tables import Row, tables

TABLES = tables((Path(__file__).parents[3] / "docs" / "cdr-formats.md").read_text(encoding="utf-8"))
PLAN = DialPlan("US")
FUSIONPBX = (
    "xml_cdr_uuid,direction,extension,accountcode,caller_id_number,destination_number,start_stamp,answer_stamp,billsec,"
    "hangup_cause\n"
    "7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11,outbound,acme,,1001,+14165550123,2026-11-23 08:30:00,,{},NO_ANSWER\n"
)
VOIPMS = (
    "date,callerid,destination,description,account,disposition,duration\n"
    "2026-09-15 20:05:27,5145550100,4165550123,Canada,acme,ANSWERED,{}\n"
)


def seconds_of(seconds_format: str, text: str) -> int:
    reader = call.call_reader("UTC", PLAN, seconds_format=seconds_format)
    texts = ["id", "2026-11-23 08:30:00", "outbound", "acme", "1001", "+14165550123", "ANSWERED", text, ""]
    return reader(1, texts, texts).seconds


@pytest.mark.parametrize(
    "row", TABLES["Lengths that are read"], ids=lambda row: f"{row['seconds_format']} {row['seconds']}"
)
def test_lengths_are_read_as_the_table_says(row: Row) -> None:
    assert seconds_of(row["seconds_format"], f" {row['seconds']} ") == int(row["read as"])


@pytest.mark.parametrize(
    "row", TABLES["Lengths that are refused"], ids=lambda row: f"{row['seconds_format']} {row['seconds']}"
)
def test_lengths_are_refused_with_the_sentence_of_the_table(row: Row) -> None:
    with pytest.raises(BadField) as refused:
        seconds_of(row["seconds_format"], row["seconds"])
    assert (refused.value.reason, refused.value.message) == ("bad_seconds", row["message"])


_NUMBERS = st.integers(0, 99).flatmap(lambda n: st.sampled_from((f"{n}", f"{n:02}", f"{n:03}")))
_TEXTS = st.lists(_NUMBERS, min_size=1, max_size=4).map(":".join) | st.text("0123456789:.- x", max_size=9)


@given(st.lists(_TEXTS, min_size=1, max_size=30), st.sampled_from(spans.FORMATS))
def test_columns_of_lengths_are_read_like_single_ones_or_left_to_them(texts: list[str], seconds_format: str) -> None:
    data = ",".join(texts).encode()
    buffer = np.concatenate([np.frombuffer(data, np.uint8), np.zeros(words.PAD, np.uint8)])
    lengths = np.array([len(text) for text in texts])
    begins = np.cumsum(lengths + 1) - lengths - 1
    values, known = words.spans(buffer, begins, lengths, 5, seconds_format)
    for text, value, is_known in zip(texts, values.tolist(), known.tolist(), strict=True):
        if is_known and value <= spans.MOST:
            assert spans.read(text, seconds_format) == value


def test_clocks_are_read_as_columns() -> None:
    texts = ["0:01:27", "00:01:27", "12:34", "2:34", "87"]
    buffer = np.concatenate([np.frombuffer("".join(texts).encode(), np.uint8), np.zeros(words.PAD, np.uint8)])
    lengths = np.array([len(text) for text in texts])
    begins = np.cumsum(lengths) - lengths
    assert words.spans(buffer, begins, lengths, 5, spans.AUTO)[1].tolist() == [True, True, False, False, True]
    for seconds_format, twos in ((spans.MINUTES, [754, 154]), (spans.HOURS, [45240, 9240])):
        values, known = words.spans(buffer, begins, lengths, 5, seconds_format)
        assert known.all()
        assert values.tolist() == [87, 87, *twos, 87]


def parsed(text: str, **declares: object) -> Call | Rejection:
    source = formats.Source(PLAN, "UTC", declares=declared(declares))
    chunk = Chunk(1, text.encode())
    (found,) = formats.parse(chunk, formats.detect(chunk), source)
    assert isinstance(found, Call | Rejection)
    return found


@pytest.mark.parametrize("form", [FUSIONPBX, VOIPMS], ids=["fusionpbx", "voipms"])
def test_known_formats_may_have_clocks(form: str) -> None:
    found = [parsed(form.format(text)) for text in ("0:01:27", "00:01:27", "87")]
    assert [each.seconds for each in found if isinstance(each, Call)] == [87, 87, 87]
    refused, read = parsed(form.format("12:34")), parsed(form.format("12:34"), seconds_format="m:s")
    assert isinstance(refused, Rejection)
    assert refused.reason == "bad_seconds"
    assert isinstance(read, Call)
    assert read.seconds == 754


def test_a_clock_of_zeros_is_no_sign_that_a_call_was_answered() -> None:
    found = [parsed(FUSIONPBX.format(text)) for text in ("00:00:00", "0:00", "0:00:01")]
    assert [each.disposition for each in found if isinstance(each, Call)] == ["NO ANSWER", "NO ANSWER", "ANSWERED"]


def suggestion(*lengths: str) -> Suggestion:
    lines = [f"2026-11-2{n} 08:30:00,1001,+14165550123,acme,{text},answered" for n, text in enumerate(lengths)]
    text = "\n".join(["Start,From,To,Account,Billsec,Status", *lines, ""])
    return suggest(Chunk(1, text.encode()), False, Known(frozenset(("acme",)), frozenset(), {}), PLAN)


def test_two_numbers_are_asked_and_not_declared() -> None:
    found = suggestion("0:00", "12:34", "1:02:03")
    assert "seconds_format" not in found.source
    (asked,) = found.questions
    assert (asked.part, asked.candidates, asked.lines) == ("seconds_format", ["m:s", "h:m"], [3])
    assert asked.parameters == {"example": "12:34"}


def test_a_length_that_cannot_be_hours_settles_the_file() -> None:
    found = suggestion("12:34", "75:12")
    assert (found.source["seconds_format"], found.questions) == ("m:s", [])
    assert found.evidence[-1][1:] == (3, "75:12")


def test_clocks_with_hours_need_no_declaration() -> None:
    found = suggestion("0:01:27", "87")
    assert "seconds_format" not in found.source
    assert found.questions == []


def of_file(title: str, *lengths: str, ends: bool = True) -> Suggestion:
    """The suggestion for calls that are answered at once and last 20, 70, 90 ... seconds."""
    talked = (20, 70, 90)
    day = "2026-11-23 08"
    lines = [
        f"{day}:30:00,{day}:30:00,{day}:{30 + s // 60}:{s % 60:02},1001,+14165550123,acme,{text},answered"
        for s, text in zip(talked, lengths, strict=False)
    ]
    header = f"Start,Answer,{'End' if ends else 'Remark'},From,To,Account,{title},Status"
    return suggest(
        Chunk(1, "\n".join([header, *lines, ""]).encode()), False, Known(frozenset(("acme",)), frozenset(), {}), PLAN
    )


@pytest.mark.parametrize(
    ("title", "lengths", "unit"),
    [
        ("Talk time", ("20", "70", "90"), None),
        ("Talk time", ("20000", "70000", "90400"), "ms"),
        ("Billmsec", ("20000", "70000"), "ms"),
        ("Talk time", ("0.33", "1.17", "1.5"), "min"),
    ],
)
def test_ends_of_calls_show_the_unit_of_lengths(title: str, lengths: tuple[str, ...], unit: str | None) -> None:
    found = of_file(title, *lengths)
    assert (found.source.get("seconds_format"), found.source["columns"]["seconds"]) == (unit, title)
    assert not found.questions


@pytest.mark.parametrize(
    ("title", "lengths", "candidates"),
    [
        ("Talk time", ("20000", "70000"), ["s", "ms"]),
        ("Billable minutes", ("1", "2"), ["min", "s"]),
        ("Talk time", ("0.33", "1.17"), ["ms", "min"]),
    ],
)
def test_a_unit_that_nothing_shows_is_asked(title: str, lengths: tuple[str, ...], candidates: list[str]) -> None:
    found = of_file(title, *lengths, ends=False)
    assert "seconds" not in found.source["columns"] and "seconds_format" not in found.source
    asked = {question.part: question.candidates for question in found.questions}
    assert asked == {"seconds_format": candidates, "columns.seconds": [title]}


@pytest.mark.parametrize("lengths", [("1", "2", "2"), ("20", "700")])
def test_lengths_that_do_not_fit_the_ends_of_calls_are_asked(lengths: tuple[str, ...]) -> None:
    found = of_file("Talk time", *lengths)
    assert {question.code for question in found.questions} == {"unit", "seconds"}


def test_a_column_of_minutes_with_the_same_lengths_is_a_doubt() -> None:
    text = (
        "Start,From,To,Account,Minutes billed,Billed duration,Status\n2026-11-23 08:30:00,1,+14165550123,acme,2,2,ok\n"
    )
    found = suggest(Chunk(1, text.encode()), False, Known(frozenset(("acme",)), frozenset(), {}), PLAN)
    assert {question.part for question in found.questions} == {"seconds_format", "columns.seconds"}
