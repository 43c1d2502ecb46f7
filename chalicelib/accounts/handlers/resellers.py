"""``/v1/resellers`` for the operator, ``/v1/account`` for the reseller itself."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import resellers
from chalicelib.accounts.shapes.resellers import AccountPatch, ResellerIn, ResellerMade, ResellerOut, ResellerPatch
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR, RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/resellers", roles=OPERATOR, body=ResellerIn, answer=ResellerMade)
def create_reseller(call: Call) -> Any:
    """Make a reseller; the answer shows its first key, once."""
    return resellers.create(call.scope, call.body(ResellerIn))


@list_route(bp, "/v1/resellers", ResellerOut, roles=OPERATOR)
def list_resellers(call: Call) -> Any:
    """All resellers, oldest first."""
    return resellers.listed(page_request(call), call.scope.now)


@route(bp, "GET", "/v1/resellers/{reseller_id}", roles=OPERATOR, answer=ResellerOut)
def get_reseller(call: Call) -> Any:
    """One reseller, with what it owes as a negative balance."""
    return resellers.account(call.path["reseller_id"], call.scope.now)


@route(bp, "PATCH", "/v1/resellers/{reseller_id}", roles=OPERATOR, body=ResellerPatch, answer=ResellerOut)
def patch_reseller(call: Call) -> Any:
    """Change a reseller's name, email or status."""
    return resellers.patch(call.scope, call.path["reseller_id"], call.body(ResellerPatch))


@route(bp, "GET", "/v1/account", roles=STAFF, answer=ResellerOut)
def get_account(call: Call) -> Any:
    """The reseller's own account."""
    return resellers.account(call.who.reseller_id, call.scope.now)


@route(bp, "PATCH", "/v1/account", roles=RESELLER, body=AccountPatch, answer=ResellerOut, serves_pending=True)
def patch_account(call: Call) -> Any:
    """Change the reseller's own name, time zone, home country or source of costs."""
    return resellers.patch_account(call.scope, call.who.reseller_id, call.body(AccountPatch))


@route(bp, "POST", "/v1/account/activate", roles=RESELLER, answer=ResellerOut, status=200, serves_pending=True)
def activate_account(call: Call) -> Any:
    """Make a pending reseller active."""
    return resellers.activate(call.scope, call.who.reseller_id)
