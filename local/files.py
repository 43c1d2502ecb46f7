"""Files of objects, changed together: all that one request changes, and not before its record is in the journal.

New contents are written beside their file first. The record says which of them take their file's place and which files
go; then that is done. After a crash in between it is done at the next start (``redo``), so no object has the bytes of
one version and the version id of another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from local.journal import Effect, sync

_NEW = re.compile(r"\.[0-9]+-[0-9]+\.tmp$")
"""The end of a new content's name; ministack stores no object under a name that ends with ``.tmp``."""


class Files:
    """Changes below ``folder``. ``generation`` makes names of new contents unique; ``fsync`` puts them on the disk."""

    def __init__(self, folder: Path, generation: int, fsync: bool = False) -> None:
        self._root = os.path.realpath(folder) + os.sep
        self._generation, self._fsync, self._count = generation, fsync, 0
        self._due: list[Effect] = []
        self._failed: OSError | None = None
        self._parts = self._root + "parts"
        os.makedirs(self._parts, mode=0o700, exist_ok=True)

    def write(self, path: str, data: bytes | str, *, text: bool = False) -> None:
        """Have a file replaced at the end of this request; ``text`` is there because ministack says it."""
        self._count += 1
        new = f"{path}.{self._generation}-{self._count}.tmp"
        try:
            self._write(new, data.encode() if isinstance(data, str) else data)
        except OSError as problem:
            # ministack would log it and answer that all is well.
            self._failed = problem
            raise
        self._due.append(["file", self._inside(path), self._inside(new)])

    def _write(self, path: str, data: bytes) -> None:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            if self._fsync:
                file.flush()
                os.fsync(file.fileno())
        if self._fsync:
            sync(Path(path).parent)

    def remove(self, path: str) -> None:
        """Have a file removed at the end of this request, if it is there."""
        name = self._inside(path)
        if os.path.isfile(path) or any(name == due for _, due, _ in self._due):
            self._due.append(["file", name, None])

    def remove_with_sidecar(self, path: str | None) -> None:
        """Have an object's file and the file of its attributes removed."""
        if path:
            self.remove(path)
            self.remove(f"{path}.meta.json")

    def part(self, upload: str, number: int) -> str:
        """The file of a part of an unfinished upload."""
        return f"{self._parts}{os.sep}{upload}.{number}"

    def read_part(self, upload: str, number: int) -> bytes | None:
        """The bytes of a part, ``None`` when there is no file of it."""
        path = Path(self.part(upload, number))
        return path.read_bytes() if path.exists() else None

    def keep_parts_of(self, uploads: set[str]) -> None:
        """Remove the parts of all other uploads."""
        for path in Path(self._parts).iterdir():
            if path.name.partition(".")[0] not in uploads:
                path.unlink()

    def taken(self) -> list[Effect]:
        """The changes that are due, for the record and for ``carry_out``; ``OSError`` when one cannot be made."""
        due, failed = self._due, self._failed
        self._due, self._failed = [], None
        if failed:
            raise failed
        return due

    def carry_out(self, changes: Iterable[Effect]) -> None:
        """Make them."""
        for _, path, new in changes:
            if new is None:
                Path(self._root + path).unlink(missing_ok=True)
            else:
                os.replace(self._root + new, self._root + path)

    def redo(self, records: Iterable[list[Effect]]) -> None:
        """Make the changes of records that a crash may have kept from being made. Before ministack reads the files."""
        changes = (effect for effects in records for effect in effects if effect[0] == "file")
        last = {path: new for _, path, new in changes}
        for path, new in last.items():
            # A new content that is not there has taken its file's place already.
            if new is None or os.path.exists(self._root + new):
                self.carry_out([["file", path, new]])
        for folder, _, names in os.walk(self._root):
            for name in filter(_NEW.search, names):
                os.unlink(os.path.join(folder, name))

    def _inside(self, path: str) -> str:
        return path.removeprefix(self._root)
