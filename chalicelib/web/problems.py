"""Errors as ``application/problem+json`` (RFC 9457), also those that Chalice makes itself."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

from chalice.app import Response
from pydantic import ValidationError

from chalicelib.errors import FieldError, ForfaitError, Invalid, TooFast
from chalicelib.fields import MEANT

log = logging.getLogger(__name__)

MOST_ERRORS = 100
"""Findings that an answer lists: a body can hold more than Lambda may answer."""
_SUBJECT = re.compile("^[A-Z][a-z]+ should ")
"""How pydantic's sentences begin: "Input should be a valid string"."""
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


def invalid(error: ValidationError) -> Invalid:
    """pydantic's findings as ours: dotted field names as the caller spells them, sentences a person understands."""
    items = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]
    found = tuple(
        FieldError(".".join(str(part) for part in item["loc"])[:200] or "body", _sentence(item)) for item in items
    )
    return Invalid("; ".join(f"{e.field} {e.message}" for e in found[:5]), found)


def chalice_errors(request: Any, next_step: Callable[[Any], Response]) -> Response:
    """Middleware: the errors that Chalice answers by itself (415, 405, a crash) become problems too."""
    response = next_step(request)
    if response.status_code >= 400 and response.headers.get("Content-Type") != "application/problem+json":
        message = response.body.get("Message", "") if isinstance(response.body, dict) else ""
        status = 404 if response.status_code == 405 else response.status_code
        return problem(status, _TITLES.get(status, "Error"), message)
    return response


def _sentence(item: Any) -> str:
    """What is wrong, so that it reads on from the field's name."""
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "string_pattern_mismatch":
        # Only the message has the pattern: contexts are left out, for they may hold what is no JSON.
        pattern = message.partition("'")[2].removesuffix("'")
        message = next((meant for form, meant in MEANT.items() if pattern in (f"^{form}$", f"^({form})?$")), message)
    message = _SUBJECT.sub("must ", message, count=1)
    return {"extra_forbidden": "is not a field of this request", "missing": "is required"}.get(item["type"], message)
