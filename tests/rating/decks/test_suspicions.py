"""What looks wrong in a new deck, alone and beside the deck in force."""

from __future__ import annotations

import pytest

from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.decks.suspicions import suspicions

AREAS = ("212", "305", "415", "416", "604", "702")
RATE = 100_000_000


def line(prefix: str, rate: int = RATE, destination: str = "") -> DeckLine:
    return DeckLine(prefix, destination, rate, 60, 60, 0)


def codes(lines: list[DeckLine], in_force: tuple[DeckLine, ...] | list[DeckLine] = ()) -> list[str]:
    return [each.code for each in suspicions(lines, in_force)]


NPANXX = [line(f"{area}{exchange}") for area in AREAS for exchange in range(200, 216)]
WORLD = [line(prefix) for prefix in ("1", "33", "351", "39", "41", "44", "45", "46", "47", "48", "49", "61")]


def test_six_digits_of_the_nanp_without_its_1_are_suspicious_with_their_share():
    (found,) = suspicions([*NPANXX, line("44"), line("33"), line("49")])
    assert found.code == "nanp_without_1"
    assert found.message.startswith("96 % of the prefixes are six digits 2-9: NANPA without its 1.")
    assert codes([line("1" + each.prefix) for each in NPANXX]) == []
    assert codes(WORLD) == []


def test_six_digits_whose_area_codes_do_not_exist_are_not_the_nanp():
    assert codes([line(f"{area}{n}") for area in ("237", "238", "241") for n in range(200, 215)]) == []


def test_a_prefix_ten_times_its_neighbours_is_an_outlier():
    group = [line(f"4479{n}", RATE) for n in range(10, 20)]
    (found,) = suspicions([*group, line("447920", 10 * RATE)])
    assert (found.code, "447920 at 0.10 beside 0.01" in found.message) == ("outlier", True)
    assert codes([*group, line("447920", 10 * RATE - 1), line("8812", 100 * RATE)]) == []


def test_a_cost_of_nothing_is_suspicious_but_for_toll_free_prefixes():
    assert codes([line("44", 0)]) == ["zero_cost"]
    assert codes([line("1800", 0), line("18885", 0)]) == []


def test_a_country_without_any_price_is_suspicious_unless_a_shorter_prefix_covers_it():
    assert codes(WORLD[1:], WORLD) == ["country_gone"]
    assert codes(WORLD, [*WORLD, line("1416")]) == []
    assert codes([line("1204"), *WORLD[1:]], [line("1416"), *WORLD[1:]]) == []


@pytest.mark.parametrize(("times", "word"), [(10_000, "10000 times"), (60, "60 times"), (100, "100 times")])
def test_prices_in_another_unit_than_those_in_force_are_suspicious(times: int, word: str):
    other = [each._replace(rate_e10=each.rate_e10 * times) for each in WORLD]
    (found,) = suspicions(other, WORLD)
    assert (found.code, word in found.message) == ("price_unit", True)
    (back,) = suspicions(WORLD, other)
    assert (back.code, f"1/{times}" in back.message) == ("price_unit", True)
    assert codes([each._replace(rate_e10=each.rate_e10 * 3) for each in WORLD], WORLD) == []


def test_names_that_moved_to_other_countries_are_suspicious():
    named = [line(each.prefix, RATE, f"name {n}") for n, each in enumerate(WORLD)]
    turned = [line(each.prefix, RATE, f"name {n}") for n, each in enumerate(WORLD[1:] + WORLD[:1])]
    assert codes(turned, named) == ["destinations_moved"]
    assert codes(named, named) == []


@pytest.mark.parametrize("rate", [50_000_000_001, 4_999_999])
def test_a_first_deck_of_unusual_prices_is_suspicious(rate: int):
    assert codes([line(each.prefix, rate) for each in WORLD]) == ["price_level"]
    assert codes([line(each.prefix, rate) for each in WORLD], [line("7")])[-1:] == ["price_level"]
    assert codes([line(each.prefix, rate) for each in WORLD], [line(each.prefix, rate) for each in WORLD]) == []
