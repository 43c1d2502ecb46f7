"""Fourteen months of the clock, with gaps, repeats, twins and kills: each fee stands once, on its day."""

from __future__ import annotations

import calendar
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import faults
import pytest
from examples import PROFILE, examples
from fee_world import FeeWorld
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from chalicelib import periods

FIRST, LAST = "2026-12-20", "2028-03-02"
"""Fourteen months with both changes of the clocks in either half of the world, and a leap day."""
ZONES = ("America/Toronto", "Europe/Paris", "Pacific/Auckland", "America/St_Johns", "America/Santiago")
DAYS = (28, 29, 30, 31)
HOUR = 3600


def expected(day: int, last: str = LAST) -> list[str]:
    """By the calendar alone: that day of every month, or the month's last, up to ``last``."""
    months = [(2026 + n // 12, n % 12 + 1) for n in range(11, 60)]
    dates = [f"{y}-{m:02d}-{min(day, calendar.monthrange(y, m)[1]):02d}" for y, m in months]
    return [date for date in dates if FIRST <= date <= last]


def start(zone: str) -> int:
    return periods.calendar(zone).day_start(FIRST)


def open_shop(zone: str) -> FeeWorld:
    """A sub-account and a DID of the same client for each of the days 28 to 31, and a number from the 31st on."""
    world = FeeWorld(zone, start(zone) - 40 * 86_400)
    world.package("gold")
    world.client("acme", balance_mode="strict")
    world.now = periods.calendar(zone).day_start("2026-11-28")
    for day in DAYS:
        world.subaccount(f"s{day}", "acme", "gold", f"2026-12-{day}")
        world.assign(world.order(str(day)), "acme", monthly=str(day), next_billing_date=f"2026-12-{day}")
    return world


def check(world: FeeWorld, last: str = LAST) -> None:
    """Each fee on each date once, in the books and in the keys; and the books add up."""
    billed = world.billed("acme")
    for day in DAYS:
        assert sorted(date for date, cents in billed if cents == day * 100) == expected(day, last)
    everything = sorted(date for day in DAYS for date in expected(day, last))
    assert sorted(date for date, cents in billed if cents == 1000) == everything
    # All four numbers were ordered on 28 November, so that is their anchor.
    assert sorted(world.billed()) == sorted((date, day * 100) for day in DAYS for date in expected(28, last))
    assert world.reconciled() == []


def hours(zone: str) -> Iterator[int]:
    """Every hour where the clocks change, every hour around the turns of months, midnight on other days.

    By hand the turns of months have the hours beside midnight only, in which a day begins and fees become due.
    """
    at, end = start(zone), periods.calendar(zone).day_start(periods.next_day(LAST))
    while at < end:
        near = {periods.calendar(zone).day_of(at + days * 86_400)[8:] for days in (-1, 0, 1)}
        changes = local(zone, at - 86_400).utcoffset() != local(zone, at + 86_400).utcoffset()
        turn = not changes and bool(near & {"28", "01"})
        if not (turn and PROFILE == "quick" and 2 < local(zone, at).hour < 22):
            yield at
        at += HOUR if changes or turn else 24 * HOUR


def local(zone: str, at: int) -> datetime:
    return datetime.fromtimestamp(at, periods.zone(zone))


@pytest.mark.parametrize("zone", ZONES)
def test_the_clock_of_fourteen_months_bills_each_fee_once_and_on_its_day(aws: str, zone: str) -> None:
    world = open_shop(zone)
    for at in hours(zone):
        world.bill(at)
    check(world)
    late = [
        entry
        for entry in [*world.entries("acme"), *world.entries()]
        if ", due " in entry.description
        and entry.description[-10:] != periods.calendar(zone).day_of(int(entry.posted_at))
    ]
    assert late == []


def test_gaps_of_weeks_and_repeats_and_late_messages_change_nothing(aws: str) -> None:
    zone, dice = "Pacific/Auckland", random.Random(7)
    world, seen = open_shop(zone), [start(zone)]
    while seen[-1] < periods.calendar(zone).day_start(LAST):
        seen.append(seen[-1] + dice.randrange(1, 60 * 24) * HOUR)
        for at in (seen[-1], *dice.choices(seen, k=2)):
            world.bill(at)
    world.bill(periods.calendar(zone).day_start(LAST))
    last = periods.calendar(zone).day_of(max(seen))
    check(world, last)


def test_eight_twins_at_once_bill_once(aws: str) -> None:
    world = open_shop("Europe/Paris")
    at_once([lambda: world.bill(periods.calendar("Europe/Paris").day_start("2027-04-01"))] * 8)
    check(world, "2027-04-01")


def test_without_the_conditions_the_twins_do_damage(aws: str) -> None:
    """The negative control of the test above."""
    world = open_shop("Europe/Paris")
    with faults.unconditional(), suppress(AssertionError):
        at_once([lambda: world.bill(periods.calendar("Europe/Paris").day_start("2027-04-01"))] * 8)
    assert world.reconciled() != []


def at_once(tasks: list[Callable[[], Any]]) -> None:
    """All in threads that start together; an item that one of them found too busy is a failure here."""
    wrong = list[Any]()
    faults.at_once([lambda task=task: wrong.extend(task().failed) for task in tasks])
    assert wrong == []


def small_shop() -> FeeWorld:
    """One fee of each sort, due on the same day."""
    world = FeeWorld("America/Toronto", periods.calendar("America/Toronto").day_start("2026-12-31"))
    world.package("gold")
    world.client("acme", balance_mode="strict")
    world.subaccount("desk", "acme", "gold", "2027-01-31")
    world.assign(world.order(), "acme", next_billing_date="2027-01-31")
    return world


JANUARY = [("2027-01-31", 400), ("2027-01-31", 1000)]


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_and_run_again_each_fee_stands_once(aws: str, answered: bool) -> None:
    at = periods.calendar("America/Toronto").day_start("2027-02-01")
    world = small_shop()
    with faults.counted() as made:
        world.bill(at)
    assert made.count("TransactWriteItems") == 3
    for kill in faults.kills(made, answered=answered):
        world = small_shop()
        with suppress(faults.Killed), kill():
            world.bill(at)
        assert world.reconciled() == [], str(kill)
        world.bill(at)
        assert sorted(world.billed("acme")) == JANUARY, str(kill)
        assert world.billed() == [("2027-01-31", 200)], str(kill)
        assert world.reconciled() == []


def test_conflicts_and_throttling_are_waited_out(aws: str) -> None:
    world = small_shop()
    codes = ["TransactionConflict", "ThrottlingError", "TransactionInProgressException"] * 2
    with faults.refusing("TransactWriteItems", codes) as left:
        assert world.bill(periods.calendar("America/Toronto").day_start("2027-02-01")).failed == []
    assert left == []
    assert sorted(world.billed("acme")) == JANUARY


def test_fees_payments_and_a_move_at_once_add_up(aws: str) -> None:
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting
    from chalicelib.accounts.service import fees

    world = small_shop()
    world.client("beta")
    at = periods.calendar("America/Toronto").day_start("2027-06-01")
    read = partial(posting.get_client, world.reseller_id, world.ids["acme"])

    def pay() -> fees.Run:
        posting.post(world.scope, read, Posting("payment", 10**8, "x", "2027-01"))
        return fees.Run()

    def move() -> fees.Run:
        # Numbers stay behind, so only the package's payer changes.
        world.patch("desk", client_id=world.ids["beta"], effective_from="2027-03-15T00:00:00Z")
        return fees.Run()

    at_once([pay, move, lambda: world.bill(at), pay, lambda: world.bill(at), pay])
    both = sorted([*world.billed("acme"), *world.billed("beta")])
    dates = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    assert both == sorted((date, cents) for date in dates for cents in (400, 1000))
    assert sum(entry.kind == "payment" for entry in world.entries("acme")) == 3
    assert world.reconciled() == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("days"), st.integers(0, 75)),
        st.tuples(st.just("hours"), st.integers(1, 30)),
        st.tuples(st.just("again"), st.integers(0, 20)),
        st.tuples(st.just("killed"), st.integers(0, 30)),
        st.tuples(st.just("date"), st.sampled_from([0, 1, 2, 9, 27, 28, 29, 30, 31])),
    ),
    min_size=1,
    max_size=12,
)


