"""The loss guard: lines that a package sells below cost, by the rule that sets the price."""

from __future__ import annotations

import random
from typing import Any

from builders import NOW

from chalicelib.numbers import country_of
from chalicelib.rating.decks.deck import NUMBER, DeckLine
from chalicelib.rating.pricing.losses import Lines, losses
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.terms import Terms

CENT = 10**8
DECK = [
    DeckLine("1212", "New York", 2 * CENT, 60, 60, 0),
    DeckLine("1213", "Los Angeles", 1 * CENT, 60, 60, 0),
    DeckLine("44", "UK", 2 * CENT, 60, 60, 0),
    DeckLine("447", "UK mobile", 9 * CENT, 60, 60, 0),
    DeckLine("49", "Germany", 3 * CENT, 60, 60, 0),
]


def found(*customs: CustomRate, route: str = "value", deck: Any = DECK, **package: Any) -> list[tuple[str, int, str]]:
    """Rule, number of lines and worst prefix of each loss."""
    terms = Terms([PackageVersion("p", 1, 0, **package)], customs)
    return [(loss.rule, loss.lines, loss.prefix) for loss in losses(terms.epoch("p", NOW), route, Lines(deck, "US"))]


def custom(scope: str, code: str, rate_e10: int, **more: Any) -> CustomRate:
    return CustomRate("p", scope, code, 2, 0, rate_e10, **more)


def test_a_package_that_adds_to_the_cost_loses_nothing():
    assert found(markup_percent_e4=1) == found(markup_fixed_e10=1) == found() == []


def test_a_negative_markup_loses_on_every_line_and_only_where_it_is_more_than_the_percentage():
    assert found(markup_fixed_e10=-1) == [("markup", 5, "1213")]
    assert found(markup_percent_e4=-10_000) == [("markup", 5, "1212")]
    assert found(markup_fixed_e10=-CENT, markup_percent_e4=500_000) == [("markup", 3, "1213")]


def test_a_custom_rate_loses_on_the_lines_that_it_prices_and_no_longer_custom_prefix_does():
    assert found(custom("country", "GB", 5 * CENT)) == [("country:GB", 1, "447")]
    assert found(custom("prefix", "44", 5 * CENT), custom("prefix", "447", 9 * CENT)) == []
    assert found(custom("prefix", "4477", 5 * CENT)) == [("prefix:4477", 1, "4477")]
    assert found(custom("group", "us", CENT)) == [("group:us", 1, "1212")]
    assert found(custom("prefix", "99", 0)) == []


def test_a_finer_pulse_loses_on_short_calls_and_a_fee_or_minimum_makes_up_for_it():
    assert found(initial=6, increment=6, markup_percent_e4=200_000) == [("markup", 5, "1212")]
    assert found(initial=6, increment=6, minimum_charge_e8=10 * 10**6) == []
    terms = Terms([PackageVersion("p", 1, 0, initial=6, increment=6)], [])
    [loss] = losses(terms.epoch("p", NOW), "value", Lines(DECK[:1], "US"))
    assert (loss.seconds, loss.cost, loss.sold, loss.loss_e4) == (1, 120 * CENT, 12 * CENT, 900_000)


def test_only_calls_that_the_package_buys_on_the_route_count():
    routes = ("premium", "value", "value")
    assert found(custom("group", "us", 1), routes=routes) == []
    assert found(custom("group", "us", 1), routes=routes, route="premium") == [("group:us", 2, "1212")]


def test_a_number_line_counts_for_its_home_countries():
    lines = [DeckLine("411", "Information", 50 * CENT, 60, 60, 0, NUMBER, ("GB",))]
    assert found(markup_fixed_e10=-1, deck=lines) == []
    assert found(markup_fixed_e10=-1, deck=[lines[0]._replace(homes=())]) == [("markup", 1, "411")]


def test_the_lines_that_are_looked_at_are_all_that_lose():
    chance = random.Random(11)
    for _ in range(60):
        digits = {chance.choice("14") + "".join(chance.choices("0124", k=chance.randint(0, 4))) for _ in range(12)}
        deck = [DeckLine(each, "x", chance.randint(1, 9) * CENT, 60, 60, 0) for each in sorted(digits)]
        codes = [("prefix", chance.choice(deck).prefix + chance.choice(("", "2"))), ("country", "GB"), ("group", "us")]
        customs = [custom(scope, code, chance.randint(1, 9) * CENT) for scope, code in chance.sample(codes, 2)]
        epoch = Terms([PackageVersion("p", 1, 0)], customs).epoch("p", NOW)
        lines = Lines(deck, "US")
        every = {*digits, *(each.code for each in customs if each.scope == "prefix")}
        lost: dict[str, int] = {}
        for each in every:
            terms = epoch.resolve(each, country_of(each), lines.longest(each))
            if lines.longest(each) and terms and terms.rate_e10 < terms.cost_rate_e10:
                lost[terms.rule] = lost.get(terms.rule, 0) + 1
        assert {loss.rule: loss.lines for loss in losses(epoch, "value", lines)} == lost


def test_lines_that_are_priced_together_lose_what_each_loses_alone():
    chance, pulses = random.Random(12), ((60, 60), (6, 6), (1, 1), (30, 6))
    for _ in range(200):
        digits = {chance.choice(("1", "44", "800")) + "".join(chance.choices("0124", k=4)) for _ in range(15)}
        deck = [
            DeckLine(each, "x", chance.randint(0, 9) * CENT, *chance.choice(pulses), chance.choice((0, 10**6)))
            for each in sorted(digits)
        ]
        initial, increment = chance.choice(((0, 0), *pulses))
        package = PackageVersion(
            "p",
            1,
            0,
            markup_percent_e4=chance.choice((-(10**4), 0, 200_000)),
            initial=initial,
            increment=increment,
            rate_decimals=chance.choice((2, 10)),
        )
        customs = [
            custom("country", "GB", 4 * CENT, grace_seconds=chance.choice((0, 1))),
            custom("prefix", chance.choice(deck).prefix[:4], 5 * CENT, minimum_charge_e8=chance.choice((None, 10**6))),
        ]
        epoch = Terms([package], customs).epoch("p", NOW)
        alone: dict[str, list[Any]] = {}
        for line in deck:
            for loss in losses(epoch, "value", Lines([line], "US")):
                if loss.prefix == line.prefix:
                    alone.setdefault(loss.rule, []).append(loss)
        together = {loss.rule: loss for loss in losses(epoch, "value", Lines(deck, "US")) if loss.prefix in digits}
        for rule, loss in together.items():
            worst = max(alone[rule], key=lambda each: (each.loss_e4, each.prefix == loss.prefix))
            assert (loss.prefix, loss.seconds, loss.cost, loss.sold) == worst[3:7]
            assert loss.lines - len(alone[rule]) in (0, rule.startswith("prefix"))
        assert set(together) >= {rule for rule in alone if not rule.startswith("prefix")}
