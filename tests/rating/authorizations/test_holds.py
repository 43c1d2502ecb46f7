"""Holds: never more than was available, one per call, gone when the call is rated, whoever dies or comes at once."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import faults
import pytest
from asking import NOW, PRICE, START, UK, ask, balance, call, calling, finish, held, pay
from builders import World, csv_file, line, make_world
from faults import at_once
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.authorizations.holds import Called, Open, Sums, expiry, matches


@pytest.fixture
def world(worlds: Any) -> World:
    made: World = worlds()
    made.now = NOW
    return made


# --- which record settles which hold ---------------------------------------------------------------------------------


def hold(
    name: str, call_id: str = "", at: int = NOW, seconds: int = -1, number: str = UK, holder: str = "sub:a"
) -> Open:
    return Open(name, holder, number, call_id, at, seconds)


def record(call_id: str, at: int = NOW, seconds: int = 60, number: str = UK, holder: str = "sub:a") -> Called:
    return Called(call_id, holder, number, at, seconds)


CASES: dict[str, tuple[list[Open], list[Called], list[str]]] = {
    "by its id": ([hold("h", "c1")], [record("c1")], ["h"]),
    "by its id, days apart": ([hold("h", "c1")], [record("c1", NOW - 90_000)], ["h"]),
    "by its id, to another number": ([hold("h", "c1")], [record("c1", number="+33")], ["h"]),
    "by the first word of Asterisk's": ([hold("h", "17.4")], [record("17.4 2026-09-21 14:13:00 SIP/x")], ["h"]),
    "every hold of an id": ([hold("h", "c1"), hold("i", "c1", number="+33")], [record("c1")], ["h", "i"]),
    "not another account's": ([hold("h", "c1", holder="sub:b")], [record("c1")], []),
    "not another call's": ([hold("h", "c1")], [record("c2")], []),
    "another id, but finished alike": ([hold("h", "c1", seconds=61)], [record("c2")], ["h"]),
    "another id, finished otherwise": ([hold("h", "c1", seconds=90)], [record("c2")], []),
    "without an id": ([hold("h")], [record("c1", NOW + 5)], ["h"]),
    "without an id, long before": ([hold("h", at=NOW - 601)], [record("c1")], []),
    "without an id, to another number": ([hold("h", number="+33")], [record("c1")], []),
    "the nearest": ([hold("far", at=NOW - 9), hold("near", at=NOW - 2)], [record("c1")], ["near"]),
    "each its own": ([hold("p"), hold("q", at=NOW + 60)], [record("c2", NOW + 58), record("c1", NOW - 2)], ["p", "q"]),
    "one each": ([hold("h")], [record("c1"), record("c2")], ["h"]),
    "a record with a hold takes no other": ([hold("h", "c1"), hold("i")], [record("c1")], ["h"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_record_settles_the_hold_of_its_call(case: str):
    holds, calls, names = CASES[case]
    assert sorted(name for match in matches(holds, calls) for name in match.names) == sorted(names)


moves = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 10**12), st.booleans()), max_size=30)


@given(moves)
def test_the_sums_are_those_of_the_open_holds(steps: list[tuple[int, int, bool]]):
    sums, holds, now = Sums(), list[tuple[int, str, int]](), NOW
    for later, amount, release in steps:
        now += later * 600
        holds = [one for one in holds if one[0] > now]
        if release and holds:
            ends, day, amount = holds.pop(0)
            sums = sums.changed(now, ends, day, -amount)
        else:
            ends, day = expiry(now), str(now // 86_400)
            holds.append((ends, day, amount))
            sums = sums.changed(now, ends, day, amount)
        assert sums.open_e8(now) == sum(one[2] for one in holds)
        assert len(sums.by_expiry) <= 50 and len(sums.by_day) <= 4
        today = str(now // 86_400)
        assert sums.made_on_e8(today) == sum(one[2] for one in holds if one[1] == today)


def test_a_hold_that_somebody_else_dropped_already_is_not_taken_away_twice():
    late = Sums({NOW: 5, NOW + 7200: 7}, {"d": 12}).changed(NOW, NOW, "d", -5)
    assert late.open_e8(NOW) == 7


# --- at once ---------------------------------------------------------------------------------------------------------


def test_calls_at_once_never_hold_more_than_is_available(world):
    pay(world, 10 * PRICE + PRICE // 2)
    answers: list[Any] = []
    at_once([lambda: answers.append(ask(world, reserve_seconds=60))] * 24)
    allowed = [answer for answer in answers if answer.allowed and answer.hangup_after == 60]
    assert len(allowed) == 10 and len({answer.id for answer in allowed}) == 10
    # What is left pays for half a minute: one more call gets it.
    assert sorted(answer.hangup_after for answer in answers if answer.allowed) == [30] + [60] * 10
    assert {answer.reason for answer in answers if not answer.allowed} == {"suspended"}
    assert held(world) == 10 * PRICE + PRICE // 2 == balance(world)


def test_one_call_that_asks_eight_times_at_once_has_one_hold(world):
    pay(world, 10 * PRICE)
    answers: list[Any] = []
    at_once([lambda: answers.append(ask(world, call_id="c1", reserve_seconds=60))] * 8)
    assert len({answer.id for answer in answers}) == 1 and all(answer.allowed for answer in answers)
    assert held(world) == PRICE


def test_calls_records_and_payments_at_once_never_spend_what_is_not_there(world):
    pay(world, 12 * PRICE)
    made: list[str] = []
    callers = [calling(world, caller, made) for caller in range(6)]
    at_once([*callers, *[lambda: pay(world, 2 * PRICE)] * 4])
    assert balance(world) >= 0
    assert balance(world) == 20 * PRICE - sum(entry[1] for entry in usage(world))
    assert len(made) == len(usage(world)) >= 12
    # Callers without ids may have let go of each other's holds, but every record let go of one.
    assert held(world) == 0


def usage(world: World) -> list[tuple[str, int]]:
    return [(kind, -amount) for kind, amount, _ in world.books()["bob"][2] if kind == "call_usage"]


def test_without_the_conditions_the_same_calls_overspend(deck, monkeypatch):
    """The negative control: with every condition left out of the writes, calls at once hold more than there is."""
    from chalicelib.aws import transactions

    def unguarded(transaction: Any, write: Any) -> None:
        if isinstance(write, transactions.Put):
            transaction.save(write.item)

    def slowly(operation: str, send: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems":
            time.sleep(0.02)
        return send()

    world = make_world()
    world.now = NOW
    pay(world, 10 * PRICE)
    monkeypatch.setattr(transactions, "_add", unguarded)
    answers: list[Any] = []
    with faults.between(slowly):
        at_once([lambda: answers.append(ask(world, reserve_seconds=60))] * 24)
    assert sum(answer.allowed for answer in answers) > 10
    assert [found.what for found in world.reconciled()] == ["holds"]


def test_calls_that_are_asked_for_do_not_make_a_batch_lose_its_commit(world, monkeypatch):
    """Between any two calls that rating makes, somebody asks for a call and holds money: the debit is not disturbed."""
    from botocore.client import BaseClient

    pay(world, 200 * PRICE)
    send, asking, debits = BaseClient._make_api_call, [False], list[str]()

    def around(self: Any, operation: str, kwargs: Any) -> Any:
        if asking[0] or len(debits) == 2:
            return send(self, operation, kwargs)
        asking[0] = True
        assert ask(world, reserve_seconds=60).allowed
        asking[0] = False
        if "MARK#" in str(kwargs.get("TransactItems")):
            debits.append(operation)
        return send(self, operation, kwargs)

    monkeypatch.setattr(BaseClient, "_make_api_call", around)
    batch = world.rate(csv_file(call("3"), call("4", account="alice")))
    assert batch.status == "done" and balance(world) == 199 * PRICE
    # Two tries would have been three debits, the last of them after the asking had stopped.
    assert len(debits) == 2 and len(world.books()["bob"][2]) == 2
    assert held(world) > 10 * PRICE


# --- let go by rating ------------------------------------------------------------------------------------------------


def test_a_batch_lets_go_of_its_calls_holds_and_of_no_others(world):
    pay(world, 100 * PRICE)
    for n in range(5):
        finish(world, ask(world, call_id=f"c{n}", reserve_seconds=600).id)
    still = ask(world, call_id="still talking", reserve_seconds=120)
    assert held(world) == 7 * PRICE
    world.rate(csv_file(*[call(f"c{n}") for n in range(4)], line("c4", "bob", 60, start=START, to="+99912345678")))
    # The fifth record was refused: its call is not billed, and its money stays back.
    assert (held(world), balance(world)) == (3 * PRICE, 96 * PRICE)
    world.rate(csv_file(call("c4")))
    assert (held(world), balance(world)) == (2 * PRICE, 95 * PRICE)
    assert finish(world, still.id, 120).amount_e8 == 2 * PRICE


def test_more_holds_than_a_transaction_takes(world):
    from chalicelib.rating.authorizations import release as hold_release

    pay(world, 200 * PRICE)
    count = hold_release.AT_ONCE + 20
    for n in range(count):
        ask(world, call_id=f"c{n}", reserve_seconds=60)
    world.rate(csv_file(*[call(f"c{n}") for n in range(count)]))
    assert (held(world), balance(world)) == (0, (200 - count) * PRICE)


def test_a_switch_that_gives_every_call_the_same_id_is_rated_all_the_same(world):
    pay(world, 500 * PRICE)
    numbers = [f"+4420794600{n:02d}" for n in range(50)]
    for number in numbers:
        ask(world, number=number, call_id="1", reserve_seconds=60)
    lines = [call("1", to=number, start=f"2029-04-04T12:{n:02d}:00Z") for n, number in enumerate(numbers)]
    assert world.rate(csv_file(*lines)).status == "done"
    assert held(world) == 0


def test_an_unanswered_call_and_a_switch_without_ids(world):
    pay(world, 100 * PRICE)
    ask(world, call_id="rang", reserve_seconds=60)
    ask(world, reserve_seconds=60)
    nobody = line("rang", "bob", 0, start=START, to=UK, disposition="NO ANSWER")
    world.rate(csv_file(nobody, call("whatever the switch calls it")))
    assert (held(world), balance(world)) == (0, 99 * PRICE)


@pytest.mark.parametrize("placeholder", ["NULL", "0", "unknown"])
def test_calls_under_a_placeholder_are_calls_without_ids(world, placeholder):
    pay(world, 100 * PRICE)
    ids = [ask(world, call_id=placeholder, reserve_seconds=60).id for _ in range(2)]
    assert len(set(ids)) == 2
    world.rate(csv_file(call(placeholder), call(placeholder, 59)))
    assert held(world) == 0


@pytest.mark.parametrize("ids", [("c1", "c2"), ("c1", None), (None, "c2"), (None, None)], ids=str)
def test_a_file_that_comes_twice_lets_go_of_nothing_else(world, ids):
    pay(world, 100 * PRICE)
    for call_id in ids:
        finish(world, ask(world, call_id=call_id, reserve_seconds=600).id)
    body = csv_file(call("c1"))
    world.rate(body)
    world.rate(body)
    assert (held(world), balance(world)) == (PRICE, 99 * PRICE)
    world.rate(csv_file(call("c1"), call("c2")))
    assert (held(world), balance(world)) == (0, 98 * PRICE)


def test_a_file_that_comes_to_six_at_once_lets_go_of_its_own_number_of_holds(world):
    pay(world, 100 * PRICE)
    for _ in range(8):
        ask(world, reserve_seconds=60)
    dropped = world.drop(csv_file(*[call(str(n)) for n in range(5)]))
    at_once([lambda: world.rate(*dropped)] * 6)
    assert (held(world), balance(world)) == (3 * PRICE, 95 * PRICE)


def test_files_at_once_without_known_ids_let_go_of_a_hold_each(world):
    pay(world, 100 * PRICE)
    for _ in range(8):
        ask(world, reserve_seconds=60)
    at_once([lambda n=n: world.rate(csv_file(call(str(n)))) for n in range(7)])
    assert (held(world), balance(world)) == (PRICE, 93 * PRICE)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_a_batch_killed_at_any_call_lets_go_of_each_hold_once(worlds, answered):
    def begun() -> tuple[World, tuple[str, str]]:
        world = worlds()
        world.now = NOW
        pay(world, 100 * PRICE)
        for n in range(3):
            ask(world, call_id=f"c{n}", reserve_seconds=600)
        return world, world.drop(csv_file(call("c0"), call("c1")))

    world, dropped = begun()
    with faults.counted() as made:
        world.rate(*dropped)
    assert held(world) == 10 * PRICE
    for kill in faults.kills(made, answered=answered):
        world, dropped = begun()
        with suppress(faults.Killed), kill():
            world.rate(*dropped)
        assert held(world) >= 10 * PRICE
        world.rate(*dropped)
        assert (held(world), balance(world)) == (10 * PRICE, 98 * PRICE), str(kill)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_asking_and_finishing_killed_at_any_call_and_sent_again(worlds, answered):
    for at in itertools.count():
        world = worlds()
        world.now = NOW
        pay(world, 100 * PRICE)
        dead, known = False, ""
        with faults.killed_at(at, answered=answered):
            try:
                known = ask(world, call_id="c1", reserve_seconds=600).id
                finish(world, known)
            except faults.Killed:
                dead = True
        assert held(world) in (0, PRICE, 10 * PRICE)
        finish(world, known or ask(world, call_id="c1", reserve_seconds=600).id)
        assert held(world) == PRICE
        if not dead:
            break
    assert at > 6


def test_conflicts_and_throttling_are_waited_out(world):
    pay(world, 100 * PRICE)
    with faults.refusing(
        "TransactWriteItems", ["TransactionConflict", "ThrottlingError", "TransactionConflict"]
    ) as left:
        assert ask(world, call_id="c1", reserve_seconds=60).allowed
    assert left == [] and held(world) == PRICE


def test_no_condition_reckons(world, monkeypatch):
    """DynamoDB's conditions compare; they do not add, though the emulator would."""
    from botocore.client import BaseClient

    send, conditions = BaseClient._make_api_call, list[str]()

    def watched(self: Any, operation: str, kwargs: Any) -> Any:
        for write in kwargs.get("TransactItems", ()):
            conditions.extend(kind["ConditionExpression"] for kind in write.values() if "ConditionExpression" in kind)
        return send(self, operation, kwargs)

    monkeypatch.setattr(BaseClient, "_make_api_call", watched)
    pay(world, 100 * PRICE)
    finish(world, ask(world, call_id="c1", reserve_seconds=60).id)
    ask(world, call_id="c2", reserve_seconds=60)
    world.rate(csv_file(call("c1"), call("c2")))
    assert len(conditions) > 12
    assert [condition for condition in conditions if re.search(r"[^<>=]=?\s*[+*/-]", condition)] == []


