"""``/v1/subaccounts``: each makes calls, which its package prices and its client pays."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import subaccounts
from chalicelib.accounts.shapes.subaccounts import OfClient, SubAccountIn, SubAccountOut, SubAccountPatch
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER, RESELLER
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/subaccounts", roles=RESELLER, body=SubAccountIn, answer=SubAccountOut)
def create_subaccount(call: Call) -> Any:
    """Make a sub-account, and attach its package to the client if needed."""
    return subaccounts.create(call.scope, call.who.reseller_id, call.body(SubAccountIn))


@list_route(bp, "/v1/subaccounts", SubAccountOut, roles=EVERYONE_OF_A_RESELLER, query=OfClient)
def list_subaccounts(call: Call) -> Any:
    """Sub-accounts, oldest first; a client's key sees its own."""
    client_id = call.query(OfClient).client_id
    return subaccounts.listed(call.who, client_id, page_request(call))


@route(bp, "GET", "/v1/subaccounts/{subaccount_id}", roles=EVERYONE_OF_A_RESELLER, answer=SubAccountOut)
def get_subaccount(call: Call) -> Any:
    """One sub-account."""
    return subaccounts.get(call.who, call.path["subaccount_id"])


@route(bp, "PATCH", "/v1/subaccounts/{subaccount_id}", roles=RESELLER, body=SubAccountPatch, answer=SubAccountOut)
def patch_subaccount(call: Call) -> Any:
    """Change client, package (both from effective_from on) or billing date."""
    return subaccounts.patch(call.scope, call.who, call.path["subaccount_id"], call.body(SubAccountPatch))


@route(bp, "DELETE", "/v1/subaccounts/{subaccount_id}", roles=RESELLER)
def delete_subaccount(call: Call) -> Any:
    """End a sub-account; its calls stay its client's."""
    subaccounts.delete(call.scope, call.who, call.path["subaccount_id"])
