"""A reseller changes its time zone: when it holds, and what is refused, by the table of ``docs/time-zones.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import World, make_world
from fee_world import FeeWorld
from markdown_tables import tables

from chalicelib import periods

pytestmark = pytest.mark.usefixtures("aws")
CHANGES = tables((Path(__file__).parent.parent.parent / "docs" / "time-zones.md").read_text())[
    "The first day of a change"
]
NOW = periods.parse_instant("2026-11-15T12:00:00Z")


def patch(world: World | FeeWorld, **body: str) -> Any:
    from chalicelib.accounts.service import resellers
    from chalicelib.accounts.shapes.resellers import AccountPatch

    return resellers.patch_account(world.scope, world.reseller_id, AccountPatch(**body))


def shown(world: World | FeeWorld) -> tuple[str, tuple[str, str] | None]:
    from chalicelib.accounts.service import resellers

    account = resellers.account(world.reseller_id, world.now)
    following = account.time_zone_next
    return account.time_zone, (following.time_zone, following.from_) if following else None


def zones(world: World | FeeWorld) -> str:
    from chalicelib.accounts.ledger.posting import get_reseller

    return get_reseller(world.reseller_id).zones


def set_zones(world: World, text: str) -> None:
    from chalicelib.accounts.ledger.posting import get_reseller
    from chalicelib.accounts.store.owners import Reseller

    get_reseller(world.reseller_id).update(actions=[Reseller.zones.set(text)])


def pay(world: World | FeeWorld, client_id: str | None) -> None:
    from chalicelib.accounts.ledger import entries
    from chalicelib.accounts.shapes.ledgers import PostingIn

    entries.post_entry(world.scope, world.reseller_id, client_id, "payment", PostingIn(amount="1", description="x"))


@pytest.fixture
def world() -> World:
    made = make_world()
    made.now = NOW
    return made


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: f"{row['zones']} {row['now']} {row['new zone']}")
def test_a_change_of_a_zone_in_use_holds_from_the_day_of_the_table(world: World, row: dict[str, str]) -> None:
    from chalicelib.errors import Conflict, Invalid

    set_zones(world, row["zones"])
    world.now = periods.parse_instant(row["now"])
    pay(world, world.clients["alice"])
    body = {"time_zone": row["new zone"]} | ({"time_zone_from": row["asked from"]} if row["asked from"] else {})
    if row["holds from"] == "422":
        with pytest.raises(Invalid) as refused:
            patch(world, **body)
        assert refused.value.errors[0].field == "time_zone_from"
    elif row["holds from"].startswith("409"):
        with pytest.raises(Conflict) as conflict:
            patch(world, **body)
        day = row["holds from"].removeprefix("409: ")
        assert day in conflict.value.detail
        assert conflict.value.errors[0].field == "time_zone_from"
        assert zones(world) == row["zones"]
    else:
        patch(world, **body)
        last = periods.calendar(zones(world)).zones[-1]
        expected = (row["holds from"][:7], row["new zone"])
        assert last == (("", row["new zone"]) if row["holds from"] == "never" else expected)


def test_a_planned_change_is_shown_and_holds_on_its_day_without_another_request(world: World) -> None:
    pay(world, None)
    changed = patch(world, time_zone="Asia/Tokyo")
    assert (changed.time_zone, changed.time_zone_next.time_zone) == ("America/Toronto", "Asia/Tokyo")
    assert shown(world) == ("America/Toronto", ("Asia/Tokyo", "2026-12-01"))
    world.now = periods.parse_instant("2026-11-30T14:59:59Z")
    assert shown(world)[0] == "America/Toronto"
    world.now += 1
    assert shown(world) == ("Asia/Tokyo", None)


@pytest.mark.parametrize("whose", ["client", "reseller"])
def test_a_zone_changes_at_once_until_there_is_an_entry(world: World, whose: str) -> None:
    patch(world, time_zone="Europe/Paris")
    assert shown(world) == ("Europe/Paris", None)
    patch(world, time_zone="Asia/Tokyo", time_zone_from="2026-11-01")
    assert (zones(world), shown(world)) == ("Asia/Tokyo", ("Asia/Tokyo", None))
    pay(world, world.clients["bob"] if whose == "client" else None)
    patch(world, time_zone="Europe/Paris")
    assert shown(world) == ("Asia/Tokyo", ("Europe/Paris", "2026-12-01"))


def test_an_unused_reseller_may_plan_a_change_too(world: World) -> None:
    patch(world, time_zone="Asia/Tokyo", time_zone_from="2027-02-01")
    assert shown(world) == ("America/Toronto", ("Asia/Tokyo", "2027-02-01"))


def test_a_zone_does_not_change_at_once_while_a_file_is_being_rated(world: World) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.aws.transactions import commit

    commit(world.scope, [term_versions.open_batch(term_versions.head_of(world.reseller_id), "b1")])
    patch(world, time_zone="Asia/Tokyo")
    assert shown(world) == ("America/Toronto", ("Asia/Tokyo", "2026-12-01"))


def test_a_batch_that_begins_meanwhile_makes_the_change_a_planned_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.accounts.ledger import queries
    from chalicelib.accounts.service import term_versions
    from chalicelib.aws.transactions import commit

    commit(world.scope, [term_versions.open_batch(term_versions.head_of(world.reseller_id), "b0")])
    commit(world.scope, [term_versions.close_batch(world.reseller_id, "b0")])
    opened: list[str] = []

    def marked(client_id: str) -> list[Any]:
        if not opened:
            opened.append("b1")
            commit(world.scope, [term_versions.open_batch(term_versions.head_of(world.reseller_id), "b1")])
        return []

    monkeypatch.setattr(queries, "marked", marked)
    patch(world, time_zone="Asia/Tokyo")
    assert opened == ["b1"]
    assert shown(world) == ("America/Toronto", ("Asia/Tokyo", "2026-12-01"))


def test_the_day_needs_a_zone_and_the_same_zone_changes_nothing(world: World) -> None:
    from chalicelib.accounts.store.owners import Reseller
    from chalicelib.errors import Invalid

    with pytest.raises(Invalid) as refused:
        patch(world, time_zone_from="2027-01-01")
    assert refused.value.errors[0].field == "time_zone_from"
    before = Reseller.get(*Reseller.key(world.reseller_id)).version
    patch(world, time_zone="America/Toronto")
    assert Reseller.get(*Reseller.key(world.reseller_id)).version == before


def test_the_audit_trail_says_which_zone_holds_and_which_is_planned(operator: Any, reseller: Any) -> None:
    operator.post(f"/v1/resellers/{reseller.ids['reseller']}/payments", {"amount": "1"})
    changed = reseller.patch("/v1/account", {"time_zone": "Asia/Tokyo", "time_zone_from": "2199-01-01"})
    assert changed.json["time_zone_next"] == {"time_zone": "Asia/Tokyo", "from": "2199-01-01"}
    assert reseller.get("/v1/account").json == changed.json
    listed = operator.get(f"/v1/resellers/{reseller.ids['reseller']}").json
    assert listed["time_zone_next"] == changed.json["time_zone_next"]
    latest = reseller.get("/v1/audit?kind=reseller.changed").json["items"][0]["changes"]
    assert {change["field"]: (change["old"], change["new"]) for change in latest} == {
        "time_zone_next": (None, {"time_zone": "Asia/Tokyo", "from": "2199-01-01"}),
    }
    early = reseller.patch("/v1/account", {"time_zone": "Asia/Tokyo", "time_zone_from": "2020-01-01"})
    assert (early.status, early.json["errors"][0]["field"]) == (409, "time_zone_from")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("America/Toronto", "Asia/Tokyo"),
        ("Asia/Tokyo", "America/Toronto"),
        ("Pacific/Pago_Pago", "Pacific/Kiritimati"),
        ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ],
)
def test_each_fee_around_a_change_is_billed_once_and_on_its_day(old: str, new: str) -> None:
    world = FeeWorld(old, NOW)
    world.package("gold")
    world.client("acme")
    days = ["2026-11-29", "2026-11-30", "2026-12-01", "2026-12-02"]
    for day in days:
        world.subaccount(f"s{day}", "acme", "gold", day)
    pay(world, world.ids["acme"])
    patch(world, time_zone=new)
    calendar = periods.calendar(f"{old} 2026-12 {new}")
    assert zones(world) == str(calendar)
    for hour in range(7 * 24):
        at = periods.parse_instant("2026-11-28T00:00:00Z") + hour * 3600
        world.bill(at)
        world.bill(at - 5 * 3600)
    assert world.billed("acme") == [(day, 1000) for day in days]
    posted = [entry for entry in world.entries("acme") if ", due " in entry.description]
    # Each within the hour in which its day begins, also the day that has no instant of its own.
    assert [(int(entry.posted_at) - calendar.day_start(entry.description[-10:])) // 3600 for entry in posted] == [0] * 4
    assert world.reconciled() == []


def test_statements_of_the_months_around_a_change_meet(world: World) -> None:
    from chalicelib.accounts.ledger import history
    from chalicelib.accounts.ledger.history import Days
    from chalicelib.principals import Principal

    client_id = world.clients["alice"]
    pay(world, client_id)
    patch(world, time_zone="Asia/Tokyo")
    first = periods.parse_instant("2026-11-30T00:00:00Z")
    for world.now in range(first, first + 2 * 86_400, 7200):
        pay(world, client_id)
    who = Principal("reseller", "test", world.reseller_id, standing="active")
    old, new = (history.of_client(who, client_id, Days(*periods.month_days(m))) for m in ("2026-11", "2026-12"))
    assert (old.last + 1, old.closing_e8) == (new.first, new.opening_e8)
    assert (old.entries, new.entries) == (1 + 8, 16)
    months = {entry.usage_month for entry in history.page(old, None, 100)[0]}
    assert (months, {entry.usage_month for entry in history.page(new, None, 100)[0]}) == ({"2026-11"}, {"2026-12"})
