"""Routes outside the API that need no key: pages for browsers, and addresses that other companies' servers call.

They accept any query string, because a service that sends a browser back may add to it. They answer any media type and
are not in the OpenAPI document. Errors are ``problem+json`` as everywhere, or a page
where the route has one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib.errors import ForfaitError
from chalicelib.framework import Blueprint, Response
from chalicelib.web import problems
from chalicelib.web.urls import base_url, path_parameters

log = logging.getLogger(__name__)
PUBLIC_ROUTES: list[str] = []
"""``METHOD /path`` of each declared route, for the test that compares them with what is served."""
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class PublicRequest:
    """A request.

    path: decoded path parameters by name.
    raw: the body, byte for byte.
    headers: by name in lower case.
    base_url: public address of this deployment, without a slash at the end.
    now: instant of the request, in seconds since 1970.
    """

    path: dict[str, str]
    raw: bytes
    headers: dict[str, str]
    base_url: str
    now: int


@dataclass(frozen=True)
class PublicResponse:
    """An answer. It is sent with ``Cache-Control: no-store`` unless ``headers`` say otherwise."""

    body: str = ""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[PublicRequest], PublicResponse]
ErrorPage = Callable[[int, dict[str, str]], PublicResponse]
"""The status of an error (404, 500, ...) and the headers of the request -> what a browser is shown."""


def public_route(
    bp: Blueprint, method: str, path: str, *, accepts: str = "*/*", error_page: ErrorPage | None = None
) -> Callable[[Handler], Handler]:
    """Declare a route on a blueprint. ``accepts`` is the media type of its body; another one is answered 415.

    ``error_page`` answers for errors in place of ``problem+json``, for routes that a person opens in a browser.
    """

    def declare(handler: Handler) -> Handler:
        def view(**path_values: str) -> Response:
            return _serve(f"{method} {path}", handler, error_page, bp.current_request, path_values)

        view.__name__ = handler.__name__
        bp.route(path, methods=[method], name=handler.__name__, content_types=[accepts])(view)
        PUBLIC_ROUTES.append(f"{method} {path}")
        return handler

    return declare


def _serve(
    name: str, handler: Handler, error_page: ErrorPage | None, request: Any, path_values: dict[str, str]
) -> Response:
    headers = {key.lower(): value for key, value in request.headers.items()}
    try:
        path = path_parameters(path_values)
        answer = handler(PublicRequest(path, request.raw_body or b"", headers, base_url(request), int(time.time())))
    except ForfaitError as error:
        if error_page is None:
            return problems.from_error(error)
        answer = error_page(error.status, headers)
    except Exception:
        log.exception("%s failed", name)
        if error_page is None:
            return problems.internal_error()
        answer = error_page(500, headers)
    own: dict[str, str | list[str]] = {"Content-Type": answer.content_type, "Cache-Control": "no-store"}
    return Response(answer.body, headers={**own, **answer.headers}, status_code=answer.status)
