"""Decks in the shapes of carriers: each way of writing a column, read by a declared format."""

from __future__ import annotations

from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.money import format_decimal
from chalicelib.rating.decks.deck import NUMBER, DeckLine
from chalicelib.rating.decks.formats import DeckFormat
from chalicelib.rating.decks.mapping import Read, read_deck

DAY = "2026-12-01"
BY_PLACE: dict[str, str | int] = {"prefix": 1, "destination": 2, "rate_per_minute": 3, "increments": 4}


def read(*rows: str, day: str = DAY, columns: dict[str, str | int] | None = None, **form: Any) -> Read:
    """Rows with ``;`` between their cells, read by a format."""
    cells = [(number, row.split(";")) for number, row in enumerate(rows, 1)]
    return read_deck(cells, DeckFormat(columns or BY_PLACE, **form), day)


def lines(*rows: str, **form: Any) -> list[DeckLine]:
    found = read(*rows, **form)
    assert found.bad == []
    return found.lines


def complaints(found: Read) -> list[tuple[int, str, str, str]]:
    return [(bad.line, bad.field, bad.code, bad.value) for bad in found.bad]


def test_columns_by_position_need_no_header_and_a_header_is_left_out_when_it_is_there():
    expected = [DeckLine("44", "UK", 120_000_000, 60, 30, 0)]
    assert lines("44;UK;0.012;60/30") == expected
    assert lines("Code;Name;Rate;Billing", "44;UK;0.012;60/30") == expected
    assert lines("44;UK;0.012;60/30", header="absent") == expected


def test_columns_by_title_match_in_any_case_and_others_are_named():
    columns: dict[str, str | int] = {"prefix": "Dial Code", "rate_per_minute": "rate"}
    found = read("Junk title;;;", "", "dial code;RATE; Quality;", "44;0.012;A;", columns=columns, skip_lines=2,
                 increments="6/6")  # fmt: skip
    assert found.bad == []
    assert found.lines == [DeckLine("44", "", 120_000_000, 6, 6, 0)]
    assert found.extra == ["Quality", "column 4"]


@pytest.mark.parametrize(
    ("cell", "form", "rate_e10"),
    [
        ("0.012", {}, 120_000_000),
        (".5", {}, 5_000_000_000),
        ("0,012", {"decimal": ","}, 120_000_000),
        ("1.234,5", {"decimal": ",", "price_unit": 10_000}, 1_234_500_000),
        ("1,234", {"price_unit": 10_000}, 1_234_000_000),
        ("52", {"price_unit": 10_000}, 52_000_000),
        ("1.5", {"price_unit": 100}, 150_000_000),
        ("0.0002", {"price_per": "second"}, 120_000_000),
        ("0,0000000001", {"decimal": ",", "price_per": "second"}, 60),
    ],
)
def test_a_price_is_read_exactly_in_the_unit_of_its_format(cell: str, form: dict[str, Any], rate_e10: int):
    assert [line.rate_e10 for line in lines(f"44;UK;{cell};1/1", **form)] == [rate_e10]


@pytest.mark.parametrize("cell", ["0,012", "12,34", "1.2.3", "0.012 EUR", "$$0.01", "1e-3", "", "-1", "1001"])
def test_a_price_that_the_format_does_not_allow_is_listed_with_its_value(cell: str):
    found = read("44;UK;0.01;1/1", f"45;Denmark;{cell};1/1")
    assert complaints(found) == [(2, "rate_per_minute", "bad_rate_per_minute", cell)]


def test_a_price_with_too_many_decimals_for_its_unit_is_not_rounded():
    assert complaints(read("44;UK;0.1234567;1/1", price_unit=10_000)) == [
        (1, "rate_per_minute", "bad_rate_per_minute", "0.1234567")
    ]


@pytest.mark.parametrize(
    ("cell", "seconds"), [("60/60", (60, 60)), ("30/6", (30, 6)), ("60", (60, 60)), ("1+1", (1, 1)), ("", (6, 5))]
)
def test_increments_stand_in_one_cell_or_are_those_of_the_format(cell: str, seconds: tuple[int, int]):
    assert [line[3:5] for line in lines(f"44;UK;0.1;{cell}", increments="6/5")] == [seconds]


def test_increments_may_be_two_columns():
    columns: dict[str, str | int] = {"prefix": 1, "initial": 3, "increment": 2, "rate_per_minute": 4}
    assert [line[3:5] for line in lines("44;6;30;0.1", columns=columns)] == [(30, 6)]


@pytest.mark.parametrize("cell", ["", "0/1", "3601/1", "1/1/1", "a"])
def test_bad_increments_are_listed_once(cell: str):
    assert {each[:3] for each in complaints(read(f"44;UK;0.1;{cell}"))} == {(1, "increments", "bad_increments")}


