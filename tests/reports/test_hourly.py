"""The two functions of the hour, called as Lambda calls them, with their queue in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hourly_work
import pytest
from fee_world import FeeWorld
from hourly_work import record

from chalicelib import periods

TORONTO = periods.calendar("America/Toronto")


@pytest.fixture
def queue(aws: str) -> Iterator[Any]:
    """Takes all messages off the hourly queue."""
    with hourly_work.queue(aws) as take:
        yield take


def scheduled(at: int) -> dict[str, Any]:
    from datetime import UTC, datetime

    from local.events import scheduled_event

    return scheduled_event("hourly", datetime.fromtimestamp(at, UTC))


def test_every_reseller_gets_one_message_with_the_hour_in_it(queue: Any) -> None:
    from chalicelib.accounts.ledger import queries
    from chalicelib.reports import events

    at = periods.parse_instant("2030-05-01T04:00:00Z")
    worlds = [FeeWorld("America/Toronto", at - 1) for _ in range(12)]
    answer = events.hourly(scheduled(at), None)
    messages = [json.loads(message["Body"]) for message in queue()]
    assert answer["messages"] == len(messages) == len(queries.reseller_ids())
    assert {each["at"] for each in messages} == {"2030-05-01T04:00:00Z"}
    assert {world.reseller_id for world in worlds} <= {each["reseller_id"] for each in messages}


def due_world() -> FeeWorld:
    world = FeeWorld("America/Toronto", TORONTO.day_start("2030-04-01"))
    world.package("gold")
    world.client("acme")
    for name in ("a", "b"):
        world.subaccount(name, "acme", "gold", "2030-04-30")
    return world


def message_of(world: FeeWorld) -> str:
    return json.dumps({"reseller_id": world.reseller_id, "at": "2030-04-30T04:00:00Z"})


def test_the_message_bills_what_is_due_at_its_hour(queue: Any) -> None:
    from chalicelib.reports import events

    world = due_world()
    for _ in range(2):
        events.bill_and_close(record(message_of(world)), None)
    assert world.billed("acme") == [("2030-04-30", 1000)] * 2


def test_work_that_takes_too_long_is_passed_on(queue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.reports import events

    world = due_world()
    monkeypatch.setattr(events, "WORK_SECONDS", 0)
    events.bill_and_close(record(message_of(world)), None)
    assert len(world.billed("acme")) == 1
    (left,) = queue()
    assert left["Body"] == message_of(world)
    monkeypatch.undo()
    events.bill_and_close(record(left["Body"]), None)
    assert len(world.billed("acme")) == 2
    assert queue() == []


def test_what_cannot_be_billed_fails_the_message_after_the_rest(queue: Any) -> None:
    from chalicelib.accounts.store.terms import Assignment
    from chalicelib.reports import events

    world = due_world()
    (broken,) = Assignment.under(*Assignment.of_holder(world.reseller_id, Assignment.holder_of_account("a")))
    broken.update([Assignment.client_id.set("")])
    with pytest.raises(RuntimeError, match="1 fees of reseller"):
        events.bill_and_close(record(message_of(world)), None)
    assert world.billed("acme") == [("2030-04-30", 1000)]
    assert queue() == []
