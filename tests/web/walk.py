"""The API's operations as the OpenAPI document has them, the requests that are made of them, and their answers' shape.

Nothing here knows a route: a new one is walked as soon as it is declared.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import bodies
from jsonschema import Draft202012Validator
from tenants import CALLED_ON

QUERY = {
    "number": "+15145550100",
    "at": CALLED_ON,
    "date_from": "2091-03-09",
    "date_to": "2091-03-11",
    "limit": "1",
}
"""Values of query parameters that are no ids."""
ELSEWHERE = ("merchant_id", "call_id")
"""Names that look like ids of ours, and are given by others."""
ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Operation:
    """One method of one path; ``document`` is the whole document."""

    method: str
    path: str
    told: dict[str, Any]
    document: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def roles(self) -> list[str]:
        return list(self.told["x-roles"])

    @property
    def in_path(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def in_query(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.told["parameters"] if one["in"] == "query"}

    @property
    def schema(self) -> dict[str, Any] | None:
        body = self.told.get("requestBody")
        return dict(body["content"]["application/json"]["schema"]) if body else None

    @property
    def in_body(self) -> tuple[str, ...]:
        return bodies.fields_of(self.schema, self.document)


@dataclass(frozen=True)
class Request:
    """``text`` is all of it, to tell what an answer may echo."""

    method: str
    path: str
    body: Any

    @property
    def text(self) -> str:
        return f"{self.path} {json.dumps(self.body)}"

    def send(self, api: Any) -> Any:
        return api.send(self.method, self.path, self.body)


def operations(document: dict[str, Any]) -> list[Operation]:
    """Every operation; those that read first, those that delete last."""
    found = [
        Operation(method.upper(), path, told, document)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
    return sorted(found, key=lambda one: ORDER.index(one.method))


def request(op: Operation, ids: dict[str, str], *, whole: bool = False, query: dict[str, str] | None = None) -> Request:
    """The operation on these ids. ``whole``: with every field of the body and every parameter that has a value."""
    path = op.path
    for name in op.in_path:
        assert name in ids, f"{op} has a path parameter {name}: add one to `ids` in tests/web/tenants.py"
        path = path.replace(f"{{{name}}}", quote(ids[name], safe=""))
    unknown = [name for name in (*op.in_body, *op.in_query) if name.endswith("_id") and name not in (*ids, *ELSEWHERE)]
    assert not unknown, f"{op} takes {', '.join(unknown)}: add one to `ids` in tests/web/tenants.py"
    asked = {name: value for name, value in {**ids, **QUERY}.items() if name in op.in_query}
    if not whole:
        asked = {name: value for name, value in asked.items() if op.in_query[name]["required"]}
    asked |= query or {}
    fresh = {"username": f"walk-{uuid.uuid4().hex[:12]}", "number": f"+1438{uuid.uuid4().int % 10**8:08d}"}
    if op.path == "/v1/imports":
        fresh["clients"] = "ref,company\nold-1,Walk\n"
    body = bodies.body_of(op.schema, op.document, {**ids, **fresh}, whole=whole) if op.schema else None
    if op.path == "/v1/authorizations":
        # Outbound calls need it, inbound ones do not, which a list of required fields cannot say.
        body = {**body, "account": ids["account"]}
    return Request(op.method, path + (f"?{urlencode(asked)}" if asked else ""), body)


def strange(op: Operation, own: dict[str, str], stranger: dict[str, str]) -> Iterator[tuple[str, Request]]:
    """Requests with a stranger's ids, and where those stand: ``path``, ``body`` or ``query``.

    In the path all of them and each alone among own ones; in body and query each alone.
    """
    in_path = [name for name in op.in_path if name in stranger and stranger[name] != own.get(name)]
    for swapped in [in_path, *([name] for name in in_path if len(in_path) > 1)]:
        if swapped:
            ids = own | {name: stranger[name] for name in swapped}
            yield "path", request(op, ids)
            yield "path", request(op, ids, whole=True)
    for name in (name for name in op.in_body if name.endswith("_id") and name in stranger and name not in ELSEWHERE):
        yield "body", _with_field(request(op, own), name, stranger[name])
        yield "body", _with_field(request(op, own, whole=True), name, stranger[name])
    for name in (name for name in op.in_query if name.endswith("_id") and name in stranger):
        yield "query", request(op, own, query={name: stranger[name]})


def _with_field(made: Request, name: str, value: str) -> Request:
    return Request(made.method, made.path, {**made.body, name: value})


class Shapes:
    """Answers against what the document declares for them."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, Draft202012Validator] = {}

    def faults(self, op: Operation, reply: Any) -> list[str]:
        """What is wrong with an answer; a problem must look like ``Problem`` whatever the operation declares."""
        declared = op.told["responses"].get(str(reply.status))
        if reply.status >= 500 or declared is None:
            return [f"{reply.status} is not an answer of this operation: {reply.text[:300]}"]
        media = reply.headers.get("Content-Type", "").partition(";")[0]
        if "content" not in declared:
            return [] if not reply.text else [f"{reply.status} has a body: {reply.text[:300]}"]
        if media not in declared["content"]:
            return [f"{reply.status} is {media}, declared is {', '.join(declared['content'])}"]
        if "json" not in media:
            return []
        found = self._validator(declared["content"][media]["schema"]).iter_errors(reply.json)
        return [f"{reply.status} {error.json_path}: {error.message}"[:300] for error in found]

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator({**schema, "components": self._document["components"]})
        return self._validators[key]


def fields_named(value: Any, pattern: str) -> Iterator[tuple[str, Any]]:
    """Every field of a JSON value, however deep, whose name holds ``pattern``, with its value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if re.search(pattern, name):
                yield name, inner
            yield from fields_named(inner, pattern)
    elif isinstance(value, list):
        for inner in value:
            yield from fields_named(inner, pattern)
