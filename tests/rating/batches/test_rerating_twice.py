"""Messages to rate again come twice, late, and at the same time, and tries are killed between any two calls."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import faults
import pytest
from builders import World, csv_file, line, make_world
from examples import examples, step
from faults import at_once
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

ALWAYS = -(2**61)
"""An instant before all calls: an assignment from then on replaces the first one."""
DID = "+14165550111"
CALL = 624_000


def prepared(world: World) -> tuple[str, str]:
    """A file with all that a re-rating can meet: two months, free minutes, a DID, a duplicate, a refused line."""
    world.package("minutes", free_minutes=1)
    world.client("free", "minutes")
    world.assign(f"DID#{DID}", client_id=world.clients["alice"], rate_e10=100_000_000, cost_e10=50_000_000)
    body = csv_file(
        line("1", start="2026-08-20T12:00:00Z"),
        line("2"),
        line("2"),
        line("3", "bob"),
        line("4", "carol"),
        line("5", "free", seconds=90),
        line("6", "", direction="inbound", to=DID),
    )
    return world.drop(body, "calls.csv")


def rate_first(world: World) -> Any:
    return world.rate(*prepared(world))


def change(world: World) -> None:
    """Another price, a client for the refused line, and another owner of the DID."""
    world.package("p1", markup_percent_e4=500_000)
    world.client("carol")
    world.assign(f"DID#{DID}", client_id=world.clients["bob"], rate_e10=100_000_000, effective_from=ALWAYS)


def begun(world: World) -> tuple[str, str]:
    batch = rate_first(world)
    change(world)
    return world.begin(batch)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_and_delivered_again_the_books_equal_the_undisturbed_run(worlds, answered):
    undisturbed = worlds()
    again = begun(undisturbed)
    with faults.counted() as made:
        undisturbed.rate(*again)
    expected = undisturbed.books()
    assert expected["batches"] == [("done", 7, 6, 0, 1, 4 * 520_000 + 780_000, 4 * 780_000 + 312_000 + 1_000_000, 0)]
    assert {"TransactWriteItems", "PutObject", "GetObject", "Query"} <= set(made)
    for kill in faults.kills(made, answered=answered):
        world = worlds()
        again = begun(world)
        with suppress(faults.Killed), kill():
            world.rate(*again)
        world.rate(*again)
        assert world.books() == expected, str(kill)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_asked_for_again_after_a_kill_at_any_call_it_is_one_generation(worlds, answered):
    undisturbed = worlds()
    first = rate_first(undisturbed)
    with faults.counted() as made:
        undisturbed.begin(first)
    undisturbed.rate(first.object_key, first.version_id)
    for kill in faults.kills(made, answered=answered):
        world = worlds()
        batch = rate_first(world)
        with suppress(faults.Killed), kill():
            world.begin(batch)
        # What rescan does for a batch whose message was lost; and a message that came too early changes nothing.
        if world.rate(batch.object_key, batch.version_id).generation == 0:
            world.rerate(batch)
        assert world.books() == undisturbed.books(), str(kill)


def test_killed_again_and_again_at_random_the_books_still_come_out(worlds):
    dice = random.Random(20260902)
    undisturbed = worlds()
    undisturbed.rate(*begun(undisturbed))
    for _ in range(4):
        world = worlds()
        again = begun(world)
        for _ in range(8):
            with suppress(faults.Killed), faults.killed_at(dice.randrange(90), answered=dice.random() < 0.5):
                world.rate(*again)
        world.rate(*again)
        assert world.books() == undisturbed.books()


def test_one_rerating_delivered_eight_times_at_once_counts_once(worlds):
    alone, world = worlds(), worlds()
    alone.rate(*begun(alone))
    again = begun(world)
    at_once([lambda: world.rate(*again)] * 8)
    assert world.books() == alone.books()


def test_of_eight_requests_at_once_one_begins_and_the_others_are_refused(world):
    from chalicelib.errors import Conflict

    batch = rate_first(world)
    refused = []

    def ask() -> None:
        try:
            world.begin(batch)
        except Conflict as problem:
            refused.append(problem.detail)

    at_once([ask] * 8)
    assert len(refused) == 7 and all("being rated" in detail for detail in refused)
    assert world.rate(batch.object_key, batch.version_id).generation == 1


@pytest.mark.long
def test_a_late_try_of_the_first_generation_changes_nothing(worlds):
    """A twin is stopped at some call of the first rating, and goes on when the next generation is done."""
    undisturbed = worlds()
    undisturbed.rate(*begun(undisturbed))
    with faults.counted() as made:
        rate_first(worlds())
    for stop in range(1, len(made), step(5)):
        world = worlds()
        dropped = prepared(world)
        with faults.stopped_at(stop, partial(world.rate, *dropped)) as go_on:
            batch = world.rate(*dropped)
            change(world)
            world.rerate(batch)
            go_on()
        assert world.books() == undisturbed.books(), f"stopped at call {stop}, {made[stop]}"


@pytest.mark.long
def test_a_late_try_of_a_generation_that_was_given_up_changes_nothing(worlds, monkeypatch):
    """One try is stopped, another finds the file too large, and the first goes on: all of the generation, or none."""
    from chalicelib.rating.batches import read

    undisturbed, untouched = worlds(), worlds()
    again = begun(undisturbed)
    with faults.counted() as made:
        undisturbed.rate(*again)
    rate_first(untouched)
    change(untouched)
    ends = set()
    for stop in range(1, len(made), step(5)):
        world = worlds()
        again = begun(world)
        with faults.stopped_at(stop, partial(world.rate, *again)) as go_on:
            with monkeypatch.context() as low:
                low.setattr(read, "settings", replace(read.settings, max_lines=3))
                found = world.rate(*again)
            go_on()
        ends.add((found.status, found.generation))
        expected = untouched if (found.status, found.generation) == ("done", 0) else undisturbed
        assert world.books() == expected.books(), f"stopped at call {stop}, {made[stop]}"
    assert {("done", 0), ("failed", 1)} <= ends


def test_reratings_and_first_ratings_of_the_same_clients_at_once_bill_every_call_once(world):
    calls = {f"id{n}": ("alice", "bob")[n % 2] for n in range(60)}
    rows = {
        call: line(call, who, start=f"2026-09-{8 + n % 3:02d}T12:00:00Z") for n, (call, who) in enumerate(calls.items())
    }
    dice = random.Random(3)
    files = [csv_file(*[rows[call] for call in dice.choices(sorted(rows), k=30)]) for _ in range(8)]
    old = [world.rate(body) for body in files[:4]]
    world.package("p1", markup_percent_e4=500_000)
    again = [world.begin(batch) for batch in old]
    at_once(
        [lambda a=a: world.rate(*a) for a in again]
        + [lambda a=a: world.rate(*a) for a in again]
        + [lambda b=b: world.rate(b) for b in files[4:]]
    )
    seen = [call for name in ("alice", "bob") for call in world.books()[f"calls of {name}"]]
    dropped = {row.split(b",")[0].decode() for body in files for row in body.splitlines()[1:]}
    assert sorted(call[1] for call in seen) == sorted(dropped)
    assert {call[2] for call in seen} == {780_000}


def owners(world: World, moved: int) -> None:
    """Whose the two accounts are: 0 as at first, 1 the other way round, 2 all Alice's, 3 one of them nobody's."""
    alice, bob = world.clients["alice"], world.clients["bob"]
    for holder, client_id in (
        ("SUB#alice", (alice, bob, alice, "")[moved]),
        ("SUB#bob", (bob, alice, alice, bob)[moved]),
    ):
        world.assign(holder, client_id=client_id, package_id="p1", effective_from=ALWAYS)


POOL = [line(f"p{n}", ("alice", "bob", "carol")[n % 3], start=f"2026-09-{9 + n % 2:02d}T12:00:00Z") for n in range(9)]
moves = st.one_of(
    st.tuples(st.just("drop"), st.sets(st.integers(0, 8), min_size=1)),
    st.tuples(st.just("rerate"), st.integers(0, 7)),
    st.tuples(st.just("owners"), st.integers(0, 3)),
    st.tuples(st.just("price"), st.sampled_from([200_000, 500_000])),
    st.tuples(st.just("minutes"), st.integers(0, 3)),
)


def sums(world: World) -> dict[str, tuple[int, int, int]]:
    """Balance, calls and free seconds of each client, and what the reseller owes."""
    books = world.books()
    found = {
        name: (books[name][0], len(books[f"calls of {name}"]), sum(c[3] for c in books[f"calls of {name}"]))
        for name in ("alice", "bob", "carol")
    }
    return {**found, "reseller": (books["reseller"][0], 0, 0)}


def do(world: World, what: str, how: Any, dropped: list[Any]) -> None:
    if what == "drop":
        dropped.append(world.rate(csv_file(*[POOL[n] for n in sorted(how)])))
    elif what == "rerate" and dropped:
        world.rerate(dropped[how % len(dropped)])
    elif what == "owners":
        owners(world, how)
    elif what == "price":
        world.package("p1", markup_percent_e4=how)
    elif what == "minutes":
        world.package("minutes", free_minutes=how)


@examples(12, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(moves, min_size=3, max_size=9), data=st.data())
def test_after_any_drops_changes_and_reratings_the_sums_are_those_of_a_fresh_rating(deck, steps, data):
    world, fresh, dropped = make_world(), make_world(), list[Any]()
    for each in (world, fresh):
        each.package("minutes", free_minutes=2)
        each.client("carol", "minutes")
    for what, how in steps:
        do(world, what, how, dropped)
        assert world.reconciled() == [], f"after {what} {how}"
        if what in ("owners", "price", "minutes"):
            do(fresh, what, how, [])
    # Twice: what the first round drops from one batch, its copy in another picks up in the second.
    for batch in [*data.draw(st.permutations(dropped)), *data.draw(st.permutations(dropped))]:
        world.rerate(batch)
    for what, how in steps:
        if what == "drop":
            do(fresh, what, how, [])
    assert sums(world) == sums(fresh)
    assert world.reconciled() == []


@examples(10, suppress_health_check=list(HealthCheck), derandomize=True)
@given(moved=st.integers(0, 3), order=st.lists(st.integers(0, 3), max_size=160))
def test_two_reratings_and_a_drop_in_any_interleaving_bill_each_call_once(deck, moved, order):
    world = make_world()
    shared = csv_file(line("x"), line("y", "bob"), line("z"))
    first, copy = world.rate(shared), world.rate(csv_file(line("x"), line("w", "bob")))
    owners(world, moved)
    late = world.drop(csv_file(line("x"), line("y", "bob"), line("v")))
    again = [world.begin(batch) for batch in (first, copy)]
    faults.in_turns([lambda a=a: world.rate(*a) for a in (*again, late, again[0])], order)
    assert world.reconciled() == []
    books = world.books()
    billed = {name: sorted(call[1] for call in books[f"calls of {name}"]) for name in ("alice", "bob")}
    a, b = ["v", "x", "z"], ["w", "y"]
    assert (billed["alice"], billed["bob"]) == ((a, b), (b, a), (sorted(a + b), []), ([], b))[moved]
    assert books["alice"][0] == -CALL * len(billed["alice"])
