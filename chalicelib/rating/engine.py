"""The reference engine: ``rate(chunk, layout, source, tables) -> Columns``, readable and always right.

A chunk of a CDR file goes in; priced lines and rejections come out. Nothing is guessed: a call whose owner, number or
rate is not found is rejected with its reason. Free minutes, duplicates and the ledger are decided later, by ``usage``,
because they depend on what was committed meanwhile.
"""

from __future__ import annotations

import numpy as np

from chalicelib.rating import columns, formats
from chalicelib.rating.attribution import Refusal, attribute
from chalicelib.rating.columns import Columns, Texts
from chalicelib.rating.formats import Call, Layout, Rejection, Source
from chalicelib.rating.records import Chunk, records
from chalicelib.rating.segments import quoted
from chalicelib.rating.tables import Tables


def rate(chunk: Chunk, layout: Layout, source: Source, tables: Tables) -> Columns:
    """Read, attribute and price every line of a chunk."""
    rows: list[tuple[int, ...]] = []
    calls: list[Call] = []
    rejected: list[Rejection] = []
    refused: dict[int, Refusal] = {}
    for call in formats.parse(chunk, layout, source):
        if isinstance(call, Rejection):
            rejected.append(call)
            continue
        row = _rate(call, tables)
        if isinstance(row, Refusal):
            refused[call.line] = row
        else:
            rows.append(row)
            calls.append(call)
    if refused:
        # Calls do not carry their text; the few lines refused here are looked up in the chunk again.
        for record in records(chunk, layout.delimiter):
            if record.line in refused:
                rejected.append(Rejection(record.line, *refused[record.line], record.raw))
        rejected.sort()
    return Columns(np.array(rows, columns.ROW), lambda: Texts.of(list(map(_texts_of, calls))), rejected)


def _texts_of(call: Call) -> tuple[bytes, bytes, bytes, bytes]:
    """A call's texts as they stand in a segment's row; accounts and called numbers never need quotes."""
    call_id, caller = quoted(call.call_id).encode(), quoted(call.from_number).encode()
    return call_id, call.account.encode(), caller, call.to_number.encode()


def _rate(call: Call, tables: Tables) -> tuple[int, ...] | Refusal:
    """The priced line in the order of ``columns.ROW``, or why not."""
    found = attribute(call, tables)
    if isinstance(found, Refusal):
        return found
    return (
        call.line,
        call.start,
        tables.terms_number(found.terms),
        found.price.amount_e8,
        found.price.cost_e8,
        tables.holder_number(call.direction, call.account, call.to_number, found.holding),
        call.seconds,
        found.price.billed_seconds,
        tables.month(call.start),
        columns.CODES[call.direction, call.disposition],
    )
