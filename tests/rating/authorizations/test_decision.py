"""The worked tables of ``docs/authorizations.md``: how long money and free minutes last, and the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_tables import Row, tables

from chalicelib import money
from chalicelib.rating.authorizations.decision import ClientLimits, Verdict, decide, hang_up_after, when_ended
from chalicelib.rating.cdr.call import MAX_SECONDS
from chalicelib.rating.pricing.price import (
    CallTerms,
    affordable_seconds,
    amount_e8,
    billed,
    covered_seconds,
    internal_terms,
    price_call,
)

TEXT = (Path(__file__).parents[3] / "docs" / "authorizations.md").read_text(encoding="utf-8")
LONG, ANSWERS = tables(TEXT)["How long"], tables(TEXT)["The answer"]
MINUTES, WITH_MINUTES = tables(TEXT)["How long free minutes last"], tables(TEXT)["The answer with free minutes"]
ENDED = tables(TEXT)["What stays held when the call has ended"]
US = CallTerms("markup", 100_000_000, 60, 60, country="US", package_id="p", covered=True)
GB = CallTerms("markup", 200_000_000, 60, 60, country="GB")


def amount(text: str) -> int:
    return money.parse_amount(text or "0")


def test_no_row_of_the_document_is_lost():
    assert (len(LONG), len(ANSWERS), len(MINUTES), len(WITH_MINUTES), len(ENDED)) == (19, 21, 12, 17, 8)


@pytest.mark.parametrize("row", LONG, ids=lambda row: " ".join(row.values()))
def test_how_long_money_lasts(row: Row):
    initial, increment = map(int, row["pulse"].split("/"))
    fee_e8, decimals = amount(row["fee"]), int(row["decimals"])
    terms = CallTerms(
        "markup", money.parse_rate(row["rate"]), initial, increment, fee_e8, amount(row["minimum"]), int(row["grace"]),
        decimals,
    )  # fmt: skip
    assert affordable_seconds(terms, amount(row["available"])) == int(row["max seconds"])


def limit(text: str) -> int | None:
    return amount(text) if text else None


def limits_of(row: Row) -> ClientLimits:
    return ClientLimits(
        status=row["status"],
        service=row["service"],
        available_e8=limit(row["available"]),
        blocked_countries=frozenset(filter(None, row["blocked"].split(", "))),
        max_rate_e10=money.parse_rate(row["max rate"]) if row["max rate"] else None,
        left_today_e8=limit(row["left today"]),
        free_seconds=int(row.get("free left", 0)),
    )


def most(row: Row) -> int | None:
    return int(row["max seconds"]) if row["max seconds"] else None


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: " ".join(filter(None, row.values())))
def test_the_answer(row: Row):
    verdict = decide(limits_of(row), GB, int(row["reserve"] or 0))
    assert verdict == (row["reason"], most(row), int(row["held seconds"]), amount(row["held"]), 0)


@pytest.mark.parametrize("row", MINUTES, ids=lambda row: " ".join(row.values()))
def test_how_long_free_minutes_last(row: Row):
    terms = US._replace(**dict(zip(("initial", "increment"), map(int, row["pulse"].split("/")), strict=True)))
    left = int(row["granted"]) * 60 - int(row["spent"]) - int(row["held"])
    assert covered_seconds(terms, left) == int(row["max seconds"])
    assert covered_seconds(terms._replace(covered=False), left) == 0


@pytest.mark.parametrize("row", WITH_MINUTES, ids=lambda row: " ".join(filter(None, row.values())))
def test_the_answer_with_free_minutes(row: Row):
    held = int(row["held seconds"]), amount(row["held"]), int(row["free held"])
    assert decide(limits_of(row), US, int(row["reserve"] or 0)) == (row["reason"], most(row), *held)


@pytest.mark.parametrize("row", WITH_MINUTES, ids=lambda row: " ".join(filter(None, row.values())))
def test_free_minutes_change_no_answer_out_of_their_scope(row: Row):
    terms, reserve = US._replace(covered=False), int(row["reserve"] or 0)
    assert decide(limits_of(row), terms, reserve) == decide(replace(limits_of(row), free_seconds=0), US, reserve)


@pytest.mark.parametrize("row", ENDED, ids=lambda row: " ".join(row.values()))
def test_what_stays_held_when_the_call_has_ended(row: Row):
    initial, increment = map(int, row["pulse"].split("/"))
    terms = US._replace(
        initial=initial, increment=increment, fee_e8=amount(row["fee"]), grace_seconds=int(row["grace"])
    )
    kept = when_ended(terms._replace(covered=False), int(row["seconds"]), int(row["held"]))
    assert (kept.free_seconds, kept.amount_e8) == (int(row["free held"]), amount(row["amount held"]))


def test_what_costs_nothing_needs_no_money():
    for terms in (internal_terms("p"), CallTerms("prefix:44", 0, 60, 60)):
        for left in (None, 0, -1):
            verdict = decide(ClientLimits("active", "active", -5, left_today_e8=left), terms, 60)
            assert verdict == Verdict("ok", MAX_SECONDS, 60)
    assert decide(ClientLimits("active", "suspended", 5), internal_terms("p")).reason == "suspended"


def test_a_call_ends_where_its_hold_does():
    verdict = decide(ClientLimits("active", "active", 10**8), GB, 600)
    assert (hang_up_after(verdict, 600), hang_up_after(verdict, 0)) == (600, 3000)
    assert hang_up_after(decide(ClientLimits("active", "active", None), GB, 600), 600) is None


seconds = st.integers(1, 3600)
prices = st.builds(
    CallTerms,
    st.just("markup"),
    st.integers(0, 10**13),
    seconds,
    seconds,
    st.integers(0, 10**15),
    st.integers(0, 10**10),
    st.integers(0, 3600),
    st.integers(2, 8),
)


@given(prices, st.integers(-(10**10), 10**16))
def test_the_longest_call_is_affordable_and_a_longer_one_is_not(terms: CallTerms, available_e8: int):
    longest = affordable_seconds(terms, available_e8)
    assert 0 <= longest <= MAX_SECONDS
    assert amount_e8(terms, longest) <= max(0, available_e8)
    if available_e8 >= 0 and longest < MAX_SECONDS:
        assert amount_e8(terms, longest + 1) > available_e8


@given(prices, st.integers(1, 10**14), st.integers(1, MAX_SECONDS), st.one_of(st.none(), st.integers(1, 10**14)))
def test_never_more_is_held_than_there_is(terms: CallTerms, available_e8: int, reserve: int, left: int | None):
    verdict = decide(ClientLimits("active", "active", available_e8, left_today_e8=left), terms, reserve)
    assert verdict.hold_e8 <= min(available_e8, available_e8 if left is None else left)
    assert verdict.hold_e8 == amount_e8(terms, verdict.held_seconds)
    assert verdict.held_seconds <= reserve


@given(prices, st.integers(-100, MAX_SECONDS * 2))
def test_the_longest_covered_call_costs_nothing_and_a_longer_one_is_not_covered(terms: CallTerms, free_seconds: int):
    terms = terms._replace(covered=True)
    longest = covered_seconds(terms, free_seconds)
    assert 0 <= longest <= MAX_SECONDS
    priced = price_call(terms, longest, free_seconds)
    assert priced.amount_e8 == 0 and priced.free_seconds <= max(0, free_seconds)
    if longest < MAX_SECONDS:
        assert billed(longest + 1, terms.initial, terms.increment) > free_seconds


@given(prices, st.integers(-(10**10), 10**12), st.integers(-100, 10**6), st.integers(1, MAX_SECONDS))
def test_money_or_minutes_are_held_never_more_than_there_are(
    terms: CallTerms, available_e8: int, free_seconds: int, reserve: int
):
    service = "active" if available_e8 > 0 else "suspended"
    limits = ClientLimits("active", service, available_e8, free_seconds=free_seconds)
    verdict = decide(limits, terms._replace(covered=True), reserve)
    assert not verdict.hold_e8 or not verdict.hold_free
    assert verdict.hold_e8 <= max(0, available_e8) and verdict.hold_free <= max(0, free_seconds)
    alone = decide(replace(limits, free_seconds=0), terms, reserve)
    assert (verdict.max_seconds or 0) >= (alone.max_seconds or 0)
