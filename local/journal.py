"""The journal: what has changed in the emulated AWS since its last snapshot, in files to which lines are appended.

A line is a record: a checksum and, as JSON, everything that one request changed. The last record of a process that was
killed may be torn; it was not answered, and reading ends before it. Each snapshot begins a new file
(``journal.<generation>``) and says its generation, so a record is never applied to a snapshot that has it already.

With ``fsync`` a record is on the disk, and not only in the system's memory, before it counts as durable. A killed
process needs no fsync: what it wrote is the system's. Only a power cut or a crash of the system takes that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)
_NAME = "journal."

Effect = list[Any]
"""One change: its kind, then what ``recorder`` needs to make it again."""


class Journal:
    """The open journal of ``folder``; appending is for one thread at a time, ``durable`` for the emulator's loop.

    ``size``: bytes of the current file.
    """

    def __init__(self, folder: Path, generation: int, fsync: bool = False) -> None:
        self._folder, self._fsync, self.generation = folder, fsync, generation
        self._written = self._synced = 0
        self._syncing = asyncio.Lock()
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(self._folder / f"{_NAME}{self.generation}", flags, 0o600)
        self.size = 0
        if self._fsync:
            sync(self._folder)

    def append(self, effects: list[Effect], at_once: bool = False) -> None:
        """Write one record; ``OSError`` when it cannot be written, and then none of it is in the journal.

        ``at_once``: with fsync, it is on the disk when this returns.
        """
        text = json.dumps(effects, separators=(",", ":"), default=_refuse).encode()
        line = memoryview(b"%08x %s\n" % (zlib.crc32(text), text))
        done = 0
        try:
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError:
            # Half a record would hide those behind it.
            os.ftruncate(self._file, self.size)
            raise
        self.size += done
        self._written += 1
        if at_once and self._fsync:
            os.fsync(self._file)
            self._synced = self._written

    async def durable(self) -> None:
        """Return when every record appended so far is durable; those that wait together share one fsync."""
        mine = self._written
        while self._fsync and self._synced < mine:
            async with self._syncing:
                if self._synced < mine:
                    written, file = self._written, os.dup(self._file)
                    try:
                        await asyncio.get_running_loop().run_in_executor(None, os.fsync, file)
                    finally:
                        os.close(file)
                    self._synced = max(self._synced, written)

    def rotate(self) -> int:
        """Go on in a new file; its generation."""
        if self._fsync:
            os.fsync(self._file)
            self._synced = self._written
        os.close(self._file)
        self.generation += 1
        self._open()
        return self.generation

    def forget(self, generation: int) -> None:
        """Remove the files before ``generation``: a snapshot has what is in them."""
        if self._fsync:
            # Objects were renamed without fsync, and these records could have repeated that.
            os.sync()
        for number, path in _files(self._folder):
            if number < generation:
                path.unlink()

    def close(self) -> None:
        """Append no more."""
        os.close(self._file)


def read(folder: Path, generation: int) -> Iterator[list[Effect]]:
    """The records of every file from ``generation`` on, oldest first; each file up to its torn end."""
    for number, path in _files(folder):
        if number >= generation:
            yield from _records(path)


def next_generation(folder: Path, generation: int) -> int:
    """A generation that is later than every file and not before ``generation``."""
    return max([generation, *(number + 1 for number, _ in _files(folder))])


def _files(folder: Path) -> list[tuple[int, Path]]:
    names = (path.name.removeprefix(_NAME) for path in folder.glob(f"{_NAME}*"))
    return [(number, folder / f"{_NAME}{number}") for number in sorted(int(name) for name in names if name.isdigit())]


def _records(path: Path) -> Iterator[list[Effect]]:
    at = 0
    with path.open("rb") as file:
        for line in file:
            checksum, _, text = line.removesuffix(b"\n").partition(b" ")
            if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
                _log.warning("%s ends at byte %d, in a record that was not answered", path, at)
                return
            at += len(line)
            yield json.loads(text)


def sync(path: Path) -> None:
    """fsync of a folder: the names in it are on the disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} cannot be in the journal")
