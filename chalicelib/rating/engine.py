"""The reference engine: ``rate(chunk, layout, source, tables) -> Columns``, readable and always right.

A chunk of a CDR file goes in; priced lines and rejections come out. Nothing is guessed: a call whose owner, number or
rate is not found is rejected with its reason. Free minutes, duplicates and the ledger are decided later, by ``usage``,
because they depend on what was committed meanwhile.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chalicelib.rating import columns, formats, pricing
from chalicelib.rating.columns import Columns, Texts
from chalicelib.rating.formats import Call, Layout, Rejection, Source
from chalicelib.rating.pricing import CallTerms
from chalicelib.rating.records import Chunk, records
from chalicelib.rating.segments import quoted
from chalicelib.rating.tables import NO_RATE, Holder, Tables


class Refusal(NamedTuple):
    """Why a well-formed call cannot be rated."""

    reason: str
    message: str


def rate(chunk: Chunk, layout: Layout, source: Source, tables: Tables) -> Columns:
    """Read, attribute and price every line of a chunk."""
    rows: list[tuple[int, ...]] = []
    texts: list[tuple[bytes, bytes, bytes, bytes]] = []
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
            texts.append(_texts_of(call))
    if refused:
        # Calls do not carry their text; the few lines refused here are looked up in the chunk again.
        for record in records(chunk, layout.delimiter):
            if record.line in refused:
                rejected.append(Rejection(record.line, *refused[record.line], record.raw))
        rejected.sort()
    return Columns(np.array(rows, columns.ROW), lambda: Texts.of(texts), rejected)


def _texts_of(call: Call) -> tuple[bytes, bytes, bytes, bytes]:
    """A call's texts as they stand in a segment's row; accounts and called numbers never need quotes."""
    call_id, caller = quoted(call.call_id).encode(), quoted(call.from_number).encode()
    return call_id, call.account.encode(), caller, call.to_number.encode()


def _rate(call: Call, tables: Tables) -> tuple[int, ...] | Refusal:
    """The priced line in the order of ``columns.ROW``, or why not."""
    terms: CallTerms | None
    if call.direction == "outbound":
        holding = tables.directory.account(call.account, call.start)
        if holding is None:
            return Refusal("unknown_account", f"no client held the sub-account {call.account} then")
        holder = Holder(f"sub:{call.account}", holding.client_id, holding.package_id)
        terms = tables.outbound(holding.package_id, call.start, call.to_number)
    else:
        holding = tables.directory.did(call.to_number, call.start)
        if holding is None:
            return Refusal("no_owner", f"no client held the number {call.to_number} then")
        holder = Holder(f"did:{call.to_number}", holding.client_id, holding.package_id)
        terms = tables.inbound(call.to_number, holding)
    seconds = call.seconds if call.disposition == "ANSWERED" else 0
    if terms is None:
        if seconds:
            return Refusal("no_rate", f"no deck in force then has a prefix of {call.to_number}")
        terms = NO_RATE
    record_cost = -1
    if tables.record_costs and seconds and terms.rule != "internal":
        if call.cost_e8 < 0:
            return Refusal("no_cost", "cost is empty, and this account takes costs from the record")
        record_cost = call.cost_e8
    price = pricing.price(terms, seconds, 0, record_cost)
    return (
        call.line,
        call.start,
        tables.priced.number(terms),
        price.amount_e8,
        price.cost_e8,
        tables.holders.number(holder),
        call.seconds,
        price.billed_seconds,
        tables.month(call.start),
        columns.code_of(call.direction, call.disposition),
    )
