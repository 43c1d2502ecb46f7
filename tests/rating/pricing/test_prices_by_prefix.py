"""The price list against the rate book it is made of: the longest prefix in it is the price of every number."""

from __future__ import annotations

import random
from bisect import bisect_left
from functools import lru_cache
from typing import Any

import pytest

from chalicelib import numbers, periods
from chalicelib.rating.decks.deck import Deck, DeckLine, compile_deck
from chalicelib.rating.pricing.ownership import Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.prices_by_prefix import NO_RATE, PriceList, PriceRow
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

AT = 1_790_000_000
HEADS = (
    "1", "1204", "1212", "1514", "1787", "1800", "1900", "44", "441481", "4479", "7", "76", "77", "411", "39", "39066",
    "883", "883120", "2626", "2624", "358", "35818", "590", "5", "50", "9",
)  # fmt: skip
CODES = {"country": ("US", "CA", "GB", "RU", "KZ", "CH", "GG", "PR"), "group": ("us", "canada")}


def look_up(rows: list[PriceRow], digits: str) -> PriceRow | None:
    """The row with the longest prefix of a number; ``None`` when there is none, or no rate."""
    for length in range(len(digits), 0, -1):
        place = bisect_left(rows, digits[:length], key=lambda row: row.prefix)
        if place < len(rows) and rows[place].prefix == digits[:length]:
            return None if rows[place].rule == NO_RATE else rows[place]
    return None


def some_prefix(chance: random.Random) -> str:
    return (chance.choice(HEADS) + "".join(chance.choice("0159") for _ in range(chance.choice((0, 0, 1, 2, 6, 12)))))[
        :15
    ]


def a_deck(chance: random.Random) -> Deck:
    prefixes = {some_prefix(chance) for _ in range(chance.choice((3, 40)))}
    lines = [
        DeckLine(
            prefix,
            chance.choice(("Here", "There")),
            chance.choice((1_000_000, 52_000_000)),
            chance.choice((1, 6, 60)),
            6,
            chance.choice((0, 0, 2_500_001)),
        )
        for prefix in prefixes
    ]
    return Deck.load(compile_deck(lines))


def a_custom_rate(chance: random.Random, version: int) -> CustomRate:
    scope = chance.choice(("prefix", "prefix", "country", "group"))
    code = some_prefix(chance) if scope == "prefix" else chance.choice(CODES[scope])
    pulse = chance.choice((0, 30))
    rate = chance.choice((None, 7_000_000, 0))
    more: dict[str, Any] = {
        "connection_fee_e8": chance.choice((None, 5)),
        "minimum_charge_e8": chance.choice((None, 9)),
    }
    return CustomRate(
        "p", scope, code, version, chance.choice((0, AT + 1)), rate, pulse, pulse, **more, grace_seconds=3
    )


def some_book(chance: random.Random) -> RateBook:
    route = [chance.choice(("value", "premium")) for _ in range(3)]
    package = PackageVersion(
        "p",
        1,
        0,
        markup_fixed_e10=chance.choice((0, 1_000_000)),
        markup_percent_e4=chance.choice((0, 200_000, 998_921)),
        minimum_charge_e8=chance.choice((None, 4)),
        routes=(route[0], route[1], route[2]),
    )
    customs = [a_custom_rate(chance, version) for version in range(2, chance.choice((2, 20)))]
    decks = {name: [(0, lru_cache(lambda: a_deck(chance)))] for name in ("value", "premium")}
    if chance.random() < 0.1:
        decks["premium"] = []
    return RateBook(Ownership({}, {}), Terms([package], customs), decks, periods.calendar("UTC"))


def some_numbers(chance: random.Random, rows: list[PriceRow]) -> list[str]:
    """Numbers on both sides of every row's edge, and some of anywhere; a number has 7 to 15 digits."""
    stems = [row.prefix for row in rows] + [some_prefix(chance) for _ in range(60)]
    stems += [prefix for prefix in numbers.country_prefixes() if chance.random() < 0.05]
    tails = ("", "0", "9", "5551234", "00000000", "99999999999")
    return [digits for stem in stems for tail in tails if len(digits := (stem + tail)[:15]) >= 7]


