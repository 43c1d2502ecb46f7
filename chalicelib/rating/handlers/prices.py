"""Routes of prices: decks, custom rates, quotes, price lists."""

from __future__ import annotations

from itertools import islice
from typing import Any

from chalicelib.accounts.service import clients
from chalicelib.errors import NotFound
from chalicelib.fields import Page, Paging, Pulse
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER, OPERATOR, RESELLER, STAFF
from chalicelib.rating.batches import uploads
from chalicelib.rating.decks import publish
from chalicelib.rating.decks.store import DeckDrop
from chalicelib.rating.pricing import custom_rates, price_list, quotes
from chalicelib.rating.pricing.price_list_rows import PriceRow
from chalicelib.rating.pricing.quotes import Quote
from chalicelib.rating.pricing.store import CustomRateItem
from chalicelib.rating.shapes import prices as shapes
from chalicelib.web import csv, lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
RATE = "/v1/packages/{package_id}/rates/{scope}/{code}"


@route(bp, "GET", "/v1/decks", roles=OPERATOR, query=Paging, answer=Page[shapes.DeckOut])
def list_decks(call: Call) -> Any:
    """Dropped decks, the latest first day first."""
    query = call.query(Paging)
    found = publish.drops(call.read_cursor(query.cursor), query.limit + 1)
    return lists.cut(call, query.limit, found, _deck, lambda drop: drop.sk)


@route(bp, "GET", "/v1/packages/{package_id}/rates", roles=STAFF, query=Paging, answer=Page[shapes.RateShown])
def list_rates(call: Call) -> Any:
    """Custom rates of a package, by scope and code."""
    query = call.query(Paging)
    after = call.read_cursor(query.cursor)
    found = custom_rates.list_rates(
        call.who.reseller_id, call.path["package_id"], call.scope.now, after, query.limit + 1
    )
    return lists.cut(call, query.limit, found, _rate, lambda rate: f"{rate.scope}#{rate.code}")


@route(bp, "GET", RATE, roles=STAFF, answer=shapes.RateShown)
def get_rate(call: Call) -> Any:
    """One custom rate."""
    path = call.path
    code = custom_rates.check_code(path["scope"], path["code"])
    return _rate(custom_rates.get_rate(call.who.reseller_id, path["package_id"], path["scope"], code, call.scope.now))


@route(bp, "PUT", RATE, roles=RESELLER, body=shapes.RateIn, answer=shapes.RateShown)
def put_rate(call: Call) -> Any:
    """Set a custom rate for a prefix, a country, or a group (us, canada)."""
    wanted = call.body(shapes.RateIn)
    rate = CustomRateItem(
        scope=call.path["scope"],
        code=custom_rates.check_code(call.path["scope"], call.path["code"]),
        rate_e10=wanted.rate_per_minute,
        connection_fee_e8=wanted.connection_fee,
        minimum_charge_e8=wanted.minimum_charge,
        grace_seconds=wanted.grace_seconds,
        initial=wanted.pulse.initial if wanted.pulse else 0,
        increment=wanted.pulse.increment if wanted.pulse else 0,
    )
    package_id = call.path["package_id"]
    return _rate(custom_rates.put_rate(call.scope, call.who.reseller_id, package_id, rate, wanted.effective_from))


@route(bp, "DELETE", RATE, roles=RESELLER)
def delete_rate(call: Call) -> None:
    """Withdraw a custom rate from now on."""
    code = custom_rates.check_code(call.path["scope"], call.path["code"])
    gone = CustomRateItem(scope=call.path["scope"], code=code)
    custom_rates.put_rate(call.scope, call.who.reseller_id, call.path["package_id"], gone, call.scope.now)


