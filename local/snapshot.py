"""The emulated AWS on disk: a snapshot, and the journal of what has changed since.

ministack saves its state only at a clean stop, one file per service. Here one file holds tables, buckets' settings and
queues as they were at one moment, and it is replaced as a whole. Functions, mappings and rules are not in it, as every
start provisions them. Objects are not in it either: their files are written when they come (``files``).

The first line is a header, then comes one line of JSON per service. The header has the generation of the first file of
the journal that is not in the snapshot.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from local import journal
from local.files import Files
from local.folder import Folder, write_private
from local.journal import Journal
from local.object_records import watch_objects
from local.queue_records import watch_queues
from local.recorder import Recorder, service, watch_tables, without
from local.replay import replay, restore_token

_log = logging.getLogger(__name__)
_SERVICES = ("dynamodb", "s3", "sqs")
_FORMAT = 2
_TOKEN_SECONDS = 60
"""How long a client that got no answer may repeat a transaction after a restart. The journal has the younger ones."""
_UPLOAD_SECONDS = 7 * 86_400
"""An unfinished upload is forgotten so long after it began, as a rule of the bucket says on AWS."""


def _json(state: Any) -> str:
    return json.dumps(state, default=importlib.import_module("ministack.core.persistence")._json_default)


def _dump(name: str) -> str:
    """One service's state as a line of JSON."""
    module = service(name)
    if name != "dynamodb":
        return _json(module.get_state())
    # ministack copies the tables so that it can serialise them later. Here they are serialised at once, and the copy
    # would cost ten times what the serialising does.
    copying = module.copy
    module.copy = SimpleNamespace(deepcopy=lambda value: value)
    try:
        return _json(module.get_state())
    finally:
        module.copy = copying


def _tokens() -> list[Any]:
    since = time.time() - _TOKEN_SECONDS
    return [
        [*scope, without(entry, "signature")]
        for scope, entry in service("dynamodb")._txn_idempotency._data.items()
        if entry["completed_at"] > since
    ]


def _uploads() -> list[Any]:
    return [
        [*scope, {**upload, "parts": {number: without(part, "body") for number, part in upload["parts"].items()}}]
        for scope, upload in service("s3")._multipart_uploads._data.items()
    ]


class Snapshot(NamedTuple):
    """A state as bytes; the journal of ``generation`` begins behind it; ``unrecorded`` as the recorder counts."""

    data: bytes
    generation: int
    unrecorded: int


def take(recorder: Recorder, aws_port: int) -> Snapshot:
    """The state now; to be called on the emulator's loop."""
    with recorder.lock:
        generation = recorder.journal.rotate()
        header = {
            "format": _FORMAT,
            "aws_port": aws_port,
            "services": _SERVICES,
            "journal": generation,
            "in_flight": sorted(recorder.in_flight),
            "tokens": _tokens(),
            "uploads": _uploads(),
        }
        data = "\n".join([_json(header), *map(_dump, _SERVICES), ""]).encode()
        return Snapshot(data, generation, recorder.unrecorded)


def saved_port(path: Path) -> int:
    """The port at which the saved AWS was reached, 0 when nothing was saved."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return int(json.loads(file.readline())["aws_port"])


def restore(folder: Folder, aws_port: int, fsync: bool, stopping: Callable[[], bool]) -> Recorder:
    """Put the saved state into ministack, with what its journal says, and record changes from now on.

    To be called before it serves. ``SystemExit`` when the file is not ours.
    """
    header, lines = _read(folder.aws_state)
    generation = journal.next_generation(folder.path, header["journal"])
    files = Files(folder.path, generation, fsync)
    records = list(journal.read(folder.path, header["journal"]))
    files.redo(records)
    hook = importlib.import_module("ministack.core.persistence")._json_object_hook
    for name, line in zip(_SERVICES, lines, strict=False):
        if name == "sqs":
            # Queues are known by URL, and the URL has the port.
            line = line.replace(f"http://localhost:{header['aws_port']}/", f"http://localhost:{aws_port}/")
        service(name).load_persisted_state(json.loads(line, object_hook=hook))
    _release(set(header["in_flight"]))
    for account, region, token, entry in header["tokens"]:
        restore_token(account, region, token, entry)
    service("s3")._multipart_uploads._data.update(_unfinished(header["uploads"]))
    replay(records, files)
    recorder = Recorder(Journal(folder.path, generation, fsync), files)
    watch_tables(recorder)
    watch_queues(recorder, stopping)
    watch_objects(recorder)
    return recorder


def _read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The header of a snapshot and its lines; those of nothing when there is none."""
    if not path.exists():
        return {"journal": 0, "in_flight": [], "tokens": [], "uploads": []}, []
    first, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    header: dict[str, Any] = json.loads(first)
    if header.get("format") != _FORMAT or len(lines) != len(_SERVICES):
        raise SystemExit(f"{path} was written by another version of the local stack; move its folder away")
    return header, lines


def _release(in_flight: set[str]) -> None:
    """Messages that functions were working on become visible, and that try does not count: it ended with the stack."""
    for queue in service("sqs")._queues.all_values():
        for message in queue["messages"]:
            if message["id"] in in_flight:
                message["visible_at"] = 0
                message["receive_count"] -= 1


def _unfinished(uploads: list[Any]) -> dict[Any, Any]:
    oldest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - _UPLOAD_SECONDS))
    return {
        (account, upload): {**about, "parts": {int(number): part for number, part in about["parts"].items()}}
        for account, upload, about in uploads
        if about["created"] > oldest
    }


class Saver(threading.Thread):
    """Takes snapshots: three seconds after the last change, or thirty after the first, or when the journal is big.

    Nothing is lost without them; they keep the journal, and so the next start, short. Taking a big one takes a while,
    in which the emulator answers no request; so the pause between two is at least ten times as long as the last took.
    """

    QUIET, LATEST, PAUSES, BIG_BYTES = 3.0, 30.0, 10, 64 << 20

    def __init__(self, path: Path, recorder: Recorder, take_state: Callable[[], Snapshot]) -> None:
        super().__init__(name="saver", daemon=True)
        self._path, self._recorder, self._take = path, recorder, take_state
        self._saved = 0
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
            if now < self._not_before or not self._is_due(now):
                continue
            try:
                self.save()
            except Exception:
                _log.exception("no snapshot could be taken; trying again")
                self.touch()
            self._not_before = time.monotonic() + self.PAUSES * (time.monotonic() - now)

    def _is_due(self, now: float) -> bool:
        quiet, late = now - self._last >= self.QUIET, now - self._first >= self.LATEST
        return quiet or late or self._recorder.journal.size >= self.BIG_BYTES

    def save(self) -> None:
        """Take a snapshot now."""
        with self._saving:
            # Before the state is taken: a change that comes meanwhile counts as new.
            self._changed.clear()
            snapshot = self._take()
            write_private(self._path, snapshot.data)
            self._saved = snapshot.unrecorded
            self._recorder.journal.forget(snapshot.generation)

    async def settled(self) -> None:
        """Return when everything that has changed so far is kept; on the emulator's loop, before each answer."""
        mine = self._recorder.unrecorded
        while self._saved < mine:
            await asyncio.get_running_loop().run_in_executor(None, self.save)
        await self._recorder.journal.durable()

    def end(self) -> None:
        """Take the last snapshot, if there is something new in it."""
        self._ended.set()
        if self._changed.is_set():
            self.save()
        self._changed.set()
