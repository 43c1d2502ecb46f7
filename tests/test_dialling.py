"""Dial plans: what a dialled text means, in the reading order of ``docs/numbers.md``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_tables import Row, tables

from chalicelib import dialling, numbering, numbers
from chalicelib.dialling import Ambiguous, DialPlan

DOCUMENT = tables((Path(__file__).resolve().parent.parent / "docs" / "numbers.md").read_text())
HOMES = sorted(numbers.home_countries())
REASONS = {"ambiguous_number": Ambiguous, "bad_number": ValueError}


def plan_of(row: Row) -> DialPlan:
    """The plan of a row of the document: the codes and accounts that its text names."""
    return DialPlan(
        row["home"] or "US", codes=frozenset(("411", "118712")), accounts=frozenset(("alice", "5145550177"))
    )


def declared_by(row: Row) -> DialPlan:
    """The plan of a row, with what its source declares."""
    rules = (rule.split(":") for rule in row["local numbers"].split(",") if rule)
    return replace(
        plan_of(row),
        strip=tuple(word.strip("`") for word in row["strip"].split() if word != "always"),
        strip_always="always" in row["strip"],
        local_numbers=tuple((int(digits), prefix.strip(" `")) for digits, prefix in rules),
    )


def outcome(plan: DialPlan, text: str) -> str:
    try:
        return plan.read(text)
    except Ambiguous:
        return "ambiguous_number"
    except ValueError:
        return "bad_number"


@pytest.mark.parametrize("heading", ["Worked examples", "Spellings of one number"])
def test_every_example_of_the_document_is_read_as_it_says(heading: str) -> None:
    rows = DOCUMENT[heading]
    assert len(rows) > 10
    for row in rows:
        assert outcome(plan_of(row), row["dialled"].strip("`")) == row["read as"].strip("`"), row


def test_every_example_of_a_source_is_read_as_the_document_says() -> None:
    rows = DOCUMENT["Worked examples of sources"]
    assert len(rows) > 30
    for row in rows:
        assert outcome(declared_by(row), row["dialled"].strip("`")) == row["read as"].strip("`"), row


def test_a_refusal_shows_both_readings() -> None:
    plan = DialPlan("DE", accounts=frozenset(("930123456",)))
    with pytest.raises(Ambiguous, match=r"^9502 is 9502 as dialled, and 502 without 9 \(strip_always takes that\)$"):
        DialPlan(strip=("9",)).read("9502")
    with pytest.raises(Ambiguous, match="930123456 is 930123456 as dialled, and more than one number without 9"):
        replace(plan, strip=("9",)).read("930123456")
    with pytest.raises(Ambiguous, match="may be a local number"):
        replace(plan, strip=("9",), strip_always=True).read("930123456")


def test_callers_are_read_without_what_a_source_declares() -> None:
    plan = DialPlan("RU", strip=("9",), local_numbers=((6, "+73952"),))
    assert plan.of_callers == DialPlan("RU")
    assert DialPlan("RU").of_callers.read("211474") == "211474"


@pytest.mark.parametrize("home", HOMES)
def test_nothing_is_taken_off_or_put_before_emergency_numbers(home: str) -> None:
    shorts = numbering.home(home).emergencies | {"112", "911", "988"}
    strip = tuple({short[:size] for short in shorts for size in range(1, len(short) + 1)})
    local = tuple((size, "+12125550") for size in range(2, 7))
    for always in (False, True):
        plan = DialPlan(home, strip=strip, strip_always=always, local_numbers=local)
        assert [plan.read(text) for text in sorted(shorts)] == sorted(shorts)
        other = replace(plan, strip=("77",))
        assert [other.read("77" + text) for text in sorted(shorts)] == sorted(shorts)


def test_the_kind_of_each_bare_example_is_the_documented_one() -> None:
    for row in DOCUMENT["Worked examples"]:
        plan, number = plan_of(row), row["read as"].strip("`")
        assert plan.is_emergency(number) == (row["because"] == "emergency"), row
        if number[:1] != "+" and number not in REASONS and row["because"] != "emergency":
            assert plan.is_internal(number) == (row["because"] in ("internal", "short code, internal without a price"))


@pytest.mark.parametrize("home", HOMES)
def test_an_emergency_number_of_the_home_country_is_one_in_every_spelling(home: str) -> None:
    plan, own = DialPlan(home), numbering.home(home)
    for short in own.emergencies | {"112", "911", "988"}:
        spellings = [short, f" {short} ", f"{short}#", f"sip:{short}@pbx.example", f"tel:{short}", "-".join(short)]
        spellings += [f"+{own.calling_code}{short}"] if len(own.calling_code + short) < 7 else []
        for text in spellings:
            assert plan.is_emergency(text), (text, short)
            assert plan.read(text) == short
            assert DialPlan(home, codes=frozenset((short,))).read(text) == short


def test_emergency_numbers_are_those_of_the_home_country_and_three_of_the_world() -> None:
    assert [DialPlan("GB").is_emergency(text) for text in ("999", "112", "911", "15", "000")] == [True] * 3 + [
        False
    ] * 2
    assert [DialPlan("FR").is_emergency(text) for text in ("15", "17", "18", "999")] == [True] * 3 + [False]
    assert DialPlan("AU").is_emergency("000")
    assert [DialPlan().is_emergency(text) for text in ("+1911", "1911", "00112", "011911", "0111988")] == [True] * 5


@pytest.mark.parametrize("text", ["9112", "+91 11 2345 6789", "911@", "sip:alice@911", "", "+", "#", "1911", "00000"])
def test_what_only_contains_an_emergency_number_is_none(text: str) -> None:
    assert not DialPlan("FR").is_emergency(text)


def test_internal_digits_are_six_or_fewer_than_the_shortest_number_without_trunk_prefix() -> None:
    usual = {
        home: dialling.usual_internal_digits(numbering.home(home)) for home in ("US", "GB", "NO", "IT", "NU", "SG")
    }
    assert usual == {"US": 6, "GB": 6, "NO": 4, "IT": 5, "NU": 3, "SG": 6}
    assert [outcome(DialPlan("NU"), text) for text in ("400", "4002")] == ["400", "+6834002"]


def test_a_reseller_chooses_the_digits_of_internal_numbers() -> None:
    assert [outcome(DialPlan("US", 3), text) for text in ("502", "5020")] == ["502", "bad_number"]
    assert outcome(DialPlan("US", 8), "50212345") == "50212345"
    assert [DialPlan("US", each).is_internal("5021") for each in (3, 4)] == [False, True]


def test_a_code_that_is_no_internal_number_is_not_taken_for_one() -> None:
    plan = DialPlan("US", 4, codes=frozenset(("118712", "411")))
    assert [plan.read(text) for text in ("118712", "411", "11-87-12")] == ["118712", "411", "118712"]
    assert [plan.is_internal(text) for text in ("118712", "411")] == [False, True]


def test_a_user_name_of_digits_is_internal_but_not_behind_a_plus() -> None:
    plan = DialPlan("US", accounts=frozenset(("2125550100", "101")))
    assert [plan.read(text) for text in ("2125550100", "+12125550100", "12125550100", "101")] == [
        "2125550100",
        "+12125550100",
        "+12125550100",
        "101",
    ]


@pytest.mark.parametrize(
    ("raw", "home"),
    [
        ("", "US"),
        ("+", "US"),
        ("++12125550100", "US"),
        ("+123456", "US"),
        ("+1234567890123456", "US"),
        ("+0212555010", "US"),
        ("5550100", "US"),
        ("1125550100", "US"),
        ("11125550100", "US"),
        ("442079460000", "US"),
        ("0110442079460000", "US"),
        ("0000000000", "US"),
        ("anonymous", "US"),
        ("*123456", "US"),
        ("7", "US"),
        ("S", "US"),
        ("2125550100x5", "US"),
        ("٢١٢٥٥٥٠١٠٠", "US"),
        ("212²550100", "US"),
        ("+٢١٢٥٥٥٠١٠٠", "US"),
        ("12345678", "FR"),
        ("sip:bob@pbx", "FR"),
    ],
)
def test_what_is_no_number_is_refused_never_guessed(raw: str, home: str) -> None:
    with pytest.raises(ValueError, match="must be a phone number"):
        DialPlan(home).read(raw)


@pytest.mark.parametrize("home", ["us", "ZZ", ""])
def test_a_home_country_without_telephones_is_refused(home: str) -> None:
    with pytest.raises(ValueError, match="home country must be"):
        DialPlan(home).read("502")


@given(
    st.one_of(st.text("0123456789+ -.()x*#sih", max_size=20), st.from_regex(r"\+?[0-9]{5,17}", fullmatch=True)),
    st.sampled_from(HOMES),
    st.sampled_from([None, 2, 9]),
)
def test_what_was_read_is_read_as_itself(raw: str, home: str, internal_digits: int | None) -> None:
    plan = DialPlan(home, internal_digits)
    number = outcome(plan, raw)
    if number in REASONS:
        return
    assert number[0] != "+" or 7 <= len(number) - 1 <= 15
    assert number[0] == "+" or plan.is_internal(number) or plan.is_emergency(number)
    assert outcome(plan, number) in (number, "ambiguous_number")
    assert not numbering.is_e164(raw) or number == raw


@given(st.text("0123456789", min_size=7, max_size=16), st.sampled_from(HOMES), st.data())
def test_a_valid_number_is_what_libphonenumber_reads_too(digits: str, home: str, data: st.DataObject) -> None:
    own = numbering.home(home)
    start = data.draw(st.sampled_from(["", own.trunk, own.calling_code, own.calling_code + own.trunk, "00", "011"]))
    number = outcome(DialPlan(home), start + digits)
    try:
        theirs = phonenumbers.parse(start + digits, home)
    except phonenumbers.NumberParseException:
        return
    if number[0] == "+" and phonenumbers.is_valid_number(theirs) and number != f"+{start}{digits}":
        assert number == phonenumbers.format_number(theirs, phonenumbers.PhoneNumberFormat.E164)
