"""Errors as ``application/problem+json`` (RFC 9457), also those that Chalice answers itself."""

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
    """A problem as a response; ``detail`` is the title if blank."""
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


def internal_error() -> Response:
    """The answer to a request that failed because of a mistake of ours."""
    return problem(500, "Internal error", "Something broke on our side; it has been logged.")


def from_error(error: ForfaitError) -> Response:
    """An error of our own as a response, with the status of its class."""
    response = problem(error.status, error.title, error.detail, error.errors)
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def chalice_errors(request: Any, next_step: Callable[[Any], Response]) -> Response:
    """Middleware: turns the errors that Chalice answers itself (405, 415, a crash) into problems.

    Ours are problems already, or pages.
    """
    response = next_step(request)
    ours = ("application/problem+json", "text/html")
    if response.status_code >= 400 and not str(response.headers.get("Content-Type")).startswith(ours):
        message = response.body.get("Message", "") if isinstance(response.body, dict) else ""
        status = 404 if response.status_code == 405 else response.status_code
        return problem(status, _TITLES.get(status, "Error"), message)
    return response
