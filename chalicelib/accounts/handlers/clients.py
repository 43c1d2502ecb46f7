"""``/v1/clients`` and the packages attached to them."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import clients
from chalicelib.accounts.shapes.clients import AttachedOut, AttachIn, ClientIn, ClientOut, ClientPatch, ClientsQuery
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER, RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/clients", roles=RESELLER, body=ClientIn, answer=ClientOut)
def create_client(call: Call) -> Any:
    """Make a client."""
    return clients.create(call.scope, call.who.reseller_id, call.body(ClientIn))


@list_route(bp, "/v1/clients", ClientOut, roles=EVERYONE_OF_A_RESELLER, query=ClientsQuery)
def list_clients(call: Call) -> Any:
    """All clients, oldest first; a client's key sees itself."""
    status = call.query(ClientsQuery).status
    return clients.listed(call.who, status, page_request(call))


@route(bp, "GET", "/v1/clients/{client_id}", roles=EVERYONE_OF_A_RESELLER, answer=ClientOut)
def get_client(call: Call) -> Any:
    """One client with its balance, also after it was closed."""
    return clients.get(call.who, call.path["client_id"])


@route(bp, "PATCH", "/v1/clients/{client_id}", roles=RESELLER, body=ClientPatch, answer=ClientOut)
def patch_client(call: Call) -> Any:
    """Change a client; its service follows another balance mode or limit at once."""
    return clients.patch(call.scope, call.who.reseller_id, call.path["client_id"], call.body(ClientPatch))


@route(bp, "DELETE", "/v1/clients/{client_id}", roles=RESELLER)
def close_client(call: Call) -> Any:
    """Close a client that has nothing attached."""
    clients.close(call.scope, call.who.reseller_id, call.path["client_id"])


@route(bp, "POST", "/v1/clients/{client_id}/packages", roles=RESELLER, body=AttachIn, answer=AttachedOut)
def attach_package(call: Call) -> Any:
    """Give a client a package."""
    package_id = call.body(AttachIn).package_id
    return clients.attach(call.scope, call.who.reseller_id, call.path["client_id"], package_id)


@list_route(bp, "/v1/clients/{client_id}/packages", AttachedOut, roles=STAFF)
def list_client_packages(call: Call) -> Any:
    """The packages that a client has."""
    return clients.attached_packages(call.who.reseller_id, call.path["client_id"], page_request(call))


@route(bp, "DELETE", "/v1/clients/{client_id}/packages/{package_id}", roles=RESELLER)
def detach_package(call: Call) -> Any:
    """Take away a package that none of the client's sub-accounts uses."""
    clients.detach(call.scope, call.who.reseller_id, call.path["client_id"], call.path["package_id"])
