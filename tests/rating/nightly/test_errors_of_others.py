"""Functions of the night: an error of one reseller, month or batch does not keep the others from their turn, and the
function fails at the end, so that its alarm fires. S3 answers as on AWS, where a lost object may look forbidden."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faults
import pytest
from botocore.exceptions import ClientError
from builders import World, csv_file, line
from s3_as_on_aws import as_role

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.aws.transactions import Scope
from chalicelib.calls import store as call_store

BY_HAND = json.loads((Path(__file__).parents[3] / "infra" / "scheduled-event.json").read_text())


def verified(world: World) -> int:
    from chalicelib.rating.nightly.store import verified_upto

    return verified_upto(world.reseller_id)


def two(worlds: Callable[[], World]) -> tuple[World, World]:
    """Two worlds with calls, in the order in which the night checks them."""
    first, second = sorted([worlds(), worlds()], key=lambda world: world.reseller_id)
    for each in (first, second):
        each.rate(csv_file(line("1"), line("2")))
    return first, second


def lost(world: World) -> Callable[[], None]:
    """Delete one object of rated calls; returns what brings it back."""
    (segment,) = call_store.segments_of(world.clients["alice"], "0", "9")
    key, whole = segment.object_key, objects.read(segment.object_key)
    objects.delete([key])
    return lambda: objects.write(key, whole)


def test_one_lost_object_is_a_difference_of_its_reseller_and_the_others_are_verified(worlds: Any) -> None:
    from chalicelib.rating.nightly.reconcile import nightly

    harmed, other = two(worlds)
    bring_back = lost(harmed)
    with as_role("reconcile") as refused:
        found = nightly(harmed.scope, reseller_ids=[harmed.reseller_id, other.reseller_id])
    assert [one.owner_id for one in found] == [harmed.clients["alice"]]
    assert refused == []
    assert (verified(harmed), verified(other) > 0) == (0, True)
    bring_back()


@pytest.mark.parametrize("by_hand", [False, True], ids=["nightly", "one check"])
def test_after_an_error_of_one_reseller_the_others_are_verified_and_the_night_fails(worlds: Any, by_hand: bool) -> None:
    from chalicelib.rating.nightly import reconcile

    harmed, other = two(worlds)
    bring_back, both = lost(harmed), [harmed.reseller_id, other.reseller_id]
    objects_read: list[str] = []

    def watched(operation: str, send: Callable[[], Any]) -> Any:
        objects_read.extend(["read"] if operation == "GetObject" else [])
        return send()

    with (
        as_role("reconcile", without="s3:ListBucket") as refused,
        faults.between(watched),
        pytest.raises(RuntimeError, match=f"failed, after .* reseller {harmed.reseller_id}; see the log"),
    ):
        if by_hand:
            reconcile.selected(["contents"], harmed.now, both)
        else:
            reconcile.nightly(harmed.scope, reseller_ids=both)
    assert {asked.action for asked in refused} == {"s3:GetObject"}
    assert len(objects_read) > 1
    assert (verified(harmed), verified(other) > 0) == (0, not by_hand)
    bring_back()


def test_differences_are_logged_also_when_another_reseller_breaks(worlds: Any, caplog: Any) -> None:
    from chalicelib.accounts.store.owners import Client
    from chalicelib.rating.nightly.reconcile import nightly

    harmed, differing = two(worlds)
    bring_back = lost(harmed)
    client = Client.get(*Client.key(differing.reseller_id, differing.clients["alice"]))
    client.update(actions=[Client.balance_e8.set(client.balance_e8 + 1)])
    with as_role("reconcile", without="s3:ListBucket"), pytest.raises(RuntimeError, match="see the log"):
        nightly(harmed.scope, reseller_ids=[harmed.reseller_id, differing.reseller_id])
    client.update(actions=[Client.balance_e8.set(client.balance_e8 - 1)])
    assert [message for message in caplog.messages if "the books differ" in message and client.client_id in message]
    bring_back()


def test_a_month_that_cannot_be_swept_does_not_stop_the_others(world: World) -> None:
    from chalicelib.rating.nightly import sweep

    later = Scope("system:test", int(time.time()) + sweep.AGE_SECONDS + 3600)
    prefix = f"rated/{world.reseller_id}"
    for month in ("2026-06", "2026-07", "2026-08"):
        objects.write(f"{prefix}/{world.clients['alice']}/{month}/orphan.gz", b"x")
    deletions = iter(range(3))

    def breaks(operation: str, send: Callable[[], Any]) -> Any:
        if operation == "DeleteObjects" and next(deletions) == 0:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "injected"}}, operation)
        return send()

    with as_role("sweep") as refused, faults.between(breaks), pytest.raises(RuntimeError, match="2026-06"):
        sweep.sweep(later, prefix=f"{prefix}/")
    left = [key for key, _ in objects.objects(f"{prefix}/", "")]
    assert [key.split("/")[3] for key in left] == ["2026-06"]
    assert refused == []
    sweep.sweep(later, prefix=f"{prefix}/")
    assert list(objects.objects(f"{prefix}/", "")) == []


def test_a_batch_that_cannot_be_announced_does_not_stop_the_others(worlds: Any, monkeypatch: Any) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.rating.batches.store import Batch
    from chalicelib.rating.nightly import recover

    stopped = []
    for world in (worlds(), worlds()):
        dropped = world.drop(csv_file(line("1"), line("2", "bob")))
        with pytest.raises(faults.Killed), faults.killed_at(12, answered=True):
            world.rate(*dropped)
        (batch,) = Batch.under(*Batch.of_reseller(world.reseller_id))
        stopped.append((world, dropped, (world.reseller_id, batch.batch_id)))
    announced: list[Any] = []

    def announce(arrivals: Any) -> int:
        announced.extend(arrivals)
        if len(announced) == 1:
            raise ClientError({"Error": {"Code": "Throttled", "Message": "injected"}}, "SendMessageBatch")
        return 1

    monkeypatch.setattr(term_versions, "held_batches", lambda: [key for *_, key in stopped])
    monkeypatch.setattr(recover.s3_events, "announce", announce)
    later = Scope("system:test", int(time.time()) + recover.SPENT_SECONDS + 3600)
    with pytest.raises(RuntimeError, match=stopped[0][2][1]):
        recover.resume_stopped(later)
    assert announced == [dropped for _, dropped, _ in stopped]
    for world, dropped, _ in stopped:
        world.rate(*dropped)


def test_batches_that_stopped_are_looked_for_also_when_the_files_cannot_be_listed(aws: str, monkeypatch: Any) -> None:
    from chalicelib.rating import events
    from chalicelib.rating.nightly import recover

    looked: list[bool] = []
    monkeypatch.setattr(recover, "resume_stopped", lambda scope, failed: looked.append(failed) or recover.Resumed())
    with as_role("rescan", without="s3:ListBucketVersions"), pytest.raises(RuntimeError, match="files without a batch"):
        events.rescan(BY_HAND, None)
    assert looked == [False]


def test_each_function_does_its_work_with_the_rights_to_s3_that_its_policy_gives(world: World) -> None:
    from chalicelib.rating.nightly import recover, sweep
    from chalicelib.rating.nightly.reconcile import nightly

    dropped = world.drop(csv_file(line("1"), line("2"), line("3", "nobody")))
    with as_role("rescan") as of_rescan:
        assert dropped in list(recover._unrated(world.scope.now))
    with as_role("rate_dropped_files") as of_rating:
        assert world.rate(*dropped).rated == 2
    with as_role("reconcile") as of_reconcile:
        assert nightly(world.scope, reseller_ids=[world.reseller_id]) == []
    with as_role("sweep") as of_sweep:
        sweep.sweep(world.scope, prefix=f"rated/{world.reseller_id}/")
    assert of_rescan == of_rating == of_reconcile == of_sweep == []


# --- time ---------------------------------------------------------------------------------------------------------


def test_the_mark_of_what_is_verified_only_moves_forward(world: World) -> None:
    from chalicelib.rating.nightly.reconcile import nightly
    from chalicelib.rating.nightly.store import note_verified

    def night(at: int) -> None:
        assert nightly(Scope("system:test", at), reseller_ids=[world.reseller_id]) == []

    night(world.now)
    mark = verified(world)
    for earlier in (world.now - 1, periods.parse_instant(BY_HAND["time"])):
        night(earlier)
        assert verified(world) == mark
    night(world.now + 60)
    assert verified(world) == mark + 60
    # Two nights at once: the write of the later one is there before the earlier one writes.
    with faults.stopped_at(1, lambda: note_verified(world.scope, world.reseller_id, mark + 100)) as go_on:
        note_verified(world.scope, world.reseller_id, mark + 200)
        go_on()
    assert verified(world) == mark + 200


@pytest.mark.parametrize(("stage", "believed"), [("local", True), ("dev", False), ("prod", False)])
def test_the_time_of_an_event_is_believed_on_the_local_stack_only(
    aws: str, monkeypatch: pytest.MonkeyPatch, stage: str, believed: bool
) -> None:
    """By every function of the clock, and for the messages of the hourly one."""
    from chalicelib.accounts.service import fees
    from chalicelib.aws import event_time, queues
    from chalicelib.config import settings
    from chalicelib.notices import events as notices
    from chalicelib.notices.service import fanout
    from chalicelib.rating import events as rating
    from chalicelib.rating.nightly import reconcile, recover, sweep
    from chalicelib.reports import closing
    from chalicelib.reports import events as reports

    seen: dict[str, int] = {}

    def noted(name: str, result: Any) -> Callable[..., Any]:
        def note(scope: Any, *args: Any, **more: Any) -> Any:
            seen[name] = scope.now if isinstance(scope, Scope) else scope
            return result

        return note

    def send(queue: str, bodies: Any) -> int:
        seen["hourly"] = periods.parse_instant(json.loads(next(iter(bodies)))["at"])
        return 1

    event = {**BY_HAND, "time": "2030-01-01T00:00:00Z"}
    at = periods.parse_instant(event["time"])
    body = json.dumps({"reseller_id": "r", "at": event["time"]})
    message = {"body": body, "receiptHandle": "x", "attributes": {"ApproximateReceiveCount": "1"}}
    monkeypatch.setattr(event_time, "settings", dataclasses.replace(settings, stage=stage))
    monkeypatch.setattr(reports.queries, "reseller_ids", lambda: ["r"])
    monkeypatch.setattr(queues, "send", send)
    monkeypatch.setattr(reconcile, "nightly", noted("reconcile", []))
    monkeypatch.setattr(reconcile, "selected", lambda names, now: noted("checks", [])(now))
    monkeypatch.setattr(recover, "announce_unrated", noted("files", 0))
    monkeypatch.setattr(recover, "resume_stopped", noted("stopped", recover.Resumed()))
    monkeypatch.setattr(sweep, "sweep", noted("sweep", sweep.Swept()))
    monkeypatch.setattr(fees, "bill_due", noted("fees", fees.Run()))
    monkeypatch.setattr(closing, "close_due", noted("closing", closing.Closing()))
    monkeypatch.setattr(fanout, "take_all", noted("notices", 0))
    began = int(time.time())
    for run in (rating.reconcile_books, rating.rescan, rating.sweep_objects, reports.hourly, notices.send_notices):
        run(event, None)
    rating.reconcile_books({**event, "detail": {"checks": ["usage"]}}, None)
    reports.bill_and_close({"Records": [{**message, "eventSource": "aws:sqs"}]}, None)
    names = {"reconcile", "checks", "files", "stopped", "sweep", "hourly", "fees", "closing", "notices"}
    assert set(seen) == names
    if believed:
        assert set(seen.values()) == {at}
    else:
        assert all(began <= value <= time.time() for value in seen.values())
