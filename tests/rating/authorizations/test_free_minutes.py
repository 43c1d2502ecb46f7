"""Holds of free minutes: no minute for two calls, gone when the call is rated, and of no other month."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from functools import partial
from typing import Any

import asking
import faults
import pytest
from asking import NOW, UK, ask, balance, calling, finish, held, held_free, pay
from builders import World, csv_file, make_world
from faults import at_once
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import periods
from chalicelib.rating.authorizations.holds import Sums, expiry

US = "+12125550100"
MINUTES = 12
"""Of the package of all worlds here; a call to the US costs 0.00624 a minute, by 6 seconds."""
LAST_NIGHT = periods.parse_instant("2029-05-01T03:59:00Z")
"""The last minute of April in Toronto."""


def with_minutes(made: World) -> World:
    made.now = NOW
    made.package("p1", free_minutes=MINUTES)
    return made


@pytest.fixture
def world(worlds: Any) -> World:
    return with_minutes(worlds())


def to_us(world: World, **more: Any) -> Any:
    return ask(world, number=US, **more)


call = partial(asking.call, to=US)


def spent(world: World, month: str = "2029-04") -> int:
    from chalicelib.accounts.store.ledger import FreeMinutes

    found = FreeMinutes.find(*FreeMinutes.key(world.clients["bob"], "p1", month))
    return found.used_seconds if found else 0


# --- what they allow -------------------------------------------------------------------------------------------------


def test_a_suspended_client_may_use_its_free_minutes(world):
    answer = to_us(world)
    assert (answer.allowed, answer.reason, answer.max_seconds, answer.hangup_after) == (True, "ok", 720, 720)
    assert ask(world, number=UK).reason == "suspended"
    # Without a hold the minutes are still there for the next call, which holds them.
    first = to_us(world, reserve_seconds=61)
    assert (first.max_seconds, first.hangup_after, held_free(world), held(world)) == (720, 61, 66, 0)
    assert to_us(world).max_seconds == 654
    second = to_us(world, reserve_seconds=3600)
    assert (second.max_seconds, second.hangup_after) == (654, 654)
    assert (to_us(world).reason, held_free(world)) == ("suspended", 720)


def test_an_answer_with_free_minutes_takes_no_request_more(world):
    to_us(world)
    with faults.counted() as made:
        to_us(world)
    # Terms, decks and reseller in one; the head of the holds; the client with its spent minutes.
    assert sorted(made) == ["BatchGetItem", "BatchGetItem", "GetItem"]


def test_a_permissive_client_beyond_its_limit_may_use_them_too(world):
    from chalicelib.accounts.store.owners import Client

    client = Client.get(*Client.key(world.reseller_id, world.clients["bob"]))
    client.update(actions=[Client.balance_mode.set("permissive"), Client.credit_limit_e8.set(0)])
    assert to_us(world).max_seconds == 720


def test_the_minutes_are_those_of_the_calls_package_and_scope(world):
    world.package("p2", free_minutes=3, free_minutes_scope=["GB"])
    world.assign("SUB#bob2", client_id=world.clients["bob"], package_id="p2")
    assert ask(world, "bob2", UK, reserve_seconds=60).max_seconds == 180
    assert ask(world, "bob2", US).reason == "suspended"
    assert (ask(world, "bob2", UK).max_seconds, to_us(world).max_seconds) == (120, 720)


def test_spent_minutes_are_gone_and_held_ones_come_back_when_the_call_was_shorter(world):
    answer = to_us(world, call_id="c1", reserve_seconds=600)
    assert to_us(world).max_seconds == 120
    assert (finish(world, answer.id, 61).free_seconds, to_us(world).max_seconds) == (66, 654)
    world.rate(csv_file(call("c1", 61)))
    assert (held_free(world), spent(world), to_us(world).max_seconds, balance(world)) == (0, 66, 654, 0)


def test_a_call_that_lasted_longer_than_its_minutes_owes_the_rest(world):
    answer = to_us(world, call_id="c1", reserve_seconds=720)
    kept = finish(world, answer.id, 780)
    assert (kept.free_seconds, kept.amount_e8) == (720, 624_000)
    assert (held_free(world), held(world)) == (720, 624_000)
    world.rate(csv_file(call("c1", 780)))
    assert (held_free(world), held(world), spent(world), balance(world)) == (0, 0, 720, -624_000)


def test_a_call_that_was_never_made_gives_its_minutes_back(world):
    from chalicelib.rating.authorizations import service

    answer = to_us(world, reserve_seconds=720)
    service.void(world.scope, world.reseller_id, answer.id)
    assert (held_free(world), to_us(world).max_seconds) == (0, 720)


def test_money_pays_where_it_lasts_longer(world):
    pay(world, 624_000 * 20)
    first = to_us(world, reserve_seconds=600)
    assert (first.max_seconds, held(world), held_free(world)) == (1200, 6_240_000, 0)
    second = to_us(world, reserve_seconds=600)
    assert (second.max_seconds, held(world), held_free(world)) == (720, 6_240_000, 600)


def test_the_same_call_keeps_its_minutes_when_it_asks_again(world):
    first = to_us(world, call_id="c1", reserve_seconds=720)
    again = to_us(world, call_id="c1", reserve_seconds=720)
    assert (again, held_free(world)) == (first, 720)
    world.package("p1", free_minutes=1)
    late = to_us(world, call_id="c1", reserve_seconds=720)
    assert (late.allowed, late.id, late.hangup_after) == (True, first.id, 60)


# --- until when ------------------------------------------------------------------------------------------------------


def test_what_is_held_of_a_month_counts_in_no_other(world):
    to_us(world, reserve_seconds=720, now=LAST_NIGHT)
    assert to_us(world, now=LAST_NIGHT + 59).reason == "suspended"
    first = LAST_NIGHT + 60
    assert to_us(world, now=first, reserve_seconds=600).max_seconds == 720
    assert to_us(world, now=first).max_seconds == 120
    assert held_free(world, now=first) == 1320


def test_minutes_are_held_for_two_days_at_most(world):
    answer = to_us(world, reserve_seconds=720)
    assert to_us(world, now=answer.expires_at - 1).reason == "suspended"
    assert to_us(world, now=answer.expires_at).max_seconds == 720
    assert to_us(world, now=answer.expires_at, reserve_seconds=60).allowed
    assert held_free(world, now=answer.expires_at) == 60
    world.now = answer.expires_at


moves = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 86_400), st.sampled_from("pq"), st.booleans()), max_size=30
)


@given(moves)
def test_the_sums_of_free_seconds_are_those_of_the_open_holds(steps: list[tuple[int, int, str, bool]]):
    toronto = periods.calendar("America/Toronto")
    sums, open_ones, now = Sums(), list[tuple[int, str, str, int]](), LAST_NIGHT - 86_400
    for later, seconds, package, gone in steps:
        now += later * 600
        open_ones = [one for one in open_ones if one[0] > now]
        if gone and open_ones:
            ends, day, package, seconds = open_ones.pop(0)
            sums = sums.changed(now, ends, day, 0, package, -seconds)
        else:
            ends, day = expiry(now), toronto.day_of(now)
            open_ones.append((ends, day, package, seconds))
            sums = sums.changed(now, ends, day, 0, package, seconds)
        assert sums.all_free_seconds(now) == sum(one[3] for one in open_ones)
        for name, month in itertools.product("pq", ("2029-04", "2029-05")):
            of_both = [one[3] for one in open_ones if (one[2], one[1][:7]) == (name, month)]
            assert sums.free_seconds(name, month, now) == sum(of_both)
        assert len(sums.free) <= 2 * 51


# --- at once ---------------------------------------------------------------------------------------------------------


def test_calls_at_once_never_hold_the_same_minute(world):
    answers: list[Any] = []
    at_once([lambda: answers.append(to_us(world, reserve_seconds=60))] * 24)
    allowed = [answer for answer in answers if answer.allowed]
    assert len(allowed) == MINUTES == len({answer.id for answer in allowed})
    assert {answer.reason for answer in answers if not answer.allowed} == {"suspended"}
    assert held_free(world) == MINUTES * 60


def test_without_the_conditions_the_same_calls_hold_minutes_twice(deck):
    """The negative control."""
    world = with_minutes(make_world())
    answers: list[Any] = []
    with faults.unconditional():
        at_once([lambda: answers.append(to_us(world, reserve_seconds=60))] * 24)
    assert sum(answer.allowed for answer in answers) > MINUTES
    assert "held free seconds" in [found.what for found in world.reconciled()]


@pytest.mark.parametrize("seed", range(8))
def test_two_calls_and_a_record_in_any_order_share_the_minutes(world, seed):
    """Two of twelve minutes are left, and one of these is held for a call that is just being rated."""
    world.rate(csv_file(call("before", 600)))
    to_us(world, call_id="c1", reserve_seconds=60)
    dropped, answers = world.drop(csv_file(call("c1", 60))), list[Any]()
    order = [random.Random(seed).randrange(3) for _ in range(200)]
    asking = [lambda: answers.append(to_us(world, reserve_seconds=120))] * 2
    faults.in_turns([*asking, lambda: world.rate(*dropped)], order)
    allowed = [answer.hangup_after for answer in answers if answer.allowed]
    assert allowed in ([], [60])
    assert (held_free(world), spent(world), balance(world)) == (sum(allowed), 660, 0)
    assert to_us(world).max_seconds == 60 - sum(allowed)


def test_a_call_that_asks_while_another_is_rated_never_gets_its_minutes(world):
    """At every call that the asking makes, a record is rated in full: its minute is held before, and spent after."""
    world.rate(csv_file(call("before", 600)))
    for at in itertools.count():
        call_id, answers = f"c{at}", list[Any]()
        world.package("p1", free_minutes=12 + at)
        assert to_us(world, call_id=call_id, reserve_seconds=60).allowed
        with faults.stopped_at(at, lambda answers=answers: answers.append(to_us(world))) as go_on:
            reached = not answers
            world.rate(csv_file(call(call_id, 60)))
            go_on()
        # Between debit and release the minute counts twice: the client is believed to have less, never more.
        assert [answer.max_seconds for answer in answers] in ([0], [60])
        if not reached:
            break
        assert to_us(world).max_seconds == 60
    assert at >= 3


def test_calls_and_records_at_once_are_never_charged(world):
    made: list[str] = []
    at_once([calling(world, caller, made, US) for caller in range(6)])
    assert len(made) == MINUTES
    assert (balance(world), spent(world), held_free(world)) == (0, MINUTES * 60, 0)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_asking_and_finishing_killed_at_any_call_and_sent_again(worlds, answered):
    for at in itertools.count():
        world = with_minutes(worlds())
        dead, known = False, ""
        with faults.killed_at(at, answered=answered):
            try:
                known = to_us(world, call_id="c1", reserve_seconds=600).id
                finish(world, known)
            except faults.Killed:
                dead = True
        assert held_free(world) in (0, 60, 600)
        finish(world, known or to_us(world, call_id="c1", reserve_seconds=600).id)
        assert held_free(world) == 60
        if not dead:
            break
    assert at > 6


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_a_batch_killed_at_any_call_lets_go_of_the_minutes_once(worlds, answered):
    def begun() -> tuple[World, tuple[str, str]]:
        world = with_minutes(worlds())
        for n in range(3):
            to_us(world, call_id=f"c{n}", reserve_seconds=240)
        return world, world.drop(csv_file(call("c0"), call("c1")))

    world, dropped = begun()
    with faults.counted() as made:
        world.rate(*dropped)
    assert (held_free(world), spent(world)) == (240, 120)
    for kill in faults.kills(made, answered=answered):
        world, dropped = begun()
        with suppress(faults.Killed), kill():
            world.rate(*dropped)
        assert held_free(world) >= 240
        world.rate(*dropped)
        assert (held_free(world), spent(world), balance(world)) == (240, 120, 0), str(kill)


def test_rating_ignores_holds_so_a_held_call_may_be_charged(world):
    to_us(world, call_id="c1", reserve_seconds=720)
    world.rate(csv_file(call("never asked for", 660)))
    world.rate(csv_file(call("c1", 120)))
    assert (spent(world), balance(world), held_free(world)) == (720, -624_000, 0)
