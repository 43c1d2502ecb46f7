"""The emulated AWS on disk.

ministack saves its state only at a clean stop, one file per service. Here one file holds tables, buckets' settings and
queues as they were at one moment, and it is replaced as a whole: after ``kill -9`` a message that the saved queue has
lost is one whose work the saved table has. Functions, mappings and rules are not in it, as every start provisions
them. Objects are not in it either: ministack writes them when they come.

The first line is a header, then comes one line of JSON per service.
"""

from __future__ import annotations

import importlib
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.folder import write_private

_log = logging.getLogger(__name__)
_SERVICES = ("dynamodb", "s3", "sqs")
_FORMAT = 1


def _service(name: str) -> Any:
    """ministack's module of a service; imported late, because ministack reads its settings at import."""
    return importlib.import_module("ministack.app")._get_module(name)


def _json(state: Any) -> str:
    return json.dumps(state, default=importlib.import_module("ministack.core.persistence")._json_default)


def _dump(name: str) -> str:
    """One service's state as a line of JSON, taken while no request can change it.

    Runs on the emulator's loop, where all requests run. The locks keep out its threads (expiry, event mappings).
    """
    module = _service(name)
    if name == "dynamodb":
        with module._lock:
            # ministack copies the tables so that it can serialise them later. Here they are serialised at once, and
            # the copy would cost ten times what the serialising does.
            copying = module.copy
            module.copy = SimpleNamespace(deepcopy=lambda value: value)
            try:
                return _json(module.get_state())
            finally:
                module.copy = copying
    if name == "sqs":
        with module._queues_lock:
            return _json(module.get_state())
    return _json(module.get_state())


def take(aws_port: int) -> bytes:
    """The whole state; to be called on the emulator's loop."""
    header = {"format": _FORMAT, "aws_port": aws_port, "services": _SERVICES}
    return "\n".join([json.dumps(header), *map(_dump, _SERVICES), ""]).encode()


def saved_port(path: Path) -> int:
    """The port at which the saved AWS was reached, 0 when nothing was saved."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return int(json.loads(file.readline())["aws_port"])


def restore(path: Path, aws_port: int) -> None:
    """Put a saved state into ministack; to be called before it serves. ``SystemExit`` when the file is not ours."""
    if not path.exists():
        return
    header, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    about = json.loads(header)
    if about.get("format") != _FORMAT or len(lines) != len(_SERVICES):
        raise SystemExit(f"{path} was written by another version of the local stack; move its folder away")
    hook = importlib.import_module("ministack.core.persistence")._json_object_hook
    for name, line in zip(_SERVICES, lines, strict=True):
        if name == "sqs":
            # Queues are known by URL, and the URL has the port.
            line = line.replace(f"http://localhost:{about['aws_port']}/", f"http://localhost:{aws_port}/")
        _service(name).load_persisted_state(json.loads(line, object_hook=hook))
    _release(_service("sqs"))


def _release(sqs: Any) -> None:
    """Messages in flight become visible: the functions that were working on them ended with the last stack."""
    for queue in sqs._queues.all_values():
        for message in queue["messages"]:
            if message.get("receive_count"):
                message["visible_at"] = 0


class Saver(threading.Thread):
    """Saves when something changed: half a second after the last change, or three seconds after the first.

    Saving a big state takes a while, in which the emulator answers no request; so the pause between two saves is at
    least ten times as long as the last save.
    """

    QUIET, LATEST, PAUSES = 0.5, 3.0, 10

    def __init__(self, path: Path, take_state: Callable[[], bytes]) -> None:
        super().__init__(name="saver", daemon=True)
        self._path, self._take = path, take_state
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._saving = threading.Lock()
        self._first = self._last = self._not_before = 0.0

    def touch(self) -> None:
        """Something changed. Cheap: called for every write."""
        self._last = time.monotonic()
        if not self._changed.is_set():
            self._first = self._last
            self._changed.set()

    def run(self) -> None:
        while self._changed.wait() and not self._ended.wait(0.1):
            now = time.monotonic()
            if now < self._not_before or (now - self._last < self.QUIET and now - self._first < self.LATEST):
                continue
            try:
                self.save()
            except Exception:
                _log.exception("the state could not be saved; trying again")
                self.touch()
            self._not_before = time.monotonic() + self.PAUSES * (time.monotonic() - now)

    def save(self) -> None:
        """Save now."""
        with self._saving:
            # Before the state is taken: a change that comes meanwhile counts as new.
            self._changed.clear()
            write_private(self._path, self._take())

    def end(self) -> None:
        """Save for the last time, if there is something to save."""
        self._ended.set()
        if self._changed.is_set():
            self.save()
        self._changed.set()
