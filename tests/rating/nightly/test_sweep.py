"""What nobody names is deleted when it is old; what somebody names, or may yet name, never is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import faults
import pytest
from builders import World, csv_file, line

from chalicelib.aws import objects as aws_objects
from chalicelib.aws.transactions import Scope
from chalicelib.calls import store as call_store
from chalicelib.rating.nightly import sweep as nightly_sweep

LATER = nightly_sweep.AGE_SECONDS + 3600
FILE = csv_file(line("1"), line("2", start="2026-08-20T12:00:00Z"), line("3", "bob"))


def sweep(world: World, after: int = LATER, out_of_time: Callable[[], bool] = lambda: False) -> nightly_sweep.Swept:
    scope = Scope("system:test", int(time.time()) + after)
    return nightly_sweep.sweep(scope, out_of_time, f"rated/{world.reseller_id}/")


def objects(world: World) -> set[str]:

    return {key for key, _ in aws_objects.objects(f"rated/{world.reseller_id}/", "")}


def named(world: World) -> set[str]:
    return {segment.object_key for client in world.clients for segment in store_segments(world, client)}


def store_segments(world: World, client: str) -> list[Any]:

    return call_store.segments_of(world.clients[client], "0", "9")


def orphaned(world: World, month: str = "2026-09") -> set[str]:
    """An object whose try was killed before its commit."""
    start = f"{month}-10T12:00:00Z"
    dropped = world.drop(csv_file(line("lost", start=start), line("lost", "bob", start=start)))
    before = objects(world)

    def dies_of_writing(operation: str, send: Callable[[], Any]) -> Any:
        answer = send()
        if operation == "PutObject":
            raise faults.Killed
        return answer

    with pytest.raises(faults.Killed), faults.between(dies_of_writing):
        world.rate(*dropped)
    return objects(world) - before


def test_an_orphan_is_deleted_when_it_is_old_and_nothing_that_is_named(world):
    world.rate(FILE)
    (orphan,) = orphaned(world)
    before = objects(world)
    sweep(world, nightly_sweep.AGE_SECONDS - 3600)
    assert objects(world) == before
    swept = sweep(world)
    assert swept.finished
    assert swept.deleted >= 1
    assert objects(world) == before - {orphan} == named(world)
    assert sweep(world).deleted == 0
    # The fixture reads every named object again.


def test_a_deleted_object_can_be_brought_back(world):
    from chalicelib.config import settings

    world.rate(FILE)
    (orphan,) = orphaned(world)
    body = aws_objects.read(orphan)
    sweep(world)
    listed = aws_objects.s3().list_object_versions(Bucket=settings.bucket, Prefix=orphan)
    (marker,) = listed["DeleteMarkers"]
    aws_objects.s3().delete_object(Bucket=settings.bucket, Key=orphan, VersionId=marker["VersionId"])
    assert aws_objects.read(orphan) == body


def test_a_commit_that_races_the_sweep_loses_nothing(worlds):
    """Before every AWS call of a rating, a sweep runs from end to end."""

    world = worlds()
    world.rate(FILE)
    dropped = world.drop(csv_file(line("4"), line("5", "bob"), line("6", start="2026-08-21T12:00:00Z")))
    prefix, running = f"rated/{world.reseller_id}/", []

    def swept_before(operation: str, send: Callable[[], Any]) -> Any:
        if running:
            return send()
        running.append(True)
        # The clock is right; the sweep sees what is there, and half of it is not committed yet.
        sweep(world, 60)
        running.pop()
        return send()

    with faults.between(swept_before):
        world.rate(*dropped)
    assert objects(world) == named(world)
    assert len(list(aws_objects.objects(prefix, ""))) >= 4
    assert world.reconciled() == []


def test_what_was_replaced_within_a_day_waits_for_whoever_has_just_read_its_name(world, monkeypatch):
    from chalicelib.rating.batches import compaction

    monkeypatch.setattr(compaction, "MOST", 2)
    monkeypatch.setattr(compaction, "LEFT", 1)
    for n in range(2):
        world.rate(csv_file(line(str(n))))
    old = named(world)
    # Two weeks later a third file comes, and the day is compacted.
    later = Scope("system:test", int(time.time()) + LATER)
    compacted_by = csv_file(line("2"))
    from chalicelib.rating.batches import rate

    rate.rate_batch(later, *world.drop(compacted_by))
    assert not old & named(world)
    sweep(world, LATER + 60)
    assert old <= objects(world)
    sweep(world, LATER + nightly_sweep.QUIET_SECONDS + 60)
    assert objects(world) == named(world)


def test_an_object_of_several_clients_stays_as_long_as_one_of_them_names_it(world, monkeypatch):
    from chalicelib.rating.batches import compaction

    monkeypatch.setattr(compaction, "MOST", 2)
    monkeypatch.setattr(compaction, "LEFT", 1)
    world.rate(csv_file(line("1"), line("2", "bob")))
    (of_both,) = objects(world)
    for call in ("3", "4"):
        world.rate(csv_file(line(call)))
    alone = {segment.object_key for segment in store_segments(world, "alice")}
    assert of_both not in alone
    sweep(world)
    assert of_both in objects(world) == named(world)


def test_a_sweep_without_time_goes_on_where_it_stopped(world):
    orphans = [orphaned(world, month) for month in ("2026-07", "2026-08", "2026-09")]
    left = []
    for _ in range(4):
        turns = iter((False, True))
        swept = sweep(world, out_of_time=lambda turns=turns: next(turns, True))
        left.append(sum(bool(lost & objects(world)) for lost in orphans))
    assert left[:2] == [2, 1]
    assert left[2:] == [0, 0]
    assert swept.finished


def test_killed_anywhere_the_next_sweep_ends_the_same(worlds):
    for call in range(12):
        world = worlds()
        world.rate(FILE)
        orphaned(world)
        try:
            with faults.killed_at(call, answered=True):
                sweep(world)
        except faults.Killed:
            pass
        sweep(world)
        assert objects(world) == named(world)


def test_objects_that_nothing_here_has_written_are_left_alone(aws):

    aws_objects.write("rated/notes/readme.txt", b"hands off")
    swept = nightly_sweep.sweep(Scope("system:test", int(time.time()) + LATER), prefix="rated/notes/")
    assert (swept.left, swept.deleted) == (1, 0)
    assert aws_objects.read("rated/notes/readme.txt") == b"hands off"


def test_the_schedule_sweeps(world):
    from chalicelib.rating import events
    from local.events import scheduled_event

    world.rate(FILE)
    orphaned(world)
    events.sweep_objects(scheduled_event("sweep", datetime.fromtimestamp(int(time.time()) + LATER, UTC)), None)
    assert objects(world) == named(world)
