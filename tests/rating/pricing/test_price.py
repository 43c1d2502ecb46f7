"""The worked tables of ``docs/pricing.md``, row by row, and prices against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_tables import Row, tables

from chalicelib.money import parse_amount, parse_decimal, parse_percent, parse_rate
from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing.explain import explain
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.price import (
    UNANSWERED,
    CallTerms,
    Markup,
    MatchingRule,
    Price,
    amount_e8,
    billed,
    cost_e8,
    did_terms,
    internal_terms,
    marked_up_fee_e8,
    price_call,
    sell_rate_e10,
)
from chalicelib.rating.pricing.terms import Terms

DOCUMENT = Path(__file__).parents[3] / "docs" / "pricing.md"
TABLES = {
    "Markup and pulse": 16,
    "Exact ties": 6,
    "Decimals of the rate": 14,
    "Decimals of the amount": 7,
    "Connection fee and minimum charge": 11,
    "A deck fee marked up": 12,
    "Cost": 7,
    "Grace": 6,
    "Free minutes": 13,
    "Inbound": 5,
    "Which rule wins": 11,
}
"""Headings of the tables and the least number of rows; a row taken out of the document is a test lost."""


DOCUMENTED = tables(DOCUMENT.read_text(encoding="utf-8"))


def rows(*headings: str) -> list[object]:
    return [
        pytest.param(row, id=f"{heading}-{number}")
        for heading in headings
        for number, row in enumerate(DOCUMENTED.get(heading, []), 1)
    ]


def pulse(text: str) -> tuple[int, int]:
    initial, _, increment = (text or "0/0").partition("/")
    return int(initial), int(increment)


def amount_or_none(text: str) -> int | None:
    return parse_amount(text) if text else None


def terms_of(row: Row, digits: str = "13055551234") -> CallTerms:
    """A row of a table -> terms, made the way a batch makes them."""
    initial, increment = pulse(row.get("pulse", ""))
    package = PackageVersion(
        package_id="p",
        version=1,
        effective_from=0,
        markup_fixed_e10=parse_rate(row.get("fixed") or "0"),
        markup_percent_e4=parse_percent(row.get("percent") or "0"),
        initial=initial,
        increment=increment,
        connection_fee_e8=amount_or_none(row.get("fee", "")),
        minimum_charge_e8=amount_or_none(row.get("minimum", "")),
        call_decimals=int(row.get("decimals") or "8"),
        rate_decimals=int(row.get("rate decimals") or "10"),
        free_minutes=1000,
    )
    customs = []
    if row.get("custom prefix"):
        customs.append(
            CustomRate(
                package_id="p",
                scope="prefix",
                code="1305",
                version=2,
                effective_from=0,
                rate_e10=parse_rate(row["custom prefix"]),
                connection_fee_e8=amount_or_none(row.get("custom fee", "")),
                minimum_charge_e8=amount_or_none(row.get("custom minimum", "")),
                grace_seconds=int(row.get("custom grace") or "0"),
            )
        )
    deck_initial, deck_increment = pulse(row.get("deck pulse") or "60/60")
    line = DeckLine(
        "1", "USA", parse_rate(row["cost"]), deck_initial, deck_increment, parse_amount(row.get("deck fee") or "0")
    )
    country = row.get("country", "US")
    resolved = Terms([package], customs).epoch("p", 10).resolve(digits, None if country == "none" else country, line)
    assert resolved is not None
    return resolved


def test_every_table_of_the_document_is_there_with_all_its_rows():
    assert {heading: len(DOCUMENTED.get(heading, [])) for heading in TABLES} == TABLES


@pytest.mark.parametrize(
    "row",
    rows(
        "Markup and pulse",
        "Exact ties",
        "Decimals of the rate",
        "Decimals of the amount",
        "Connection fee and minimum charge",
        "A deck fee marked up",
        "Cost",
        "Grace",
        "Free minutes",
    ),
)
def test_an_outbound_row_of_the_document_is_priced_as_written(row: Row):
    terms = terms_of(row)
    record_cost = parse_amount(row["record cost"]) if row.get("record cost") else -1
    outcome = price_call(terms, int(row["seconds"]), int(row.get("free left") or "0"), record_cost)
    assert outcome.billed_seconds == int(row["billed"])
    assert outcome.amount_e8 == parse_amount(row["amount"])
    assert outcome.free_seconds == int(row.get("free used") or "0")
    if "sell rate" in row:
        assert terms.rate_e10 == parse_rate(row["sell rate"])
    if "billed fee" in row:
        assert terms.fee_e8 == parse_amount(row["billed fee"])
    if "cost amount" in row:
        assert outcome.cost_e8 == parse_amount(row["cost amount"])


@pytest.mark.parametrize("row", rows("Inbound"))
def test_an_inbound_row_of_the_document_is_priced_as_written(row: Row):
    terms = did_terms("+13055551234", parse_rate(row["price"]), *pulse(row["pulse"]), parse_rate(row["number cost"]))
    expected = Price(int(row["billed"]), 0, parse_amount(row["amount"]), parse_amount(row["cost amount"]))
    assert price_call(terms, int(row["seconds"])) == expected
    assert terms.rule == "did:+13055551234"


@pytest.mark.parametrize("row", rows("Which rule wins"))
def test_the_rule_that_wins_is_the_one_written(row: Row):
    customs = []
    for text in row["custom rates"].split():
        rule, _, rate = text.partition("=")
        scope, _, code = rule.partition(":")
        customs.append(CustomRate("p", scope, code, 1, 0, parse_rate(rate)))
    terms = Terms([PackageVersion("p", 1, 0, markup_percent_e4=200_000)], customs)
    country = None if row["country"] == "none" else row["country"]
    line = DeckLine(row["number"][:1], "", parse_rate("0.01"), 60, 60, 0)
    resolved = terms.epoch("p", 10).resolve(row["number"], country, line)
    assert resolved is not None
    assert (resolved.rule, resolved.rate_e10) == (row["rule"], parse_rate(row["sell rate"]))
    assert terms.matching_rules("p", 10, row["number"], country, line)[0] == MatchingRule(
        resolved.rule, resolved.rate_e10
    )


# --- against exact fractions --------------------------------------------------------------------------------------


def half_up(value: Fraction, places: int) -> int:
    return int((value * 10**places + Fraction(1, 2)).__floor__())


RATES = st.one_of(st.integers(0, 10**13), st.integers(0, 2000), st.sampled_from([0, 1, 100, 12_000, 120_000_000]))
FEES = st.one_of(st.just(0), st.integers(0, 10**11), st.integers(0, 20))
PERCENTS = st.one_of(st.integers(-(10**6), 10**9), st.integers(-(10**6), 10**6))
SECONDS = st.one_of(st.integers(1, 86_400), st.integers(1, 130))
PULSES = st.one_of(st.sampled_from([1, 6, 18, 30, 60]), st.integers(1, 3600))


@given(cost=RATES, fixed=st.integers(-(10**13), 10**13), percent=PERCENTS, decimals=st.integers(4, 10))
def test_the_sell_rate_is_the_exact_fraction_rounded_half_up_and_a_positive_one_never_to_0(
    cost, fixed, percent, decimals
):
    exact = (Fraction(cost, 10**10) + Fraction(fixed, 10**10)) * (1 + Fraction(percent, 10**6))
    rounded = max(half_up(exact, decimals), 1) if exact > 0 else 0
    assert sell_rate_e10(cost, fixed, percent, decimals) == rounded * 10 ** (10 - decimals)


@given(fee=FEES, percent=PERCENTS)
def test_a_deck_fee_marked_up_is_the_exact_fraction_rounded_half_up_to_the_unit_of_amounts(fee, percent):
    assert marked_up_fee_e8(fee, percent) == half_up(Fraction(fee, 10**8) * (1 + Fraction(percent, 10**6)), 8)


@given(seconds=SECONDS, initial=PULSES, increment=PULSES)
def test_billed_seconds_are_the_initial_and_the_fewest_steps_that_cover_the_call(seconds, initial, increment):
    steps = -((initial - seconds) // increment) if seconds > initial else 0
    expected = next(
        initial + n * increment for n in (steps - 1, steps) if n >= 0 and initial + n * increment >= seconds
    )
    assert billed(seconds, initial, increment) == expected


@given(
    rate=RATES,
    pulses=st.tuples(PULSES, PULSES),
    fee=FEES,
    percent=PERCENTS,
    minimum=FEES,
    grace=st.sampled_from([0, 0, 5, 60]),
    decimals=st.integers(2, 8),
    seconds=SECONDS,
    free=st.one_of(st.just(0), st.integers(0, 200), st.integers(0, 90_000)),
)
def test_the_amount_is_the_exact_fraction_rounded_half_up_once(
    rate, pulses, fee, percent, minimum, grace, decimals, seconds, free
):
    terms = CallTerms(
        "markup",
        rate,
        *pulses,
        fee_e8=marked_up_fee_e8(fee, percent),
        minimum_e8=minimum,
        grace_seconds=grace,
        decimals=decimals,
        covered=True,
    )
    charged = billed(seconds, *pulses) - free
    billed_fee = Fraction(terms.fee_e8, 10**8)
    exact = max(Fraction(rate, 10**10) * charged / 60 + billed_fee, Fraction(minimum, 10**8))
    expected = 0 if seconds <= grace or charged <= 0 else half_up(exact, decimals) * 10 ** (8 - decimals)
    assert amount_e8(terms, seconds, free) == expected
    assert price_call(terms, seconds, free).amount_e8 == expected


@given(rate=RATES, pulses=st.tuples(PULSES, PULSES), fee=FEES, seconds=SECONDS)
def test_the_cost_is_the_exact_fraction_rounded_half_up_once(rate, pulses, fee, seconds):
    terms = CallTerms("markup", cost_rate_e10=rate, cost_initial=pulses[0], cost_increment=pulses[1], cost_fee_e8=fee)
    exact = Fraction(rate, 10**10) * billed(seconds, *pulses) / 60 + Fraction(fee, 10**8)
    assert cost_e8(terms, seconds) == half_up(exact, 8)


@given(seconds=SECONDS, free=st.integers(0, 100_000), minimum=FEES, covered=st.booleans())
def test_free_minutes_never_pay_for_more_than_the_call_nor_raise_its_price(seconds, free, minimum, covered):
    terms = CallTerms("markup", 60, 60, 60, minimum_e8=minimum, covered=covered)
    outcome, without = price_call(terms, seconds, free), price_call(terms, seconds)
    assert 0 <= outcome.free_seconds <= min(free, outcome.billed_seconds)
    assert outcome.amount_e8 <= without.amount_e8
    if not covered:
        assert outcome == without


def test_rates_rounded_to_few_decimals_have_no_common_divisor_that_is_the_markup():
    costs, percent = [parse_rate(text) for text in ("0.0052", "0.0087", "0.0113", "0.0201")], parse_percent("37.77")
    exact, rounded = ([sell_rate_e10(cost, 0, percent, decimals) for cost in costs] for decimals in (10, 4))
    assert math.gcd(*exact) == parse_rate("0.00013777")
    assert math.gcd(*rounded) == parse_rate("0.0001")


# --- special calls ------------------------------------------------------------------------------------------------


def test_an_unanswered_call_is_nothing_at_all_even_with_a_fee_and_a_recorded_cost():
    terms = CallTerms("markup", 10**8, 60, 60, fee_e8=10**7, minimum_e8=10**7, cost_fee_e8=10**6)
    assert price_call(terms, 0, record_cost_e8=500) == UNANSWERED == (0, 0, 0, 0)
    assert cost_e8(terms, 0) == amount_e8(terms, 0) == 0


def test_an_internal_call_bills_nothing_and_costs_nothing():
    assert price_call(internal_terms("p"), 3600) == (0, 0, 0, 0)
    assert internal_terms("p").rule == "internal"


def test_a_call_within_its_grace_time_uses_no_free_minutes():
    terms = CallTerms("prefix:1", 10**8, 60, 60, grace_seconds=5, covered=True)
    assert price_call(terms, 5, 600) == (60, 0, 0, 0)
    assert price_call(terms, 6, 600) == (60, 60, 0, 0)


# --- explanations -------------------------------------------------------------------------------------------------

LINE = DeckLine("1305", "USA, Florida", parse_rate("0.0052"), 6, 6, 0)
PACKAGE = PackageVersion("p", 1, 0, "", parse_rate("0.01"), parse_percent("50"), 60, 60)


def quote(
    package: PackageVersion, line: DeckLine, customs: list[CustomRate], seconds: int, **extra: object
) -> list[str]:
    terms = Terms([package], customs)
    resolved = terms.epoch("p", 10).resolve("13055551234", "US", line)
    assert resolved is not None
    matching = terms.matching_rules("p", 10, "13055551234", "US", line)
    return explain(resolved, seconds, matching=matching, markup=terms.markup("p", 10), **extra)  # type: ignore[arg-type]


def test_the_explained_quote_of_the_document_is_what_the_code_says():
    block = DOCUMENT.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    assert quote(PACKAGE, LINE, [], 61) == block.splitlines()


def test_an_explanation_names_the_rules_that_were_overridden():
    customs = [
        CustomRate("p", "prefix", "1305", 1, 0, parse_rate("0.015")),
        CustomRate("p", "country", "US", 1, 0, parse_rate("0.02")),
        CustomRate("p", "group", "us", 1, 0, parse_rate("0.03")),
    ]
    assert quote(PACKAGE, LINE, customs, 11)[2] == (
        "The custom rate for prefix 1305 sets the price: 0.015 USD a minute. It goes before the custom rate for "
        "country US (0.02), the custom rate for all US (0.03), the markup (0.0228)."
    )


def test_an_explanation_for_a_client_gives_away_neither_cost_nor_markup():
    text = " ".join(quote(PACKAGE, LINE, [], 61, for_client=True))
    assert "0.0228" in text
    assert not any(secret in text.lower() for secret in ("0.0052", "cost", "markup", "150", "deck", "0.01 "))
    customs = [CustomRate("p", "prefix", "1305", 1, 0, parse_rate("0.015"))]
    text = " ".join(quote(PACKAGE, LINE, customs, 61, for_client=True))
    assert "0.015" in text
    assert not any(secret in text for secret in ("1305", "prefix", "custom", "markup", "0.0228", "before"))


def test_an_explanation_shows_fee_minimum_grace_and_rounding():
    fee = PackageVersion("p", 1, 0, "", 0, 0, 60, 60, parse_amount("0.05"), parse_amount("0.2"))
    assert quote(fee, LINE, [], 60)[-1] == (
        "Amount: 0.0052 x 60 s / 60 + 0.05 for the connection is under the minimum charge, which counts instead: "
        "0.20 USD."
    )
    cents = PackageVersion("p", 1, 0, "", 0, 0, 60, 60, call_decimals=2)
    assert quote(cents, LINE, [], 60)[-1] == "Amount: 0.0052 x 60 s / 60 = 0.01 USD (rounded half-up to 2 decimals)."
    grace = [CustomRate("p", "prefix", "1305", 1, 0, parse_rate("0.02"), grace_seconds=5)]
    assert quote(PACKAGE, LINE, grace, 5)[-1] == "Calls of at most 5 s are not charged: 0.00 USD."
    assert quote(PACKAGE, LINE, [], 0)[-1] == "A call that is not answered, or lasts 0 s, costs nothing."


def test_an_explanation_shows_how_a_rate_was_rounded():
    for percent, decimals, said in (
        ("50", 4, "(0.0052 + 0.00) x 150 % = 0.0078 USD"),
        ("20", 4, "(0.0052 + 0.00) x 120 % = 0.0062 (rounded to 4 decimals) USD"),
        ("-99.5", 4, "(0.0052 + 0.00) x 0.5 % = 0.0001 (rounded to 4 decimals, and never to 0) USD"),
    ):
        package = PackageVersion("p", 1, 0, "", 0, parse_percent(percent), 60, 60, rate_decimals=decimals)
        assert said in quote(package, LINE, [], 60)[2]


def test_an_explanation_shows_free_minutes_and_a_rate_kept_at_zero():
    free = PackageVersion("p", 1, 0, "", parse_rate("-1"), 0, 60, 60, parse_amount("0.05"), free_minutes=10)
    steps = quote(free, LINE, [], 120, free_seconds=60)
    assert "(0.0052 - 1.00) x 100 % = 0.00 (never under 0) USD a minute" in steps[2]
    assert steps[-2] == "Free minutes pay for 60 s; 60 s are left to pay."
    assert quote(free, LINE, [], 120, free_seconds=120)[-1] == (
        "Free minutes pay for 120 s; nothing is left to pay: 0.00 USD."
    )


def test_inbound_and_internal_calls_explain_themselves():
    terms = did_terms("+13055551234", parse_rate("0.01"), 60, 60, parse_rate("0.005"))
    assert explain(terms, 61) == [
        "The number itself costs 0.005 USD a minute, billed 6/6.",
        "Cost: 0.005 x 66 s / 60 = 0.0055 USD.",
        "The number +13055551234 sets the price: 0.01 USD a minute.",
        "61 s are billed as 120 s (60/60: 60 s, then 1 step of 60 s).",
        "Amount: 0.01 x 120 s / 60 = 0.02 USD.",
    ]
    assert explain(internal_terms("p"), 61) == ["An internal number: a call to it has no price and no cost."]


@given(rate=RATES, fee=FEES, percent=PERCENTS, seconds=st.integers(0, 4000), free=st.integers(0, 4000))
def test_the_last_step_always_ends_in_the_amount_that_is_charged(rate, fee, percent, seconds, free):
    terms = CallTerms("markup", rate, 60, 6, fee_e8=marked_up_fee_e8(fee, percent), covered=True, prefix="1")
    steps = explain(terms, seconds, "EUR", markup=Markup(0, percent), free_seconds=free)
    if seconds:
        amount = steps[-1].split(" EUR")[0].rsplit(" ", 1)[1]
        assert parse_decimal(amount, 8) == price_call(terms, seconds, free).amount_e8
