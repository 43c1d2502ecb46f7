"""API keys: the reseller's own under ``/v1/keys``; the operator makes one for a reseller that has lost its keys."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import keys
from chalicelib.accounts.shapes.resellers import KeyIn, KeyMade, KeyOut, RotateIn
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR, RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/resellers/{reseller_id}/keys", roles=OPERATOR, body=KeyIn, answer=KeyMade)
def create_reseller_key(call: Call) -> Any:
    """Make a key for a reseller; it is shown once."""
    return keys.create(call.scope, call.path["reseller_id"], call.body(KeyIn))


@route(bp, "POST", "/v1/keys", roles=RESELLER, body=KeyIn, answer=KeyMade)
def create_key(call: Call) -> Any:
    """Make a key of the reseller or of one of its clients; it is shown once."""
    return keys.create(call.scope, call.who.reseller_id, call.body(KeyIn))


@list_route(bp, "/v1/keys", KeyOut, roles=STAFF)
def list_keys(call: Call) -> Any:
    """The keys in use, without their secrets."""
    return keys.listed(call.who.reseller_id, page_request(call))


@route(bp, "POST", "/v1/keys/{key_id}/rotate", roles=RESELLER, body=RotateIn, answer=KeyMade)
def rotate_key(call: Call) -> Any:
    """Replace a key, which stays valid for grace_seconds; the new key is shown once."""
    return keys.rotate(call.scope, call.who.reseller_id, call.path["key_id"], call.body(RotateIn))


@route(bp, "DELETE", "/v1/keys/{key_id}", roles=RESELLER)
def revoke_key(call: Call) -> Any:
    """End a key at once."""
    keys.revoke(call.scope, call.who.reseller_id, call.path["key_id"])
