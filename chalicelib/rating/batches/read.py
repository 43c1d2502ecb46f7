"""The first half of a batch: reads every line of the file, finds who pays for it, and prices it; commits nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from chalicelib.aws import objects
from chalicelib.config import settings
from chalicelib.csv_cells import inert
from chalicelib.errors import Refused
from chalicelib.rating.batches import sources
from chalicelib.rating.batches.column_file import full_disk_refused
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.records import Chunk, Cut, chunks, plain_blocks
from chalicelib.rating.engine.columns import Columns, empty
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector.engine import rate
from chalicelib.rating.engine.vector.words import line_feeds


@dataclass
class Reading:
    """What was read of a file: ``spill`` has the rated lines, ``rejects`` the refused ones as CSV, and their counts.

    ``bytes_read`` of ``size``: the bytes of the file as stored, packed or not.
    """

    rejects: IO[bytes]
    spill: Spill
    lines: int = 0
    rejected: int = 0
    size: int = 0
    bytes_read: int = 0

    def counts(self) -> dict[str, int]:
        """The fields of ``Batch`` that show progress; duplicates are still counted as rated."""
        return {
            "lines": self.lines,
            "rated": self.lines - self.rejected,
            "rejected": self.rejected,
            "size": self.size,
            "bytes_read": self.bytes_read,
        }


def read_file(batch: Batch, table: TermTable, reading: Reading, report: Callable[[], None]) -> None:
    """Read and price the whole file into ``reading``. ``report`` is called after each block of unpacked bytes and each
    chunk of lines but the first; an error that it raises ends the reading.

    ``Refused`` when the file is no longer in the bucket, or larger than the settings allow.
    """
    found = objects.look(batch.object_key, batch.version_id)
    if found is None:
        raise Refused("The file is no longer in the bucket; drop it again.")
    reading.size, _ = found
    if reading.size > settings.max_file_bytes:
        raise Refused(
            f"The file has {reading.size} bytes; the limit is {settings.max_file_bytes}. Split it and drop the parts."
        )
    text = io.TextIOWrapper(reading.rejects, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    source = sources.reading(table.book.plan, batch.zones, batch.declared, sources.known_by(table.book.ownership))
    for number, columns in enumerate(_rated(_read_chunks(batch, reading, report), source, table)):
        reading.spill.add(columns)
        reading.lines += len(columns) + len(columns.rejected)
        if reading.lines > settings.max_lines:
            raise Refused(f"The file has more than {settings.max_lines} lines. Split it and drop the parts.")
        with full_disk_refused():
            if columns.rejected and not reading.rejected:
                writer.writerow(("line", "reason", "message", "original"))
            writer.writerows(map(inert, rejection) for rejection in columns.rejected)
            text.flush()
        reading.rejected += len(columns.rejected)
        if number:
            report()
    reading.spill.flush()
    text.detach()


def chunks_of(
    batch: Batch, blocks: Iterator[bytes], report: Callable[[], None] = lambda: None
) -> Iterator[Chunk | Cut]:
    """The chunks of a batch's file, as ``records.chunks`` cuts them; ``blocks``: its bytes.

    ``report`` is called before each block of unpacked bytes but the first: a chunk of blank lines never comes.
    """

    def unpacked() -> Iterator[bytes]:
        for number, block in enumerate(plain_blocks(blocks, batch.object_key, settings.max_unpacked_bytes)):
            if number:
                report()
            yield block

    yield from chunks(unpacked(), count=line_feeds)


def _read_chunks(batch: Batch, reading: Reading, report: Callable[[], None]) -> Iterator[Chunk | Cut]:
    def counted() -> Iterator[bytes]:
        for block in objects.blocks(batch.object_key, batch.version_id):
            reading.bytes_read += len(block)
            yield block

    return chunks_of(batch, counted(), report)


def _rated(found: Iterator[Chunk | Cut], source: formats.Source, table: TermTable) -> Iterator[Columns]:
    layout = None
    for chunk in found:
        if isinstance(chunk, Cut):
            yield empty([formats.rejection_of(chunk)])
            continue
        layout = layout or formats.detect(chunk, source.mapping)
        yield rate(chunk, layout, source, table)
