"""Routes of reports."""

from __future__ import annotations

from typing import Any

from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER
from chalicelib.rating.pricing.price import rule_for_client
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
    place = call.read_cursor(query.cursor)
    call.charge(service.cost(selection) if place is None else 0)
    if query.format == "csv":
        header = service.COLUMNS[:-1] if for_client else service.COLUMNS
        text = csv.text(header, service.rows(who.reseller_id, selection, csv.ROWS, for_client=for_client))
        return csv.file(text, "calls.csv", service.NARROW)
    page = service.report(who.reseller_id, selection, place, query.limit)
    items = [shapes.CallOut.model_validate(rated) for rated in page.calls]
    totals = shapes.TotalsOut.model_validate(page.totals)
    if for_client:
        items = [item.model_copy(update={"cost": None, "rule": rule_for_client(item.rule)}) for item in items]
        totals = totals.model_copy(update={"cost": None})
    after = call.write_cursor(service.next_place(page, for_client=for_client))
    return shapes.CallsOut(items=items, next=after, totals=totals)
