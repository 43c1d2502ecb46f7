"""Routes of this room."""

from __future__ import annotations

from typing import Any

from chalicelib.calls.format import RatedCall
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER
from chalicelib.reports import service, shapes
from chalicelib.web import csv
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(
    bp,
    "GET",
    "/v1/reports/calls",
    roles=EVERYONE_OF_A_RESELLER,
    query=shapes.CallsQuery,
    answer=shapes.CallsOut,
    text="text/csv",
)
def report_calls(call: Call) -> Any:
    """Rated calls, newest first, with the totals of the whole selection."""
    query, who = call.query(shapes.CallsQuery), call.who
    for_client = bool(who.client_id)
    selection = service.select(who, query, call.scope.now)
    if query.format == "csv":
        header = service.COLUMNS[:-1] if for_client else service.COLUMNS
        text = csv.text(header, service.rows(who.reseller_id, selection, csv.ROWS, for_client=for_client))
        return csv.file(text, "calls.csv", "narrow the selection, or use POST /v1/exports")
    made = service.report(who.reseller_id, selection, call.read_cursor(query.cursor), query.limit)
    totals = shapes.TotalsOut(
        calls=made.totals.calls,
        seconds=made.totals.seconds,
        billed_seconds=made.totals.billed_seconds,
        amount=made.totals.amount_e8,
        cost=None if for_client else made.totals.cost_e8,
    )
    items = [_call(one, for_client=for_client) for one in made.calls]
    return shapes.CallsOut(
        items=items, next=call.write_cursor(service.next_place(made, for_client=for_client)), totals=totals
    )


def _call(one: RatedCall, *, for_client: bool) -> shapes.CallOut:
    return shapes.CallOut(
        call_id=one.call_id,
        start=one.start,
        direction=one.direction,
        client_id=one.client_id,
        account=one.account,
        from_=one.from_number,
        to=one.to_number,
        destination=one.destination,
        country=one.country or None,
        disposition=one.disposition,
        seconds=one.seconds,
        billed_seconds=one.billed_seconds,
        free_seconds=one.free_seconds,
        rule=one.rule,
        rate_per_minute=one.rate_e10,
        amount=one.amount_e8,
        cost=None if for_client else one.cost_e8,
    )
