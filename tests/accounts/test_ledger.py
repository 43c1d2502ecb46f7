"""The tables of ``docs/ledger.md``, row by row, and what always holds of a ledger."""

from __future__ import annotations

from itertools import pairwise

import documents
import pytest
from documents import Row
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts import rules
from chalicelib.accounts.rules import Account, Posting
from chalicelib.money import parse_amount

LEAST_ROWS = {"Kinds of entries": 15, "Service": 12, "Period": 7, "Crossings": 18}


def table(heading: str) -> list[Row]:
    return documents.table("ledger.md", heading, LEAST_ROWS[heading])


def amount(text: str) -> int | None:
    return parse_amount(text) if text else None


def account(row: Row) -> Account:
    return Account(
        balance_e8=parse_amount(row["balance"]),
        strict=row["mode"] == "strict",
        credit_limit_e8=amount(row["credit limit"]),
        threshold_e8=amount(row.get("threshold", "")),
        service=row["service"],
        low=row.get("low") == "yes",
    )


def named(row: Row) -> str:
    return " ".join(cell or "-" for cell in row.values())


@pytest.mark.parametrize("row", table("Service"), ids=named)
def test_service_follows_mode_limit_and_balance(row: Row) -> None:
    found = rules.service_of(parse_amount(row["balance"]), row["mode"] == "strict", amount(row["credit limit"]))
    assert found == row["service"]


@pytest.mark.parametrize("row", table("Period"), ids=named)
def test_an_entry_is_counted_in_its_month_or_the_first_open_one(row: Row) -> None:
    assert rules.period_of(row["usage month"], row["closed through"]) == row["period"]


@pytest.mark.parametrize("row", table("Crossings"), ids=named)
def test_crossings_are_told_once(row: Row) -> None:
    posted = rules.post(account(row), Posting("adjustment", parse_amount(row["amount"]), "", "2026-11"))
    assert ", ".join(posted.crossings) == row["crossings"]
    assert (posted.account.service, posted.account.low) == (row["service after"], row["low after"] == "yes")


def test_the_document_names_every_kind_and_no_other() -> None:
    assert [row["kind"] for row in table("Kinds of entries")] == list(rules.KINDS)


def test_the_document_says_which_kinds_cannot_be_reversed() -> None:
    said = {row["kind"] for row in table("Kinds of entries") if row["can be reversed"] == "no"}
    assert said == set(rules.IRREVERSIBLE)


def test_an_unknown_kind_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        rules.post(Account(), Posting("gift", 1, "", "2026-11"))


def test_a_resellers_service_never_follows_its_balance() -> None:
    posted = rules.post(Account(limited=False), Posting("charge", -(10**12), "", "2026-11"))
    assert posted.account.service == "active"
    assert posted.crossings == ()


AMOUNTS = st.lists(st.integers(-(10**12), 10**12), max_size=30)


@given(AMOUNTS, st.booleans(), st.none() | st.integers(0, 10**12), st.none() | st.integers(-(10**12), 10**12))
def test_any_entries_leave_sums_numbers_and_service_true(
    amounts: list[int], strict: bool, limit: int | None, threshold: int | None
) -> None:
    start = Account(strict=strict, credit_limit_e8=limit, threshold_e8=threshold)
    now, _ = rules.settle_service(start)
    told: list[str] = []
    for number, value in enumerate(amounts, 1):
        posted = rules.post(now, Posting("adjustment", value, "", "2026-11"))
        assert (posted.sequence, posted.account.entries) == (number, number)
        now, told = posted.account, [*told, *posted.crossings]
    assert now.balance_e8 == sum(amounts)
    assert now.service == rules.service_of(now.balance_e8, strict, limit)
    assert now.low == (threshold is not None and now.balance_e8 < threshold)
    switches = [name for name in told if name != "low_balance"]
    assert all(first != second for first, second in pairwise(switches))