@pytest.mark.parametrize("seed", range(60))
def test_the_longest_prefix_of_the_list_is_what_rating_charges(seed: int) -> None:
    chance = random.Random(seed)
    book = some_book(chance)
    rows = list(PriceList(book, "p", AT).rows())
    assert [row.prefix for row in rows] == sorted({row.prefix for row in rows})
    dialled = some_numbers(chance, rows)
    assert len(dialled) > 300
    for digits in dialled:
        terms, row = book.outbound("p", AT, f"+{digits}"), look_up(rows, digits)
        if terms is None or row is None:
            assert terms is None and row is None, digits
            continue
        listed = (row.rule, row.rate_e10, row.initial, row.increment, row.fee_e8, row.minimum_e8, row.grace_seconds)
        charged = (terms.rule, terms.rate_e10, terms.initial, terms.increment, terms.fee_e8, terms.minimum_e8)
        assert listed == (*charged, terms.grace_seconds), digits
        assert (row.destination, row.country) == (terms.destination, terms.country), digits


@pytest.mark.parametrize("seed", range(20))
def test_no_row_says_what_the_row_around_it_says(seed: int) -> None:
    rows = list(PriceList(some_book(random.Random(seed)), "p", AT).rows())
    by_prefix = {row.prefix: row for row in rows}
    for row in rows:
        around = next(
            (by_prefix[row.prefix[:n]] for n in range(len(row.prefix) - 1, 0, -1) if row.prefix[:n] in by_prefix), None
        )
        assert around is None or around[1:] != row[1:], row


@pytest.mark.parametrize("seed", range(20))
def test_a_list_can_be_gone_on_with_behind_any_row(seed: int) -> None:
    whole = PriceList(some_book(random.Random(seed)), "p", AT)
    rows = list(whole.rows())
    for place in range(0, len(rows), 7):
        assert list(whole.rows(after=rows[place].prefix)) == rows[place + 1 :]


@pytest.mark.parametrize("within", ["1", "1514", "15145", "44", "7", "4", "999999999999999"])
def test_a_part_of_the_list_prices_every_number_under_its_prefix(within: str) -> None:
    chance = random.Random(within)
    for _ in range(10):
        book = some_book(chance)
        whole = PriceList(book, "p", AT)
        rows, part = list(whole.rows()), list(whole.rows(within))
        assert all(row.prefix.startswith(within) for row in part)
        for digits in some_numbers(chance, rows):
            if digits.startswith(within):
                one, other = look_up(rows, digits), look_up(part, digits)
                assert (one and one[1:]) == (other and other[1:]), digits
        for place in range(0, len(part), 5):
            assert list(whole.rows(within, part[place].prefix)) == part[place + 1 :]


def test_a_shared_code_is_split_by_country_and_equal_neighbours_are_one_row() -> None:
    deck = Deck.load(compile_deck([DeckLine("1", "North America", 10_000_000, 60, 60, 0)]))
    terms = Terms([PackageVersion("p", 1, 0)], [CustomRate("p", "group", "canada", 2, 0, 5_000_000)])
    rows = list(
        PriceList(
            RateBook(Ownership({}, {}), terms, {"value": [(0, lambda: deck)]}, periods.calendar("UTC")), "p", AT
        ).rows()
    )
    by_prefix = {row.prefix: (row.country, row.rate_e10, row.rule) for row in rows}
    assert by_prefix["1"] == ("US", 10_000_000, "markup")
    assert by_prefix["1514"] == ("CA", 5_000_000, "group:canada")
    assert by_prefix["1800"] == (None, 10_000_000, "markup")
    assert "1212" not in by_prefix


def test_a_package_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown package"):
        PriceList(some_book(random.Random(1)), "q", AT)
