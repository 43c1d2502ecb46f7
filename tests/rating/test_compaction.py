"""Compaction keeps the same calls, also if it is killed, if others write meanwhile, or if a batch is rated again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import faults
import pytest
from builders import World, csv_file, line
from faults import at_once
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws import objects
from chalicelib.calls import merge
from chalicelib.calls import store as call_store
from chalicelib.calls.format import encode_rows, quoted, unpacked

DAY = "2026-09-10"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three segments of a day are too many: what a test needs to see happens at the third file, not at the 17th."""
    from chalicelib.rating.batches import compaction

    monkeypatch.setattr(compaction, "MOST", 2)
    monkeypatch.setattr(compaction, "LEFT", 1)


def segments_of(world: World, name: str = "alice") -> list[Any]:

    return call_store.segments_of(world.clients[name], "0", "9")


def rows_of(world: World, name: str = "alice") -> list[str]:
    """Every row as it stands in its object."""
    from chalicelib.calls.index import span

    found = segments_of(world, name)
    return [row for each in found for row in merge.rows(unpacked(objects.read(each.object_key, *span(each.members))))]


def files(count: int) -> list[bytes]:
    """Files of one day and two clients, each with a call of its own, one that all share, and one of two lines."""
    return [
        csv_file(
            line(f"{n}", start=f"{DAY}T{n % 24:02d}:00:00Z"),
            line(f"late-{n}", start=f"{DAY}T{23 - n % 24:02d}:30:00Z", seconds=6 * n),
            line("shared", "bob"),
            line(f'"two\nlines {n}"'),
        )
        for n in range(count)
    ]


rows = st.lists(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
    | st.sampled_from(['"', "\r\n", '"\r\n', 'a"b\r\n"', ",", '""']),
    max_size=6,
)


@given(texts=st.lists(rows, max_size=6))
@settings(max_examples=200, deadline=None)
def test_rows_come_out_as_they_went_in(texts: list[list[str]]):
    written = [f"{DAY}T00:00:00Z," + ",".join(map(quoted, fields)) for fields in texts]
    data, _ = encode_rows(written, [0] * len(written))
    assert merge.rows(unpacked(data)) == written


def test_at_the_seventeenth_file_the_small_segments_of_a_day_become_one_and_no_row_changes(world):
    from chalicelib.rating.batches import compaction

    some = files(17)
    for body in some[:16]:
        world.rate(body)
    assert len(segments_of(world)) == 16
    before = rows_of(world)
    world.rate(some[16])
    found = segments_of(world)
    assert len(found) == compaction.LEFT
    (large,) = [each for each in found if each.is_compacted]
    assert large.rows == 3 * 10
    after = rows_of(world)
    assert sorted(set(after) - set(before)) == sorted(
        row for row in after if ",16," in row or "-16," in row or " 16" in row
    )
    assert set(before) < set(after)
    assert len(after) == len(set(after)) == 51
    from chalicelib.calls import index

    starts = [call.start for call in index.read(large)]
    assert starts == sorted(starts)
    assert (large.first, large.last) == (starts[0], starts[-1])


def test_a_day_of_many_files_keeps_few_segments_and_every_call_once(world):
    from chalicelib.rating.batches import billed

    for body in files(60):
        world.rate(body)
    assert len(segments_of(world)) <= 16
    calls = world.books()["calls of alice"]
    assert len({call[1] for call in calls}) == len(calls) == 180
    # Also a container with an empty cache reads few objects to know what is billed: at most 17 and a compaction's.
    billed._cache.clear()
    with faults.counted() as made:
        world.rate(csv_file(line("last", start=f"{DAY}T23:59:00Z")))
    assert made.count("GetObject") <= 1 + 17 + 10
    # All of it, dropped again in one file, is known already.
    lines = [each for body in files(60) for each in body.decode().split("\n", 1)[1].rstrip("\n").split("\n2026")]
    again = world.rate("\n".join([files(1)[0].decode().split("\n", 1)[0], *lines, ""]).encode())
    assert again.rated == 0


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_the_next_file_finds_the_day_and_compacts_it(worlds, eager, answered):
    some = files(4)
    undisturbed = worlds()
    for body in some[:2]:
        undisturbed.rate(body)
    with faults.counted() as made:
        undisturbed.rate(some[2])
    assert len(segments_of(undisturbed)) == 1
    undisturbed.rate(some[3])
    expected, rows = undisturbed.books(), len(rows_of(undisturbed))
    for call in range(len(made)):
        world = worlds()
        for body in some[:2]:
            world.rate(body)
        dropped = world.drop(some[2])
        with suppress(faults.Killed), faults.killed_at(call, answered=answered):
            world.rate(*dropped)
        assert world.reconciled() == [], f"killed at call {call}, {made[call]}"
        world.rate(*dropped)
        world.rate(some[3])
        assert world.books() == expected, f"killed at call {call}, {made[call]}"
        assert len(rows_of(world)) == rows
        assert len(segments_of(world)) <= 2


def test_files_and_compactions_at_once_bill_every_call_once(world, eager):
    from chalicelib.rating.batches import compaction

    def compact() -> None:
        for _ in range(10):
            for name in ("alice", "bob"):
                compaction.compact(world.scope, world.reseller_id, world.clients[name], DAY)

    at_once([compact, compact, *(lambda body=body: world.rate(body) for body in files(12))])
    compact()
    assert len(segments_of(world)) <= 2
    calls = world.books()["calls of alice"]
    assert len(calls) == len({call[1] for call in calls}) == 36
    assert len(world.books()["calls of bob"]) == 1


