"""Batches whose tries are killed: the last delivery of a file, giving it up, and how it is rated after all."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
import faults
import pytest
from botocore.exceptions import ClientError
from builders import World, csv_file, line, same_deck
from pynamodb.exceptions import PynamoDBException

from chalicelib.aws import objects

REFUSED = (ClientError, PynamoDBException)
LATER = 5 * 960 + 60
"""Seconds after which every delivery of a message is spent."""
FILE = csv_file(line("1"), line("2", "bob", start="2026-08-20T12:00:00Z"), line("2", "bob"), line("3", "nobody"))


def deliver(world: World, key: str, version_id: str, receives: int = 1) -> None:
    """What the queue does: call the event function with S3's message."""
    from chalicelib.config import settings
    from chalicelib.rating import events

    entity = {"bucket": {"name": settings.bucket}, "object": {"key": key, "versionId": version_id}}
    record = {"messageId": "1", "receiptHandle": "none", "body": json.dumps({"Records": [{"s3": entity}]})}
    record["attributes"] = {"ApproximateReceiveCount": str(receives)}  # type: ignore[assignment]
    events.rate_dropped_files({"Records": [record]}, None)


def rescan(world: World, after: int = LATER, **detail: Any) -> list[tuple[str, str]]:
    """Run the schedule as if it were ``after`` seconds from now; what it announced of this world."""
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.config import settings
    from chalicelib.rating import events, s3_events
    from local.events import scheduled_event

    ResellerPointer("RESELLERS", world.reseller_id).save()
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=settings.queue)["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    at = datetime.fromtimestamp(int(time.time()) + after, UTC)
    event = {**scheduled_event("rescan", at), "detail": detail}
    events.rescan(event, None)
    announced: list[Any] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        announced += [arrival for message in messages for arrival in s3_events.read(message["Body"], settings.bucket)]
    return [tuple(arrival) for arrival in announced if world.reseller_id in arrival.key]


def batch_of(world: World) -> Any:
    from chalicelib.rating.batches.store import Batch

    (batch,) = Batch.under(*Batch.of_reseller(world.reseller_id))
    return batch


def may_move(world: World) -> bool:
    from chalicelib.accounts.service import term_versions
    from chalicelib.errors import Conflict

    try:
        term_versions.next_version(term_versions.head_of(world.reseller_id), moving=True)
    except Conflict:
        return False
    return True


def killed(world: World, call: int = 12) -> tuple[str, str]:
    """A file whose last delivery is killed in the middle."""
    dropped = world.drop(FILE)
    with pytest.raises(faults.Killed), faults.killed_at(call, answered=True):
        deliver(world, *dropped, receives=5)
    return dropped


def undisturbed(worlds: Any) -> tuple[dict[str, Any], list[str]]:
    """The books after an undisturbed delivery, and its AWS calls: the second, that finds decks open."""
    for world in (worlds(), worlds()):
        dropped = world.drop(FILE)
        with faults.counted() as made:
            deliver(world, *dropped, receives=5)
        assert batch_of(world).status == "done"
    return world.books(), made


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_of_its_last_delivery_a_file_is_taken_up_by_rescan(worlds, answered):
    expected, made = undisturbed(worlds)
    for kill in faults.kills(made, answered=answered):
        world = worlds()
        dropped = world.drop(FILE)
        with pytest.raises(faults.Killed), kill():
            deliver(world, *dropped, receives=5)
        announced = rescan(world)
        assert announced == ([dropped] if world.books() != expected or not may_move(world) else [])
        for arrival in announced:
            deliver(world, *arrival)
        assert world.books() == expected, str(kill)
        assert may_move(world)


class Breaks:
    """The ``first`` AWS call (from 0) is refused in a way that nobody retries."""

    def __init__(self, first: int) -> None:
        self.first, self.made, self.broken = first, 0, False

    def __call__(self, operation: str, send: Any) -> Any:
        self.made += 1
        if self.made - 1 == self.first and not self.broken:
            self.broken = True
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "injected"}}, operation)
        return send()


