"""``/v1/signup``: a link at which people sign up as clients of a reseller."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import resellers, signups
from chalicelib.accounts.shapes.clients import SignedUpOut, SignupIn, SignupLinkOut
from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER, STAFF
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
MOST_BYTES = 16_384


@route(bp, "GET", "/v1/signup", roles=STAFF, answer=SignupLinkOut)
def get_signup_link(call: Call) -> Any:
    """The link at which people sign up as clients; null if there is none."""
    return resellers.get(call.who.reseller_id)


@route(bp, "POST", "/v1/signup", roles=RESELLER, answer=SignupLinkOut)
def create_signup_link(call: Call) -> Any:
    """Make a new sign-up link; it replaces the one before."""
    return signups.open_link(call.scope, call.who.reseller_id)


@route(bp, "DELETE", "/v1/signup", roles=RESELLER)
def delete_signup_link(call: Call) -> Any:
    """End the sign-up link: sign-ups are refused until there is a new one."""
    signups.end_link(call.scope, call.who.reseller_id)


@route(bp, "POST", "/v1/signup/{token}", roles=(), body=SignupIn, answer=SignedUpOut, most_bytes=MOST_BYTES)
def sign_up(call: Call) -> Any:
    """Sign up as a client; it waits until the reseller sets its status to active."""
    return signups.sign_up(call.scope, call.path["token"], call.body(SignupIn))
