"""Months close by the clock: ledger by ledger, in order, only where the books add up, and once."""

from __future__ import annotations

import json
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import faults
import pytest
from fee_world import FeeWorld

from chalicelib import periods
from chalicelib.accounts.store.ledger import Month
from chalicelib.aws.transactions import Scope
from chalicelib.reports import closing

ZONE = "America/Toronto"


def noon(day: str) -> int:
    return periods.calendar(ZONE).day_start(day) + 12 * 3600


def close(world: FeeWorld, day: str, **more: Any) -> closing.Closing:
    return closing.close_due(Scope("system:closing", noon(day)), world.reseller_id, 2, **more)


def month(world: FeeWorld, owner: str, name: str) -> Any:

    return Month.find_or_new(world.ids.get(owner, world.reseller_id), name)


def through(world: FeeWorld) -> dict[str, str]:
    from chalicelib.accounts.ledger import posting

    found = {"reseller": posting.get_reseller(world.reseller_id).closed_through}
    for name in ("acme", "beta"):
        found[name] = posting.get_client(world.reseller_id, world.ids[name]).closed_through
    return found


def pay(world: FeeWorld, name: str, day: str, amount: str = "7") -> None:
    from chalicelib.accounts.ledger.entries import post_entry
    from chalicelib.accounts.shapes.ledgers import PostingIn

    world.now = noon(day)
    post_entry(world.scope, world.reseller_id, world.ids[name], "payment", PostingIn(amount=amount, description="x"))


@pytest.fixture
def world(aws: str) -> FeeWorld:
    """Two clients since September 2026, one of them with a monthly fee on the 31st."""
    made = FeeWorld(ZONE, noon("2026-09-15"))
    made.package("gold")
    made.client("acme")
    made.client("beta")
    made.subaccount("desk", "acme", "gold", "2026-10-31")
    return made


@pytest.mark.parametrize(
    ("today", "days", "month"),
    [
        ("2026-12-01", 2, "2026-10"),
        ("2026-12-02", 2, "2026-10"),
        ("2026-12-03", 2, "2026-11"),
        ("2026-12-31", 2, "2026-11"),
        ("2027-01-02", 2, "2026-11"),
        ("2027-01-03", 2, "2026-12"),
        ("2026-12-01", 0, "2026-11"),
        ("2027-03-02", 1, "2027-02"),
        ("2026-12-03", 3, "2026-10"),
    ],
)
def test_a_month_is_due_when_the_days_after_it_are_over(today: str, days: int, month: str) -> None:
    assert closing.due_month(today, days) == month


