"""Request bodies made from a schema of the OpenAPI document: the smallest that fits, and one with every field."""

from __future__ import annotations

import re
from typing import Any

ABSENT = object()
"""The value of a field that a body is to leave out, because another one is given."""
CANDIDATES = (
    "7.77", "US", "en", "us", "walk@walk.example", "walk.csv", "Walk", "2091-04", "walk-1", "+15145550100", "#336699",
    "https://walk.example/x", "walk.example", "1", "EUR", "*67", "",
)  # fmt: skip
"""Texts tried, in this order, where a schema has a pattern and neither an example nor a default."""
FORMATS = {"date-time": "2091-04-01T00:00:00Z", "date": "2091-04-01", "uri": "https://walk.example/x"}


def body_of(schema: dict[str, Any], document: dict[str, Any], values: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """A body that fits ``schema``; fields named in ``values`` have those. ``whole``: optional fields too."""
    fields = resolved(schema, document)
    wanted = fields["properties"] if whole else fields.get("required", [])
    samples = {name: _sample(name, fields["properties"][name], document) for name in wanted}
    # A value is for a field of its own kind: ``account`` is a user name here and a list of rules there.
    return {
        name: values[name] if name in values and isinstance(values[name], type(sample)) else sample
        for name, sample in samples.items()
        if values.get(name) is not ABSENT
    }


def fields_of(schema: dict[str, Any] | None, document: dict[str, Any]) -> tuple[str, ...]:
    """The names of a body's fields."""
    return tuple(resolved(schema, document)["properties"]) if schema else ()


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema without its outermost ``$ref``."""
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        schema = {**document["components"]["schemas"][name], **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _sample(name: str, schema: dict[str, Any], document: dict[str, Any]) -> Any:
    schema = resolved(schema, document)
    if schema.get("default") is not None:
        return schema["default"]
    if "anyOf" in schema:
        schema = resolved(next(one for one in schema["anyOf"] if one.get("type") != "null"), document)
    for given in ("const", "enum", "examples"):
        if given in schema:
            return schema[given] if given == "const" else schema[given][0]
    kind = schema.get("type")
    if kind == "object":
        return body_of(schema, document, {}, whole=True) if "properties" in schema else {}
    if kind == "array":
        return [_sample(name, schema["items"], document)] if schema.get("minItems") else []
    if kind in ("integer", "boolean"):
        return schema.get("minimum", 1) if kind == "integer" else True
    return _text(name, schema)


def _text(name: str, schema: dict[str, Any]) -> str:
    if "format" in schema:
        return FORMATS[schema["format"]]
    pattern, least = schema.get("pattern", ""), schema.get("minLength", 0)
    for text in CANDIDATES if pattern else ("Walk",):
        if re.search(pattern, text) and least <= len(text) <= schema.get("maxLength", 10_000):
            return text
    raise AssertionError(f"no text fits {name}: give the field an example, or add one to CANDIDATES in {__name__}.py")
