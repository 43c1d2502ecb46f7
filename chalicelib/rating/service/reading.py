"""The first half of a batch: every line of the file read, attributed and priced; nothing is committed here."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from chalicelib.config import settings
from chalicelib.errors import Refused
from chalicelib.rating import engine, formats, store, usage
from chalicelib.rating.engine import Line, Tables
from chalicelib.rating.records import Cut, chunks, plain_blocks
from chalicelib.rating.service import sources
from chalicelib.rating.store import Batch

PROGRESS_LINES = 20_000
"""A batch tells how far it is each time it has read so many lines more."""


@dataclass
class Reading:
    """What a file's lines came to, before anything is committed. ``parts``: by client and local month."""

    rejects: IO[bytes]
    lines: int = 0
    rejected: int = 0
    duplicates: int = 0
    parts: dict[tuple[str, str], list[Line]] = field(default_factory=dict)
    seen: dict[tuple[str, int], set[usage.CallKey]] = field(default_factory=dict)

    @property
    def rated(self) -> int:
        return self.lines - self.rejected - self.duplicates


def read_file(batch: Batch, tables: Tables, rejects: IO[bytes], tell: Callable[[Reading], None]) -> Reading:
    """Read and price the whole file; refused lines go to ``rejects`` as CSV, progress to ``tell``.

    ``Refused`` when the file is larger than this deployment takes, which is known before anything is committed.
    """
    found = store.look(batch.key, batch.version_id)
    if found is None:
        raise Refused("The file is no longer in the bucket; drop it again.")
    size, _ = found
    if size > settings.max_file_bytes:
        raise Refused(
            f"The file has {size} bytes; the limit is {settings.max_file_bytes}. Split it and drop the parts."
        )
    reading = Reading(rejects)
    text = io.TextIOWrapper(rejects, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    source = sources.reading(batch.home_country, batch.time_zone, batch.declared)
    told = 0
    for columns in _rated(batch, source, tables):
        _sort_in(reading, columns.rated)
        reading.lines += len(columns.rated) + len(columns.rejected)
        if reading.lines > settings.max_lines:
            raise Refused(f"The file has more than {settings.max_lines} lines. Split it and drop the parts.")
        if columns.rejected and not reading.rejected:
            writer.writerow(("line", "reason", "message", "original"))
        reading.rejected += len(columns.rejected)
        writer.writerows(columns.rejected)
        if reading.lines - told >= PROGRESS_LINES:
            told = reading.lines
            tell(reading)
    text.detach()
    return reading


def _rated(batch: Batch, source: formats.Source, tables: Tables) -> Iterator[engine.Columns]:
    blocks = store.blocks(batch.key, batch.version_id)
    layout = None
    for chunk in chunks(plain_blocks(blocks, batch.key, settings.max_unpacked_bytes)):
        if isinstance(chunk, Cut):
            yield engine.Columns([], [formats.rejection_of(chunk)])
            continue
        layout = layout or formats.detect(chunk, source.aliases)
        yield engine.rate(chunk, layout, source, tables)


def _sort_in(reading: Reading, lines: Iterable[Line]) -> None:
    """Put lines with their client and month; of copies within the file the first line stands."""
    for line in lines:
        client_id, key = line.call.client_id, usage.call_key(line.call)
        seen = reading.seen.setdefault((client_id, line.day), set())
        if key in seen:
            reading.duplicates += 1
            continue
        seen.add(key)
        reading.parts.setdefault((client_id, line.month), []).append(line)
