"""The route that shows how a CDR file would be read and priced."""

from __future__ import annotations

from typing import Any

from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER
from chalicelib.rating.batches import previews
from chalicelib.rating.batches.previews import Line
from chalicelib.rating.cdr.formats import Rejection
from chalicelib.rating.shapes import files
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
SHOWN_CHARACTERS = 300
"""Shown of a refused line: twenty of them must fit the item that keeps the answer to an Idempotency-Key."""


@route(
    bp,
    "POST",
    "/v1/cdr-preview",
    roles=RESELLER,
    body=files.PreviewIn,
    answer=files.PreviewOut,
    status=200,
)
def preview_cdr(call: Call) -> Any:
    """How the first 20 lines of a CDR file would be read and priced; nothing is posted."""
    wanted = call.body(files.PreviewIn)
    found = previews.preview(call.who.reseller_id, wanted.filename, wanted.data())
    rows = [_row(row) for row in found.rows]
    rated = sum(row.call is not None for row in rows)
    return files.PreviewOut(
        filename=wanted.filename,
        source_id=found.source_id,
        format=found.layout.name,
        encoding=found.encoding,
        delimiter=found.layout.delimiter,
        header=found.layout.header,
        time_zone=found.time_zone,
        lines=len(rows),
        rated=rated,
        rejected=len(rows) - rated,
        items=rows,
    )


def _row(row: Line | Rejection) -> files.PreviewRow:
    if isinstance(row, Rejection):
        original = row.raw[:SHOWN_CHARACTERS]
        return files.PreviewRow(line=row.line, reason=row.reason, message=row.message, original=original)
    call, holder, terms, price = row.call, row.holder, row.terms, row.price
    told = files.PreviewCall(
        call_id=call.call_id,
        start=call.start,
        direction=call.direction,
        client_id=holder.client_id,
        account=call.account,
        from_=call.from_number,
        to=call.to_number,
        destination=terms.destination,
        country=terms.country,
        disposition=call.disposition,
        seconds=call.seconds,
        billed_seconds=price.billed_seconds,
        rule=terms.rule,
        rate_per_minute=terms.rate_e10,
        amount=price.amount_e8,
        cost=price.cost_e8,
        package_id=holder.package_id or None,
    )
    return files.PreviewRow(line=call.line, call=told)
