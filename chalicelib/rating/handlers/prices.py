"""Routes of prices: custom rates, quotes, price lists."""

from __future__ import annotations

from itertools import islice
from typing import Any

from chalicelib.accounts.service import creating
from chalicelib.errors import NotFound
from chalicelib.fields import Page
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER, RESELLER, STAFF
from chalicelib.rating.pricing import custom_rates, price_list, quotes, rate_import, rate_lines
from chalicelib.rating.pricing.store import CustomRateItem
from chalicelib.rating.shapes.prices import (
    PriceListQuery,
    PriceOut,
    QuoteOut,
    QuoteQuery,
    RateImportIn,
    RateImportOut,
    RateIn,
    RateShown,
    RatesQuery,
)
from chalicelib.web import csv, lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
MOST_FILE_BYTES = 4 << 20
"""Of a body with a file; Lambda takes 6 MB, in which line ends and quotes are escaped."""
RATE = "/v1/packages/{package_id}/rates/{scope}/{code}"


@route(
    bp,
    "GET",
    "/v1/packages/{package_id}/rates",
    roles=STAFF,
    query=RatesQuery,
    answer=Page[RateShown],
    text="text/csv",
)
def list_rates(call: Call) -> Any:
    """Custom rates of a package, by scope and code; as CSV all of them, in the columns that an import takes."""
    query = call.query(RatesQuery)
    if query.format == "csv":
        rates = custom_rates.list_rates(call.who.reseller_id, call.path["package_id"], call.scope.now, None, None)
        return csv.file(csv.text(rate_lines.COLUMNS, rate_lines.cells(rates)), "rates.csv", "read it in pages")
    after = call.read_cursor(query.cursor)
    rates = custom_rates.list_rates(
        call.who.reseller_id, call.path["package_id"], call.scope.now, after, query.limit + 1
    )
    return lists.cut(call, query.limit, rates, lambda rate: rate.place)


@route(
    bp,
    "POST",
    "/v1/packages/{package_id}/rates/import",
    roles=RESELLER,
    body=RateImportIn,
    answer=RateImportOut,
    status=200,
    most_bytes=MOST_FILE_BYTES,
)
def import_rates(call: Call) -> Any:
    """Import custom rates from CSV, all or nothing; a dry run (the default) only answers what would change."""
    body = call.body(RateImportIn)
    return rate_import.run(
        call.scope,
        call.who.reseller_id,
        call.path["package_id"],
        body.rates,
        body.number_format,
        dry_run=body.dry_run,
    )


@route(bp, "GET", RATE, roles=STAFF, answer=RateShown)
def get_rate(call: Call) -> Any:
    """One custom rate."""
    path = call.path
    return custom_rates.get_rate(call.who.reseller_id, path["package_id"], path["scope"], path["code"], call.scope.now)


@route(bp, "PUT", RATE, roles=RESELLER, body=RateIn, answer=RateShown)
def put_rate(call: Call) -> Any:
    """Set a custom rate for a prefix, a country, or a group (us, canada)."""
    path, body = call.path, call.body(RateIn)
    rate = CustomRateItem(scope=path["scope"], code=path["code"], **body.stored())
    return custom_rates.put_rate(call.scope, call.who.reseller_id, path["package_id"], rate, body.effective_from)


@route(bp, "DELETE", RATE, roles=RESELLER)
def delete_rate(call: Call) -> None:
    """Withdraw a custom rate from now on."""
    path = call.path
    withdrawn = CustomRateItem(scope=path["scope"], code=path["code"])
    custom_rates.put_rate(call.scope, call.who.reseller_id, path["package_id"], withdrawn, call.scope.now)


@route(
    bp,
    "GET",
    "/v1/packages/{package_id}/quote",
    roles=EVERYONE_OF_A_RESELLER,
    query=QuoteQuery,
    answer=QuoteOut,
)
def get_quote(call: Call) -> Any:
    """What a call would cost and be sold for, with the steps of the computation."""
    who, query, package_id = call.who, call.query(QuoteQuery), _package_id(call)
    at = call.scope.now if query.at is None else query.at
    for_client = bool(who.client_id)
    return quotes.quote(who.reseller_id, package_id, query.number, query.seconds, at, for_client=for_client)


@route(
    bp,
    "GET",
    "/v1/packages/{package_id}/price-list",
    roles=EVERYONE_OF_A_RESELLER,
    query=PriceListQuery,
    answer=Page[PriceOut],
    text="text/csv",
)
def get_price_list(call: Call) -> Any:
    """What calls to every number are sold for, by the longest prefix; a client sees the packages it has."""
    query, package_id = call.query(PriceListQuery), _package_id(call)
    now = call.scope.now if query.at is None else query.at
    # All pages of a list have the prices of the same instant.
    at, after = call.read_cursor(query.cursor) or (now, "")
    prices = price_list.of_package(call.who.reseller_id, package_id, at, for_client=bool(call.who.client_id))
    if query.format == "csv":
        text = csv.text(price_list.COLUMNS, price_list.file_rows(prices, query.prefix))
        return csv.file(text, "price-list.csv", "ask for a part of it, such as prefix=44")
    rows = list(islice(prices.rows(query.prefix, after), query.limit + 1))
    return lists.cut(call, query.limit, rows, lambda row: [at, row.place])


def _package_id(call: Call) -> str:
    """The package of a path; ``NotFound`` for a client's key if the client does not have it."""
    package_id = call.path["package_id"]
    if call.who.client_id and not creating.holds(call.who.reseller_id, call.who.client_id, package_id):
        raise NotFound()
    return package_id
