"""The dearest calls that all limits of input allow: every sum of them is exact, from the file to the ledgers."""

from __future__ import annotations

from typing import Any

import pytest
from builders import World, line
from dropped_decks import put_in_force

from chalicelib.money import MAX_AMOUNT, MAX_FEE, MAX_PERCENT, MAX_RATE, ONE, div_half_up, format_amount
from chalicelib.rating.cdr.call import MAX_SECONDS

CALLS = 100
BOUND = 2**63
DAY, NEXT_DAY = 1_683_676_800, 1_683_849_600
"""2023-05-10 and 2023-05-12, UTC."""
ROUTES = {"us": "premium", "canada": "premium", "international": "premium"}
FIRST, DEAREST = "998901234567", "999901234567"


@pytest.fixture(scope="module")
def dear(deck: str) -> None:
    """A deck of the premium route for 2023: the line of the report, and the dearest line that a deck may have."""
    from chalicelib.aws import objects
    from chalicelib.config import settings

    body = (
        b"prefix,destination,rate_per_minute,initial,increment,connect_fee\n"
        b"998,Dear,999.99,60,60,1000\n999,Dearest,1000,3599,3600,1000\n"
    )
    key = "incoming/decks/premium/2023-05-01.csv"
    version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=body)["VersionId"]
    put_in_force(key, version)


@pytest.fixture(params=["vector", "reference"])
def dear_world(request: Any, dear: None, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose client ``rich`` has a package with the largest percentage; each engine rates in turn."""
    if request.param == "reference":
        from chalicelib.rating.batches import read
        from chalicelib.rating.engine import reference

        monkeypatch.setattr(read, "rate", reference.rate)
    world.now = DAY + 86_400
    world.package("dear", markup_percent_e4=MAX_PERCENT, routes=ROUTES)
    world.client("rich", "dear")
    return world


def calls(number: str, cost: str = "") -> bytes:
    """A file with calls of ``MAX_SECONDS``; with a ``cost`` each record states it."""
    header = "call_id,start,direction,account,from,to,disposition,seconds" + (cost and ",cost")
    start = "2023-05-10T12:00:00Z"
    rows = [
        line(f"d{n}", "rich", MAX_SECONDS, to=f"+{number}", start=start) + (cost and f",{cost}") for n in range(CALLS)
    ]
    return "\n".join([header, *rows, ""]).encode()


def check(world: World, batch: Any, amount_e8: int, cost_e8: int) -> None:
    """Every sum that a batch leaves behind, where each call has this amount and this cost."""
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.store.ledger import Month
    from chalicelib.calls import search
    from chalicelib.calls.search import Selection
    from chalicelib.calls.store import segments_of
    from chalicelib.reports.shapes import TotalsOut

    revenue, cost = CALLS * amount_e8, CALLS * cost_e8
    assert amount_e8 < BOUND < revenue
    assert (batch.status, batch.rated, batch.rejected) == ("done", CALLS, 0)
    assert (batch.revenue_e8, batch.cost_e8) == (revenue, cost)
    client_id = world.clients["rich"]
    client = posting.get_client(world.reseller_id, client_id)
    assert (client.balance_e8, client.spent) == (-revenue, {"2023-05-10": revenue})
    assert posting.get_reseller(world.reseller_id).balance_e8 == -cost
    (month,) = Month.under(*Month.key(client_id, "2023-05"))
    assert (month.usage["revenue_e8"], month.usage["cost_e8"]) == (revenue, cost)
    (segment,) = segments_of(client_id, "2023-05-10", "2023-05-10")
    assert (segment.totals.amount_e8, segment.totals.cost_e8) == (revenue, cost)
    for filters in ({}, {"direction": "outbound"}):
        totals = search.totals(world.reseller_id, Selection(DAY, NEXT_DAY, client_id, **filters))
        assert (totals.amount_e8, totals.cost_e8, totals.seconds) == (revenue, cost, CALLS * MAX_SECONDS)
        shown = TotalsOut.model_validate(totals).model_dump()
        assert shown["amount"] == format_amount(revenue)


def test_a_hundred_dear_calls_are_a_debit_and_no_credit(dear_world: World) -> None:
    batch = dear_world.rate(calls(FIRST))
    cost_e8 = 99_999 * 10**6 * 1440 + 1000 * ONE
    check(dear_world, batch, cost_e8 * 1001, cost_e8)


def test_the_dearest_calls_that_the_limits_allow_add_up(dear_world: World) -> None:
    pulse = {"initial": 3599, "increment": 3600}
    markup = {"markup_fixed_e10": MAX_RATE, "markup_percent_e4": MAX_PERCENT}
    dear_world.package("dear", **markup, pulse=pulse, routes=ROUTES)
    batch, billed = dear_world.rate(calls(DEAREST)), 3599 + 24 * 3600
    amount_e8 = div_half_up(2 * MAX_RATE * 1001 * billed, 6000) + MAX_FEE * 1001
    check(dear_world, batch, amount_e8, div_half_up(MAX_RATE * billed, 6000) + MAX_FEE)


def test_the_dearest_costs_that_records_state_add_up(dear_world: World) -> None:
    from chalicelib.accounts.store.owners import Reseller

    reseller = Reseller.find(*Reseller.key(dear_world.reseller_id))
    reseller.update(actions=[Reseller.cost_source.set("record")])
    batch = dear_world.rate(calls(FIRST, cost="1000000000"))
    assert CALLS * MAX_AMOUNT > BOUND
    check(dear_world, batch, (99_999 * 10**6 * 1440 + 1000 * ONE) * 1001, MAX_AMOUNT)


def test_no_rated_line_of_the_largest_inputs_leaves_its_column() -> None:
    from chalicelib.rating.decks.deck import DeckLine
    from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion, combine
    from chalicelib.rating.pricing.price import price_call

    package = PackageVersion("p", 1, 0, "", MAX_RATE, MAX_PERCENT, 3599, 3600)
    deck_line = DeckLine("1", "", MAX_RATE, 3599, 3600, MAX_FEE)
    custom = CustomRate("p", "prefix", "1", 1, 0, MAX_RATE, 3599, 3600, MAX_FEE, MAX_FEE)
    for own in (None, custom):
        priced = price_call(combine(package, "markup", own, deck_line, None), MAX_SECONDS)
        assert priced.billed_seconds < 90_000
        assert max(priced.amount_e8, priced.cost_e8) < 3_004_000_001 * ONE < BOUND