def test_an_error_at_any_call_of_the_last_delivery_gives_the_batch_up_and_a_redrive_ends_it(worlds):
    expected, made = undisturbed(worlds)
    given_up = 0
    for call in range(len(made)):
        world = worlds()
        dropped = world.drop(FILE)
        with pytest.raises(REFUSED), faults.between(Breaks(call)):
            deliver(world, *dropped, receives=5)
        found = world.books()["batches"]
        if found and found[0][0] == "failed":
            given_up += 1
            assert not may_move(world)
        deliver(world, *dropped)
        assert world.books() == expected, f"broken at call {call}"
        assert may_move(world)
    assert given_up > len(made) // 2


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_while_it_gives_up_a_batch_is_taken_up_or_tried_again_on_demand(worlds, answered):
    expected, made = undisturbed(worlds)
    broken = len(made) // 2

    class BreaksThenDies(Breaks):
        def __init__(self, after: int) -> None:
            super().__init__(broken)
            self.after, self.died = after, False

        def __call__(self, operation: str, send: Any) -> Any:
            self.died = self.died or (self.broken and self.made == broken + 1 + self.after)
            if self.died and not answered:
                raise faults.Killed
            answer = super().__call__(operation, send)
            if self.died:
                raise faults.Killed
            return answer

    after = 0
    while True:
        world = worlds()
        dropped = world.drop(FILE)
        with suppress(faults.Killed, *REFUSED), faults.between(dying := BreaksThenDies(after)):
            deliver(world, *dropped, receives=5)
        if not dying.died:
            break
        assert batch_of(world).status in ("rating", "failed")
        announced = rescan(world, retry_failed=True)
        assert announced == [dropped]
        deliver(world, *announced[0])
        assert world.books() == expected, f"killed at call {after} of giving up"
        after += 1
    assert after >= 3


def test_a_batch_that_is_alive_is_left_alone(world):
    dropped = killed(world)
    assert rescan(world, 4700) == []
    assert batch_of(world).status == "rating"
    deliver(world, *dropped)
    assert rescan(world) == []


def test_a_batch_that_is_killed_again_after_it_was_announced_is_given_up_and_says_so(world):
    dropped = killed(world)
    assert rescan(world) == [dropped]
    with pytest.raises(faults.Killed), faults.killed_at(3, answered=True):
        deliver(world, *dropped, receives=5)
    assert rescan(world, LATER + 86_400) == []
    batch = batch_of(world)
    assert batch.status == "failed"
    assert "killed" in batch.reason
    assert "smaller parts" in batch.reason
    assert not may_move(world)
    # Nothing more happens by itself.
    assert rescan(world, LATER + 2 * 86_400) == []
    assert rescan(world, LATER + 2 * 86_400, retry_failed=True) == [dropped]
    deliver(world, *dropped)
    assert batch_of(world).status == "done"
    assert batch_of(world).reason is None
    assert may_move(world)


def test_a_batch_that_another_try_failed_meanwhile_is_done_without_a_reason(world):
    from chalicelib.rating.batches import lifecycle

    dropped = world.drop(FILE)
    with faults.stopped_at(25, lambda: world.rate(*dropped)) as go_on:
        lifecycle.fail_by_key(world.scope, *dropped, "the last of 5 tries broke")
        assert batch_of(world).status == "failed"
        go_on()
    assert (batch_of(world).status, batch_of(world).reason) == ("done", None)
    assert may_move(world)


def test_a_batch_tried_again_on_demand_gets_all_its_chances_again(world):
    dropped = killed(world)
    rescan(world)
    rescan(world, 2 * LATER)
    assert batch_of(world).status == "failed"
    rescan(world, 3 * LATER, retry_failed=True)
    with pytest.raises(faults.Killed), faults.killed_at(8, answered=True):
        deliver(world, *dropped)
    assert rescan(world, 4 * LATER) == [dropped]
    assert batch_of(world).status == "rating"
    deliver(world, *dropped)


def test_a_batch_whose_file_was_deleted_is_given_up_for_good_and_lets_its_owners_go(world):
    from chalicelib.config import settings

    dropped = killed(world)
    rescan(world)
    rescan(world, 2 * LATER)
    before = world.books()
    key, version_id = dropped
    objects.s3().delete_object(Bucket=settings.bucket, Key=key, VersionId=version_id)
    assert rescan(world, 3 * LATER, retry_failed=True) == [dropped]
    deliver(world, *dropped)
    assert batch_of(world).status == "failed"
    assert "no longer in the bucket" in batch_of(world).reason
    assert may_move(world)
    after = world.books()
    assert {name: after[name] for name in ("alice", "bob")} == {name: before[name] for name in ("alice", "bob")}
    # The parts that were not billed yet are billed when they are dropped again, the others are duplicates.
    again = world.rate(FILE)
    assert (again.lines, again.rejected) == (4, 1)
    assert sum(len(world.books()[f"calls of {name}"]) for name in ("alice", "bob")) == 3


def test_a_deck_whose_every_try_was_killed_is_announced_again(aws, world):
    from chalicelib.config import settings
    from chalicelib.rating.decks import publish
    from chalicelib.rating.nightly.recover import _unrated

    key = f"incoming/decks/value/2031-01-01-{world.reseller_id}.csv"
    body = same_deck("value", "2031-01-01")
    version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=body)["VersionId"]
    with pytest.raises(faults.Killed), faults.killed_at(5, answered=False):
        publish.publish(world.scope, key, version)
    assert (key, version) not in list(_unrated(world.scope.now + 60))
    assert (key, version) in list(_unrated(world.scope.now + LATER))
    assert publish.publish(world.scope, key, version).status == "published"
    assert (key, version) not in list(_unrated(world.scope.now + LATER))
