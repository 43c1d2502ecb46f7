"""The check of the books itself: what it finds, and that it may look while files are being rated."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import faults
import pytest
from builders import World, csv_file, line, make_world

from chalicelib.aws import objects
from chalicelib.aws.transactions import Scope
from chalicelib.calls import store as call_store


def left_open(world: World) -> None:
    """A batch that is killed in the middle and stays open."""
    with pytest.raises(faults.Killed), faults.killed_at(12, answered=True):
        world.rate(csv_file(line("open", start="2026-07-01T12:00:00Z"), line("open", "bob")))


@pytest.mark.parametrize(("field", "by"), [("cost_e8", 5), ("revenue_e8", -5), ("rated", 1), ("duplicates", 1)])
def test_a_finished_batch_is_held_against_its_own_markers_also_beside_an_open_one(deck, field, by):
    from chalicelib.rating.batches.store import Batch

    world = make_world()
    batch = world.rate(csv_file(line("1"), line("2", "bob"), line("2", "bob")))
    left_open(world)
    assert world.reconciled() == []
    batch.update(actions=[getattr(Batch, field).set(int(getattr(batch, field)) + by)])
    found = [one.what for one in world.reconciled()]
    assert f"{field} of batch {batch.batch_id}, markers against batch" in found


def test_a_cost_that_no_batch_accounts_for_is_found_also_beside_an_open_batch(deck):
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting

    world = make_world()
    batch = world.rate(csv_file(line("1")))
    left_open(world)
    read = partial(posting.get_reseller, world.reseller_id)
    posting.post(world.scope, read, Posting("call_usage", -7, "x", "2026-09", f"batch:{batch.batch_id}"))
    posting.post(world.scope, read, Posting("call_usage", -9, "x", "2026-09", "batch:nobody"))
    found = {one.what: one.found - one.expected for one in world.reconciled()}
    assert found == {f"entries of batch {batch.batch_id}": 7, "entries of batch:nobody, which is no batch": 9}


def test_the_nightly_check_looks_at_a_reseller_with_an_open_batch(world):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.rating.nightly.reconcile import nightly
    from chalicelib.rating.nightly.store import Verified

    ResellerPointer("RESELLERS", world.reseller_id).save()
    world.rate(csv_file(line("1")))
    left_open(world)
    assert [
        one for one in nightly(world.scope, reseller_ids=[world.reseller_id]) if one.owner_id in world.clients.values()
    ] == []
    assert Verified.find(*Verified.key(world.reseller_id)) is not None


def test_books_that_are_read_while_files_are_rated_add_up(world):
    files = [csv_file(*[line(f"{n}-{k}", "alice" if k % 2 else "bob", 6) for k in range(8)]) for n in range(12)]
    errors: list[Any] = []

    def rate(bodies: list[bytes]) -> None:
        try:
            for body in bodies:
                world.rate(body)
        except BaseException as problem:
            errors.append(problem)

    threads = [threading.Thread(target=rate, args=(files[n::3],)) for n in range(3)]
    for thread in threads:
        thread.start()
    looks = 0
    while any(thread.is_alive() for thread in threads) or not looks:
        assert world.reconciled(level=1) == []
        looks += 1
    for thread in threads:
        thread.join()
    assert errors == []
    assert looks > 1


@pytest.mark.parametrize("harm", ["gone", "short", "cut", "no gzip", "not ours"])
def test_calls_that_can_not_be_read_are_a_difference_and_stop_nobody_elses_check(worlds, harm):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.calls.format import pack
    from chalicelib.rating.nightly.reconcile import nightly
    from chalicelib.rating.nightly.store import Verified

    harmed, other = sorted([worlds(), worlds()], key=lambda world: world.reseller_id)
    for world in (harmed, other):
        ResellerPointer("RESELLERS", world.reseller_id).save()
        world.rate(csv_file(line("1"), line("2")))
    (segment,) = call_store.segments_of(harmed.clients["alice"], "0", "9")
    whole = objects.read(segment.object_key)
    objects.delete([segment.object_key])
    broken = {"short": b"", "cut": whole[:-9], "no gzip": b"x" * len(whole), "not ours": pack(b"a,b\r\n")}
    if harm != "gone":
        objects.write(segment.object_key, broken[harm])
    both = [harmed.reseller_id, other.reseller_id]
    found = [one for one in nightly(harmed.scope, reseller_ids=both) if one.owner_id in harmed.clients.values()]
    assert [(one.expected, one.found) for one in found] == [(2, 0)]
    assert f"segment {segment.sk}, which can not be read" in found[0].what
    verified = [Verified.find(*Verified.key(world.reseller_id)) for world in (harmed, other)]
    assert [one is not None for one in verified] == [False, True]
    objects.write(segment.object_key, whole)


def test_an_older_object_that_is_gone_is_told_when_the_lake_wants_it(worlds):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.rating.nightly.reconcile import nightly

    world = worlds()
    ResellerPointer("RESELLERS", world.reseller_id).save()
    world.rate(csv_file(line("1")))
    world.now += 86_400
    nightly(world.scope, reseller_ids=[world.reseller_id])
    (old,) = call_store.segments_of(world.clients["alice"], "0", "9")
    whole = objects.read(old.object_key)
    objects.delete([old.object_key])
    world.now += 86_400
    world.rate(csv_file(line("2", start="2026-09-11T12:00:00Z")))
    found = [
        one.what
        for one in nightly(world.scope, reseller_ids=[world.reseller_id])
        if one.owner_id == world.clients["alice"]
    ]
    assert found == [f"{old.object_key}, wanted for the lake and not in the bucket"]
    objects.write(old.object_key, whole)


def test_a_day_of_many_calls_is_checked_and_summed_a_piece_at_a_time(world, monkeypatch):
    from chalicelib.calls import index
    from chalicelib.calls.search import Selection, totals

    world.rate(csv_file(*[line(f"{n}", start=f"2026-09-10T12:00:{n % 60:02d}Z") for n in range(5000)]))
    start = 1_789_041_600 + 1  # A second after the first calls, so that the index alone can not answer.
    with faults.counted() as made:
        sums = totals(world.reseller_id, Selection(start, start + 86_400, world.clients["alice"]))
    assert (sums.calls, made.count("GetObject")) == (4916, 1)
    monkeypatch.setattr(index, "ROWS_AT_ONCE", 1)
    with faults.counted() as made:
        assert totals(world.reseller_id, Selection(start, start + 86_400, world.clients["alice"])) == sums
        assert world.reconciled() == []
    assert made.count("GetObject") == 6


def test_a_night_that_is_only_pretended_leaves_no_later_calls_out(world):
    from chalicelib.rating.nightly.reconcile import nightly

    def night(at: int) -> None:
        assert nightly(Scope("system:test", at), int(time.time()), [world.reseller_id]) == []

    world.now = int(time.time())
    night(world.now + 90 * 86_400)
    world.rate(csv_file(line("1")))
    night(world.now + 86_400)
    files = [key for key, _ in objects.objects(f"lake/reseller={world.reseller_id}/", "")]
    assert len(files) == 1


def one_check(*names: str) -> dict[str, Any]:
    """The event of the operator's guide, with the names of these checks."""
    event = json.loads((Path(__file__).parents[3] / "infra" / "one-check-event.json").read_text())
    assert event["detail"] == {"checks": ["balances"]}
    return {**event, "detail": {"checks": list(names)}}


