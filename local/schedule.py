"""Run a schedule of a running stack now, with a date to pretend."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import provision
from local.events import scheduled_event
from local.folder import Folder, Running

_TIMEOUT_SECONDS = 900
_LOOK_SECONDS = 0.05
_COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ScheduleFailed(Exception):
    """The scheduled function raised; the message is its error."""


def run(running: Running, name: str, at: datetime) -> Any:
    """Invoke the schedule ``name`` as if it were ``at`` (aware UTC); what it returns, or ``ScheduleFailed``.

    One that puts its work on a queue answers with the queue's name: then this waits until the work is done.
    """
    dead = messages(running)
    request = urllib.request.Request(
        running.invoke_url + name, data=json.dumps(scheduled_event(name, at)).encode(), method="POST"
    )
    try:
        with _direct.open(request, timeout=_TIMEOUT_SECONDS) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
        raise ScheduleFailed(answer.get("errorMessage") or answer.get("detail")) from None
    if isinstance(answer, dict) and "queue" in answer:
        _wait_for(running, answer["queue"], dead)
    return answer


def _wait_for(running: Running, queue: str, dead: dict[str, int]) -> None:
    """Until a queue is worked off; ``ScheduleFailed`` when messages of it died on the way, or it takes too long."""
    waiting_until = time.monotonic() + _TIMEOUT_SECONDS
    while messages(running)[queue]:
        if time.monotonic() > waiting_until:
            raise ScheduleFailed(f"the queue {queue} is not worked off after {_TIMEOUT_SECONDS} s")
        time.sleep(_LOOK_SECONDS)
    died = messages(running)[f"{queue}-dead"] - dead.get(f"{queue}-dead", 0)
    if died > 0:
        raise ScheduleFailed(f"{died} messages of {queue} failed every time; the stack's log says why")


def messages(running: Running) -> dict[str, int]:
    """How many messages each queue holds, those that are being worked on included."""
    sqs = provision.client_maker(running.aws_endpoint)("sqs")
    found = {}
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTS)["Attributes"]
        found[url.rpartition("/")[2]] = sum(int(attributes[name]) for name in _COUNTS)
    return found


def command(state: Path, name: str, at: str | None) -> None:
    """The command line's way: finds the stack by its state folder and prints what the schedule returned."""
    running = Folder(state).running() if state.is_dir() else None
    if running is None:
        raise SystemExit(f"no stack runs on {state}; start one with `make serve`, or set FORFAIT_STATE")
    if name not in running.schedules:
        raise SystemExit(f"no schedule {name!r}; there are: {', '.join(sorted(running.schedules))}")
    try:
        answer = run(running, name, _instant(at))
    except ScheduleFailed as failure:
        raise SystemExit(f"{name} failed: {failure}") from None
    except urllib.error.URLError:
        raise SystemExit(f"the stack on {state} is gone; start it again with `make serve`") from None
    print("done" if answer is None else json.dumps(answer))


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SystemExit(f"--at must be an instant as 2026-12-03T05:00:00Z, not {text!r}") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