def test_what_an_open_batch_has_billed_is_left_alone(world, eager):
    from chalicelib.rating.batches import compaction

    dropped = world.drop(csv_file(line("x"), line("y", "bob")))
    commits = iter(("opened", "the first client"))

    def dies_between_two_clients(operation: str, send: Callable[[], Any]) -> Any:
        answer = send()
        if operation == "TransactWriteItems" and next(commits) == "the first client":
            raise faults.Killed
        return answer

    with pytest.raises(faults.Killed), faults.between(dies_between_two_clients):
        world.rate(*dropped)
    (own,) = segments_of(world)
    for body in files(4):
        world.rate(body)
    assert own.sk in {each.sk for each in segments_of(world)}
    world.rate(*dropped)
    compaction.compact(world.scope, world.reseller_id, world.clients["alice"], DAY)
    assert len(segments_of(world)) <= 2


def comparable(world: World) -> dict[str, Any]:
    """The books, with calls whole: who billed what stands in them."""
    books = world.books()
    books["rows"] = {name: sorted(row.rpartition(",")[0] for row in rows_of(world, name)) for name in world.clients}
    client = {world.clients[name]: name for name in world.clients}
    for owner, name in client.items():
        books["rows"][name] = [row.replace(owner, name) for row in books["rows"][name]]
    return books


def rated_then_rerated(
    world: World, monkeypatch: pytest.MonkeyPatch, *, compacted: bool, kill: int | None = None
) -> int:
    """Five files of one day, the third of which is rated again at another price; how many calls that made."""
    from chalicelib.rating.batches import compaction

    monkeypatch.setattr(compaction, "MOST", 2 if compacted else 100)
    monkeypatch.setattr(compaction, "LEFT", 1)
    batches = [world.rate(body) for body in files(5)]
    assert any(each.is_compacted for each in segments_of(world)) == compacted
    world.package("p1", markup_percent_e4=500_000)
    dropped = world.begin(batches[2])
    if kill is not None:
        with suppress(faults.Killed), faults.killed_at(kill, answered=kill % 2 == 0):
            world.rate(*dropped)
        # Meanwhile another file fills the day and would compact it.
        world.rate(csv_file(line("beside", start=f"{DAY}T10:10:00Z")))
    with faults.counted() as made:
        assert world.rate(*dropped).status == "done"
    if kill is None:
        world.rate(csv_file(line("beside", start=f"{DAY}T10:10:00Z")))
    return len(made)


def test_a_batch_with_calls_in_a_compacted_segment_is_rated_again_exactly(worlds, monkeypatch):
    plain, compacted = worlds(), worlds()
    rated_then_rerated(plain, monkeypatch, compacted=False)
    rated_then_rerated(compacted, monkeypatch, compacted=True)
    assert comparable(compacted) == comparable(plain)


def test_killed_on_its_way_a_rerating_from_a_compacted_segment_ends_the_same(worlds, monkeypatch):
    plain = worlds()
    rated_then_rerated(plain, monkeypatch, compacted=False)
    expected = comparable(plain)
    calls = rated_then_rerated(worlds(), monkeypatch, compacted=True)
    assert calls > 30
    # Every third call, in turn before and after it; the calls between are like their neighbours.
    for kill in range(0, calls, 3):
        world = worlds()
        rated_then_rerated(world, monkeypatch, compacted=True, kill=kill)
        assert comparable(world) == expected, f"killed at call {kill}"


def test_a_copy_that_a_rerating_gives_up_while_the_next_file_commits_is_billed_by_that_file(world, eager):
    """The compacted segment stays at its place in the index, without the call that was taken out of it."""
    nowhere = dict.fromkeys(("us", "canada", "international"), "no such route")
    first, *_ = [world.rate(csv_file(line(call_id))) for call_id in ("x", "y", "z")]
    assert len(segments_of(world)) == 1
    commits = iter(("opened", "the client"))

    def rated_again_meanwhile(operation: str, send: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems" and next(commits, "") == "the client":
            world.package("p1", routes=nowhere)
            assert world.rerate(first).rejected == 1
        return send()

    with faults.between(rated_again_meanwhile):
        late = world.rate(csv_file(line("x"), line("new")))
    assert (late.rated, late.duplicates) == (2, 0)
    assert [call[1] for call in world.books()["calls of alice"]] == ["new", "x", "y", "z"]


def test_report_and_lake_read_compacted_segments(world, eager):
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.calls import search
    from chalicelib.calls.format import decode
    from chalicelib.rating.nightly.reconcile import nightly

    ResellerPointer("RESELLERS", world.reseller_id).save()
    for body in files(7):
        world.rate(body)
    whole = search.Selection(1_788_000_000, 1_791_000_000)
    alice = search.Selection(1_788_000_000, 1_791_000_000, client_id=world.clients["alice"])
    totals = search.totals(world.reseller_id, whole)
    assert (totals.calls, search.totals(world.reseller_id, alice).calls) == (22, 21)
    seen, place = list[Any](), None
    while page := search.page(world.reseller_id, alice, place, 4):
        seen += page
        place = search.place_of(page[-1])
    assert len({call.call_id for call in seen}) == 21
    assert [call.start for call in seen] == sorted((call.start for call in seen), reverse=True)
    assert sum(call.amount_e8 for call in seen) == search.totals(world.reseller_id, alice).amount_e8
    assert [
        one for one in nightly(world.scope, reseller_ids=[world.reseller_id]) if one.owner_id in world.clients.values()
    ] == []
    (key,) = {key for key, _ in objects.versions(f"lake/reseller={world.reseller_id}/client={world.clients['alice']}/")}
    assert sorted(call.call_id for call in decode(objects.read(key))) == sorted(call.call_id for call in seen)