@examples(25, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, zone=st.sampled_from(ZONES), day=st.sampled_from(DAYS))
def test_whatever_the_clock_does_the_dates_are_those_of_the_model(
    aws: str, steps: list[tuple[str, int]], zone: str, day: int
) -> None:
    """A model of three variables (next date, anchor, billed dates) against the books."""
    world = FeeWorld(zone, start(zone))
    world.package("gold")
    world.client("acme")
    due, anchor, wanted = f"2026-12-{day}", day, set[str]()
    world.subaccount("desk", "acme", "gold", due)
    for what, size in steps:
        at = world.now
        if what == "date":
            due = periods.next_day(world.today, size)
            if due != world.next_date("desk"):
                anchor = int(due[8:])
            world.patch("desk", next_billing_date=due)
            continue
        if what == "again":
            at -= size * 86_400
        elif what != "killed":
            world.now = at = at + size * (86_400 if what == "days" else HOUR)
        if what == "killed":
            with suppress(faults.Killed), faults.killed_at(size, answered=bool(size % 2)):
                world.bill(at)
        world.bill(at)
        while due <= periods.calendar(zone).day_of(at):
            wanted.add(due)
            due = periods.add_month(due, anchor)
        assert world.next_date("desk") == due
    assert sorted(date for date, _ in world.billed("acme")) == sorted(wanted)
    assert world.reconciled() == []
