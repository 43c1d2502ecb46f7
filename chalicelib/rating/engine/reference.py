"""The reference engine: line by line, easy to read, and the definition of what is right.

Free minutes and duplicates are not decided here but in ``batches``, because they depend on other batches.
"""

from __future__ import annotations

import struct

import numpy as np

from chalicelib.calls.format import quoted
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.call import Skipped
from chalicelib.rating.cdr.formats import Layout, Rejection, Source
from chalicelib.rating.cdr.records import Chunk, records
from chalicelib.rating.engine import columns
from chalicelib.rating.engine.attribution import Refusal, attribute
from chalicelib.rating.engine.columns import CODES, Columns, Texts
from chalicelib.rating.engine.term_table import TermTable

_packed = struct.Struct("<5q4iB").pack
"""A priced line, in the order and memory layout of ``columns.ROW``; ``money.MAX_RATE`` says why an amount fits."""


def rate(chunk: Chunk, layout: Layout, source: Source, table: TermTable) -> Columns:
    """Read, attribute and price every line of a chunk; each is rated or refused."""
    # Bytes and texts only: tens of thousands of objects that refer to others would slow the garbage collector.
    rows = list[bytes]()
    ids, accounts, callers, called = list[str](), list[str](), list[str](), list[str]()
    rejected: list[Rejection] = []
    refused: dict[int, Refusal] = {}
    book = table.book
    month, skipped = book.month, 0
    for call in formats.parse(chunk, layout, source):
        if isinstance(call, Rejection):
            rejected.append(call)
            continue
        if isinstance(call, Skipped):
            skipped += 1
            continue
        found = attribute(call, book)
        line, call_id, start, direction, account, caller, number, disposition, seconds, _ = call
        if isinstance(found, Refusal):
            refused[line] = found
            continue
        holder, terms, (billed, _, amount_e8, cost_e8) = found
        code = CODES[direction, disposition]
        rows.append(_packed(line, start, terms, amount_e8, cost_e8, holder, seconds, billed, month(start), code))
        ids.append(call_id)
        accounts.append(account)
        callers.append(caller)
        called.append(number)
    if refused:
        # Calls do not have their text; the few lines refused here are read again.
        for record in records(chunk, layout.delimiter):
            if record.line in refused:
                rejected.append(Rejection(record.line, *refused[record.line], record.raw))
        rejected.sort()
    # Accounts and called numbers never need quotes.
    return Columns(
        np.frombuffer(bytearray().join(rows), columns.ROW),
        lambda: Texts.of(map(quoted, ids), accounts, map(quoted, callers), called),
        rejected,
        skipped,
    )
