"""A batch is rated again: the old amounts are taken back, the new ones are billed, and everything still adds up."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import faults
import pytest
from builders import World, csv_file, line

from chalicelib.aws import objects

OCTOBER = "2026-10-05T12:00:00Z"
CALL = 624_000
"""A minute to New York: 0.0052 and 20 %."""


def entries(world: World, name: str) -> list[tuple[str, int]]:
    """Kind and amount of a client's entries (or the ``reseller``'s), in order."""
    from chalicelib.accounts.store.ledger import Entry

    owner = world.clients.get(name, world.reseller_id)
    return [(entry.kind, int(entry.amount_e8)) for entry in Entry.under(f"L#{owner}", "ENTRY#")]


def ids(world: World, name: str) -> list[str]:
    return [call[1] for call in world.books()[f"calls of {name}"]]


def month_of(world: World, name: str, month: str = "2026-09") -> Any:
    from chalicelib.accounts.store.ledger import Month

    return Month.find(f"L#{world.clients[name]}", f"MONTH#{month}")


def free_seconds(world: World, name: str, package_id: str, month: str = "2026-09") -> int:
    from chalicelib.accounts.store.ledger import FreeMinutes

    found = FreeMinutes.find(f"L#{world.clients[name]}", f"FREE#{package_id}#{month}")
    return int(found.used_seconds) if found else 0


def test_with_nothing_changed_the_balance_is_the_same_and_the_ledger_says_what_happened(world):
    batch = world.rate(csv_file(line("1"), line("2", "bob")))
    before = world.books()
    again = world.rerate(batch)
    assert (again.status, again.generation) == ("done", 1)
    after = world.books()
    assert entries(world, "alice") == [("call_usage", -CALL), ("reversal", CALL), ("call_usage", -CALL)]
    assert entries(world, "reseller") == [
        ("call_usage", -1_040_000), ("reversal", 1_040_000), ("call_usage", -1_040_000),
    ]  # fmt: skip
    for name in ("alice", "bob", "reseller"):
        assert after[name][:2] == before[name][:2]
    assert {name: after[name] for name in after if "calls" in name or name == "batches"} == {
        name: before[name] for name in before if "calls" in name or name == "batches"
    }


def test_a_new_price_is_taken_and_the_old_one_given_back(world):
    batch = world.rate(csv_file(line("1"), line("2", seconds=120)))
    world.package("p1", markup_percent_e4=500_000)
    again = world.rerate(batch)
    assert (again.revenue_e8, again.rated) == (3 * 780_000, 2)
    assert world.books()["alice"][0] == -3 * 780_000
    assert [call[2] for call in world.books()["calls of alice"]] == [780_000, 1_560_000]
    assert month_of(world, "alice").usage == {
        "calls": 2, "seconds": 180, "revenue_e8": 3 * 780_000, "cost_e8": 3 * 520_000,
    }  # fmt: skip


def test_refused_lines_are_rated_and_lines_without_an_owner_are_refused(world):

    batch = world.rate(csv_file(line("1"), line("2", "carol")))
    assert (batch.rated, batch.rejected) == (1, 1)
    world.client("carol")
    world.assign("SUB#alice", client_id="")
    # Alice's sub-account is nobody's from the first instant on that can be told.
    world.assign("SUB#alice", client_id="", effective_from=-(2**61))
    again = world.rerate(batch)
    assert (again.lines, again.rated, again.rejected, again.duplicates) == (2, 1, 1, 0)
    books = world.books()
    assert (books["alice"][0], books["carol"][0]) == (0, -CALL)
    assert entries(world, "alice") == [("call_usage", -CALL), ("reversal", CALL)]
    assert b"unknown_account" in objects.read(f"rejected/cdr/{batch.batch_id}.csv")
    assert month_of(world, "alice").usage["calls"] == 0


def test_a_call_that_belongs_to_another_client_now_moves_with_its_money(world):
    batch = world.rate(csv_file(line("1"), line("2", start=OCTOBER), line("3", "bob")))
    world.assign("SUB#alice", client_id=world.clients["bob"], package_id="p1", effective_from=1_790_800_000)
    again = world.rerate(batch)
    assert (again.rated, again.duplicates) == (3, 0)
    assert (ids(world, "alice"), ids(world, "bob")) == (["1"], ["3", "2"])
    assert world.books()["alice"][0] == -CALL
    assert world.books()["bob"][0] == -2 * CALL
    assert entries(world, "reseller")[-4:] == [
        ("reversal", 1_040_000), ("reversal", 520_000), ("call_usage", -1_040_000), ("call_usage", -520_000),
    ]  # fmt: skip


def test_the_last_call_of_a_holder_is_forgotten_with_the_call_unless_another_batch_has_one(world):
    from chalicelib.calls.index import last_start

    def last(name: str, holder: str) -> int | None:
        return last_start(world.clients[name], holder, 0)

    first = world.rate(csv_file(line("1", start="2026-09-10T12:00:00Z")))
    late = world.rate(csv_file(line("2", start="2026-09-20T12:00:00Z"), line("3", "bob")))
    assert last("alice", "sub:alice") == 1_789_905_600
    world.assign("SUB#alice", client_id=world.clients["bob"], package_id="p1", effective_from=1_789_500_000)
    world.rerate(late)
    assert last("alice", "sub:alice") == 1_789_041_600
    assert (last("bob", "sub:alice"), last("bob", "sub:bob")) == (1_789_905_600, 1_789_041_600)
    world.assign("SUB#alice", client_id=world.clients["bob"], package_id="p1", effective_from=1_788_000_000)
    world.rerate(first)
    assert last("alice", "sub:alice") is None
    assert ids(world, "alice") == []


def test_free_minutes_are_given_back_before_they_are_spent_again(world):
    world.package("minutes", free_minutes=2)
    world.client("dave", "minutes")
    first = world.rate(csv_file(line("a", "dave", 90), line("b", "dave", 60, start="2026-09-11T12:00:00Z")))
    second = world.rate(csv_file(line("c", "dave", 60, start="2026-09-12T12:00:00Z")))
    assert [call[3] for call in world.books()["calls of dave"]] == [90, 30, 0]
    world.rerate(first)
    assert [call[3] for call in world.books()["calls of dave"]] == [90, 30, 0]
    # The first call moves to another client: what it had used is there for the second batch, once that is rated again.
    world.assign("SUB#dave", client_id=world.clients["bob"], package_id="p1")
    world.assign("SUB#dave", client_id=world.clients["dave"], package_id="minutes", effective_from=1_789_100_000)
    world.rerate(first)
    assert free_seconds(world, "dave", "minutes") == 60
    assert world.rerate(second).revenue_e8 == 0
    assert free_seconds(world, "dave", "minutes") == 120
    assert [call[3] for call in world.books()["calls of dave"]] == [60, 60]


def test_a_call_that_another_batch_has_billed_meanwhile_is_a_duplicate(world):
    body = csv_file(line("1", "carol"))
    refused = world.rate(body)
    world.client("carol")
    mended = world.rate(body)
    assert (refused.rejected, mended.rated) == (1, 1)
    again = world.rerate(refused)
    assert (again.rated, again.duplicates, again.rejected) == (0, 1, 0)
    assert entries(world, "carol") == [("call_usage", -CALL)]


def test_a_duplicate_stays_one_when_the_batch_that_has_the_call_is_rated_again(world):
    body = csv_file(line("1"), line("2"))
    first, copy = world.rate(body), world.rate(body)
    again = world.rerate(first)
    assert (again.rated, again.duplicates) == (2, 0)
    assert (copy.rated, copy.duplicates) == (0, 2)
    again = world.rerate(copy)
    assert (again.rated, again.duplicates) == (0, 2)
    assert world.books()["alice"][0] == -2 * CALL


def test_what_a_rerating_drops_is_billed_by_a_copy_once_the_copy_is_rated_again(world):
    world.assign("DID#+14165550111", client_id=world.clients["alice"], rate_e10=100_000_000)
    called = line("1", "", direction="inbound", to="+14165550111")
    first = world.rate(csv_file(called))
    copy = world.rate(csv_file(called))
    world.assign("DID#+14165550111", client_id="", effective_from=1_789_000_000)
    assert world.rerate(first).rejected == 1
    world.assign("DID#+14165550111", client_id=world.clients["bob"], rate_e10=100_000_000, effective_from=1_789_000_000)
    again = world.rerate(copy)
    assert (again.rated, ids(world, "bob"), ids(world, "alice")) == (1, ["1"], [])
    assert world.rerate(first).duplicates == 1
    assert (world.books()["alice"][0], world.books()["bob"][0]) == (0, -1_000_000)


def test_a_day_in_two_local_months_bills_a_repeated_id_in_the_earlier_one_again(world):
    # Toronto is four hours behind UTC: 03:00Z of the 1st is still August there, 05:00Z is September.
    batch = world.rate(csv_file(line("x", start="2026-09-01T03:00:00Z"), line("x", start="2026-09-01T05:00:00Z")))
    assert (batch.rated, batch.duplicates) == (1, 1)
    again = world.rerate(batch)
    assert (again.rated, again.duplicates) == (1, 1)
    assert [period for _, _, period in world.books()["alice"][2]] == ["2026-08"] * 3


def test_a_closed_month_keeps_its_sums_and_the_correction_falls_in_the_open_one(world):
    from chalicelib.accounts.ledger import months, posting

    batch = world.rate(csv_file(line("1", start="2026-08-10T12:00:00Z")))
    months.close(world.scope, partial(posting.get_client, world.reseller_id, world.clients["alice"]), "2026-08")
    world.package("p1", markup_percent_e4=500_000)
    world.rerate(batch)
    assert world.books()["alice"][2] == sorted(
        [("call_usage", -CALL, "2026-08"), ("reversal", CALL, "2026-09"), ("call_usage", -780_000, "2026-09")]
    )
    august = month_of(world, "alice", "2026-08")
    assert (august.posted, august.usage["revenue_e8"]) == ({"call_usage": -CALL}, 780_000)


def test_no_client_is_suspended_or_resumed_between_the_reversal_and_the_new_entry(world):
    from chalicelib.aws.transactions import Event

    batch = world.rate(csv_file(line("1", "bob")))
    world.rerate(batch)
    kinds = [event.kind for event in Event.under(*Event.of_owner(world.reseller_id))]
    assert kinds == ["batch.rerate"]


def test_a_reversal_of_calls_can_not_be_reversed_nor_the_calls_by_hand(world):
    from chalicelib.accounts.ledger import entries as ledger_entries
    from chalicelib.errors import Conflict

    world.rerate(world.rate(csv_file(line("1"))))
    for entry_id in ("1", "2", "3"):
        with pytest.raises(Conflict):
            ledger_entries.reverse_entry(world.scope, world.reseller_id, world.clients["alice"], entry_id)


def test_again_and_again_each_generation_replaces_the_one_before(world):
    batch = world.rate(csv_file(line("1"), line("2", "bob", start=OCTOBER)))
    for percent in (100_000, 300_000, 200_000):
        world.package("p1", markup_percent_e4=percent)
        batch = world.rerate(batch)
    assert batch.generation == 3
    assert world.books()["alice"][0] == world.books()["bob"][0] == -CALL
    assert len(entries(world, "alice")) == 7


def test_the_lake_forgets_what_a_rerating_took_away(world):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.calls.format import decode
    from chalicelib.rating.nightly.reconcile import nightly

    ResellerPointer("RESELLERS", world.reseller_id).save()
    batch = world.rate(csv_file(line("1")))
    nightly(world.scope, reseller_ids=[world.reseller_id])
    key = f"lake/reseller={world.reseller_id}/client={world.clients['alice']}/month=2026-09/calls.csv.gz"
    assert [call.call_id for call in decode(objects.read(key))] == ["1"]
    world.assign("SUB#alice", client_id="")
    world.assign("SUB#alice", client_id="", effective_from=-(2**61))
    world.rerate(batch)
    nightly(world.scope, reseller_ids=[world.reseller_id])
    assert list(decode(objects.read(key))) == []


def forget(world: World, batch: Any) -> None:
    """Delete the version of the file that a batch was rated from, as the bucket does after 400 days."""
    from chalicelib.config import settings

    objects.s3().delete_object(Bucket=settings.bucket, Key=batch.object_key, VersionId=batch.version_id)


def cap_lines(monkeypatch: Any, most: int) -> None:
    from chalicelib.rating.batches import read

    monkeypatch.setattr(read, "settings", replace(read.settings, max_lines=most))


def test_a_file_that_is_gone_leaves_the_batch_as_it_was_and_says_why(world):
    from chalicelib.accounts.service import term_versions

    batch = world.rate(csv_file(line("1"), line("2", "carol")))
    before = world.books()
    forget(world, batch)
    again = world.rerate(batch)
    assert (again.status, again.generation, again.rated, again.rejected) == ("done", 0, 1, 1)
    assert "no longer in the bucket" in again.reason
    assert world.books() == before
    # Owners may move again, and to ask once more makes another generation, not the same one.
    term_versions.next_version(term_versions.head_of(world.reseller_id), moving=True)
    world.begin(batch)
    begun = world.found(batch)
    assert (begun.status, begun.generation, begun.reason) == ("rating", 2, None)
    world.rate(batch.object_key, batch.version_id)


def test_progress_of_a_rerating_that_is_refused_halfway_is_forgotten(world, monkeypatch):
    from chalicelib.rating.batches import rate

    batch = world.rate(csv_file(*[line(f"id{n}", seconds=6) for n in range(41_000)]))
    before = world.books()
    cap_lines(monkeypatch, 30_000)
    a_second_a_look = count(world.scope.now).__next__
    again = rate.rate_batch(world.scope, *world.begin(batch), a_second_a_look)
    assert (again.status, again.lines, again.rated) == ("done", 41_000, 41_000)
    assert "30000 lines" in again.reason
    assert world.books() == before


def test_a_rerating_that_was_given_up_goes_on_with_the_same_generation_and_prices(world):
    from chalicelib.rating.batches import lifecycle

    batch = world.rate(csv_file(line("1"), line("2", "bob")))
    world.package("p1", markup_percent_e4=500_000)
    again = world.begin(batch)

    def after_the_first_client(operation: str, send: Any) -> Any:
        answer = send()
        if operation == "TransactWriteItems" and world.books()["alice"][0] == -780_000:
            raise faults.Killed
        return answer

    with pytest.raises(faults.Killed), faults.between(after_the_first_client):
        world.rate(*again)
    assert world.books()["bob"][0] == -CALL
    lifecycle.fail_by_key(world.scope, *again, "the last try broke")
    assert world.found(batch).status == "failed"
    world.package("p1", markup_percent_e4=900_000)
    done = world.rerate(batch)
    assert (done.status, done.generation, done.reason) == ("done", 1, None)
    assert done.revenue_e8 == 2 * 780_000
    assert world.rerate(batch).revenue_e8 == 2 * 988_000


def test_a_file_over_the_cap_is_rated_by_todays_terms_once_the_cap_is_raised(world, monkeypatch):
    with monkeypatch.context() as low:
        cap_lines(low, 1)
        batch = world.rate(csv_file(line("1"), line("2")))
    assert batch.status == "failed"
    world.assign("SUB#alice", client_id=world.clients["bob"], package_id="p1", effective_from=-(2**61))
    again = world.rerate(batch)
    assert (again.status, again.generation, again.rated) == ("done", 1, 2)
    assert (ids(world, "alice"), ids(world, "bob")) == ([], ["1", "2"])


def test_where_one_transaction_can_not_hold_it_all_it_is_taken_back_first_and_posted_after(world):
    """A month of 31 days with 30 packages whose free minutes change: 62 segments, 30 counters and the rest are 104."""
    packages = [f"m{n:02d}" for n in range(30)]
    for package_id in packages:
        world.package(package_id, free_minutes=1)
        world.assign(f"SUB#{package_id}", client_id=world.client("dave"), package_id=package_id)
    lines = [
        line(f"{n}-{day}", packages[n], 6, start=f"2026-08-{day:02d}T12:{n:02d}:00Z")
        for n in range(30)
        for day in range(1, 32)
    ]
    batch = world.rate(csv_file(*lines))
    spent = 10 * 6 * 30
    with faults.counted() as made:
        world.rerate(batch)
    fitting = made.count("TransactWriteItems")
    for package_id in packages:
        world.package(package_id, free_minutes=2)
    with faults.counted() as made:
        again = world.rerate(batch)
    commits = made.count("TransactWriteItems")
    assert sum(call[3] for call in world.books()["calls of dave"]) == 2 * spent
    assert (again.rated, again.revenue_e8) == (930, (930 - 20 * 30) * 62_400)
    assert entries(world, "dave")[3:] == [("reversal", 630 * 62_400), ("call_usage", -330 * 62_400)]
    # One commit more than where all fits: first it is taken back, then posted.
    assert commits == fitting + 1