# --- time ------------------------------------------------------------------------------------------------------------


def test_an_expired_hold_counts_no_more_and_its_call_may_ask_again(world):
    from chalicelib.errors import NotFound

    pay(world, 10 * PRICE)
    first = ask(world, call_id="c1", reserve_seconds=600)
    assert not ask(world).allowed
    later = first.expires_at
    assert not ask(world, now=later - 1).allowed
    assert ask(world, now=later).max_seconds == 600
    again = ask(world, call_id="c1", reserve_seconds=300, now=later)
    assert (again.id, again.expires_at > later) == (first.id, True)
    assert held(world, now=later) == 5 * PRICE
    with pytest.raises(NotFound):
        from chalicelib.aws.transactions import Scope
        from chalicelib.rating.authorizations import service

        service.finish(Scope("key:k", again.expires_at), world.reseller_id, again.id, 1)


def test_an_account_changes_hands_at_the_instant_it_does(world):
    world.assign("SUB#bob", client_id=world.clients["alice"], package_id="p1", effective_from=NOW + 100)
    assert ask(world, now=NOW + 99).reason == "suspended"
    assert ask(world, now=NOW + 100).allowed


def limited(world: World, amount_e8: int, name: str = "alice") -> None:
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.store.owners import Client

    client = posting.get_client(world.reseller_id, world.clients[name])
    client.update(actions=[Client.daily_limit_e8.set(amount_e8)])


