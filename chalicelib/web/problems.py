"""Errors as ``application/problem+json`` (RFC 9457), also those that Chalice makes itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from chalicelib.errors import FieldError, ForfaitError, TooFast
from chalicelib.framework import Response

log = logging.getLogger(__name__)

_TITLES = {
    400: "Malformed request",
    404: "Not found",
    405: "Method not allowed",
    413: "Too large",
    415: "Send application/json",
    500: "Internal error",
}


def problem(status: int, title: str, detail: str = "", errors: tuple[FieldError, ...] = ()) -> Response:
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "errors": [{"field": e.field, "message": e.message} for e in errors],
    }
    headers: dict[str, str | list[str]] = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(body), headers=headers, status_code=status)


def from_error(error: ForfaitError) -> Response:
    response = problem(error.status, error.title, error.detail, error.errors)
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def chalice_errors(request: Any, next_step: Callable[[Any], Response]) -> Response:
    """Middleware: the errors that Chalice answers by itself (415, 405, a crash) become problems too."""
    response = next_step(request)
    if response.status_code >= 400 and response.headers.get("Content-Type") != "application/problem+json":
        message = response.body.get("Message", "") if isinstance(response.body, dict) else ""
        status = 404 if response.status_code == 405 else response.status_code
        return problem(status, _TITLES.get(status, "Error"), message)
    return response
