"""The reference engine: ``rate(chunk, layout, source, tables) -> Columns``, readable and always right.

A chunk of a CDR file goes in; priced lines and rejections come out. Nothing is guessed: a call whose owner, number or
rate is not found is rejected with its reason. Free minutes, duplicates and the ledger are decided later, by ``usage``,
because they depend on what was committed meanwhile.
"""

from __future__ import annotations

import struct

import numpy as np

from chalicelib.rating import columns, formats
from chalicelib.rating.attribution import Refusal, attribute
from chalicelib.rating.columns import CODES, Columns, Texts
from chalicelib.rating.formats import Call, Layout, Rejection, Source
from chalicelib.rating.records import Chunk, records
from chalicelib.rating.segments import quoted
from chalicelib.rating.tables import Tables

_packed = struct.Struct("<5q4iB").pack
"""A priced line in the order of ``columns.ROW``, as it lies in memory."""


def rate(chunk: Chunk, layout: Layout, source: Source, tables: Tables) -> Columns:
    """Read, attribute and price every line of a chunk."""
    rows: list[bytes] = []
    calls: list[Call] = []
    rejected: list[Rejection] = []
    refused: dict[int, Refusal] = {}
    month = tables.month
    for call in formats.parse(chunk, layout, source):
        if isinstance(call, Rejection):
            rejected.append(call)
            continue
        found = attribute(call, tables)
        line, _, start, direction, _, _, _, disposition, seconds, _ = call
        if isinstance(found, Refusal):
            refused[line] = found
            continue
        holder, terms, (billed, _, amount_e8, cost_e8) = found
        code = CODES[direction, disposition]
        rows.append(_packed(line, start, terms, amount_e8, cost_e8, holder, seconds, billed, month(start), code))
        calls.append(call)
    if refused:
        # Calls do not carry their text; the few lines refused here are looked up in the chunk again.
        for record in records(chunk, layout.delimiter):
            if record.line in refused:
                rejected.append(Rejection(record.line, *refused[record.line], record.raw))
        rejected.sort()
    made = np.frombuffer(bytearray().join(rows), columns.ROW)
    return Columns(made, lambda: Texts.of(list(map(_texts_of, calls))), rejected)


def _texts_of(call: Call) -> tuple[bytes, bytes, bytes, bytes]:
    """A call's texts as they stand in a segment's row; accounts and called numbers never need quotes."""
    call_id, caller = quoted(call.call_id).encode(), quoted(call.from_number).encode()
    return call_id, call.account.encode(), caller, call.to_number.encode()
