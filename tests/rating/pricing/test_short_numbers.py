"""Numbers without a country: short numbers that a deck prices, emergency numbers, and internal ones."""

from __future__ import annotations

import pytest

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.decks.deck import NUMBER, PREFIX, Deck, DeckLine, compile_deck
from chalicelib.rating.pricing.ownership import Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.price import CallTerms, price_call
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

AT = 1_790_000_000
CENT = 10**8
"""0.01 a minute."""


def line(digits: str, cents: int, match: str = PREFIX, *homes: str) -> DeckLine:
    return DeckLine(digits, f"{match} {digits}", cents * CENT, 60, 60, 0, match, homes)


def book(*lines: DeckLine, home: str = "US", rates: tuple[CustomRate, ...] = (), **package: object) -> RateBook:
    """A rate book with this deck on the route value, for a package at cost + 20 % unless it says otherwise."""
    deck = Deck.load(compile_deck(lines))
    made = PackageVersion("p", 1, 0, **{"markup_percent_e4": 200_000, "free_minutes": 10, **package})  # type: ignore[arg-type]
    codes = frozenset(each.prefix for each in lines if each.match == NUMBER and len(each.prefix) <= 6)
    plan = DialPlan(home, codes=codes, accounts=frozenset({"desk-2"}))
    terms = Terms([made], list(rates))
    return RateBook(Ownership({}, {}), terms, {"value": [(0, lambda: deck)]}, periods.calendar("UTC"), plan=plan)


def told(found: CallTerms | None, seconds: int = 600) -> tuple[str, str, int, int] | None:
    """Rule, deck line, and amount and cost in cents."""
    if found is None:
        return None
    priced = price_call(found, seconds)
    return found.rule, found.prefix, priced.amount_e8 // 10**6, priced.cost_e8 // 10**6


EXTENSIONS = (line("44", 1), line("447", 2), line("502", 25), line("1900", 100), line("1", 1))


@pytest.mark.parametrize("extension", ["447", "502", "1900", "44", "desk-2"])
def test_a_call_to_an_extension_is_free_whatever_prefix_has_its_digits(extension):
    found = book(*EXTENSIONS).outbound("p", AT, extension)
    assert told(found) == ("internal", "", 0, 0)
    assert found is not None and not found.covered


def test_a_number_line_prices_its_short_number_and_no_country_that_begins_with_it():
    made = book(line("41", 3), line("91", 4), line("411", 50, NUMBER), line("911", 0, NUMBER), line("9111", 7))
    assert told(made.outbound("p", AT, "411"), 60) == ("markup", "411", 60, 50)
    assert told(made.outbound("p", AT, "+41123456789"), 60) == ("markup", "41", 3, 3)
    assert told(made.outbound("p", AT, "+911123456789"), 60) == ("markup", "9111", 8, 7)
    assert told(made.outbound("p", AT, "911"), 60) == ("markup", "911", 0, 0)


def test_a_number_line_of_a_whole_number_goes_before_every_prefix_of_it_alone():
    made = book(line("1", 1), line("18005550100", 9, NUMBER), line("1800555010", 5))
    numbers = ("+18005550100", "+18005550101", "+180055501000", "+1800555010")
    assert [told(made.outbound("p", AT, number), 60)[1] for number in numbers] == [
        "18005550100", "1800555010", "1800555010", "1800555010",
    ]  # fmt: skip


def test_an_emergency_number_is_free_unless_a_number_line_prices_it():
    assert told(book(line("9", 1)).outbound("p", AT, "911")) == ("emergency", "", 0, 0)
    priced = book(line("911", 5, NUMBER)).outbound("p", AT, "911")
    assert told(priced, 60) == ("markup", "911", 6, 5)


def test_a_short_number_has_no_country_no_group_no_free_minutes_and_only_the_rate_of_its_own_digits():
    rates = [CustomRate("p", *each, 2, 0, CENT) for each in (("country", "CH"), ("group", "us"), ("prefix", "41"))]
    deck = line("411", 50, NUMBER)
    found = book(deck, rates=tuple(rates)).outbound("p", AT, "411")
    assert found is not None
    assert (found.rule, found.country, found.covered) == ("markup", None, False)
    rates.append(CustomRate("p", "prefix", "411", 2, 0, 9 * CENT))
    assert told(book(deck, rates=tuple(rates)).outbound("p", AT, "411"), 60) == ("prefix:411", "411", 9, 50)


def test_short_numbers_go_by_the_international_route():
    made = book(line("411", 50, NUMBER), routes=("premium", "premium", "value"))
    assert told(made.outbound("p", AT, "411"), 60) == ("markup", "411", 60, 50)
    assert told(book(line("411", 50, NUMBER), routes=("value", "value", "premium")).outbound("p", AT, "411")) == (
        "internal", "", 0, 0,
    )  # fmt: skip


def test_a_number_line_applies_to_the_home_countries_that_it_names():
    lines = (line("118", 50, NUMBER, "DE", "FR"), line("118", 9, NUMBER), line("15", 3, NUMBER, "FR"))
    found = {home: told(book(*lines, home=home).outbound("p", AT, "118"), 60) for home in ("FR", "GB")}
    assert found == {"FR": ("markup", "118", 60, 50), "GB": ("markup", "118", 10, 9)}
    assert told(book(*lines, home="GB").outbound("p", AT, "15")) == ("internal", "", 0, 0)


def test_a_text_that_is_neither_priced_nor_internal_has_no_rate():
    assert book(line("4", 1)).outbound("p", AT, "nobody") is None