def test_what_was_spent_today_is_what_todays_rated_calls_cost(world):
    limited(world, 10 * PRICE)
    midnight = "2029-04-04T04:00:00Z"  # in Toronto
    before = "2029-04-04T03:59:59Z"
    world.rate(csv_file(call("1", account="alice", start=before), call("2", account="alice", start=midnight)))
    assert ask(world, "alice").max_seconds == 9 * 60
    world.rate(csv_file(*[call(f"3{n}", 60, "alice") for n in range(4)], call("2", account="alice", start=midnight)))
    assert ask(world, "alice").max_seconds == 5 * 60
    assert ask(world, "alice", reserve_seconds=200).hangup_after == 200
    assert ask(world, "alice").max_seconds == 100
    # The record of the call that was held: its hold goes, its price counts.
    world.rate(csv_file(call("5", 240, "alice")))
    assert (held(world, "alice"), ask(world, "alice").max_seconds) == (0, 60)
    world.rate(csv_file(call("6", 60, "alice")))
    assert ask(world, "alice").reason == "blocked"
    assert ask(world, "alice", "2001").allowed
    tomorrow = NOW + 20 * 3600
    assert ask(world, "alice", now=tomorrow).max_seconds == 600


def test_days_long_past_are_not_remembered(world):
    world.rate(
        csv_file(
            *[
                call(n, account="alice", start=f"2029-{n}T12:00:00Z")
                for n in ("03-01", "04-01", "04-02", "04-03", "04-04")
            ]
        )
    )
    assert spent(world) == {"2029-04-03": PRICE, "2029-04-04": PRICE}


def test_a_batch_rated_again_counts_once_in_what_was_spent(world):
    limited(world, 10 * PRICE)
    batch = world.rate(csv_file(call("1", 120, "alice"), call("2", 60, "alice", start="2029-04-03T12:00:00Z")))
    assert ask(world, "alice").max_seconds == 8 * 60
    world.package("p1", markup_percent_e4=1_400_000)
    world.rerate(batch)
    assert spent(world) == {"2029-04-03": 2 * PRICE, "2029-04-04": 4 * PRICE}
    world.assign("SUB#alice", client_id=world.clients["bob"], package_id="p1")
    world.rerate(batch)
    assert spent(world) == {"2029-04-03": 0, "2029-04-04": 0}
    assert spent(world, "bob") == {"2029-04-03": 2 * PRICE, "2029-04-04": 4 * PRICE}


def spent(world: World, name: str = "alice") -> Any:
    from chalicelib.accounts.ledger import posting

    return posting.get_client(world.reseller_id, world.clients[name]).spent
