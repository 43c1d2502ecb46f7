"""Calls to DIDs: their client's service decides, their price is held, and their records end their holds."""

from __future__ import annotations

from typing import Any

import pytest
from asking import NOW, START, UK, ask, balance, finish, held, held_free, pay
from asking import call as call_out
from builders import World, csv_file, line

DID, FLAT = "+14165550177", "+14165550178"
PRICE = 1_000_000
"""Of a minute to ``DID``, by 6 seconds; a call to ``FLAT`` costs nothing."""


@pytest.fixture
def world(worlds: Any) -> World:
    made: World = worlds()
    made.now = NOW
    made.assign(f"DID#{DID}", client_id=made.clients["bob"], rate_e10=PRICE * 100)
    made.assign(f"DID#{FLAT}", client_id=made.clients["bob"])
    return made


def call_in(world: World, number: str = DID, **more: Any) -> Any:
    return ask(world, None, number, direction="inbound", **more)


def call(call_id: str, seconds: int = 60, account: str = "", to: str = DID) -> str:
    return line(call_id, account, seconds, start=START, to=to, direction="inbound")


# --- who answers -----------------------------------------------------------------------------------------------------


def test_a_suspended_clients_did_does_not_ring(world):
    for number in (DID, FLAT):
        answer = call_in(world, number, reserve_seconds=60)
        assert (answer.allowed, answer.reason, answer.max_seconds, answer.id) == (False, "suspended", 0, None)
    pay(world, 10 * PRICE)
    answer = call_in(world)
    assert (answer.allowed, answer.reason, answer.max_seconds, answer.rate_e10) == (True, "ok", 600, PRICE * 100)
    assert call_in(world, FLAT).max_seconds == 86_400


def test_a_did_is_read_as_records_spell_it(world):
    pay(world, PRICE)
    for spelled in ("4165550177", "14165550177", "+1 416-555-0177", "1 (416) 555-0177"):
        assert call_in(world, spelled).allowed, spelled


@pytest.mark.parametrize("number", ["+14165550999", UK, "alice", "2001", "not a number"])
def test_a_number_that_no_client_has_is_unknown(world, number):
    pay(world, PRICE)
    answer = call_in(world, number, reserve_seconds=60)
    assert (answer.allowed, answer.reason, answer.rate_e10, answer.id) == (False, "unknown_account", None, None)


def test_another_resellers_did_is_unknown(world, worlds):
    pay(world, PRICE)
    other = worlds()
    assert call_in(other).reason == "unknown_account" and call_in(world).allowed


def test_a_did_changes_hands_at_the_instant_it_does(world):
    world.assign(f"DID#{DID}", client_id=world.clients["alice"], effective_from=NOW + 100)
    world.assign(f"DID#{DID}", client_id="", effective_from=NOW + 200)
    assert call_in(world, now=NOW + 99).reason == "suspended"
    assert call_in(world, now=NOW + 100).allowed
    assert call_in(world, now=NOW + 200).reason == "unknown_account"


def test_a_sub_account_is_ignored(world):
    pay(world, PRICE, "alice")
    assert ask(world, "alice", DID, direction="inbound").reason == "suspended"
    assert ask(world, "no account#", DID, direction="inbound").reason == "suspended"


@pytest.mark.parametrize("status", ["waiting", "closed"])
def test_the_status_of_the_client_counts(world, status):
    change(world, status=status)
    assert call_in(world).reason == status


def change(world: World, **values: Any) -> None:
    from chalicelib.accounts.store.owners import Client

    client = Client.get(*Client.key(world.reseller_id, world.clients["bob"]))
    client.update(actions=client.set_values(values))


def test_of_the_limits_only_the_daily_one_concerns_a_call_that_comes_in(world):
    pay(world, 100 * PRICE)
    change(world, blocked_countries=["CA", "US"], max_rate_e10=1)
    assert call_in(world).max_seconds == 6000
    change(world, daily_limit_e8=5 * PRICE)
    assert call_in(world, reserve_seconds=180).hangup_after == 180
    assert call_in(world).max_seconds == 120
    change(world, daily_limit_e8=0)
    assert call_in(world).reason == "blocked" and call_in(world, FLAT).allowed


def test_free_minutes_pay_for_no_call_that_comes_in(world):
    world.package("p1", free_minutes=100)
    assert call_in(world).reason == "suspended"
    assert ask(world, number="+12125550100").allowed


# --- holds -----------------------------------------------------------------------------------------------------------


def test_calls_of_both_directions_share_the_money(world):
    pay(world, 10 * PRICE)
    first = call_in(world, call_id="c1", reserve_seconds=300)
    assert (first.hangup_after, held(world), held_free(world)) == (300, 5 * PRICE, 0)
    assert call_in(world, call_id="c1", reserve_seconds=300) == first
    assert ask(world).max_seconds == 125
    assert finish(world, first.id, 61).amount_e8 == PRICE * 66 // 60
    world.rate(csv_file(call("c1", 61)))
    assert (held(world), balance(world)) == (0, 10 * PRICE - PRICE * 66 // 60)


def test_the_record_of_a_call_ends_its_hold_by_id_or_by_number_and_time(world):
    pay(world, 100 * PRICE)
    call_in(world, call_id="known", reserve_seconds=60)
    call_in(world, reserve_seconds=60)
    call_in(world, FLAT, reserve_seconds=60)
    assert open_holds(world) == 3
    world.rate(csv_file(call("known"), call("another id", account="bob"), call("free", to=FLAT)))
    assert (open_holds(world), held(world), balance(world)) == (0, 0, 98 * PRICE)


def open_holds(world: World) -> int:
    from chalicelib.rating.authorizations import store

    return len(store.open_holds(world.clients["bob"], NOW))


def test_a_forwarded_call_is_two_calls_and_each_record_ends_its_own_hold(world):
    """The switch gives both legs one id, and the second goes to another DID of the same client."""
    pay(world, 100 * PRICE)
    call_in(world, call_id="c1", reserve_seconds=60)
    ask(world, number=FLAT, call_id="c1", reserve_seconds=60)
    out = held(world) - PRICE
    world.rate(csv_file(call("c1")))
    assert (held(world), open_holds(world)) == (out, 1)
    world.rate(csv_file(call_out("c1", to=FLAT)))
    assert (held(world), open_holds(world)) == (0, 0)


def test_without_ids_a_record_ends_no_hold_of_the_other_direction(world):
    pay(world, 100 * PRICE)
    call_in(world, reserve_seconds=60)
    world.rate(csv_file(call_out("out", to=DID)))
    assert open_holds(world) == 1
    ask(world, number=DID, reserve_seconds=60)
    world.rate(csv_file(call("in", account="bob")))
    assert (open_holds(world), held(world)) == (1, 1_200_000)
