"""``/v1/audit``: who changed what, and when."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import audit
from chalicelib.accounts.shapes.audit import AuditOut, AuditQuery
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call

bp = Blueprint(__name__)


@list_route(bp, "/v1/audit", AuditOut, roles=(*OPERATOR, *STAFF), query=AuditQuery)
def list_audit(call: Call) -> Any:
    """Every change with its old and new values, newest first; a page may be short and have a next one."""
    return audit.listed(call.who, call.query(AuditQuery), page_request(call))
