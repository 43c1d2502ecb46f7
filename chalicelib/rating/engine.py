"""The reference engine: ``rate(chunk, layout, source, tables) -> Columns``, readable and always right.

A chunk of a CDR file goes in; priced lines and rejections come out. Nothing is guessed: a call whose owner, number or
rate is not found is rejected with its reason. Free minutes, duplicates and the ledger are decided later, by ``usage``,
because they depend on what was committed meanwhile.
"""

from __future__ import annotations

import numpy as np

from chalicelib.rating import columns, formats
from chalicelib.rating.attribution import Refusal, attribute
from chalicelib.rating.columns import Columns
from chalicelib.rating.formats import Call, Layout, Rejection, Source
from chalicelib.rating.records import Chunk, records
from chalicelib.rating.segments import quoted
from chalicelib.rating.tables import Holder, Tables


def rate(chunk: Chunk, layout: Layout, source: Source, tables: Tables) -> Columns:
    """Read, attribute and price every line of a chunk."""
    rows: list[tuple[int, ...]] = []
    texts: list[str] = []
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
            texts.append(text_of(call.call_id, call.account, call.from_number, call.to_number))
    if refused:
        # Calls do not carry their text; the few lines refused here are looked up in the chunk again.
        for record in records(chunk, layout.delimiter):
            if record.line in refused:
                rejected.append(Rejection(record.line, *refused[record.line], record.raw))
        rejected.sort()
    return Columns(np.array(rows, columns.ROW), lambda: texts, rejected)


def text_of(call_id: str, account: str, from_number: str, to_number: str) -> str:
    """A call's texts as the columns of a segment's row; accounts and called numbers never need quotes."""
    return f"{quoted(call_id)},{account},{quoted(from_number)},{to_number}"


def _rate(call: Call, tables: Tables) -> tuple[int, ...] | Refusal:
    """The priced line in the order of ``columns.ROW``, or why not."""
    found = attribute(call, tables)
    if isinstance(found, Refusal):
        return found
    name = f"sub:{call.account}" if call.direction == "outbound" else f"did:{call.to_number}"
    holder = Holder(name, found.holding.client_id, found.holding.package_id)
    return (
        call.line,
        call.start,
        tables.priced.number(found.terms),
        found.price.amount_e8,
        found.price.cost_e8,
        tables.holders.number(holder),
        call.seconds,
        found.price.billed_seconds,
        tables.month(call.start),
        columns.code_of(call.direction, call.disposition),
    )
