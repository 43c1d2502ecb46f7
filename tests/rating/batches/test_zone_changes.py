"""Calls around a change of the time zone: the ledger's month of each is the month of its day in the report."""

from __future__ import annotations

from typing import Any

import pytest
from builders import World, csv_file, line
from examples import share

from chalicelib import periods

ACTIVE = "active"
CHANGES = [
    ("America/Toronto", "Asia/Tokyo"),
    ("Asia/Tokyo", "America/Toronto"),
    ("Pacific/Pago_Pago", "Pacific/Kiritimati"),
    ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ("Europe/London", "America/St_Johns"),
]
"""To the east and west, with and without the date line, and by fractions of an hour."""
PLANNED_AT = periods.parse_instant("2026-11-15T12:00:00Z")
CHANGE = periods.parse_instant("2026-12-01T00:00:00Z")
LATER = periods.parse_instant("2026-12-04T12:00:00Z")


def plan(world: World, old: str, new: str) -> None:
    """The reseller lives in a zone, has an entry, and changes to another zone from December on."""
    from chalicelib.accounts.ledger import entries
    from chalicelib.accounts.ledger.posting import get_reseller
    from chalicelib.accounts.service import resellers
    from chalicelib.accounts.shapes.ledgers import PostingIn
    from chalicelib.accounts.shapes.resellers import AccountPatch

    world.now = PLANNED_AT
    resellers.patch_account(world.scope, world.reseller_id, AccountPatch(time_zone=old))
    assert get_reseller(world.reseller_id).zones == old
    posted = PostingIn(amount="100", description="x")
    entries.post_entry(world.scope, world.reseller_id, world.clients["alice"], "payment", posted)
    resellers.patch_account(world.scope, world.reseller_id, AccountPatch(time_zone=new))
    assert get_reseller(world.reseller_id).zones == f"{old} 2026-12 {new}"


def hourly(first: int = CHANGE - 60 * 3600, count: int = 120) -> list[str]:
    """Two calls of a minute around every full hour; by default from 60 hours before the change to 60 after it."""
    starts = [first + n * 3600 + second for n in range(count) for second in (-1, 0)]
    return [line(f"c{start}", start=periods.format_instant(start)) for start in starts]


def reported(world: World, first: str, last: str) -> Any:
    """The calls and totals of a report of some days, and the calls themselves."""
    from chalicelib.principals import Principal
    from chalicelib.reports import service
    from chalicelib.reports.shapes import CallsQuery

    who = Principal("reseller", "test", world.reseller_id, standing=ACTIVE)
    selection = service.select(who, CallsQuery(date_from=first, date_to=last), world.now)
    return service.report(world.reseller_id, selection, None, 1000)


def billed(world: World, name: str = "alice") -> dict[str, dict[str, int]]:
    """The calls and revenue of a client by month of the ledger."""
    from chalicelib.accounts.ledger import queries

    return queries.usage_by_month(world.clients[name])


def assert_report_agrees_with_ledger(world: World) -> None:
    """Every month of the ledger has the calls of the report of its days, and a day of the report those of that day."""
    months = {month: sums["calls"] for month, sums in billed(world).items() if sums}
    found = {month: reported(world, *periods.month_days(month)) for month in ("2026-10", "2026-11", "2026-12")}
    assert {month: report.totals.calls for month, report in found.items() if report.totals.calls} == months
    assert {month: len(report.calls) for month, report in found.items() if report.calls} == months
    revenue = {month: sums["revenue_e8"] for month, sums in billed(world).items() if sums}
    assert {month: report.totals.amount_e8 for month, report in found.items() if report.totals.calls} == revenue
    days = [reported(world, day, day) for day in periods.days_between("2026-10-25", "2026-12-06")]
    assert sum(report.totals.calls for report in days) == sum(months.values())
    assert sum(len(report.calls) for report in days) == sum(months.values())


@pytest.mark.parametrize(("old", "new"), CHANGES[: max(2, share(len(CHANGES)))])
def test_each_call_is_in_the_month_of_the_ledger_that_its_day_in_the_report_has(world, old: str, new: str):
    plan(world, old, new)
    # The first file has calls around the beginning of November too, and is rated before the change.
    before = [*hourly(periods.parse_instant("2026-10-31T00:00:00Z"), 48), *hourly(count=50)]
    world.now = CHANGE - 12 * 3600
    assert world.rate(csv_file(*before)).rated == len(before)
    assert_report_agrees_with_ledger(world)
    totals = billed(world)
    world.now = LATER
    assert_report_agrees_with_ledger(world)
    assert billed(world) == totals
    batch = world.rate(csv_file(*hourly()))
    assert (batch.rated, batch.duplicates) == (140, 100)
    assert_report_agrees_with_ledger(world)
    totals = billed(world)
    assert set(totals) >= {"2026-10", "2026-11", "2026-12"}
    world.rerate(batch)
    assert billed(world) == totals


def test_calls_before_a_change_at_once_do_not_exist(world):
    """The zone changes at once only without rated calls, so the first file is read by the new zone."""
    from chalicelib.accounts.service import resellers
    from chalicelib.accounts.shapes.resellers import AccountPatch

    world.now = LATER
    resellers.patch_account(world.scope, world.reseller_id, AccountPatch(time_zone="Asia/Tokyo"))
    world.rate(csv_file(*hourly()))
    assert_report_agrees_with_ledger(world)