@pytest.mark.parametrize(
    ("cell", "prefixes"),
    [
        ("4479", ["4479"]),
        ("+4479", ["4479"]),
        ("4479,4480", ["4479", "4480"]),
        ("4479 / 4480|4481", ["4479", "4480", "4481"]),
        ("4479-4481", ["4479", "4480", "4481"]),
        ("4477, 4479 - 4480", ["4477", "4479", "4480"]),
    ],
)
def test_a_cell_holds_a_prefix_a_list_or_a_range(cell: str, prefixes: list[str]):
    assert [line.prefix for line in lines(f"{cell};UK;0.1;1/1")] == prefixes


@pytest.mark.parametrize("cell", ["", "0044", "44 79", "4481-4479", "4479-81", "4.4E+3", "4479,", "1" * 16, "1-20001"])
def test_a_bad_prefix_is_listed_with_its_value(cell: str):
    assert complaints(read(f"{cell};UK;0.1;1/1")) == [(1, "prefix", "bad_prefix", cell)]


def test_a_dash_inside_a_prefix_is_left_out_when_the_format_says_join():
    assert [line.prefix for line in lines("1-305,1-306;US;0.1;1/1", dash="join")] == ["1305", "1306"]


def test_a_calling_code_and_area_codes_are_put_together():
    columns: dict[str, str | int] = {"country_code": 1, "area_codes": 2, "rate_per_minute": 3}
    found = lines("39;06, 01-03;0.1", "+44;;0.2", columns=columns, increments="1/1")
    assert [line.prefix for line in found] == ["3906", "3901", "3902", "3903", "44"]
    assert complaints(read(";20;0.1", columns=columns, increments="1/1")) == [(1, "area_codes", "bad_prefix", "20")]


def test_digits_are_put_before_every_prefix_but_not_before_numbers():
    columns = {**BY_PLACE, "match": 5}
    found = lines("212555,212-214;US;0.1;6/6;", "411;Directory;1;60/60;number", prefix_add="1", columns=columns)
    assert [line.prefix for line in found] == ["1212555", "1212", "1213", "1214", "411"]
    assert found[-1].match == NUMBER


def test_a_row_of_blank_cells_is_left_out_and_one_of_another_width_is_an_error():
    found = read("44;UK;0.1;1/1", ";;;", "45;DK;0.1;1/1;;", "46;SE;0.1", "47;NO;0,1;1/1;x")
    assert [line.prefix for line in found.lines] == ["44", "45"]
    assert [each[:3] for each in complaints(found)] == [(4, "", "bad_width"), (5, "", "bad_width")]
    assert found.rows == 4


def test_the_same_price_twice_counts_once_and_another_price_is_an_error():
    found = read("44;UK;0.1;1/1", "44;United Kingdom;0.10;1/1", "44;UK;0.2;1/1")
    assert found.duplicates == 1
    assert complaints(found) == [(3, "prefix", "two_prices", "44")]


DATED = {**BY_PLACE, "effective_from": 5}


def dated(*rows: str, day: str = DAY) -> Read:
    return read(*rows, day=day, columns=DATED, date_format="d/M/y")


@pytest.mark.parametrize("turn", [1, -1])
def test_the_latest_price_that_is_in_force_on_the_first_day_of_the_deck_counts(turn: int):
    rows = ["44;UK;0.1;1/1;", "44;UK;0.2;1/1;1/11/2026", "44;UK;0.3;1/1;1/12/26", "44;UK;0.4;1/1;2/12/2026"]
    found = dated(*rows[::turn])
    assert found.bad == []
    assert [line.rate_e10 for line in found.lines] == [3_000_000_000]
    assert (found.superseded, found.later) == (2, {"2026-12-02": 1})
    assert [line.rate_e10 for line in dated(*rows, day="2026-12-02").lines] == [4_000_000_000]


def test_a_price_that_begins_later_is_an_error_where_the_file_has_none_for_the_first_day():
    found = dated("44;UK;0.1;1/1;1/12/2026", "45;DK;0.1;1/1;8/12/2026")
    assert complaints(found) == [(2, "effective_from", "begins_later", "2026-12-08")]
    assert "drop the file for 2026-12-08" in found.bad[0].message


def test_a_date_that_the_pattern_does_not_read_is_an_error():
    found = dated("44;UK;0.1;1/1;2026-12-01", "45;DK;0.1;1/1;31/11/2026")
    assert [each[1:] for each in complaints(found)] == [
        ("effective_from", "bad_effective_from", "2026-12-01"),
        ("effective_from", "bad_effective_from", "31/11/2026"),
    ]


@pytest.mark.parametrize(
    ("pattern", "cell"),
    [("yyyyMMdd", "20261201"), ("d-MMM-yy", "01-Dec-26"), ("M/d/y", "12/1/2026 00:00"),
     ("y-M-d", "2026-12-01T00:00:00Z"), ("d.M.y", "1.12.26")],
)  # fmt: skip
def test_dates_are_read_by_their_pattern(pattern: str, cell: str):
    rows = (f"44;UK;0.1;1/1;{cell}", "44;UK;0.2;1/1;")
    found = read(*rows, columns=DATED, date_format=pattern)
    assert (found.bad, [line.rate_e10 for line in found.lines]) == ([], [1_000_000_000])


