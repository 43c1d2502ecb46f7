"""Routes of authorizations: a switch asks whether a call may start, and says that it ended or was not made."""

from __future__ import annotations

from typing import Any

from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER
from chalicelib.rating.authorizations import service
from chalicelib.rating.shapes.authorizations import (
    AuthorizationIn,
    AuthorizationOut,
    AuthorizationQuery,
    FinishIn,
    HoldOut,
)
from chalicelib.web import forms
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(
    bp,
    "POST",
    "/v1/authorizations",
    roles=RESELLER,
    body=AuthorizationIn,
    query=AuthorizationQuery,
    answer=AuthorizationOut,
    text=forms.MEDIA,
    serves_pending=True,
)
def create_authorization(call: Call) -> Any:
    """Whether a call may start, and how long the client can pay for it."""
    return service.ask(call.scope, call.who, call.body(AuthorizationIn))


@route(
    bp,
    "POST",
    "/v1/authorizations/{authorization_id}/finish",
    roles=RESELLER,
    body=FinishIn,
    answer=HoldOut,
    status=200,
)
def finish_authorization(call: Call) -> Any:
    """A call has ended: hold its real price until it is rated."""
    seconds = call.body(FinishIn).seconds
    return service.finish(call.scope, call.who.reseller_id, call.path["authorization_id"], seconds)


@route(bp, "DELETE", "/v1/authorizations/{authorization_id}", roles=RESELLER)
def delete_authorization(call: Call) -> None:
    """A call was never made: hold nothing for it."""
    service.void(call.scope, call.who.reseller_id, call.path["authorization_id"])