def spoiled(world: World) -> dict[str, str]:
    """Books that each check finds a difference in; what it finds first, by its name."""
    from chalicelib.accounts.store.owners import Client
    from chalicelib.rating.authorizations import store as hold_store
    from chalicelib.rating.batches.store import Batch

    batch = world.rate(csv_file(line("1")))
    client_id = world.clients["alice"]
    client = Client.get(f"R#{world.reseller_id}", f"CLIENT#{client_id}")
    client.update(actions=[Client.balance_e8.set(client.balance_e8 + 1)])
    (segment,) = call_store.segments_of(client_id, "0", "9")
    segment.update(actions=[call_store.Segment.amount_e8.set(segment.amount_e8 + 1)])
    batch.update(actions=[Batch.duplicates.set(7)])
    head = hold_store.head_of(client_id)
    head.by_expiry = {str(2**40): 1}
    head.save()
    return {
        "balances": "balance",
        "usage": "revenue_e8 of 2026-09, index against month",
        "holds": "holds",
        "contents": f"amount_e8 of segment {segment.sk}",
        "batches": f"duplicates of batch {batch.batch_id}, markers against batch",
    }


def test_each_difference_names_its_check_and_each_check_runs_alone(deck):
    from chalicelib.rating.nightly import checks, reconcile

    world = make_world()
    first = spoiled(world)
    assert tuple(first) == checks.NAMES
    found = world.reconciled()
    of_check = {name: [one for one in found if one.check == name] for name in checks.NAMES}
    assert {name: differences[0].what for name, differences in of_check.items()} == first
    assert {one.check for one in world.reconciled(level=1)} == set(checks.NAMES) - {"contents"}
    for name in checks.NAMES:
        assert reconcile.selected([name], world.now, [world.reseller_id]) == of_check[name]


def test_free_seconds_that_are_held_add_up(deck):
    from chalicelib.rating.authorizations import store as hold_store

    world = make_world()
    head = hold_store.head_of(world.clients["alice"])
    head.free = {"p1": {"2026-09": {str(2**40): 60}}}
    head.save()
    assert [(found.check, found.what) for found in world.reconciled()] == [("holds", "held free seconds")]


def test_the_operator_runs_one_check_which_writes_nothing(deck, caplog):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.aws.transactions import Event
    from chalicelib.rating import events
    from chalicelib.rating.nightly.store import Verified

    world = make_world()
    spoiled(world)
    pointer = ResellerPointer("RESELLERS", world.reseller_id)
    pointer.save()
    with pytest.raises(RuntimeError, match="differences in the books"), faults.counted() as made:
        events.reconcile_books(one_check("balances", "holds"), None)
    pointer.delete()
    logged = [message for message in caplog.messages if world.clients["alice"] in message]
    assert [message.rpartition("check=")[2] for message in logged] == ["'balances')", "'holds')"]
    assert set(made) <= {"Query", "GetItem"}
    assert Verified.find(*Verified.key(world.reseller_id)) is None
    assert Event.under(f"E#{world.reseller_id}", "") == []


@pytest.mark.parametrize(("names", "unknown"), [(["balances", "balance"], "['balance']"), ([], "[]")])
def test_a_check_that_does_not_exist_is_an_error(aws, names, unknown):
    from chalicelib.rating import events

    with pytest.raises(ValueError) as problem:
        events.reconcile_books(one_check(*names), None)
    known = "balances, usage, holds, contents, batches"
    assert str(problem.value) == f"checks must be a list of names among {known}; unknown: {unknown}"
