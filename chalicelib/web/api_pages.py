"""What the API says of itself: the OpenAPI document, and the same as a page, to which ``/`` leads."""

from __future__ import annotations

import json

from chalicelib.framework import Blueprint, Response
from chalicelib.web import docs, openapi
from chalicelib.web.urls import base_url

bp = Blueprint(__name__)


@bp.route("/", methods=["GET"])
def root() -> Response:
    """Leads a person who opens the address of the deployment to the page of the API."""
    return Response("", status_code=303, headers={"Location": f"{base_url(bp.current_request)}/docs"})


@bp.route("/v1/openapi.json", methods=["GET"])
def openapi_document() -> Response:
    """The OpenAPI 3.1 document of every route."""
    return Response(json.dumps(openapi.document()), headers={"Content-Type": "application/json"})


@bp.route("/docs", methods=["GET"])
def docs_page() -> Response:
    """The same for people."""
    return Response(docs.page(), headers=docs.HEADERS)
