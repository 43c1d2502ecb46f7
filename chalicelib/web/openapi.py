"""The OpenAPI 3.1 document, generated from the declared routes and the shapes that validate requests."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.web.routes import ROUTES, Route

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_MEANINGS = {
    400: "malformed",
    401: "no key, or an unknown one",
    403: "a key of another role",
    404: "unknown, or somebody else's",
    409: "conflict",
    413: "too large",
    415: "not application/json",
    422: "a field is wrong",
    429: "too many requests; try again after Retry-After seconds",
}


def document() -> dict[str, Any]:
    """The document. Each operation lists the roles that may call it in ``x-roles``, and in ``x-scopes`` the scopes of
    keys that may."""
    shapes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = []
    for entry in ROUTES:
        shapes += [(shape, "validation") for shape in (entry.body, entry.query) if shape]
        shapes += [(entry.answer, "serialization")] if entry.answer else []
    refs, definitions = models_json_schema(shapes, ref_template="#/components/schemas/{model}")
    schemas = {**definitions.get("$defs", {}), "Problem": _PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for entry in ROUTES:
        paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(entry, dict(refs), schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Forfait", "version": "1", "description": "Back office for telephone resellers."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(entry: Route, refs: dict[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": entry.name,
        "summary": entry.summary,
        "tags": [entry.path.split("/")[2] if entry.path.startswith("/v1/") else "pages"],
        "x-roles": list(entry.roles),
        "x-scopes": list(entry.scopes),
        "parameters": _parameters(entry, refs, schemas),
        "responses": _responses(entry, refs),
    }
    if entry.roles:
        operation["security"] = [{"key": []}]
    if entry.body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[(entry.body, "validation")]}},
        }
    return operation


def _parameters(entry: Route, refs: dict[Any, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", entry.path)
    ]
    if entry.query:
        schema = schemas[refs[(entry.query, "validation")]["$ref"].rsplit("/", 1)[1]]
        for name, shape in schema["properties"].items():
            required = name in schema.get("required", [])
            parameters.append({"name": name, "in": "query", "required": required, "schema": shape})
    if entry.method == "POST":
        schema = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema})
    return parameters


def _responses(entry: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": entry.summary}
    content: dict[str, Any] = {}
    if entry.answer:
        content["application/json"] = {"schema": refs[(entry.answer, "serialization")]}
    if entry.text:
        content[entry.text] = {"schema": {"type": "string"}}
    if content:
        good["content"] = content
    bad = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    codes = [400, 404, 409, 413, 415, 422, 429] + ([401, 403] if entry.roles else [])
    accepted = {"202": good} if entry.accepted else {}
    answers = (
        {str(entry.status): good}
        | accepted
        | {str(code): {"description": _MEANINGS[code], "content": bad} for code in sorted(codes)}
    )
    answers["429"]["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    return answers
