"""Decks: the CSV reader, the compiled artefact, the longest match."""

from __future__ import annotations

import random

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.decks.deck import NUMBER, PREFIX, Deck, DeckLine, compile_deck, short_numbers
from chalicelib.rating.decks.parse import BadLine, parse_deck

HEADER = (1, ["prefix", "destination", "rate_per_minute", "initial", "increment"])
GOOD = ["1305", "USA, Florida", "0.0052", "6", "6"]


def deck_of(*prefixes: str) -> Deck:
    return Deck.load(compile_deck(DeckLine(prefix, f"to {prefix}", 100, 6, 6, 0) for prefix in prefixes))


def naive(prefixes: set[str], digits: str) -> str:
    return max((prefix for prefix in prefixes if digits[:15].startswith(prefix)), key=len, default="")


def matched(deck: Deck, digits: str) -> str:
    index = deck.match(digits)
    return deck.line(index).prefix if index >= 0 else ""


# --- matching -----------------------------------------------------------------------------------------------------

# Few different digits make prefixes nest deeply and lie side by side; 0 and 9 are where fillings and carries go wrong.
TIGHT = st.builds(lambda first, rest: first + rest, st.sampled_from("19"), st.text("019", max_size=14))
PREFIXES = st.sets(TIGHT, min_size=1, max_size=25)


@st.composite
def deck_and_numbers(draw: st.DrawFn) -> tuple[set[str], list[str]]:
    """Prefixes, and numbers chosen to hurt: exact, one beside, shorter, longer than any prefix, over 15 digits."""
    prefixes = draw(PREFIXES)
    numbers = draw(st.lists(st.text("0123456789", min_size=1, max_size=20), max_size=5))
    for prefix in prefixes:
        value = int(prefix)
        numbers += [prefix, str(value + 1), str(max(1, value - 1)), prefix[: draw(st.integers(1, 15))]]
        numbers += [prefix + draw(st.text("09", max_size=8)), prefix.ljust(15, "9"), prefix.ljust(18, "0")]
        numbers += [str(value + 1).ljust(15, "0"), str(max(1, value - 1)).ljust(16, "9")]
    return prefixes, numbers


@examples(200)
@given(deck_and_numbers())
def test_the_longest_match_is_the_one_a_naive_scan_finds(case):
    prefixes, numbers = case
    deck = deck_of(*prefixes)
    for digits in numbers:
        assert matched(deck, digits) == naive(prefixes, digits), digits
        assert deck.number(digits[:15], "US") == -1


@examples(100)
@given(deck_and_numbers(), st.integers(1, 9))
def test_first_digits_match_for_all_numbers_unless_a_longer_prefix_begins_with_them(case, length):
    prefixes, numbers = case
    deck = deck_of(*prefixes)
    for digits in numbers:
        first = digits[:length]
        index = deck.find_all(first)
        goes_on = any(len(prefix) > len(first) and prefix.startswith(first) for prefix in prefixes)
        assert (index is None) == goes_on, first
        if index is not None:
            assert (deck.line(index).prefix if index >= 0 else "") == naive(prefixes, digits), digits


def test_a_deck_of_twenty_thousand_prefixes_matches_like_a_naive_scan():
    chance = random.Random(7)
    prefixes = {str(chance.randint(1, 10 ** chance.randint(1, 9))) for _ in range(20_000)}
    deck = deck_of(*prefixes)
    for _ in range(5_000):
        digits = str(chance.randint(1, 10 ** chance.randint(1, 17)))
        expected = next((digits[:size] for size in range(15, 0, -1) if digits[:size] in prefixes), "")
        assert matched(deck, digits) == expected


def test_a_short_number_never_takes_a_prefix_longer_than_itself():
    deck = deck_of("1", "120", "1200000")
    assert [matched(deck, digits) for digits in ("1", "12", "120", "1200", "1200000", "12000001")] == [
        "1", "1", "120", "120", "1200000", "1200000",
    ]  # fmt: skip


def test_a_number_outside_every_prefix_has_no_match():
    deck = deck_of("44", "9999")
    assert [deck.match(digits) for digits in ("", "0", "0044", "43", "45", "999", "9998999999999999999")] == [-1] * 7