def documented() -> list[list[str]]:
    section = (
        (Path(__file__).parents[2] / "docs" / "ledger.md").read_text().split("\n## Closing\n")[1].split("\n## ")[0]
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert len(rows) >= 2 + 6
    return rows[2:]


@pytest.mark.parametrize(("day", "zone", "closed"), documented())
def test_the_days_of_the_table(aws: str, day: str, zone: str, closed: str) -> None:
    at = periods.parse_instant(day, periods.calendar(zone))
    world = FeeWorld(zone, at - 150 * 86_400)
    closing.close_due(Scope("system:closing", at), world.reseller_id, 2)
    from chalicelib.accounts.ledger import posting

    assert posting.get_reseller(world.reseller_id).closed_through == closed


def test_every_ledger_is_closed_on_the_third_day_and_once(world: FeeWorld) -> None:
    assert close(world, "2026-10-02").closed == 0
    assert through(world) == {"reseller": "", "acme": "", "beta": ""}
    assert close(world, "2026-10-03").closed == 3
    assert through(world) == dict.fromkeys(("reseller", "acme", "beta"), "2026-09")
    with faults.counted() as made:
        assert close(world, "2026-10-20").closed == 0
    assert len(made) == 3
    assert close(world, "2027-01-03").closed == 9
    assert through(world) == dict.fromkeys(("reseller", "acme", "beta"), "2026-12")
    assert world.reconciled() == []


def test_what_was_posted_before_the_closing_for_the_next_month_stays_out_of_the_closed_one(world: FeeWorld) -> None:
    pay(world, "acme", "2026-09-20", "10")
    pay(world, "acme", "2026-10-01", "3")
    close(world, "2026-10-03")
    assert world.reconciled() == []
    shut = month(world, "acme", "2026-09").closing
    assert (shut["balance_e8"], shut["entries"], shut["period_balance_e8"]) == (13 * 10**8, 2, 10 * 10**8)
    pay(world, "acme", "2026-10-05", "4")
    pay(world, "acme", "2026-11-02", "5")
    assert world.reconciled() == []
    close(world, "2026-11-03")
    shut = month(world, "acme", "2026-10").closing
    assert (shut["balance_e8"], shut["entries"], shut["period_balance_e8"]) == (22 * 10**8, 4, 17 * 10**8)
    assert world.reconciled() == []


def test_a_late_entry_goes_into_the_first_open_month(world: FeeWorld) -> None:
    close(world, "2026-11-03")
    world.bill(noon("2026-11-03"))
    (entry,) = world.entries("acme")
    assert (entry.usage_month, entry.period) == ("2026-10", "2026-11")
    assert month(world, "acme", "2026-10").posted == {}
    assert world.reconciled() == []


def test_a_closed_month_that_was_touched_is_a_difference(world: FeeWorld) -> None:

    pay(world, "acme", "2026-09-20")
    close(world, "2026-10-03")
    month(world, "acme", "2026-09").update([Month.posted.set({"payment": 1})])
    assert [each.what for each in world.reconciled()] == ["balance of the closed 2026-09"]


def test_a_ledger_that_does_not_add_up_stays_open_and_the_others_close(world: FeeWorld, caplog: Any) -> None:
    from chalicelib.accounts.store.owners import Client

    pay(world, "acme", "2026-09-20")
    client = Client(*Client.key(world.reseller_id, world.ids["acme"]))
    client.update([Client.balance_e8.set(1)])
    run = close(world, "2026-10-03")
    assert (run.closed, run.differing) == (2, [world.ids["acme"]])
    assert through(world) == {"reseller": "2026-09", "acme": "", "beta": "2026-09"}
    assert "its books differ" in caplog.text
    client.update([Client.balance_e8.set(7 * 10**8)])
    assert close(world, "2026-10-03").closed == 1
    assert through(world)["acme"] == "2026-09"


def test_a_ledger_that_breaks_stays_open_and_the_others_close(world: FeeWorld, caplog: Any) -> None:
    from chalicelib.accounts.store.owners import Client

    client = Client.get(*Client.key(world.reseller_id, world.ids["acme"]))
    client.update([Client.closed_through.set("unreadable")])
    run = close(world, "2026-10-03")
    assert (run.closed, run.differing) == (2, [world.ids["acme"]])
    assert f"the closing of {world.ids['acme']} failed" in caplog.text
    client.update([Client.closed_through.set("")])
    assert close(world, "2026-10-03").closed == 1
    assert set(through(world).values()) == {"2026-09"}


def test_files_that_are_being_rated_put_it_off_for_a_day_and_no_longer(world: FeeWorld) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.aws.transactions import commit

    commit(world.scope, [term_versions.open_batch(term_versions.head_of(world.reseller_id), "b1")])
    assert close(world, "2026-10-03").closed == 0
    assert close(world, "2026-10-04").closed == 3


def test_a_client_that_came_later_and_has_older_calls_is_closed_from_those_on(world: FeeWorld) -> None:
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting

    close(world, "2026-10-03")
    world.now = noon("2026-10-20")
    world.client("new")
    read = partial(posting.get_client, world.reseller_id, world.ids["new"])
    posting.post(world.scope, read, Posting("charge", -5, "x", "2026-08"))
    assert close(world, "2026-11-03").closed == 3 + 3
    assert month(world, "new", "2026-08").closing["period_balance_e8"] == -5
    assert world.reconciled() == []


def test_out_of_time_it_goes_on_where_it_stopped(world: FeeWorld) -> None:
    runs = [close(world, "2026-10-03", out_of_time=lambda: True)]
    while not runs[-1].finished:
        runs.append(close(world, "2026-10-03", out_of_time=lambda: len(runs) < 2))
    assert sum(run.closed for run in runs) == 3
    assert set(through(world).values()) == {"2026-09"}


def test_killed_at_any_call_and_run_again_each_month_is_closed_once(aws: str) -> None:
    def shop() -> FeeWorld:
        made = FeeWorld(ZONE, noon("2026-09-15"))
        made.client("acme")
        pay(made, "acme", "2026-09-20")
        return made

    world = shop()
    with faults.counted() as made:
        close(world, "2026-11-03")
    for kill in faults.kills(made):
        world = shop()
        with suppress(faults.Killed), kill():
            close(world, "2026-11-03")
        close(world, "2026-11-03")
        for name in ("2026-09", "2026-10"):
            assert month(world, "acme", name).closing["period_balance_e8"] == 7 * 10**8
        assert world.reconciled() == [], str(kill)


def test_the_hourly_message_bills_the_month_before_it_closes_it(world: FeeWorld) -> None:
    from chalicelib.reports import events

    body = json.dumps({"reseller_id": world.reseller_id, "at": "2026-11-03T17:00:00Z"})
    attributes = {"ApproximateReceiveCount": "1"}
    record = {"body": body, "receiptHandle": "x", "attributes": attributes, "eventSource": "aws:sqs"}
    for _ in range(2):
        events.bill_and_close({"Records": [record]}, None)
    (entry,) = world.entries("acme")
    assert (entry.usage_month, entry.period) == ("2026-10", "2026-10")
    assert month(world, "acme", "2026-10").closing["period_balance_e8"] == -(10**9)
    assert set(through(world).values()) == {"2026-10"}


def hop(body: str, sent: list[str]) -> str:
    """One message of the hourly queue, with no time for more than a ledger; what is passed on."""
    from chalicelib.reports import events

    attributes = {"ApproximateReceiveCount": "1"}
    record = {"body": body, "receiptHandle": "x", "attributes": attributes, "eventSource": "aws:sqs"}
    events.bill_and_close({"Records": [record]}, None)
    return sent.pop() if sent else ""


@pytest.mark.parametrize("differs", [False, True])
def test_a_message_that_is_passed_on_says_where_to_go_on(world: FeeWorld, monkeypatch: Any, differs: bool) -> None:
    """Lambda allows a function to feed its own queue without end, so each hop must come further than the one before."""
    from chalicelib.accounts.ledger import months
    from chalicelib.accounts.store.owners import Client
    from chalicelib.aws import queues
    from chalicelib.reports import events

    for n in range(20):
        world.client(f"c{n}")
    sent: list[str] = []
    monkeypatch.setattr(queues, "send", lambda queue, bodies: sent.extend(bodies))
    monkeypatch.setattr(events, "WORK_SECONDS", -1)
    clients = sorted(world.ids[name] for name in ("acme", "beta", *(f"c{n}" for n in range(20))))
    wrong = Client.get(*Client.key(world.reseller_id, clients[3]))
    if differs:
        wrong.update([Client.balance_e8.set(1)])
    body = json.dumps({"reseller_id": world.reseller_id, "at": "2026-10-03T17:00:00Z"})
    places = []
    with pytest.raises(RuntimeError, match="1 ledgers of reseller") if differs else nullcontext():
        while body:
            body = hop(body, sent)
            places += [json.loads(body)["place"]] if body else []
    assert places == [[client_id, int(differs and n >= 3)] for n, client_id in enumerate(clients)]
    open_still = [name for name, month in through_all(world).items() if month != "2026-09"]
    assert open_still == ([wrong.client_id] if differs else [])
    assert months.all_closed_through(world.reseller_id) == ("" if differs else "2026-09")


def through_all(world: FeeWorld) -> dict[str, str]:
    from chalicelib.accounts.store.owners import Client, Reseller

    found = {row.client_id: row.closed_through for row in Client.under(*Client.of_reseller(world.reseller_id))}
    return found | {"reseller": Reseller.get(*Reseller.key(world.reseller_id)).closed_through}


def test_fees_that_cannot_be_billed_keep_the_months_open(world: FeeWorld) -> None:
    from chalicelib.accounts.store.terms import Assignment
    from chalicelib.reports import events

    (broken,) = Assignment.under(*Assignment.of_holder(world.reseller_id, Assignment.holder_of_account("desk")))
    broken.update([Assignment.client_id.set("")])
    with pytest.raises(RuntimeError, match="1 fees"):
        events._work(json.dumps({"reseller_id": world.reseller_id, "at": "2026-11-03T17:00:00Z"}))
    assert set(through(world).values()) == {""}


def test_a_year_of_the_clock_bills_and_closes(world: FeeWorld) -> None:
    from chalicelib.reports import events

    at, end = noon("2026-09-30"), noon("2027-10-03")
    while at <= end:
        if 4 < int(periods.calendar(ZONE).day_of(at)[8:]) < 30:
            at += 86_400
            continue
        events._work(json.dumps({"reseller_id": world.reseller_id, "at": periods.format_instant(at)}))
        at += 86_400
    assert len(world.billed("acme")) == 12
    assert set(through(world).values()) == {"2027-09"}
    for n, name in enumerate(periods_between("2026-10", "2027-09"), 1):
        assert month(world, "acme", name).closing["period_balance_e8"] == -n * 10**9
    assert world.reconciled() == []


def periods_between(first: str, last: str) -> list[str]:
    names = [first]
    while names[-1] < last:
        names.append(periods.next_month(names[-1]))
    return names
