"""A client's key reads all that it may: nothing there is a cost, a margin, a markup, or names what makes a price."""

from __future__ import annotations

import csv
import io
import re
import time
from typing import Any

import pytest
import tenants
from tenants import CALLED_ON, PRICE, STOCK, Tenant
from walk import Operation, Request, fields_named, operations, request

import app  # noqa: F401  (declares the routes)
from chalicelib import periods
from chalicelib.web import openapi

READS = [op for op in operations(openapi.document()) if op.method == "GET" and "client" in op.roles]
SECRET_FIELDS = re.compile(r"cost|margin|markup|profit|deck|route|rate_decimals|warnings|upcoming")
RULES = {"package", "custom", "no_rate", "internal", "emergency"}
DECK = tuple(line.split(",")[2] for line in tenants.DECK.decode().splitlines()[1:])


@pytest.fixture(scope="module")
def tenant(operator: Any, deck_of_the_walk: None) -> Tenant:
    """A reseller whose client has had calls by the markup and by a custom rate, and has paid a monthly fee."""
    from chalicelib.accounts.service import fees
    from chalicelib.aws.transactions import Scope

    made = tenants.make_tenant(operator, "gardez")
    path = f"/v1/packages/{made.ids['package_id']}"
    assert made.api.patch(path, {"public_name": "Plain sight"}).status == 200
    now = int(time.time())
    due = {"next_billing_date": periods.calendar("America/Toronto").day_of(now)}
    assert made.api.patch(f"/v1/subaccounts/{made.ids['subaccount_id']}", due).status == 200
    assert fees.bill_due(Scope("system:test", now), made.ids["reseller_id"]).entries == 1
    start = {"start": CALLED_ON}
    name, more = made.ids["account"], ("+15145550100", "+442079460000")
    lines = [tenants.line(f"{made.word}-more-{number}", name, to=number, **start) for number in more]
    assert tenants.World(made.ids["reseller_id"]).rate(tenants.csv_file(*lines)).rated == 2
    return made


def wanted(op: Operation, tenant: Tenant) -> list[Request]:
    """The requests of an operation: of all formats and, for quotes, to numbers of each rule."""
    days = {"date_from": "2091-03-01", "date_to": "2091-03-31"} if "/reports/" in op.path else {}
    asked = [days | ({"at": CALLED_ON} if "at" in op.in_query else {})]
    if "number" in op.in_query:
        asked = [asked[0] | {"number": number} for number in ("+15145550100", "+12125550100", "2001", "+99999")]
    if "format" in op.in_query:
        asked += [each | {"format": "csv"} for each in asked]
    return [request(op, tenant.ids, query=query) for query in asked]


def texts(op: Operation, tenant: Tenant) -> list[tuple[Request, Any]]:
    found = [(sent, sent.send(tenant.client)) for sent in wanted(op, tenant)]
    assert any(reply.status == 200 for _, reply in found), op
    return found


def rules_of(reply: Any) -> set[str]:
    if "csv" in reply.headers["Content-Type"]:
        return {row["rule"] for row in csv.DictReader(io.StringIO(reply.text)) if "rule" in row}
    return {value for _, value in fields_named(reply.json, "^rule$")}


@pytest.mark.parametrize("op", READS, ids=str)
def test_what_a_client_reads_gives_away_neither_cost_nor_markup(op: Operation, tenant: Tenant) -> None:
    word = tenant.word
    secrets = [*STOCK.values(), PRICE["markup_percent"], PRICE["markup_fixed"], *DECK, f"{word}-1 package"]
    for sent, reply in texts(op, tenant):
        for secret in secrets:
            assert not re.search(rf"(?<![\d.]){re.escape(secret)}(?!\d)", reply.text), (sent.path, secret)
        assert not re.search(r"markup|margin|\bdeck|prefix:|country:|group:|custom rate", reply.text), sent.path
        if reply.status != 200:
            continue
        rules = {rule for rule in rules_of(reply) if not rule.startswith("did:")}
        assert rules <= RULES, sent.path
        if "csv" in reply.headers["Content-Type"]:
            assert not SECRET_FIELDS.search(reply.text.splitlines()[0]), sent.path
            continue
        assert [pair for pair in fields_named(reply.json, SECRET_FIELDS.pattern) if pair[1] is not None] == []


def test_the_walk_meets_each_rule_and_the_public_name(tenant: Tenant) -> None:
    """Otherwise the walk would find nothing because there is nothing."""
    replies = [reply for op in READS for _, reply in texts(op, tenant) if reply.status == 200]
    rules = set[str]().union(*map(rules_of, replies))
    assert {"package", "custom", "internal", f"did:{tenant.ids['number']}"} <= rules
    text = "".join(reply.text for reply in replies)
    assert "(Plain sight)" in text and PRICE["monthly_fee"] in text
    # Its reseller reads what the client must not.
    report = tenant.api.get("/v1/reports/calls?date_from=2091-03-01&date_to=2091-03-31").text
    assert "prefix:1514" in report and '"markup"' in report