def deck_with_numbers(*lines: tuple[str, str, tuple[str, ...]]) -> Deck:
    """``(digits, match, homes)``; the destination of a line says all three."""
    return Deck.load(
        compile_deck(
            DeckLine(digits, f"{match} {digits} {'|'.join(homes)}", 100, 6, 6, 0, match, homes)
            for digits, match, homes in lines
        )
    )


def test_a_number_line_matches_its_number_alone_and_a_prefix_of_the_same_digits_all_others():
    deck = deck_with_numbers(("411", NUMBER, ()), ("411", PREFIX, ()), ("18005550100", NUMBER, ()))
    assert deck.line(deck.number("411", "US")).match == NUMBER
    assert deck.line(deck.find("41123456789", "US")).match == PREFIX
    assert [deck.number(digits, "US") for digits in ("41", "4110", "", "0411")] == [-1] * 4
    assert deck.line(deck.find("18005550100", "US")).match == NUMBER
    assert deck.find("180055501000", "US") == deck.find("1800555010", "US") == -1


def test_a_number_that_begins_with_zeros_is_another_one_than_without_them():
    deck = deck_with_numbers(*((digits, NUMBER, ()) for digits in ("0", "00", "000", "08", "8", "80")))
    assert [line.prefix for line in deck.lines()] == ["0", "00", "000", "08", "8", "80"]
    assert [deck.line(deck.number(digits, "AU")).prefix for digits in ("0", "00", "000", "08", "8", "80")] == [
        "0", "00", "000", "08", "8", "80",
    ]  # fmt: skip
    assert deck.number("0000", "AU") == deck.number("008", "AU") == -1


def test_a_line_for_the_home_country_goes_before_one_for_all_and_others_do_not_see_it():
    lines = (("118", NUMBER, ("DE", "FR")), ("118", NUMBER, ()), ("999", NUMBER, ("GB",)))
    deck = deck_with_numbers(*lines)

    def line(digits: str, home: str) -> tuple[str, ...] | None:
        index = deck.number(digits, home)
        return deck.line(index).homes if index >= 0 else None

    assert [line("118", home) for home in ("DE", "FR", "IT")] == [("DE", "FR"), ("DE", "FR"), ()]
    assert [line("999", home) for home in ("GB", "US")] == [("GB",), None]
    assert short_numbers(deck.lines()) == {"118": [], "999": ["GB"]}


@pytest.mark.parametrize("homes", [((), ()), (("US",), ("CA", "US"))])
def test_a_number_twice_for_one_home_cannot_be_compiled(homes):
    with pytest.raises(ValueError, match="411 comes twice"):
        deck_with_numbers(*(("411", NUMBER, each) for each in homes))


def test_first_digits_decide_nothing_where_a_number_line_begins_with_them():
    deck = deck_with_numbers(("1", PREFIX, ()), ("18005550100", NUMBER, ()), ("411", NUMBER, ()), ("1800", NUMBER, ()))
    assert deck.find_all("1800555") is None
    assert deck.find_all("1800556") == deck.find_all("1800000") == 0
    assert deck.find_all("4110000") == -1


def test_numbers_beyond_fifteen_digits_are_matched_by_their_first_fifteen():
    deck = deck_of("123456789012345", "1234")
    assert matched(deck, "1234567890123459999") == "123456789012345"
    assert matched(deck, "123456789012344999999") == "1234"


# --- the artefact -------------------------------------------------------------------------------------------------

LINES = st.builds(
    DeckLine,
    prefix=st.integers(1, 10**15 - 1).map(str),
    destination=st.text(max_size=20),
    rate_e10=st.integers(0, 10**13),
    initial=st.integers(1, 3600),
    increment=st.integers(1, 3600),
    fee_e8=st.integers(0, 10**11),
    match=st.just(PREFIX),
    homes=st.just(()),
)
NUMBER_LINES = st.builds(
    lambda line, digits, homes: line._replace(prefix=digits, match=NUMBER, homes=tuple(sorted(homes))),
    LINES,
    st.from_regex(r"[0-9]{1,6}|[1-9][0-9]{6,14}", fullmatch=True),
    st.sets(st.sampled_from(["US", "CA", "GB"])),
)


def by_digits(line: DeckLine) -> str:
    return line.prefix


