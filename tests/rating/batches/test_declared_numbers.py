"""Dial prefixes, local numbers and costs in another currency, from the source to the rated batch and the preview."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import csv_file, line
from markdown_tables import tables

from chalicelib import money
from chalicelib.rating.cdr.declaration import Declaration

DOCUMENT = tables((Path(__file__).parents[3] / "docs" / "cdr-formats.md").read_text(encoding="utf-8"))
STOCK = {"monthly": "1", "setup": "0", "per_minute": "0"}
COSTS = "call_id,start,direction,account,from,to,disposition,seconds,cost\n"


def declare(world: Any, **declared: Any) -> None:
    from chalicelib.rating.batches import sources

    sources.put(world.scope, world.reseller_id, {"source_id": "s", "pattern": "*", "declares": declared})


def take_costs_from_records(reseller_id: str) -> None:
    from chalicelib.accounts.store.owners import Reseller

    Reseller.get(f"R#{reseller_id}", "RESELLER").update(actions=[Reseller.cost_source.set("record")])


def test_a_prefix_is_taken_off_before_a_call_is_priced(world: Any) -> None:
    rows = csv_file(line("1", to="912125550100"), line("2", to="*6712125550100"), line("3", to="9502"))
    declare(world, strip=["9", "*67"])
    batch = world.rate(*world.drop(rows, "b.csv"))
    assert (batch.rated, batch.rejected, batch.duplicates) == (2, 1, 0)
    assert world.books()["alice"][0] == -2 * 624000


def test_a_refused_line_shows_both_readings(world: Any) -> None:
    from chalicelib.aws import objects

    declare(world, strip=["9"])
    batch = world.rate(*world.drop(csv_file(line("1", to="9502"))))
    text = objects.read(batch.rejects_key).decode()
    assert "ambiguous_number" in text
    assert "to: 9502 is 9502 as dialled, and 502 without 9" in text


def test_a_local_number_finds_its_did(operator: Any, reseller: Any, deck: str) -> None:
    client = reseller.made("/v1/clients", {"company": "Acme"})
    operator.made("/v1/inventory", {"number": "+73952211474", **STOCK})
    assert reseller.post("/v1/dids/+73952211474/order").status == 200
    assert reseller.post("/v1/dids/+73952211474/assign", {"client_id": client["id"]}).status == 200
    source = {"id": "s", "pattern": "*", "local_numbers": [{"digits": 6, "prefix": "+73952"}]}
    text = csv_file(line("1", direction="inbound", account="", to="211474")).decode()
    before = reseller.post("/v1/cdr-preview", {"text": text}).json["items"][0]
    assert before["reason"] == "no_owner"
    assert reseller.put("/v1/cdr-sources", source).status == 200
    (row,) = reseller.post("/v1/cdr-preview", {"text": text}).json["items"]
    assert (row["call"]["to"], row["call"]["client_id"]) == ("+73952211474", client["id"])


def test_a_converted_cost_prices_the_batch_and_the_rate_is_kept_on_it(world: Any) -> None:
    take_costs_from_records(world.reseller_id)
    declare(world, cost_currency="EUR", fx={"rate": "1.0842", "date": "2026-11-30"})
    batch = world.rate((COSTS + line("1") + ",0.01\n" + line("2") + ",1000000000\n").encode())
    assert (batch.rated, batch.rejected, batch.cost_e8) == (1, 1, 1_084_200)
    declare(world, time_zone="UTC")
    found = type(batch).get(*type(batch).key(world.reseller_id, batch.batch_id))
    assert (found.cost_currency, found.fx) == ("EUR", {"rate": "1.0842", "date": "2026-11-30"})


def test_the_preview_shows_how_a_cost_was_converted(reseller: Any, deck: str) -> None:
    client = reseller.made("/v1/clients", {"company": "Acme"})
    package = reseller.made("/v1/packages", {"name": "Gold", "markup_percent": "20"})
    reseller.made("/v1/subaccounts", {"username": "alice", "client_id": client["id"], "package_id": package["id"]})
    source = {"id": "s", "pattern": "*", "cost_currency": "EUR", "fx": {"rate": "1.0842", "date": "2026-11-30"}}
    assert reseller.put("/v1/cdr-sources", source).status == 200
    text = COSTS + line("1") + ",0.01\n" + line("2") + ",0.00000001\n"
    shown = reseller.post("/v1/cdr-preview", {"text": text}).json["items"]
    assert [row["steps"] for row in shown] == [[], []], "the deck prices the cost"
    take_costs_from_records(reseller.ids["reseller"])
    shown = reseller.post("/v1/cdr-preview", {"text": text}).json["items"]
    assert [(row["call"]["cost"], row["steps"]) for row in shown] == [
        ("0.010842", ["Cost: 0.01 EUR x 1.0842 (2026-11-30) = 0.010842 USD."]),
        (
            "0.00000001",
            ["Cost: 0.00000001 EUR x 1.0842 (2026-11-30) = 0.00000001 USD (rounded half-up to 8 decimals)."],
        ),
    ]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"cost_currency": "USD", "fx": {"rate": "1", "date": "2026-11-30"}}, "body", "costs in USD need no fx"),
        ({"cost_currency": "EUR", "fx": {"rate": "0.00", "date": "2026-11-30"}}, "fx.rate", "more than 0"),
        ({"cost_currency": "EUR", "fx": {"rate": "1,08", "date": "2026-11-30"}}, "fx.rate", "must be a decimal number"),
    ],
)
def test_a_rate_that_cannot_be_meant_is_refused(
    reseller: Any, change: dict[str, Any], field: str, message: str
) -> None:
    reply = reseller.put("/v1/cdr-sources", {"id": "s", "pattern": "*", **change})
    assert reply.status == 422
    (error,) = reply.json["errors"]
    assert error["field"] == field
    assert message in error["message"]


def test_the_conversions_of_the_document_are_exact() -> None:
    rows = DOCUMENT["Costs in another currency"]
    assert len(rows) == 4
    for row in rows:
        fx_e10 = Declaration(fx=(row["rate"], "2026-11-30")).fx_e10
        assert money.format_amount(money.converted(money.parse_amount(row["cost"]), fx_e10)) == row["converted"]
