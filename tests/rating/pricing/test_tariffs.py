"""From a number called to its terms: what is remembered by first digits decides for no number that it should not."""

from __future__ import annotations

import random

import pytest

from chalicelib import numbers, periods
from chalicelib.rating.decks.deck import Deck, DeckLine, compile_deck
from chalicelib.rating.pricing import tariffs
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.price import CallTerms, internal_terms
from chalicelib.rating.pricing.rate_book import RateBook, Stretch
from chalicelib.rating.pricing.tariffs import NO_RATE, Heads, Routing, Tariff
from chalicelib.rating.pricing.terms import Terms, route_of

STEMS = ("1", "1212555", "12125550", "44", "447700", "4477009", "44770090", "441481", "7", "77", "411", "39066", "883")
COUNTRIES = numbers.country_prefixes()
DEEP_COUNTRIES = [prefix for prefix in COUNTRIES if len(prefix) > tariffs.HEAD]
AT = 1_790_000_000
ROUTES = ("value", "premium", "value")
UTC = periods.calendar("UTC")


def some_digits(dice: random.Random, length: int) -> str:
    """Digits near the prefixes in play, so that numbers often share all but their last ones."""
    stem = dice.choice((*STEMS, *DEEP_COUNTRIES[:6]))
    return (stem + "".join(dice.choice("0159") for _ in range(15)))[:length]


def some_deck(dice: random.Random) -> dict[str, DeckLine]:
    prefixes = {*STEMS, *(some_digits(dice, dice.randrange(1, 12)) for _ in range(150))} - {"39066"}
    return {prefix: DeckLine(prefix, prefix, dice.randrange(10**9), 6, 6, 0) for prefix in prefixes}


def longest(prefixes: dict[str, DeckLine] | dict[str, str | None], digits: str) -> str | None:
    return max((prefix for prefix in prefixes if digits.startswith(prefix)), key=len, default=None)


def expected(number: str, terms: Terms, routes: dict[str, dict[str, DeckLine]], record_costs: bool) -> CallTerms:
    """The same by looking at every prefix there is."""
    digits = number.lstrip("+")
    if digits == number:
        line = routes[route_of(ROUTES, None, digits)].get(digits)
        return (terms.epoch("p", AT).resolve(digits, None, line) if line else internal_terms("p")) or NO_RATE
    country = COUNTRIES.get(longest(COUNTRIES, digits) or "")
    lines = routes[route_of(ROUTES, country, digits)]
    line = lines.get(longest(lines, digits) or "")
    found = terms.epoch("p", AT).resolve(digits, country, line) if line or record_costs else None
    return found or NO_RATE


@pytest.mark.parametrize("seed", range(6))
def test_numbers_of_the_same_first_digits_are_told_apart_where_a_longer_prefix_says_so(seed):
    dice = random.Random(seed)
    routes = {"value": some_deck(dice), "premium": some_deck(dice)}
    package = PackageVersion("p", 1, 0, markup_percent_e4=dice.randrange(10**6), routes=ROUTES)
    codes = {("prefix", some_digits(dice, dice.randrange(1, 12))) for _ in range(30)} | {("country", "GB")}
    terms = Terms([package], [CustomRate("p", *each, 2, 0, dice.randrange(10**9)) for each in sorted(codes)])
    opened = {route: Deck.load(compile_deck(lines.values())) for route, lines in routes.items()}
    record_costs = seed % 2 == 1
    book = RateBook(
        Ownership({}, {}),
        terms,
        {route: [(0, lambda deck=deck: deck)] for route, deck in opened.items()},
        UTC,
        record_costs,
    )
    tariff, _, _ = book.tariff("p", AT)
    called = [f"+{some_digits(dice, dice.randrange(7, 16))}" for _ in range(1500)]
    called += ["411", "4", "123456", "41", "+8835100"] * 2
    dice.shuffle(called)
    for _ in range(2):
        for number in called:
            found = book.call_terms(tariff.number_of(number))
            assert found == expected(number, terms, routes, record_costs) == (tariff.resolve(number) or NO_RATE)
        # Once more while everything is forgotten all the time.
        book.heads.most = 3


