"""The state folder: who uses it, its secrets, and where its running stack listens.

::

    aws.state       the emulated AWS but for objects (see ``snapshot``)
    journal.<n>     what has changed since (see ``journal``)
    s3/             the objects
    parts/          the parts of unfinished uploads
    secrets.json    operator key and signing key, made once
    running.json    address of the stack that runs now, with the token of its invoke server
    lock            held by that stack: two stacks on one folder would overwrite each other
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Running:
    """Where a stack listens; ``invoke_url`` ends with ``/`` and is completed by the name of a function.

    ``schedules`` are the names of the functions that run on a schedule.
    """

    pid: int
    url: str
    aws_endpoint: str
    invoke_url: str
    operator_key: str
    signing_key: str
    paypal_url: str
    schedules: list[str]


def write_private(path: Path, data: bytes) -> None:
    """Replace a file as a whole, readable by its owner only; a power cut leaves the old or the new one."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


class Folder:
    """A state folder on disk, made on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock: IO[str] | None = None

    @property
    def aws_state(self) -> Path:
        return self.path / "aws.state"

    @property
    def objects(self) -> Path:
        return self.path / "s3"

    @property
    def log(self) -> Path:
        return self.path / "stack.log"

    def lock(self) -> None:
        """Claim the folder for this process until it ends, however it ends; ``SystemExit`` when another has it."""
        self._lock = open(self.path / "lock", "a", encoding="ascii")  # noqa: SIM115 - held for the process's life
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise SystemExit(
                f"another stack uses {self.path}; stop it, or set FORFAIT_STATE to another folder"
            ) from None

    def empty(self) -> None:
        """Remove what an earlier stack left here; ``SystemExit`` while one runs."""
        self.lock()
        for left in self.path.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != "lock":
                left.unlink()
        assert self._lock is not None
        self._lock.close()

    def keys(self, environ: Mapping[str, str]) -> tuple[str, str]:
        """Operator key and signing key: from the environment where given, else kept here, made once at random."""
        path = self.path / "secrets.json"
        kept = json.loads(path.read_bytes()) if path.exists() else {}
        made = {
            "operator_key": kept.get("operator_key") or "fo_" + secrets.token_urlsafe(32),
            "signing_key": kept.get("signing_key") or secrets.token_urlsafe(32),
        }
        if made != kept:
            write_private(path, json.dumps(made, indent=2).encode())
        return (
            environ.get("FORFAIT_OPERATOR_KEY") or made["operator_key"],
            environ.get("FORFAIT_SIGNING_KEY") or made["signing_key"],
        )

    def announce(self, running: Running) -> None:
        """Tell commands of this folder where the stack listens."""
        write_private(self.path / "running.json", json.dumps(asdict(running), indent=2).encode())

    def withdraw(self) -> None:
        """Nothing runs here any more."""
        (self.path / "running.json").unlink(missing_ok=True)

    def running(self) -> Running | None:
        """The stack announced here, ``None`` when there is none; after a ``kill -9`` it may be gone."""
        try:
            return Running(**json.loads((self.path / "running.json").read_bytes()))
        except FileNotFoundError:
            return None
