"""``/v1/imports``: clients, sub-accounts and DIDs from another system, as CSV."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import imports
from chalicelib.accounts.shapes.imports import ImportIn, ImportOut
from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER, STAFF
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/imports", roles=RESELLER, body=ImportIn, answer=ImportOut, status=200)
def create_import(call: Call) -> Any:
    """Import clients with opening balances, sub-accounts and DIDs from CSV, all or nothing; or preview it."""
    return imports.run(call.scope, call.who.reseller_id, call.body(ImportIn))


@route(bp, "GET", "/v1/imports/{import_id}", roles=STAFF, answer=ImportOut)
def get_import(call: Call) -> Any:
    """An import, how far it is, and the clients that it made."""
    return imports.get(call.who.reseller_id, call.path["import_id"])


@route(bp, "POST", "/v1/imports/{import_id}/resume", roles=RESELLER, answer=ImportOut, status=200)
def resume_import(call: Call) -> Any:
    """Finish an import that was interrupted."""
    return imports.resume(call.scope, call.who.reseller_id, call.path["import_id"])
