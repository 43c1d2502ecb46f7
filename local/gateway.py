"""What API Gateway does between a client and the application, with Chalice's own local gateway inside.

Differences that Chalice leaves, closed here so that what works locally works deployed: an unknown path or method is a
404 problem (on AWS by a GatewayResponse); a path parameter stays percent-encoded, as REST APIs pass it; text bodies are
text and binary ones base64, distinguished by media type; an answer over Lambda's 6 MB is a 502.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalChalice, LocalGateway, LocalGatewayException

from local.wire import Answer, problem

_log = logging.getLogger(__name__)
HTTP_FUNCTION_SECONDS = 29
MAX_ANSWER_BYTES = 6 << 20
_NO_RESOURCE = "There is no such resource."


class Routes:
    """Chalice's routes, matched on the undecoded path; fixed words win over parameters, as in API Gateway."""

    def __init__(self, patterns: list[str]) -> None:
        # "{" sorts behind every letter and digit, so the first match is the most literal one.
        self._patterns = [(pattern, pattern.split("/")) for pattern in sorted(patterns)]

    def match(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The pattern that fits, and its parameters; a parameter is never empty, a last slash does not count."""
        parts = (path.rstrip("/") or "/").split("/")
        for pattern, words in self._patterns:
            if len(words) == len(parts):
                pairs = list(zip(words, parts, strict=True))
                if all(part if word.startswith("{") else word == part for word, part in pairs):
                    return pattern, {word[1:-1]: part for word, part in pairs if word.startswith("{")}
        return None


class _Converter:
    """Requests as Lambda events; replaces ``chalice.local.LambdaEventConverter``."""

    def __init__(self, routes: Routes, binary_types: list[str]) -> None:
        self._routes, self._binary_types = routes, binary_types

    def create_lambda_event(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> dict[str, Any]:
        """``path`` is path and query; ``ValueError`` when no route fits, as Chalice's gateway expects."""
        path, _, query = path.partition("?")
        found = self._routes.match(path)
        if found is None:
            raise ValueError(path)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        binary = bool(body) and media_type in self._binary_types
        return {
            "requestContext": {
                "httpMethod": method,
                "resourcePath": found[0],
                "identity": {"sourceIp": "127.0.0.1"},
                "path": path,
            },
            "headers": dict(headers),
            "pathParameters": found[1],
            "stageVariables": {},
            "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
            "body": base64.b64encode(body or b"").decode() if binary else (body or b"").decode("utf-8", "replace"),
            "isBase64Encoded": binary,
        }


class Gateway:
    """The application behind HTTP; used by many threads at once."""

    def __init__(self, app: Chalice) -> None:
        # Chalice keeps the current request on the application: LocalChalice makes that one per thread.
        if not isinstance(app, LocalChalice):
            app.__class__ = type("LocalApp", (LocalChalice, app.__class__), {})
        config = Config.create(chalice_stage="local", chalice_app=app, lambda_timeout=HTTP_FUNCTION_SECONDS)
        self._methods = {pattern: set(entries) for pattern, entries in app.routes.items()}
        self._cors = {
            pattern for pattern, entries in app.routes.items() if any(entry.cors for entry in entries.values())
        }
        self._routes = Routes(list(app.routes))
        self._gateway = LocalGateway(app, config)
        converter: Any = _Converter(self._routes, app.api.binary_types)
        self._gateway.event_converter = converter

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> Answer:
        """The response to a request; ``target`` is the request's path and query."""
        found = self._routes.match(target.partition("?")[0])
        if found is None or not self._allows(found[0], method):
            return problem(404, _NO_RESOURCE)
        merged = {name.lower(): ", ".join(headers.get_all(name, [])) for name in headers}
        try:
            return _rendered(self._gateway.handle_request(method, target, merged, body))
        except LocalGatewayException as refused:
            return problem(refused.CODE, "The request was not authorized.")
        except Exception:
            _log.exception("the application failed on %s %s", method, found[0])
            return problem(502, "The application failed; the log of the local stack says why.")

    def _allows(self, pattern: str, method: str) -> bool:
        return method in self._methods[pattern] or (method == "OPTIONS" and pattern in self._cors)


def _rendered(response: dict[str, Any]) -> Answer:
    """A Lambda proxy response as HTTP."""
    body = response["body"] or ""
    if len(body) > MAX_ANSWER_BYTES:
        return problem(502, "The answer is larger than the 6 MB that Lambda can return.")
    if response.get("isBase64Encoded"):
        data = base64.b64decode(body)
    elif isinstance(body, bytes):
        data = body
    else:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = list(_headers(response))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Answer(response["statusCode"], data, headers)


def _headers(response: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in response["headers"].items():
        if name.lower() != "content-length":
            yield name, str(value)
    for name, values in response["multiValueHeaders"].items():
        for value in values:
            yield name, str(value)