def test_a_column_that_the_file_lacks_or_has_twice_is_an_error():
    columns: dict[str, str | int] = {"prefix": "Code", "rate_per_minute": "Rate", "destination": "Name"}
    found = read("Code;Rate;rate", "44;1;2", columns=columns)
    assert complaints(found) == [(1, "rate_per_minute", "no_column", "Rate"), (1, "destination", "no_column", "Name")]
    assert complaints(read("44;1", header="absent"))[0][:3] == (1, "rate_per_minute", "no_column")


def test_a_number_for_two_home_countries_is_a_line_for_each():
    columns = {**BY_PLACE, "match": 5, "home": 6}
    found = read("411;D;1;60/60;number;US CA", "411;D;2;60/60;number;US", "44;UK;1;1/1;;GB", columns=columns)
    assert complaints(found) == [(2, "prefix", "two_prices", "411"), (3, "home", "bad_home", "GB")]
    assert [line.homes for line in found.lines] == [("CA",), ("US",)]


def test_an_emergency_number_as_a_prefix_is_an_error():
    assert complaints(read("911;Emergency;1;60/60")) == [(1, "match", "short_number", "911")]


@pytest.mark.parametrize("rows", [(), ("Code;Name;Rate;Inc",)])
def test_a_file_without_lines_is_an_error(rows: tuple[str, ...]):
    assert [bad.code for bad in read(*rows).bad] == ["empty_file"]


@examples(200)
@given(
    st.integers(0, 10**9), st.sampled_from(["minute", "second"]), st.sampled_from([1, 100, 10_000]),
    st.sampled_from([".", ","]),
)  # fmt: skip
def test_every_price_written_in_a_format_is_read_back(value: int, per: str, unit: int, decimal: str):
    rate_e10 = value * (60 if per == "second" else 1)
    text = format_decimal(value * unit, 10).replace(".", decimal)
    (line,) = lines(f"44;UK;{text};1/1", price_per=per, price_unit=unit, decimal=decimal)
    assert line.rate_e10 == rate_e10


@pytest.mark.parametrize("cell", ["$0.0100", "0.01 $", "€ 0.01"])
def test_a_currency_sign_beside_a_price_is_read_and_names_the_currency(cell: str):
    found = read(f"44;UK;{cell};1/1")
    assert (found.bad, found.lines[0].rate_e10) == ([], 100_000_000)
    assert found.currency == ("EUR" if "€" in cell else "USD")


def test_signs_of_two_currencies_in_one_deck_are_an_error():
    assert [bad.code for bad in read("44;UK;$0.01;1/1", "45;DK;€0.01;1/1").bad] == ["bad_currency"]


@pytest.mark.parametrize(("cell", "steps"), [("1 min", (60, 60)), ("1 min/6 s", (60, 6)), ("30 sec", (30, 30))])
def test_increments_may_have_their_unit(cell: str, steps: tuple[int, int]):
    assert [(line.initial, line.increment) for line in lines(f"44;UK;0.01;{cell}")] == [steps]


def test_an_increment_whose_unit_is_not_clear_is_refused():
    assert complaints(read("44;UK;0.01;1/6 min")) == [(1, "increments", "bad_increments", "1/6 min")]


def test_digits_to_cut_are_on_every_line_or_the_line_is_an_error():
    found = read("0049;Germany;0.01;1/1", "0044;UK;0.01;1/1", "45;DK;0.01;1/1", prefix_cut="00")
    assert complaints(found) == [(3, "prefix", "bad_prefix", "45")]
    assert [line.prefix for line in found.lines] == ["49", "44"]


def test_a_blank_in_a_prefix_is_read_only_as_declared():
    assert complaints(read("+44 20;UK;0.01;1/1")) == [(1, "prefix", "bad_prefix", "+44 20")]
    assert [line.prefix for line in lines("+44 20;UK;0.01;1/1", blank="join")] == ["4420"]
    assert [line.prefix for line in lines("44 45;UK;0.01;1/1", blank="list")] == ["44", "45"]


def test_a_price_of_an_hour_is_exact_or_an_error():
    assert [line.rate_e10 for line in lines("44;UK;1.5;1/1", price_per="hour")] == [250_000_000]
    assert complaints(read("44;UK;1;1/1", price_per="hour")) == [(1, "rate_per_minute", "bad_rate_per_minute", "1")]


def test_an_ended_price_and_a_blocked_line_set_no_price():
    columns = {**BY_PLACE, "effective_to": 5, "status": 6}
    rows = ("44;UK;0.01;1/1;;Active", "44;UK;0.02;1/1;2026-11-30;Active", "45;DK;0.01;1/1;;Blocked")
    found = read(*rows, columns=columns, blocked="leave_out")
    assert (found.bad, found.ended, found.blocked, [line.rate_e10 for line in found.lines]) == ([], 1, 1, [100_000_000])
    assert complaints(read(*rows, columns=columns)) == [(3, "status", "blocked_line", "Blocked")]
    assert len(read(*rows, columns=columns, blocked="price").lines) == 2
