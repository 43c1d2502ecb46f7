"""``/v1/inventory`` for the operator, ``/v1/dids`` for resellers."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import dids
from chalicelib.accounts.shapes.dids import AssignIn, AvailableOut, DidOut, InventoryIn, InventoryOut, ReleaseIn
from chalicelib.accounts.shapes.subaccounts import OfClient
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER, OPERATOR, RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/inventory", roles=OPERATOR, body=InventoryIn, answer=InventoryOut)
def create_inventory_number(call: Call) -> Any:
    """Offer a number to resellers."""
    return dids.add_to_inventory(call.scope, call.body(InventoryIn))


@list_route(bp, "/v1/inventory", InventoryOut, roles=OPERATOR)
def list_inventory(call: Call) -> Any:
    """Every number with its costs, and the reseller that has it."""
    return dids.inventory(page_request(call))


@list_route(bp, "/v1/dids", DidOut, roles=EVERYONE_OF_A_RESELLER, query=OfClient)
def list_dids(call: Call) -> Any:
    """The reseller's DIDs; a client's key sees its own."""
    client_id = call.query(OfClient).client_id
    return dids.listed(call.who, client_id, page_request(call))


@list_route(bp, "/v1/dids/available", AvailableOut, roles=STAFF)
def list_available_dids(call: Call) -> Any:
    """Numbers that can be ordered, with what they cost the reseller."""
    return dids.available(page_request(call))


@route(bp, "POST", "/v1/dids/{number}/order", roles=RESELLER, answer=DidOut, status=200)
def order_did(call: Call) -> Any:
    """Order a number; the reseller is charged its set-up and first month."""
    return dids.order(call.scope, call.who.reseller_id, call.path["number"])


@route(bp, "POST", "/v1/dids/{number}/assign", roles=RESELLER, body=AssignIn, answer=DidOut, status=200)
def assign_did(call: Call) -> Any:
    """Give a number to a client, and charge its fees unless charge_setup or charge_monthly is false."""
    return dids.assign(call.scope, call.who.reseller_id, call.path["number"], call.body(AssignIn))


@route(bp, "POST", "/v1/dids/{number}/release", roles=RESELLER, body=ReleaseIn, answer=DidOut, status=200)
def release_did(call: Call) -> Any:
    """Take a number back from its client into the reseller's stock."""
    return dids.release(call.scope, call.who.reseller_id, call.path["number"], call.body(ReleaseIn))


@route(bp, "POST", "/v1/dids/{number}/cancel", roles=RESELLER, answer=AvailableOut, status=200)
def cancel_did(call: Call) -> Any:
    """Give a number back to the operator's inventory."""
    return dids.cancel(call.scope, call.who.reseller_id, call.path["number"])
