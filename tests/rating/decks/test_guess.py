"""What is guessed of a carrier's deck from its first rows, and what is asked instead."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.money import format_decimal
from chalicelib.rating.decks import titles
from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.decks.reading import Reading, read_file

DAY = "2026-12-01"


def read(text: str, *, assume: bool = False) -> Reading:
    return read_file([text.encode()], "deck.csv", DAY, None, assume=assume)


def priced(text: str) -> dict[str, tuple[int, int, int]]:
    found = read(text)
    assert (found.how, found.read.bad) == ("guessed", [])
    return {line.prefix: line[2:5] for line in found.read.lines}


def asked(text: str) -> list[str]:
    found = read(text)
    assert found.guess is not None
    assert found.read.lines == []
    assert [bad.code for bad in found.read.bad] == [question.code for question in found.guess.questions]
    return [bad.code for bad in found.read.bad]


@pytest.mark.parametrize(
    ("title", "column"),
    [
        *((title, "prefix") for title in ("Prefix", "Code", "Dial Code", "Destination Code", "Indicatif", "Prefijo")),
        *((title, "rate_per_minute") for title in ("Rate", "PRICE", "Tarif", "Precio", "USD per min", "Price (EUR)")),
        *((title, "increments") for title in ("Increments", "Billing Increment", "Takt")),
        *((title, "no_price") for title in ("Old rate", "Previous Price", "Change %")),
        *((title, "maybe_price") for title in ("Inter", "Intra", "Local")),
        ("Gültig ab", "effective_from"), ("Country Code", "country_code"), ("Area codes", "area_codes"), ("Remark", ""),
    ],
)  # fmt: skip
def test_titles_are_known_in_several_spellings_and_languages(title: str, column: str):
    assert titles.meaning(title) == column


def test_a_file_with_semicolons_and_decimal_commas_is_read_as_it_is():
    text = "Land;Vorwahl;Preis EUR/min;Takt\nUK;44;0,012;60/60\nUK mobil;4479,4480;0,112;30/6\n"
    assert priced(text) == {
        "44": (120_000_000, 60, 60), "4479": (1_120_000_000, 30, 6), "4480": (1_120_000_000, 30, 6),
    }  # fmt: skip
    assert read(text).read.currency == "EUR"


def test_titles_above_the_header_are_skipped_and_other_columns_named():
    text = (
        "sep=,\nAcme Telecom\nDestination,Code,Rate,Billing Increment,Effective Date,Comment\n"
        "UK,44,0.012,60/60,13/11/2026,x\nUK,44,0.02,60/60,1/12/2026,x\n"
    )
    assert priced(text) == {"44": (200_000_000, 60, 60)}
    assert read(text).read.extra == ["Comment"]


def test_a_file_without_a_header_is_read_by_what_its_columns_hold():
    assert priced("44;UK;0.012;60/60\n45;DK;0.013;30/6\n") == {
        "44": (120_000_000, 60, 60), "45": (130_000_000, 30, 6),
    }  # fmt: skip


def test_npanxx_gets_its_calling_code_and_asks_which_price_counts():
    text = "NPANXX,Inter,Intra,Local\n212555,0.012,0.013,0.01\n212556,0.012,0.013,0.01\n"
    assert asked(text) == ["which_rate_per_minute", "increments"]
    lines = read(text, assume=True).read.lines
    assert lines[0] == DeckLine("1212555", "", 120_000_000, 60, 60, 0)


def test_six_digits_under_another_title_get_no_calling_code():
    assert list(priced("Prefix,Rate,Increments\n212555,0.012,6/6\n213555,0.012,6/6\n")) == ["212555", "213555"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Code;Price;Inc\n44;1,234;1/1\n45;2,234;1/1\n", "decimal"),
        ("Code;Price;Inc\n44;1.234;1/1\n45;2.234;1/1\n", "decimal"),
        ("Code;Price;Inc\n44;52;1/1\n45;130;1/1\n", "price_unit"),
        ("Code;Price\n44;0.1\n45;0.2\n", "increments"),
        ("Code;Price;Inc;From date;Date\n44;0.1;1/1;a;1/9/2026\n45;0.2;1/1;b;9/1/2026\n", "date_format"),
        ("Code;Price;Surcharge;Inc\n44;0.1;0.2;1/1\n45;0.2;0.3;1/1\n", "which_rate_per_minute"),
        ("Code;Price;Bonus;Inc\n44;0.1;0.2;1/1\n45;0.2;0.3;1/1\n", "which_rate_per_minute"),
        ("Code;Price;Inc\n44-45;0.1;1/1\n46-47;0.2;1/1\n", "dash"),
        ("Country Code;Code;Price;Inc\n44;4479;0.1;1/1\n45;20;0.2;1/1\n", "calling_code"),
        ("Prefix;Code;Price;Inc\n44;4479;0.1;1/1\n", "which_prefix"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_and_refused(text: str, code: str):
    assert asked(text) == [code]


def test_a_code_beside_its_calling_code_is_an_area_code_only_if_it_never_begins_with_it():
    inside = "Country Code;Code;Price;Inc\n44;4479;0.1;1/1\n45;4520;0.2;1/1\n"
    beside = "Country Code;Code;Price;Inc\n44;79;0.1;1/1\n45;20;0.2;1/1\n"
    assert list(priced(inside)) == list(priced(beside)) == ["4479", "4520"]


def test_the_own_header_is_read_as_before_and_a_text_is_in_no_known_format():
    assert read("prefix,destination,rate_per_minute,initial,increment\n44,UK,0.1,6,6\n").how == "own"
    assert [bad.field for bad in read("prefix,destination,rate_per_minute,initial\n44,UK,0.1,6\n").read.bad] == [
        "increment"
    ]
    assert [bad.code for bad in read("hello\n").read.bad] == ["unknown_format"]
    assert read("").read.bad != []


@st.composite
def decks(draw: st.DrawFn) -> tuple[str, dict[str, tuple[int, int, int]]]:
    """A deck in a carrier's shape, and the prices it means."""
    delimiter, decimal = draw(st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", ".")]))
    per_second, united = draw(st.booleans()), draw(st.booleans())
    truth, rows = {}, []
    for prefix in draw(st.sets(st.integers(2, 99_999).map(str), min_size=1, max_size=6)):
        units, first, then = draw(st.tuples(st.integers(0, 20_000), st.integers(1, 99), st.integers(1, 99)))
        price = format_decimal(units * (10_000 if united else 1), 4, draw(st.integers(0, 4)) * (not united))
        rows.append([prefix, "somewhere", price.rstrip(".").replace(".", decimal), f"{first}/{then}"])
        truth[prefix] = (units * 10**6 * (60 if per_second else 1), first, then)
    titled = ["Code", "Name", "Price per second" if per_second else "Rate per min", "Billing"]
    order = draw(st.permutations(range(4)))
    text = "\n".join(delimiter.join(row[place] for place in order) for row in [titled, *rows])
    return text + "\n", truth


@examples(300)
@given(decks())
def test_a_guess_is_right_or_asks(case: tuple[str, dict[str, tuple[int, int, int]]]):
    text, truth = case
    found = read(text)
    if not found.read.bad:
        assert {line.prefix: line[2:5] for line in found.read.lines} == truth


@pytest.mark.parametrize(
    ("title", "price", "rate_e10"),
    [
        ("Rate/s", "0.0002", 120_000_000), ("Prix par seconde", "0.0002", 120_000_000),
        ("Rate(s)", "0.0002", 2_000_000),
        ("Rate in cents", "1.5", 150_000_000), ("Preis in Cent", "1.5", 150_000_000),
        ("Rate ct/min", "1.5", 150_000_000), ("Precio en centavos", "1.5", 150_000_000),
        ("Price/hour", "1.5", 250_000_000), ("Preis pro Stunde", "1.5", 250_000_000),
    ],
)  # fmt: skip
def test_a_unit_in_the_title_of_a_price_sets_it(title: str, price: str, rate_e10: int):
    assert priced(f"Code;{title};Inc\n44;{price};1/1\n")["44"][0] == rate_e10


@pytest.mark.parametrize(
    ("title", "code"),
    [("Rate per call", "price_per"), ("Rate per 6 sec", "price_per"), ("Rate/m", "price_per"),
     ("Rate min/sec", "price_per"), ("Rate p/min", "price_unit"), ("Rate x 10000", "price_unit")],
)  # fmt: skip
def test_a_unit_that_is_not_known_is_asked(title: str, code: str):
    assert asked(f"Code;{title};Inc\n44;1.5;1/1\n") == [code]


def test_a_minimum_is_read_beside_its_step():
    assert priced("Code,Rate,Min,Inc\n44,0.1,60,1\n45,0.1,30,6\n") == {
        "44": (1_000_000_000, 60, 1), "45": (1_000_000_000, 30, 6),
    }  # fmt: skip


def test_a_minimum_that_cannot_be_read_is_asked():
    assert asked("Code;Rate;Minimum charge;Inc\n44;0.1;0.02;1/1\n") == ["which_rate_per_minute", "minimum"]
    assert asked("Code;Rate;Increment (min)\n44;0.1;1\n") == ["increments"]


@pytest.mark.parametrize("title", ["Status", "Statut", "Remark", "Change"])
def test_a_column_with_blocked_lines_is_asked(title: str):
    text = f"Code;Rate;Inc;{title}\n44;0.1;1/1;Active\n45;0.2;1/1;Blocked\n"
    assert asked(text) == ["status"]
    assert [line.prefix for line in read(text, assume=True).read.lines] == ["44"]


def test_a_status_of_open_lines_is_read_so_that_a_blocked_line_after_the_sample_is_refused():
    text = "Code;Rate;Inc;Status\n" + "".join(f"{n};0.1;1/1;Active\n" for n in range(1000, 3000))
    assert len(priced(text)) == 2000
    assert [bad.code for bad in read(text + "4000;0.1;1/1;Blocked\n").read.bad] == ["blocked_line"]


def test_an_ended_price_does_not_count_though_it_began_later():
    text = "Code;Rate;Inc;Effective Date;End Date\n44;0.1;1/1;2026-01-01;\n44;0.9;1/1;2026-06-01;2026-07-31\n"
    assert priced(text) == {"44": (1_000_000_000, 1, 1)}


def test_npa_and_nxx_in_two_columns_get_their_calling_code():
    text = "NPA,NXX,Rate,Inc\n212,555,0.012,6/6\n305,556,0.012,6/6\n"
    assert list(priced(text)) == ["1212555", "1305556"]
    assert list(priced(text.replace("NPA,NXX", "NPA-NXX").replace("2,5", "2-5").replace("305,5", "305-5"))) == [
        "1212555", "1305556",
    ]  # fmt: skip


def test_a_dialling_prefix_or_blanks_are_read_where_all_lines_have_them():
    assert list(priced("Code;Rate;Inc\n0049;0.1;1/1\n0044;0.1;1/1\n")) == ["49", "44"]
    assert list(priced("Code;Rate;Inc\n+44 20;0.1;1/1\n+49 30;0.1;1/1\n")) == ["4420", "4930"]
    assert asked("Code;Rate;Inc\n44 20;0.1;1/1\n49;0.1;1/1\n") == ["blank"]
    assert [bad.code for bad in read("Code;Rate;Inc\n0049;0.1;1/1\n44;0.1;1/1\n").read.bad] == ["bad_prefix"]


def test_area_codes_without_any_calling_code_are_asked():
    assert asked("Area code;Rate;Inc\n212;0.1;1/1\n305;0.1;1/1\n") == ["calling_code"]