def test_what_is_remembered_is_bounded_however_many_packages_there_are():
    packages = tuple(PackageVersion(f"p{n}", 1, 0) for n in range(20))
    book, most = world(packages=packages), 0
    book.heads.most = 30
    for _ in range(2):
        for package in packages:
            tariff, _, _ = book.tariff(package.package_id, AT)
            for head in range(2, 10):
                assert book.call_terms(tariff.number_of(f"+1{head}125550100")).package_id == package.package_id
                most = max(most, len(book.heads))
    assert most == 30


def test_terms_that_are_equal_have_one_number_however_they_were_found():
    deck = Deck.load(compile_deck([DeckLine("1", "USA", 10**8, 6, 6, 0)]))
    book = RateBook(Ownership({}, {}), Terms([PackageVersion("p", 1, 0)], []), {"value": [(0, lambda: deck)]}, UTC)
    tariff, _, _ = book.tariff("p", AT)
    assert {tariff.number_of(f"+1{area}5550100") for area in range(212, 219)} == {tariff.number_of("+12125559999")}
    assert book.call_terms(tariff.number_of("+447700900123")) == NO_RATE


def world(
    *holdings: Holding, packages: tuple[PackageVersion, ...] = (), decks_from: tuple[int, ...] = (0,)
) -> RateBook:
    lines = [DeckLine("1", f"deck {first}", 10**8, 6, 6, 0) for first in decks_from]
    versions = [
        (first, lambda line=line: Deck.load(compile_deck([line])))
        for first, line in zip(decks_from, lines, strict=True)
    ]
    return RateBook(
        Ownership({"desk": holdings}, {"+13055550100": holdings}), Terms(packages, []), {"value": versions}, UTC
    )


def test_a_stretch_ends_where_holder_package_or_deck_change_and_no_sooner():
    packages = (PackageVersion("p", 1, 0), PackageVersion("p", 2, 300, markup_fixed_e10=1), PackageVersion("q", 1, 0))
    holdings = (Holding(0, 1, "ann", package_id="p"), Holding(100, 2, ""), Holding(200, 3, "bob", package_id="p"))
    book = world(*holdings, packages=packages, decks_from=(50, 400))

    def at(instant: int) -> tuple[str, str, int] | None:
        stretch = book.account("desk", instant)
        if stretch is None:
            return None
        terms = book.call_terms(stretch.terms_number("+12125550100"))
        return book.holders.values[stretch.holder].client_id, terms.destination, terms.package_version

    by_instant = {
        -1: ("ann", "", 0), 49: ("ann", "", 0), 50: ("ann", "deck 50", 1), 99: ("ann", "deck 50", 1), 100: None,
        199: None, 200: ("bob", "deck 50", 1), 299: ("bob", "deck 50", 1), 300: ("bob", "deck 50", 2),
        399: ("bob", "deck 50", 2), 400: ("bob", "deck 400", 2), 10**10: ("bob", "deck 400", 2),
    }  # fmt: skip
    for instants in (sorted(by_instant), sorted(by_instant, reverse=True), sorted(by_instant, key=hash)):
        assert {instant: at(instant) for instant in instants} == by_instant
    assert book.account("nobody", 5) is None


def test_a_number_is_priced_by_whoever_holds_it_at_the_calls_start():
    book = world(Holding(0, 1, "ann", rate_e10=5), Holding(100, 2, ""), Holding(200, 3, "bob", rate_e10=7))

    def rate(stretch: Stretch | None) -> int | None:
        return stretch and book.call_terms(stretch.terms_number("+13055550100")).rate_e10

    instants = (0, 200, 99, 100, 199, 10**10, 0)
    assert [rate(book.did("+13055550100", at)) for at in instants] == [5, 7, 5, None, None, 7, 5]


def test_an_unknown_package_has_no_rate_but_short_numbers_are_internal():
    tariff = Tariff("gone", None, Routing(ROUTES, {}, Heads()), False, lambda _: 0, Heads())
    assert tariff.resolve("+12125550100") is None
    assert tariff.resolve("100") == internal_terms("gone")
