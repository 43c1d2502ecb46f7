"""The tables of ``docs/recurring-fees.md``, row by row, and its rules one by one."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fee_world import FeeWorld

from chalicelib import periods

DOCUMENT = Path(__file__).parents[2] / "docs" / "recurring-fees.md"
LEAST_ROWS = {"Dates": 10, "When a date is due": 13}
"""A row taken out of the document is a test lost."""
TORONTO = "America/Toronto"

Row = dict[str, str]


def table(heading: str) -> list[Row]:
    section = next(part for part in DOCUMENT.read_text().split("\n## ") if part.startswith(heading + "\n"))
    lines = [line for line in section.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) >= LEAST_ROWS[heading]
    return [dict(zip(header, row, strict=True)) for row in rows]


def named(row: Row) -> str:
    return " ".join(list(row.values())[:2])


def noon(day: str, zone: str = TORONTO) -> int:
    return periods.calendar(zone).day_start(day) + 12 * 3600


@pytest.fixture
def world(aws: str) -> FeeWorld:
    """A package at 10.00 a month and a client."""
    made = FeeWorld(TORONTO, noon("2026-01-05"))
    made.package("gold")
    made.client("acme")
    return made


def fees_of(world: FeeWorld, date: str | None = "2026-01-31") -> str:
    return world.subaccount("desk", "acme", "gold", date)


@pytest.mark.parametrize("row", table("Dates"), ids=named)
def test_dates_follow_the_anchor(aws: str, row: Row) -> None:
    dates = row["dates"].split(", ")
    world = FeeWorld("Europe/Paris", noon(row["asked on"], "Europe/Paris"))
    world.package("gold")
    world.client("acme")
    number = world.order()
    if row["first date given"]:
        world.subaccount("desk", "acme", "gold", row["first date given"])
    else:
        world.assign(number, "acme")
    world.bill(noon(dates[-1], "Europe/Paris"))
    assert [date for date, _ in world.billed("acme")] == dates
    if not row["first date given"]:
        assert [date for date, _ in world.billed()] == dates
    assert {int(row["anchor"])} == anchors(world, "SUB#" if row["first date given"] else "DID#")


def anchors(world: FeeWorld, prefix: str) -> set[int]:
    from chalicelib.accounts.store.holdings import SubAccount

    return {int(row.anchor_day) for row in SubAccount.under(f"R#{world.reseller_id}", prefix) if row.anchor_day}


@pytest.mark.parametrize("row", table("When a date is due"), ids=named)
def test_a_date_is_due_from_the_first_instant_of_the_resellers_day(aws: str, row: Row) -> None:
    due = periods.parse_instant(row["due from"])
    world = FeeWorld(row["zone"], due - 40 * 86_400)
    world.package("gold")
    world.client("acme")
    world.subaccount("desk", "acme", "gold", row["date"])
    assert world.bill(due - 1).dates == 0
    assert world.bill(due).dates == 1
    assert world.billed("acme") == [(row["date"], 1000)]


def test_without_a_date_nothing_is_ever_due(world: FeeWorld) -> None:
    fees_of(world, None)
    assert world.bill(noon("2031-01-01")).dates == 0
    assert world.billed("acme") == []


def test_a_fee_names_what_it_is_for(world: FeeWorld) -> None:
    subaccount_id = fees_of(world)
    world.bill(noon("2026-01-31"))
    (entry,) = world.entries("acme")
    assert (entry.kind, entry.amount_e8, entry.usage_month, entry.period) == (
        "package_monthly", -(10**9), "2026-01", "2026-01",
    )  # fmt: skip
    assert entry.description == "Monthly fee of desk (gold), due 2026-01-31"
    assert (entry.source, entry.actor) == (f"subaccount:{subaccount_id}", "system:fees")


def test_a_clients_did_and_the_resellers_number_are_billed_apart(world: FeeWorld) -> None:
    number = world.order("2.50")
    world.now = noon("2026-01-20")
    world.assign(number, "acme", monthly="4", next_billing_date="2026-01-25")
    world.bill(noon("2026-02-28"))
    assert world.billed("acme") == [("2026-01-25", 400), ("2026-02-25", 400)]
    assert world.billed() == [("2026-02-05", 250)]
    assert {entry.kind for entry in world.entries("acme")} == {"did_monthly"}
    assert world.reconciled() == []


def test_missed_months_are_caught_up_each_in_its_own(world: FeeWorld) -> None:
    fees_of(world)
    run = world.bill(noon("2026-05-30"))
    assert (run.dates, run.entries, run.failed) == (4, 4, [])
    assert [(e.usage_month, e.period) for e in world.entries("acme")] == [
        (month, month) for month in ("2026-01", "2026-02", "2026-03", "2026-04")
    ]
    assert world.next_date("desk") == "2026-05-31"


def test_a_missed_month_that_is_closed_is_counted_in_the_first_open_one(world: FeeWorld) -> None:
    from chalicelib.accounts.ledger import months, posting

    fees_of(world)
    months.close(world.scope, partial(posting.get_client, world.reseller_id, world.ids["acme"]), "2026-01")
    world.bill(noon("2026-02-01"))
    (entry,) = world.entries("acme")
    assert (entry.usage_month, entry.period) == ("2026-01", "2026-02")
    assert world.reconciled() == []


def test_another_price_of_the_package_counts_from_the_next_date(world: FeeWorld) -> None:
    from chalicelib.accounts.service import packages
    from chalicelib.accounts.shapes.packages import PackagePatch

    fees_of(world)
    world.bill(noon("2026-01-31"))
    packages.patch(world.scope, world.reseller_id, world.ids["gold"], PackagePatch(monthly_fee="12"))
    world.bill(noon("2026-02-27"))
    world.bill(noon("2026-02-28"))
    assert world.billed("acme") == [("2026-01-31", 1000), ("2026-02-28", 1200)]


def test_a_fee_of_nothing_makes_no_entry_and_the_date_moves(world: FeeWorld) -> None:
    from chalicelib.accounts.store.ledger import Once

    world.package("free", "0")
    world.subaccount("desk", "acme", "free", "2026-01-31")
    run = world.bill(noon("2026-03-01"))
    assert (run.dates, run.entries) == (2, 0)
    assert world.entries("acme") == []
    assert Once.under(*Once.key(world.ids["acme"], "")) == []
    assert world.next_date("desk") == "2026-03-31"


def test_the_payer_is_whoever_has_it_when_the_date_begins(world: FeeWorld) -> None:
    """The move is entered on the 20th for the first of March; the fees are billed only in April."""
    world.package("silver", "3")
    world.client("beta")
    fees_of(world)
    world.now = noon("2026-02-20")
    moved = {"client_id": world.ids["beta"], "package_id": world.ids["silver"]}
    world.patch("desk", **moved, effective_from="2026-03-01T05:00:00Z")
    world.bill(noon("2026-04-01"))
    assert world.billed("acme") == [("2026-01-31", 1000), ("2026-02-28", 1000)]
    assert world.billed("beta") == [("2026-03-31", 300)]


def test_a_left_and_deleted_package_is_stood_in_for_by_the_next(world: FeeWorld) -> None:
    from chalicelib.accounts.service import clients, packages

    world.package("silver", "3")
    fees_of(world)
    world.now = noon("2026-02-02")
    world.patch("desk", package_id=world.ids["silver"])
    clients.detach(world.scope, world.reseller_id, world.ids["acme"], world.ids["gold"])
    packages.delete(world.scope, world.reseller_id, world.ids["gold"])
    assert world.bill().failed == []
    assert world.billed("acme") == [("2026-01-31", 300)]


def test_what_has_gone_costs_nothing_more(world: FeeWorld) -> None:
    from chalicelib.accounts.service import dids, subaccounts

    fees_of(world)
    number = world.order()
    world.assign(number, "acme")
    world.now = noon("2026-02-10")
    subaccounts.delete(world.scope, world.who, world.ids["desk"])
    world.release(number)
    dids.cancel(world.scope, world.reseller_id, number)
    assert world.bill(noon("2026-12-31")).dates == 0
    assert world.billed("acme") == world.billed() == []


def test_a_released_did_still_costs_the_reseller(world: FeeWorld) -> None:
    number = world.order()
    world.assign(number, "acme")
    world.release(number)
    world.bill(noon("2026-02-05"))
    assert (world.billed("acme"), world.billed()) == ([], [("2026-02-05", 200)])


def test_a_number_ordered_again_begins_anew(world: FeeWorld) -> None:
    from chalicelib.accounts.service import dids

    number = world.order()
    dids.cancel(world.scope, world.reseller_id, number)
    world.now = noon("2026-01-31")
    dids.order(world.scope, world.reseller_id, number)
    world.bill(noon("2026-03-31"))
    assert [date for date, _ in world.billed()] == ["2026-02-28", "2026-03-31"]


def test_a_closed_client_is_not_billed(world: FeeWorld) -> None:
    from chalicelib.accounts.store.owners import Client

    fees_of(world)
    Client(*Client.key(world.reseller_id, world.ids["acme"])).update([Client.status.set("closed")])
    assert world.bill(noon("2026-02-28")).entries == 0
    assert world.entries("acme") == []


def test_a_strict_client_is_suspended_by_the_very_fee(world: FeeWorld) -> None:
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.ledger.entries import post_entry
    from chalicelib.accounts.shapes.ledgers import PostingIn
    from chalicelib.aws.transactions import Event

    world.client("beta", balance_mode="strict")
    read = partial(posting.get_client, world.reseller_id, world.ids["beta"])
    post_entry(world.scope, world.reseller_id, world.ids["beta"], "payment", PostingIn(amount="20", description="x"))
    world.subaccount("phone", "beta", "gold", "2026-01-31")
    world.bill(noon("2026-01-31"))
    assert read().service == "active"
    world.bill(noon("2026-02-28"))
    assert (read().service, int(read().balance_e8)) == ("suspended", 0)
    told = [event.kind for event in Event.under(*Event.of_owner(world.reseller_id))]
    assert told.count("client.suspended") == 1
    world.bill(noon("2026-03-31"))
    assert int(read().balance_e8) == -(10**9)


def test_a_changed_date_is_a_new_anchor_and_the_same_date_again_is_not(world: FeeWorld) -> None:
    fees_of(world)
    world.bill(noon("2026-02-01"))
    world.patch("desk", next_billing_date="2026-02-28")
    assert anchors(world, "SUB#") == {31}
    world.patch("desk", next_billing_date="2026-02-27")
    assert anchors(world, "SUB#") == {27}
    world.bill(noon("2026-04-01"))
    assert [date for date, _ in world.billed("acme")] == ["2026-01-31", "2026-02-27", "2026-03-27"]
    world.patch("desk", next_billing_date=None)
    assert anchors(world, "SUB#") == set()
    assert world.bill(noon("2027-04-01")).dates == 0


def test_a_date_set_back_is_not_charged_again(world: FeeWorld) -> None:
    fees_of(world)
    world.now = noon("2026-01-31")
    world.bill()
    world.patch("desk", next_billing_date="2026-01-31")
    run = world.bill()
    assert (run.dates, run.entries) == (1, 0)
    assert world.billed("acme") == [("2026-01-31", 1000)]


def test_a_number_that_changes_hands_is_charged_to_each(world: FeeWorld) -> None:
    world.client("beta")
    number = world.order()
    for name in ("acme", "beta"):
        world.assign(number, name, next_billing_date="2026-01-05")
        world.bill()
        world.release(number)
    assert world.billed("acme") == world.billed("beta") == [("2026-01-05", 400)]


def test_a_first_month_that_is_charged_already_is_not_charged_again_on_its_day(world: FeeWorld) -> None:
    number = world.order()
    for _ in range(2):
        world.assign(number, "acme", charge_monthly=True, next_billing_date=world.today)
        assert (world.bill().entries, world.bill().dates) == (0, 0)
        world.release(number)
    world.assign(number, "acme", charge_monthly=True, next_billing_date=world.today)
    world.bill(noon("2026-02-05"))
    assert [entry.kind for entry in world.entries("acme")] == ["did_monthly"] * 4
    assert world.billed("acme") == [("2026-02-05", 400)]
    assert world.reconciled() == []


def test_a_reversed_fee_is_not_charged_again(world: FeeWorld) -> None:
    from chalicelib.accounts.ledger import entries

    fees_of(world)
    world.bill(noon("2026-01-31"))
    entries.reverse_entry(world.scope, world.reseller_id, world.ids["acme"], "1")
    world.bill(noon("2026-01-31"))
    assert [entry.kind for entry in world.entries("acme")] == ["package_monthly", "reversal"]


def test_an_item_that_cannot_be_billed_holds_up_no_other(world: FeeWorld, caplog: Any) -> None:
    from chalicelib.accounts.store.terms import Assignment

    for name in ("a", "b", "c"):
        world.subaccount(name, "acme", "gold", "2026-01-31")
    (broken,) = Assignment.under(*Assignment.of_holder(world.reseller_id, Assignment.holder_of_account("b")))
    broken.update([Assignment.client_id.set("")])
    run = world.bill(noon("2026-01-31"))
    assert (run.entries, run.failed) == (2, [f"SUB#{world.ids['b']}"])
    assert re.search("SUB#.* could not be billed", caplog.text)
    broken.update([Assignment.client_id.set(world.ids["acme"])])
    assert world.bill(noon("2026-01-31")).entries == 1


def test_a_run_that_is_out_of_time_is_taken_up_where_it_stopped(world: FeeWorld) -> None:
    from chalicelib.accounts.service import fees
    from chalicelib.aws.transactions import Scope

    for n in range(5):
        world.subaccount(f"s{n}", "acme", "gold", "2026-01-31")
    scope, runs = Scope("system:fees", noon("2026-02-28")), []
    while not runs or not runs[-1].finished:
        turns = iter((False, True))
        runs.append(fees.bill_due(scope, world.reseller_id, lambda turns=turns: next(turns)))
    assert [run.entries for run in runs] == [4, 4, 2]
    assert len(world.billed("acme")) == 10
    assert world.reconciled() == []