@route(
    bp,
    "GET",
    "/v1/packages/{package_id}/quote",
    roles=EVERYONE_OF_A_RESELLER,
    query=shapes.QuoteQuery,
    answer=shapes.QuoteOut,
)
def get_quote(call: Call) -> Any:
    """What a call would cost and be sold for, step by step."""
    query, package_id, client_id = call.query(shapes.QuoteQuery), _package_id(call), call.who.client_id
    at = call.scope.now if query.at is None else query.at
    found = quotes.quote(call.who.reseller_id, package_id, query.number, query.seconds, at, for_client=bool(client_id))
    return _quote(found, for_client=bool(client_id))


@route(
    bp,
    "GET",
    "/v1/packages/{package_id}/price-list",
    roles=EVERYONE_OF_A_RESELLER,
    query=shapes.PriceListQuery,
    answer=Page[shapes.PriceOut],
    text="text/csv",
)
def get_price_list(call: Call) -> Any:
    """What every number is sold for, by the longest prefix; a client sees the packages it has."""
    query, package_id = call.query(shapes.PriceListQuery), _package_id(call)
    now = call.scope.now if query.at is None else query.at
    # All pages of a list tell the prices of one instant.
    at, after = call.read_cursor(query.cursor) or (now, "")
    prices = price_list.of_package(call.who.reseller_id, package_id, at)
    if query.format == "csv":
        text = csv.text(price_list.COLUMNS, price_list.file_rows(prices, query.prefix))
        return csv.file(text, "price-list.csv", "ask for a part of it, such as prefix=44")
    found = list(islice(prices.rows(query.prefix, after), query.limit + 1))
    return lists.cut(call, query.limit, found, _price, lambda row: [at, row.prefix])


def _package_id(call: Call) -> str:
    """The package of a path; for a client's key 404 unless the client has it."""
    package_id = call.path["package_id"]
    if call.who.client_id and not clients.holds(call.who.reseller_id, call.who.client_id, package_id):
        raise NotFound()
    return package_id


def _deck(drop: DeckDrop) -> shapes.DeckOut:
    return shapes.DeckOut(
        route=drop.route,
        effective_from=drop.effective_from,
        status=drop.status,
        prefixes=drop.prefixes,
        errors=[shapes.DeckError(**error) for error in drop.errors],
        errors_url=uploads.download_url(drop.errors_key) if drop.errors_key else None,
    )


def _rate(rate: CustomRateItem) -> shapes.RateShown:
    pulse = Pulse(initial=rate.initial, increment=rate.increment) if rate.increment else None
    return shapes.RateShown(
        scope=rate.scope,
        code=rate.code,
        rate_per_minute=rate.rate_e10,
        pulse=pulse,
        connection_fee=rate.connection_fee_e8,
        minimum_charge=rate.minimum_charge_e8,
        grace_seconds=rate.grace_seconds,
        effective_from=custom_rates.shown_start(rate),
    )


def _price(row: PriceRow) -> shapes.PriceOut:
    return shapes.PriceOut(
        prefix=row.prefix,
        destination=row.destination,
        country=row.country,
        rate_per_minute=row.rate_e10,
        pulse=Pulse(initial=row.initial, increment=row.increment) if row.increment else None,
        connection_fee=row.fee_e14,
        minimum_charge=row.minimum_e8 or None,
        grace_seconds=row.grace_seconds,
        rule=row.rule,
    )


def _quote(found: Quote, *, for_client: bool) -> shapes.QuoteOut:
    terms, price = found.terms, found.price
    cost = shapes.QuoteCost(
        prefix=terms.prefix,
        destination=terms.destination,
        rate_per_minute=terms.cost_rate_e10,
        billed_seconds=found.cost_billed_seconds,
        amount=price.cost_e8,
    )
    sold = shapes.QuotePrice(
        rule=terms.rule, rate_per_minute=terms.rate_e10, billed_seconds=price.billed_seconds, amount=price.amount_e8
    )
    return shapes.QuoteOut(
        number=found.number,
        country=found.country,
        cost=cost if found.has_cost and not for_client else None,
        price=sold,
        steps=found.steps,
    )