@given(st.lists(LINES, max_size=20, unique_by=by_digits), st.lists(NUMBER_LINES, max_size=20, unique_by=by_digits))
def test_a_compiled_deck_loads_back_to_the_same_lines(lines, exact):
    deck = Deck.load(compile_deck([*exact, *lines]))
    assert len(deck) == len(lines) + len(exact)
    found = list(deck.lines())
    assert found[: deck.prefix_count] == sorted(lines, key=by_digits)
    assert sorted(found[deck.prefix_count :], key=by_digits) == sorted(exact, key=by_digits)
    assert all(deck.line(deck.match(line.prefix)) == line for line in lines)
    assert all(deck.line(deck.number(line.prefix, (*line.homes, "FR")[0])) == line for line in exact)


@given(st.lists(LINES, max_size=8, unique_by=lambda line: line.prefix), st.randoms(use_true_random=False))
def test_the_artefact_does_not_depend_on_the_order_of_prefixes_that_share_a_destination(lines, chance):
    lines = [line._replace(destination="same") for line in lines]
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert compile_deck(lines) == compile_deck(shuffled)


def test_a_line_is_the_same_object_every_time():
    deck = deck_of("1", "2")
    assert deck.line(1) is deck.line(1)


def test_an_index_outside_the_deck_is_an_error():
    deck = deck_of("1")
    for index in (-1, 1):
        with pytest.raises(IndexError):
            deck.line(index)


def test_a_prefix_twice_cannot_be_compiled():
    with pytest.raises(ValueError, match="1305 comes twice"):
        deck_of("1305", "1305")


def test_something_else_cannot_be_loaded():
    artefact = compile_deck([DeckLine("1", "a", 1, 1, 1, 0)])
    for data in (b"", b"prefix,destination", artefact[:-16]):
        with pytest.raises(ValueError, match="table file"):
            Deck.load(data)


# --- the CSV ------------------------------------------------------------------------------------------------------


def test_a_good_deck_is_read_with_its_fee_and_its_columns_in_any_order():
    header = (1, ["Increment", " initial", "prefix", "connect_fee", "rate_per_minute", "destination"])
    lines, bad = parse_deck([header, (2, ["6", "30", "+1305", "0.01", "0.0052", "  USA,\n Florida "])])
    assert bad == []
    assert lines == [DeckLine("1305", "USA, Florida", 52_000_000, 30, 6, 1_000_000)]


def test_a_blank_or_missing_fee_is_none():
    assert parse_deck([HEADER, (2, GOOD)])[0][0].fee_e8 == 0
    assert parse_deck([(1, [*HEADER[1], "connect_fee"]), (2, [*GOOD, ""])]) == (
        [DeckLine("1305", GOOD[1], 52_000_000, 6, 6, 0)],
        [],
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prefix", ""),
        ("prefix", "0305"),
        ("prefix", "1" * 16),
        ("prefix", "13-05"),
        ("prefix", "1.3E+05"),
        ("prefix", "١٣"),
        ("rate_per_minute", ""),
        ("rate_per_minute", "-0.01"),
        ("rate_per_minute", "1000.01"),
        ("rate_per_minute", "0,01"),
        ("rate_per_minute", "1e-3"),
        ("rate_per_minute", "0.00000000001"),
        ("initial", "0"),
        ("initial", "3601"),
        ("initial", "6.0"),
        ("increment", ""),
        ("increment", "-6"),
        ("increment", "0"),
        ("destination", "x" * 201),
        ("destination", "bell\x07"),
        ("connect_fee", "-1"),
        ("connect_fee", "1001"),
        ("connect_fee", "free"),
    ],
)
def test_a_bad_field_is_listed_with_its_line_and_name(field, value):
    names = [*HEADER[1], "connect_fee"]
    row = dict(zip(names, [*GOOD, "0"], strict=True)) | {field: value}
    lines, bad = parse_deck([(1, names), (7, list(row.values()))])
    assert lines == []
    assert [(each.line, each.field) for each in bad] == [(7, field)]
    assert bad[0].message


def test_every_bad_line_is_listed_and_every_bad_field_of_it():
    lines, bad = parse_deck(
        [HEADER, (2, GOOD), (3, ["0", "x", "y", "0", "6"]), (4, GOOD[:4]), (5, [*GOOD, "extra"]), (9, GOOD)]
    )
    assert [line.prefix for line in lines] == ["1305"]
    assert [(each.line, each.field) for each in bad] == [
        (3, "prefix"), (3, "rate_per_minute"), (3, "initial"), (4, ""), (5, ""), (9, "prefix"),
    ]  # fmt: skip
    assert bad[-1].message == "1305 is already on line 2; leave one of them out"
    assert bad[-2].message.startswith("has 6 columns where the first row has 5; ")


