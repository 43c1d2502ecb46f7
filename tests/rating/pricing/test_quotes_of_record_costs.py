"""Quotes of a reseller whose costs come from the calls' own records: the same as rating, and they say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.rating.pricing.explain import explain
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.terms import Terms

AT = "2026-09-10T12:00:00Z"
NOWHERE = "+99955512345"
"""No deck of the tests has a prefix of it, and it is in no country."""


@pytest.fixture
def seller(reseller: Any, deck: str) -> Any:
    """Costs from the record, cost plus 20 %, and a custom rate for a prefix that no deck knows."""
    assert reseller.patch("/v1/account", {"cost_source": "record"}).status == 200
    client = reseller.made("/v1/clients", {"company": "Acme"})
    package = reseller.made("/v1/packages", {"name": "Gold", "markup_percent": "20"})
    made = {"username": "alice", "client_id": client["id"], "package_id": package["id"]}
    reseller.made("/v1/subaccounts", made)
    reseller.ids.update(made)
    path = f"/v1/packages/{package['id']}/rates/prefix/9995"
    assert reseller.put(path, {"rate_per_minute": "0.05"}).status == 200
    return reseller


def quote(seller: Any, number: str, status: int = 200) -> Any:
    path = f"/v1/packages/{seller.ids['package_id']}/quote?number=%2B{number.lstrip('+')}&seconds=61&at={AT}"
    reply = seller.get(path)
    assert reply.status == status, reply.text
    return reply.json


def previewed(seller: Any, number: str, cost: str) -> Any:
    """The same call, through the rate book that prices it."""
    text = (
        "call_id,start,direction,account,from,to,disposition,seconds,cost\n"
        f"1,{AT},outbound,alice,,{number},ANSWERED,61,{cost}\n"
    )
    (row,) = seller.post("/v1/cdr-preview", {"text": text}).json["items"]
    return row


@pytest.mark.parametrize("number", ["+12125550100", NOWHERE])
def test_a_quote_has_the_price_that_rating_gives(seller: Any, number: str) -> None:
    quoted, rated = quote(seller, number), previewed(seller, number, "0.001")["call"]
    for name in ("rule", "rate_per_minute", "billed_seconds", "amount"):
        assert quoted["price"][name] == rated[name]
    assert rated["cost"] == "0.001"


def test_the_decks_cost_is_what_to_expect_where_there_is_a_line(seller: Any) -> None:
    quoted = quote(seller, "+12125550100")
    assert quoted["cost"]["amount"] == "0.00572"
    assert quoted["steps"][1] == (
        "The cost will be what the call's record states; by the deck: 0.0052 x 66 s / 60 = 0.00572 USD."
    )


def test_without_a_line_a_custom_rate_is_enough_and_the_cost_is_not_known(seller: Any) -> None:
    quoted = quote(seller, NOWHERE)
    assert quoted["cost"] is None
    assert quoted["price"]["rule"] == "prefix:9995"
    assert quoted["steps"][0] == "No deck line fits this number; the cost will be what the call's record states."


def test_without_a_line_and_a_custom_rate_there_is_no_quote_and_no_rating(seller: Any) -> None:
    problem = quote(seller, "+99944412345", 422)
    assert "no custom rate fits" in problem["errors"][0]["message"]
    assert previewed(seller, "+99944412345", "0.001")["reason"] == "no_rate"


def test_by_the_deck_a_custom_rate_alone_is_not_enough(seller: Any) -> None:
    assert quote(seller, NOWHERE)["price"]["rule"] == "prefix:9995"
    assert seller.patch("/v1/account", {"cost_source": "deck"}).status == 200
    assert "no deck in force" in quote(seller, NOWHERE, 422)["errors"][0]["message"]


def test_the_second_quote_of_the_document_is_what_the_code_says() -> None:
    document = Path(__file__).parents[3] / "docs" / "pricing.md"
    block = document.read_text(encoding="utf-8").split("```text\n")[2].split("```")[0]
    terms = Terms([PackageVersion("p", 1, 0)], [CustomRate("p", "country", "GB", 1, 0, 500_000_000)])
    resolved = terms.epoch("p", 10).resolve("447911123456", "GB", None)
    assert resolved is not None
    matching = terms.matching_rules("p", 10, "447911123456", "GB", None)
    assert (
        explain(resolved, 60, matching=matching, markup=terms.markup("p", 10), record_cost=True) == block.splitlines()
    )