@pytest.mark.parametrize(("old", "new"), CHANGES[:2])
def test_a_batch_that_begins_before_a_change_and_ends_after_it_agrees_with_the_report(world, old: str, new: str):
    from chalicelib.rating.batches import lifecycle

    plan(world, old, new)
    dropped = world.drop(csv_file(*hourly(count=50)))
    world.now = CHANGE - 12 * 3600
    # The first try pins the calendar and dies; the second one ends days after the change.
    begun = lifecycle.open_batch(world.scope, world.reseller_id, *dropped)
    assert begun.zones == f"{old} 2026-12 {new}"
    world.now = LATER
    assert world.rate(*dropped).status == "done"
    assert_report_agrees_with_ledger(world)


def test_a_batch_that_begins_before_a_change_is_planned_agrees_with_the_report_too(world):
    from chalicelib.accounts.service import resellers
    from chalicelib.accounts.shapes.resellers import AccountPatch
    from chalicelib.rating.batches import lifecycle

    world.now = PLANNED_AT
    starts = [PLANNED_AT - n * 86_400 for n in range(1, 20)]
    dropped = world.drop(csv_file(*(line(f"c{at}", start=periods.format_instant(at)) for at in starts)))
    lifecycle.open_batch(world.scope, world.reseller_id, *dropped)
    # The open batch keeps the zone of the months that have begun.
    changed = resellers.patch_account(world.scope, world.reseller_id, AccountPatch(time_zone="Asia/Tokyo"))
    assert (changed.time_zone, changed.time_zone_next.from_) == ("America/Toronto", "2026-12-01")
    world.now = LATER
    assert world.rate(*dropped).zones == "America/Toronto"
    assert_report_agrees_with_ledger(world)


def test_a_start_without_an_offset_is_read_in_the_zone_of_its_month_whenever_it_is_rated(world):
    plan(world, "America/Toronto", "Asia/Tokyo")
    walls = ["2026-11-30 09:00:00", "2026-11-30 23:00:00", "2026-12-01 00:30:00", "2026-12-02 12:00:00"]
    lines = [line(f"c{n}", start=wall) for n, wall in enumerate(walls)]
    world.now = CHANGE - 3600
    assert world.rate(csv_file(lines[0])).rated == 1
    world.now = LATER
    # The same line again, in another file after the change, is the same call.
    batch = world.rate(csv_file(*lines))
    assert (batch.rated, batch.duplicates) == (3, 1)
    found = sorted(call.start for call in reported(world, "2026-11-01", "2026-12-31").calls)
    assert [periods.format_instant(start) for start in found] == [
        "2026-11-30T14:00:00Z",
        "2026-11-30T15:30:00Z",
        "2026-12-01T04:00:00Z",
        "2026-12-02T03:00:00Z",
    ]
    # 23:00 on 30 November in Toronto is past the first instant of December in Tokyo.
    assert {month: sums["calls"] for month, sums in billed(world).items() if sums} == {"2026-11": 1, "2026-12": 3}
    assert_report_agrees_with_ledger(world)


@pytest.mark.parametrize(("old", "new"), CHANGES[:4])
def test_free_minutes_are_granted_once_for_each_month_around_a_change(world, old: str, new: str):
    world.package("p1", free_minutes=10)
    plan(world, old, new)
    world.now = LATER
    world.rate(csv_file(*hourly()))
    calls = reported(world, "2026-11-01", "2026-12-31").calls
    calendar = periods.calendar(f"{old} 2026-12 {new}")
    free: dict[str, int] = {}
    for call in calls:
        month = calendar.month_of(call.start)
        free[month] = free.get(month, 0) + call.free_seconds
    assert free == {"2026-11": 600, "2026-12": 600}


@pytest.mark.parametrize(("old", "new"), CHANGES[:4])
def test_what_a_client_spent_today_is_the_sum_of_the_reports_day_around_a_change(world, old: str, new: str):
    from chalicelib.accounts.ledger.posting import get_client

    plan(world, old, new)
    calendar = periods.calendar(f"{old} 2026-12 {new}")
    world.now = CHANGE + 20 * 3600
    world.rate(csv_file(*hourly(CHANGE - 30 * 3600, 50)))
    spent = get_client(world.reseller_id, world.clients["alice"]).spent
    today = calendar.day_of(world.now)
    for day in (today, periods.next_day(today, -1)):
        assert spent.get(day, 0) == reported(world, day, day).totals.amount_e8
    assert spent[today]


def test_a_rated_call_without_a_price_keeps_the_zone_and_a_refused_line_does_not(world):
    from chalicelib.accounts.service import resellers
    from chalicelib.accounts.shapes.resellers import AccountPatch

    def changed(name: str) -> Any:
        return resellers.patch_account(world.scope, world.reseller_id, AccountPatch(time_zone=name))

    world.now = PLANNED_AT
    refused = world.rate(csv_file(line("c1", "nobody")))
    assert (refused.status, refused.rejected) == ("done", 1)
    assert changed("Europe/Paris").time_zone == "Europe/Paris"
    free = world.rate(csv_file(line("c2", disposition="BUSY")))
    assert (free.rated, free.revenue_e8) == (1, 0)
    planned = changed("Asia/Tokyo")
    assert (planned.time_zone, planned.time_zone_next.time_zone) == ("Europe/Paris", "Asia/Tokyo")
