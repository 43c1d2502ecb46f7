"""``/v1/imports``: clients, sub-accounts and DIDs from another system, as CSV."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import imports
from chalicelib.accounts.shapes.imports import ImportedClientOut, ImportIn, ImportOut
from chalicelib.fields import Page, Paging
from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER, STAFF
from chalicelib.web import lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


MOST_BYTES = 4 << 20
"""20,000 lines with usual columns are 3 MB. Lambda takes 6 MB with the request's JSON quoted once more."""


def _goes_on(result: ImportOut) -> bool:
    return result.status == "applying"


@route(
    bp,
    "POST",
    "/v1/imports",
    roles=RESELLER,
    body=ImportIn,
    answer=ImportOut,
    status=200,
    accepted=_goes_on,
    most_bytes=MOST_BYTES,
)
def create_import(call: Call) -> Any:
    """Import clients with opening balances, sub-accounts and DIDs from CSV, all or nothing; or preview it."""
    return imports.run(call.scope, call.who.reseller_id, call.body(ImportIn))


@route(bp, "GET", "/v1/imports/{import_id}", roles=STAFF, answer=ImportOut)
def get_import(call: Call) -> Any:
    """An import, how far it is, and the clients that it made."""
    return imports.get(call.who.reseller_id, call.path["import_id"])


@route(bp, "GET", "/v1/imports/{import_id}/clients", roles=STAFF, query=Paging, answer=Page[ImportedClientOut])
def list_imported_clients(call: Call) -> Any:
    """The clients that an import has made so far, in the order of their lines."""
    query = call.query(Paging)
    place = call.read_cursor(query.cursor)
    first = 0 if place is None else place + 1
    found = imports.clients_of(call.who.reseller_id, call.path["import_id"], first, query.limit + 1)
    return lists.cut(call, query.limit, found, lambda client: client.place)


@route(bp, "POST", "/v1/imports/{import_id}/resume", roles=RESELLER, answer=ImportOut, status=200, accepted=_goes_on)
def resume_import(call: Call) -> Any:
    """Finish an import that was interrupted."""
    return imports.resume(call.scope, call.who.reseller_id, call.path["import_id"])
