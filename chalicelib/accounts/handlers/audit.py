"""``/v1/audit``: who changed what, and when."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import audit
from chalicelib.accounts.shapes.audit import AuditOut, AuditQuery
from chalicelib.fields import Page
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR, STAFF
from chalicelib.web import lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "GET", "/v1/audit", roles=(*OPERATOR, *STAFF), query=AuditQuery, answer=Page[AuditOut])
def list_audit(call: Call) -> Any:
    """Every change with its old and new values, newest first; a page may be short and have a next one."""
    return lists.page(call, audit.listed(call.who, call.query(AuditQuery), lists.page_request(call)))
