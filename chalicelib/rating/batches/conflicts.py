"""Conflicting duplicates: kept by each commit, listed with their lines when the batch ends.

A client-month writes its own (``duplicates.CONFLICT``) into an object before it is committed, and its marker names that
object. So the list depends on the commits alone, and every try writes the same one. The text of a line is read from the
file again: only a batch that has conflicting lines pays for that.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.aws.multipart import Growing
from chalicelib.aws.transactions import new_id
from chalicelib.calls.format import DISPOSITIONS
from chalicelib.calls.identity import COMPARED
from chalicelib.csv_cells import inert
from chalicelib.rating.batches import sources
from chalicelib.rating.batches.column_file import ColumnFile, Extent, full_disk_refused
from chalicelib.rating.batches.duplicates import CONFLICT
from chalicelib.rating.batches.read import chunks_of
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.records import Cut, records
from chalicelib.rating.engine.vector.words import line_feeds

COLUMNS = (
    "line",
    "original",
    "differs",
    "billed_batch_id",
    "billed_line",
    "billed_start",
    "billed_disposition",
    "billed_to",
    "billed_seconds",
)
"""Of the list. ``differs``: words of ``identity.COMPARED``; ``billed_...``: the call that was billed instead."""

_AT_ONCE = 50_000
"""Lines of the file whose conflicts are in memory at a time, and conflicts that are read at a time: some 6 MB."""

Conflicts = NDArray[Any]
"""An array of ``CONFLICT``."""


class ConflictsOfClient:
    """The conflicting lines of one client-month: how many, and the key of their object, ``None`` without any."""

    def __init__(self) -> None:
        self.count = 0
        self.key: str | None = None
        self._object: Growing | None = None

    def add(self, found: Conflicts) -> None:
        if self._object is None:
            self._object = Growing(f"rejected/conflicts/{new_id()}", "application/octet-stream", objects.PART_BYTES)
        self._object.add(found.tobytes())
        self.count += len(found)

    def close(self) -> None:
        """Complete the object, so that a marker may name it."""
        if self._object:
            self._object.close()
            self.key = self._object.key


def write(batch: Batch, parts: Sequence[tuple[str, int]], column_file: ColumnFile, file: IO[bytes]) -> None:
    """Write the list as CSV, in the order of the lines. ``parts``: key and count of each ``ConflictsOfClient``."""
    by_line = _ByLine(column_file)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    with column_file.temporarily(), full_disk_refused():
        for key, count in parts:
            for some in _read(key, count):
                by_line.add(some)
        writer.writerow(COLUMNS)
        for original, conflict in _with_text(batch, by_line):
            writer.writerow(map(inert, _row(batch, original, conflict)))
    text.detach()


def _read(key: str, count: int) -> Iterator[Conflicts]:
    size = CONFLICT.itemsize
    for first in range(0, count, _AT_ONCE):
        data = objects.read(key, first * size, min(_AT_ONCE, count - first) * size)
        yield np.frombuffer(data, CONFLICT)


class _ByLine:
    """Conflicts in any order -> those of a stretch of the file."""

    def __init__(self, column_file: ColumnFile) -> None:
        self._file = column_file
        self._extents: dict[int, list[Extent]] = {}

    def add(self, found: Conflicts) -> None:
        found = found[np.argsort(found["line"], kind="stable")]
        stretch = found["line"] // _AT_ONCE
        columns = self._file.append([found])
        numbers, firsts = np.unique(stretch, return_index=True)
        for number, first, last in zip(numbers.tolist(), firsts, [*firsts[1:], len(found)], strict=True):
            self._extents.setdefault(number, []).append(Extent(columns, int(first), int(last)))

    def between(self, first: int, last: int) -> dict[int, Any]:
        """The conflicts of the lines ``first`` to ``last``, by line."""
        found = dict[int, Any]()
        for number in range(first // _AT_ONCE, last // _AT_ONCE + 1):
            for extent in self._extents.get(number, ()):
                [some] = self._file.read(extent)
                low, high = np.searchsorted(some["line"], (first, last + 1))
                found.update((int(each["line"]), each) for each in some[low:high])
        return found


def _with_text(batch: Batch, by_line: _ByLine) -> Iterator[tuple[str, Any]]:
    """The text of each conflicting line, with its conflict."""
    source = sources.reading(batch.dial_plan, batch.zones, batch.declared)
    blocks = objects.blocks(batch.object_key, batch.version_id)
    for layout, chunk in formats.laid_out(chunks_of(batch, blocks), source):
        if isinstance(chunk, Cut):
            return
        wanted = by_line.between(chunk.first_line, chunk.first_line + line_feeds(chunk.data))
        for record in records(chunk, layout.delimiter) if wanted else ():
            if record.line in wanted:
                yield record.raw, wanted[record.line]


def _row(batch: Batch, original: str, conflict: Any) -> list[object]:
    differs = [word for place, word in enumerate(COMPARED) if conflict["differs"] >> place & 1]
    return [
        int(conflict["line"]),
        original,
        " ".join(differs),
        conflict["batch_id"].decode() or batch.batch_id,
        int(conflict["billed_line"]),
        periods.format_instant(int(conflict["start"])),
        DISPOSITIONS[conflict["code"] >> 1],
        conflict["called"].decode(),
        int(conflict["seconds"]),
    ]
