"""The first half of a batch: reads every line of the file, finds who pays for it, and prices it; commits nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from chalicelib.aws import objects
from chalicelib.config import settings
from chalicelib.errors import Refused
from chalicelib.rating.batches import sources
from chalicelib.rating.batches.column_file import full_disk_refused
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.records import Cut, chunks, plain_blocks
from chalicelib.rating.engine.columns import Columns, empty
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector.engine import rate
from chalicelib.rating.engine.vector.words import line_feeds


@dataclass
class Reading:
    """What was read of a file: ``spill`` has the rated lines, ``rejects`` the refused ones as CSV, and their counts."""

    rejects: IO[bytes]
    spill: Spill
    lines: int = 0
    rejected: int = 0


def read_file(batch: Batch, table: TermTable, reading: Reading, report: Callable[[], None]) -> None:
    """Read and price the whole file into ``reading``. ``report`` is called after each chunk but the first.

    ``Refused`` when the file is no longer in the bucket, or larger than the settings allow.
    """
    found = objects.look(batch.object_key, batch.version_id)
    if found is None:
        raise Refused("The file is no longer in the bucket; drop it again.")
    size, _ = found
    if size > settings.max_file_bytes:
        raise Refused(
            f"The file has {size} bytes; the limit is {settings.max_file_bytes}. Split it and drop the parts."
        )
    text = io.TextIOWrapper(reading.rejects, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    source = sources.reading(table.book.plan, batch.zones, batch.declared)
    for number, columns in enumerate(_rated(batch, source, table)):
        reading.spill.add(columns)
        reading.lines += len(columns) + len(columns.rejected)
        if reading.lines > settings.max_lines:
            raise Refused(f"The file has more than {settings.max_lines} lines. Split it and drop the parts.")
        with full_disk_refused():
            if columns.rejected and not reading.rejected:
                writer.writerow(("line", "reason", "message", "original"))
            writer.writerows(columns.rejected)
            text.flush()
        reading.rejected += len(columns.rejected)
        if number:
            report()
    reading.spill.flush()
    text.detach()


def _rated(batch: Batch, source: formats.Source, table: TermTable) -> Iterator[Columns]:
    blocks = objects.blocks(batch.object_key, batch.version_id)
    layout = None
    for chunk in chunks(plain_blocks(blocks, batch.object_key, settings.max_unpacked_bytes), count=line_feeds):
        if isinstance(chunk, Cut):
            yield empty([formats.rejection_of(chunk)])
            continue
        layout = layout or formats.detect(chunk, source.mapping)
        yield rate(chunk, layout, source, table)
