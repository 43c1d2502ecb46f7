"""Doors that are not the API: pages for browsers, and endpoints that other people's servers call.

They take any query string (whoever sends a browser back adds to it), answer what they like, and stand in no OpenAPI
document. What they refuse is ``problem+json`` as everywhere; a page renders its own refusals.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from chalicelib.errors import ForfaitError, NotFound
from chalicelib.fields import check_id
from chalicelib.framework import Blueprint, Response
from chalicelib.web import problems
from chalicelib.web.urls import base_url

log = logging.getLogger(__name__)
DOORS: list[str] = []
"""Method and path of each, for the test that compares them with what is served."""
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Visit:
    """A request: the body as the bytes that came, the headers in lower case."""

    path: dict[str, str]
    raw: bytes
    headers: dict[str, str]
    base_url: str
    now: int


@dataclass(frozen=True)
class Reply:
    """An answer; what is never to be kept by anybody unless ``headers`` say otherwise."""

    body: str = ""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


Door = Callable[[Visit], Reply]


def door(bp: Blueprint, method: str, path: str, *, takes: str = "") -> Callable[[Door], Door]:
    """Declare one. ``takes`` is the one media type of its body, any when blank."""

    def declare(handler: Door) -> Door:
        def view(**path_values: str) -> Response:
            return _serve(f"{method} {path}", handler, bp.current_request, path_values)

        view.__name__ = handler.__name__
        more = {"content_types": [takes]} if takes else {"content_types": ["*/*"]}
        bp.route(path, methods=[method], name=handler.__name__, **more)(view)
        DOORS.append(f"{method} {path}")
        return handler

    return declare


def _serve(name: str, handler: Door, request: Any, path_values: dict[str, str]) -> Response:
    try:
        path = {key: unquote(value) for key, value in path_values.items()}
        if not all(check_id(value) for value in path.values()):
            raise NotFound()
        headers = {key.lower(): value for key, value in request.headers.items()}
        reply = handler(Visit(path, request.raw_body or b"", headers, base_url(request), int(time.time())))
    except ForfaitError as error:
        return problems.from_error(error)
    except Exception:
        log.exception("%s failed", name)
        return problems.problem(500, "Internal error", "Something broke on our side; it has been logged.")
    told: dict[str, str | list[str]] = {"Content-Type": reply.content_type, "Cache-Control": "no-store"}
    return Response(reply.body, headers={**told, **reply.headers}, status_code=reply.status)
