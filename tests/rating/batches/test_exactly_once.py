"""Messages come twice, late, and at the same time, and tries are killed between any two calls: the books stay right."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import faults
import pytest
from builders import World, csv_file, line, make_world, same_deck
from examples import step
from faults import at_once

from chalicelib.aws import objects
from chalicelib.rating.decks import store as deck_store

AUGUST, SEPTEMBER = "2026-08-20T12:00:00Z", "2026-09-10T12:00:00Z"


def two_months() -> bytes:
    """Two clients, two months, a duplicate, a refused line and an internal call: every kind of write happens."""
    return csv_file(
        line("1", start=AUGUST),
        line("2", start=SEPTEMBER),
        line("3", "bob", start=SEPTEMBER),
        line("3", "bob", start=SEPTEMBER),
        line("4", "unknown"),
        line("5", "free", start=SEPTEMBER, seconds=90),
        line("6", "free", start=SEPTEMBER, seconds=90, to="502"),
    )


def with_free_minutes(world: World) -> World:
    world.package("minutes", free_minutes=1)
    world.client("free", "minutes")
    return world


@pytest.mark.long
def test_parts_decided_few_at_a_time_into_small_objects_come_to_the_same(worlds, monkeypatch):
    """Five clients and two months, where a real file would need more than 50 clients and 32 MB to meet these seams."""
    from chalicelib.rating.batches import commit, write

    def rated(few: bool, kill: int | None = None) -> tuple[dict[str, Any], int]:
        monkeypatch.setattr(commit, "AT_ONCE", 2 if few else 50)
        monkeypatch.setattr(write, "OBJECT_BYTES", 1 if few else 32 << 20)
        monkeypatch.setattr(write, "AHEAD", 0 if few else 8)
        world = with_free_minutes(worlds())
        for name in ("carol", "dan"):
            world.client(name, "minutes")
        who = ("alice", "bob", "carol", "dan", "free")
        starts = (AUGUST, "2026-09-01T02:00:00Z", "2026-09-01T05:00:00Z", SEPTEMBER)
        dropped = world.drop(csv_file(*[line(n, n, 90, start=start) for start in starts for n in who]))
        with faults.counted() as made, suppress(faults.Killed):
            if kill is None:
                world.rate(*dropped)
            else:
                with faults.killed_at(kill, answered=kill % 2 == 0):
                    world.rate(*dropped)
        # Ids are the same in every client and day, so the other file's are copies of what is billed, or will be.
        world.rate(csv_file(*[line(n, n, 90, start=SEPTEMBER) for n in who]))
        assert world.rate(*dropped).status == "done"
        assert world.reconciled() == []
        return world.books(), len(made)

    expected, _ = rated(few=False)
    assert len(expected["calls of carol"]) == 3
    found, calls = rated(few=True)
    assert found == expected
    for kill in range(calls // 4, calls, step(calls // 5)):
        found, _ = rated(few=True, kill=kill)
        # Whoever came first has the copies; what they come to together is the same.
        assert {name: found[name][0] for name in ("alice", "bob", "reseller")} == {
            name: expected[name][0] for name in ("alice", "bob", "reseller")
        }, f"killed at call {kill}"
        assert [call[:2] for call in found["calls of carol"]] == [call[:2] for call in expected["calls of carol"]]


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_and_delivered_again_the_books_equal_the_undisturbed_run(worlds, answered):
    undisturbed = with_free_minutes(worlds())
    dropped = undisturbed.drop(two_months())
    with faults.counted() as made:
        undisturbed.rate(*dropped)
    expected = undisturbed.books()
    assert expected["batches"][0][:5] == ("done", 7, 5, 1, 1)
    assert expected["batches"][0][-1] == 1, "internal"
    assert {"TransactWriteItems", "PutObject", "GetObject", "Query"} <= set(made)
    for kill in faults.kills(made, answered=answered):
        world = with_free_minutes(worlds())
        dropped = world.drop(two_months())
        with suppress(faults.Killed), kill():
            world.rate(*dropped)
        assert world.reconciled(level=1) == [], str(kill)
        world.rate(*dropped)
        assert world.books() == expected, str(kill)


def test_killed_again_and_again_at_random_the_books_still_come_out(worlds):
    dice = random.Random(20260901)
    undisturbed = with_free_minutes(worlds())
    undisturbed.rate(two_months())
    for _ in range(5):
        world = with_free_minutes(worlds())
        dropped = world.drop(two_months())
        for _ in range(6):
            with suppress(faults.Killed), faults.killed_at(dice.randrange(60), answered=dice.random() < 0.5):
                world.rate(*dropped)
        world.rate(*dropped)
        assert world.books() == undisturbed.books()


def test_one_file_delivered_eight_times_at_once_counts_once(worlds):
    alone = with_free_minutes(worlds())
    alone.rate(two_months())
    world = with_free_minutes(worlds())
    dropped = world.drop(two_months())
    at_once([lambda: world.rate(*dropped)] * 8)
    assert world.books() == alone.books()


def overlapping(dice: random.Random) -> tuple[list[bytes], dict[str, int]]:
    """16 files that share many of their calls, and what each client must pay: every call once."""
    pool = {}
    for n in range(600):
        who, seconds = dice.choice(("alice", "bob")), dice.randrange(1, 400)
        start = f"2026-09-{dice.randrange(8, 11):02d}T{dice.randrange(24):02d}:00:00Z"
        # 0.0052 + 20 % a minute, 6/6: exact at 1e-8 for every whole six seconds.
        pool[f"id{n}"] = (who, line(f"id{n}", who, seconds, start=start), -(-seconds // 6) * 62_400)
    files, owed, used = [], {"alice": 0, "bob": 0}, set()
    for _ in range(16):
        chosen = dice.choices(sorted(pool), k=120)
        used.update(chosen)
        files.append(csv_file(*[pool[call][1] for call in chosen]))
    for call in used:
        owed[pool[call][0]] += pool[call][2]
    return files, owed


def paid(world: World) -> dict[str, int]:
    books = world.books()
    return {name: -books[name][0] for name in ("alice", "bob")}


def test_sixteen_overlapping_files_at_once_bill_every_call_exactly_once(world):
    files, owed = overlapping(random.Random(1))
    at_once([lambda body=body: world.rate(body) for body in files])
    assert paid(world) == owed
    books = world.books()
    calls = [call[1] for name in ("alice", "bob") for call in books[f"calls of {name}"]]
    assert len(calls) == len(set(calls))
    assert {batch[0] for batch in books["batches"]} == {"done"}
    assert sum(batch[2] for batch in books["batches"]) == len(calls)


def test_without_the_conditions_the_same_test_goes_red(deck):
    """The negative control: with every condition left out of the writes, the sixteen files do damage."""
    world = make_world()
    files, owed = overlapping(random.Random(1))
    with faults.unconditional(), suppress(RuntimeError):
        at_once([lambda body=body: world.rate(body) for body in files])
    assert paid(world) != owed
    assert world.reconciled() != []


def test_conflicts_and_throttling_are_waited_out(world):
    codes = ["TransactionConflict", "ThrottlingError", "TransactionInProgressException", "TransactionConflict"] * 2
    with faults.refusing("TransactWriteItems", codes) as left:
        world.rate(csv_file(line("1"), line("2", "bob")))
    assert left == []
    assert paid(world) == {"alice": 624_000, "bob": 624_000}


def test_free_minutes_are_never_spent_twice_by_batches_at_once(world):
    with_free_minutes(world)
    files = [
        csv_file(*[line(f"{n}-{k}", "free", 12, start=f"2026-09-10T{k:02d}:{n:02d}:00Z") for k in range(4)])
        for n in range(8)
    ]
    at_once([lambda body=body: world.rate(body) for body in files])
    calls = world.books()["calls of free"]
    assert len(calls) == 32
    assert sum(call[3] for call in calls) == 60
    # Any serial order is right: 60 of 384 billed seconds are free, whoever got them.
    assert sum(call[2] for call in calls) == (384 - 60) * 10_400


def test_payments_charges_and_usage_at_once_add_up(world):
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting

    def pay(n: int) -> Callable[[], Any]:
        amount = 10**8 * (1 if n % 2 else -2)
        kind = "payment" if n % 2 else "charge"
        read = partial(posting.get_client, world.reseller_id, world.clients["bob"])
        return lambda: posting.post(world.scope, read, Posting(kind, amount, "x", "2026-09"), once=f"pay-{n // 2}")

    # Every "once" key is used by two threads: one payment and one charge race for it, and one of them posts.
    files = [csv_file(*[line(f"{n}-{k}", "bob", 6) for k in range(5)]) for n in range(6)]
    at_once([pay(n) for n in range(16)] + [lambda body=body: world.rate(body) for body in files])
    kinds = [kind for kind, _, _ in world.books()["bob"][2]]
    assert kinds.count("call_usage") == 6
    assert kinds.count("payment") + kinds.count("charge") == 8


def test_a_month_closed_in_the_midst_of_commits_keeps_its_sums(world):
    from chalicelib.accounts.ledger import months, posting
    from chalicelib.accounts.store.ledger import Month

    read = partial(posting.get_client, world.reseller_id, world.clients["alice"])
    files = [csv_file(line(str(n), start=AUGUST)) for n in range(8)]
    at_once(
        [lambda body=body: world.rate(body) for body in files] + [lambda: months.close(world.scope, read, "2026-08")]
    )
    august, september = (
        Month.find(f"L#{world.clients['alice']}", f"MONTH#{month}") for month in ("2026-08", "2026-09")
    )
    assert august.state == "closed"
    late = september.posted.get("call_usage", 0) if september else 0
    assert august.posted.get("call_usage", 0) + late == -8 * 624_000
    assert august.posted.get("call_usage", 0) == august.closing["balance_e8"]
    assert august.usage["calls"] == 8


def test_a_deck_published_by_tries_at_the_same_time_and_killed_ones_is_one_deck(aws):
    from chalicelib.aws.transactions import Scope
    from chalicelib.config import settings
    from chalicelib.rating.decks import publish

    body = same_deck("premium", "2030-01-01", "7,Russia,0.03,1,1,,,")
    key = "incoming/decks/premium/2030-01-01.csv"
    version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=body)["VersionId"]
    for call in range(12):
        with suppress(faults.Killed), faults.killed_at(call, answered=bool(call % 2)):
            publish.publish(Scope("system:test", 1), key, version)
    at_once([lambda: publish.publish(Scope("system:test", 1), key, version)] * 4)
    found = [deck for deck in deck_store.decks_upto("premium", 2**40) if deck.effective_from == "2030-01-01"]
    assert len(found) == 1


@pytest.mark.parametrize("code", ["InternalServerError", "TransactionInProgressException"])
def test_an_answer_that_leaves_the_fate_of_a_transaction_open_posts_nothing_twice(world, code):
    from botocore.exceptions import ClientError

    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting

    told = []

    def applied_but_refused(operation: str, send: Callable[[], Any]) -> Any:
        answer = send()
        if operation == "TransactWriteItems" and not told:
            told.append(operation)
            raise ClientError({"Error": {"Code": code, "Message": "who knows"}}, operation)
        return answer

    read = partial(posting.get_client, world.reseller_id, world.clients["alice"])
    with faults.between(applied_but_refused):
        posting.post(world.scope, read, Posting("payment", 10**10, "x", "2026-09"))
    assert world.books()["alice"][0] == 10**10


def test_a_batch_given_up_by_the_system_still_holds_its_owners(world):
    from chalicelib.accounts.service import term_versions
    from chalicelib.errors import Conflict
    from chalicelib.rating.batches import lifecycle

    dropped = world.drop(csv_file(line("1")))
    with pytest.raises(faults.Killed), faults.killed_at(12, answered=True):
        world.rate(*dropped)
    lifecycle.fail_by_key(world.scope, *dropped, "the last try broke")
    with pytest.raises(Conflict):
        term_versions.next_version(term_versions.head_of(world.reseller_id), moving=True)
    assert world.rate(*dropped).status == "done"
    term_versions.next_version(term_versions.head_of(world.reseller_id), moving=True)