def test_a_prefix_with_and_without_plus_is_the_same_prefix():
    _, bad = parse_deck([HEADER, (2, GOOD), (3, ["+1305", *GOOD[1:]])])
    message = "1305 is already on line 2; leave one of them out"
    assert bad == [BadLine(3, "prefix", message, "two_prices", "1305")]


@pytest.mark.parametrize("records", [[], [HEADER]])
def test_an_empty_deck_is_bad(records):
    lines, bad = parse_deck(records)
    assert lines == []
    assert len(bad) == 1


def test_a_header_that_lacks_doubles_or_invents_a_column_is_bad_and_nothing_else_is_read():
    header = (1, ["prefix", "prefix", "destination", "rate_per_minute", "initial", "connection_fee"])
    lines, bad = parse_deck([header, (2, ["junk"])])
    assert lines == []
    assert [each.field for each in bad] == ["increment", "prefix", "connection_fee"]


@pytest.mark.parametrize("rate", ["0", "1000", "0.0000000001"])
def test_the_edges_of_a_rate_are_taken(rate):
    assert parse_deck([HEADER, (2, ["1", "", rate, "1", "3600"])])[1] == []


# --- number lines -------------------------------------------------------------------------------------------------

WITH_MATCH = (1, [*HEADER[1], "match", "home"])


def number_row(digits: str, match: str = "number", home: str = "", destination: str = "Information") -> list[str]:
    return [digits, destination, "0.50", "60", "60", match, home]


def test_a_line_matches_a_prefix_unless_it_says_number_and_may_name_home_countries():
    rows = [number_row("411", "Number", " us|CA "), number_row("+18005550100"), number_row("44", "", "", "UK")]
    lines, bad = parse_deck([WITH_MATCH, *enumerate(rows, 2)])
    assert bad == []
    assert [(line.prefix, line.match, line.homes) for line in lines] == [
        ("411", NUMBER, ("CA", "US")), ("18005550100", NUMBER, ()), ("44", PREFIX, ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (number_row(""), "prefix"),
        (number_row("*97"), "prefix"),
        (number_row("+411"), "prefix"),
        (number_row("0123456"), "prefix"),
        (number_row("1" * 16), "prefix"),
        (number_row("411", "exact"), "match"),
        (number_row("411", "number", "USA"), "home"),
        (number_row("44", "prefix", "GB", "UK"), "home"),
    ],
)
def test_a_bad_number_line_is_listed_with_its_column(row, field):
    lines, bad = parse_deck([WITH_MATCH, (2, row)])
    assert lines == []
    assert [each.field for each in bad] == [field]


def test_the_same_number_twice_for_one_home_is_an_error_and_a_prefix_of_its_digits_is_none():
    rows = [
        number_row("411"), number_row("411", "number", "US"), number_row("411", "number", "CA US GB"),
        number_row("411"), number_row("411", "", "", "Switzerland"),
    ]  # fmt: skip
    lines, bad = parse_deck([WITH_MATCH, *enumerate(rows, 2)])
    assert [(each.line, each.field, each.message.partition(";")[0]) for each in bad] == [
        (4, "prefix", "411 is already on line 3"),
        (5, "prefix", "411 is already on line 2"),
    ]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("prefix", "destination"),
    [
        ("911", "Emergency"),
        ("112", "EU emergency"),
        ("988", "Crisis line"),
        ("411", "Directory"),
        ("118712", "Directory"),
    ],
)
def test_a_short_number_written_as_a_prefix_is_refused_by_a_message_that_names_number(prefix, destination):
    (bad,) = parse_deck([HEADER, (2, [prefix, destination, *GOOD[2:]])])[1]
    assert (bad.line, bad.field) == (2, "match")
    assert bad.message.startswith("must be number")
    for other in ([prefix, "India, Delhi", *GOOD[2:]], [f"{prefix}1234", destination, *GOOD[2:]]):
        assert parse_deck([HEADER, (2, other)])[1] == []
