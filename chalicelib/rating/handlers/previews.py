"""The route that shows how a CDR file would be read and priced."""

from __future__ import annotations

from typing import Any

from chalicelib.framework import Blueprint
from chalicelib.principals import RESELLER
from chalicelib.rating.batches import previews
from chalicelib.rating.shapes.previews import PreviewIn, PreviewOut
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/cdr-preview", roles=RESELLER, body=PreviewIn, answer=PreviewOut, status=200)
def preview_cdr(call: Call) -> Any:
    """How the beginning of a CDR file would be read and priced, and what to declare about it; nothing is posted."""
    body = call.body(PreviewIn)
    return previews.preview(call.scope.now, call.who.reseller_id, body.filename, body.data())
