"""Run a schedule of a running stack now, with a date to pretend."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.events import scheduled_event
from local.folder import Folder, Running

_TIMEOUT_SECONDS = 900
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ScheduleFailed(Exception):
    """The scheduled function raised; the message is its error."""


def run(running: Running, name: str, at: datetime) -> Any:
    """Invoke the schedule ``name`` as if it were ``at`` (aware UTC); what it returns, or ``ScheduleFailed``."""
    request = urllib.request.Request(
        running.invoke_url + name, data=json.dumps(scheduled_event(name, at)).encode(), method="POST"
    )
    try:
        with _direct.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
        raise ScheduleFailed(answer.get("errorMessage") or answer.get("detail")) from None


def command(state: Path, name: str, at: str | None) -> None:
    """The command line's way: finds the stack by its state folder and prints what the schedule returned."""
    running = Folder(state).running() if state.is_dir() else None
    if running is None:
        raise SystemExit(f"no stack runs on {state}; start one with `make serve`, or set FORFAIT_STATE")
    if name not in running.schedules:
        raise SystemExit(f"no schedule {name!r}; there are: {', '.join(sorted(running.schedules))}")
    try:
        print(json.dumps(run(running, name, _instant(at))))
    except ScheduleFailed as failure:
        raise SystemExit(f"{name} failed: {failure}") from None
    except urllib.error.URLError:
        raise SystemExit(f"the stack on {state} is gone; start it again with `make serve`") from None


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SystemExit(f"--at must be an instant as 2026-12-03T05:00:00Z, not {text!r}") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
