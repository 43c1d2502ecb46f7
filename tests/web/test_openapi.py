"""The OpenAPI document: valid, whole, and as strict as the API itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import bodies
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from tenants import Tenant
from walk import Operation, fields_named, operations, request

MONEY = (
    r"^(?!charge_)(.*_)?(amount|balance|balance_after|cost|revenue|monthly|setup|fee|charge|credit_limit|threshold"
    r"|rate_per_minute|per_minute|markup_\w+)$"
)
"""Names of fields that hold money, a rate or a percentage; ``charge_*`` are flags."""


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    errors = [f"{error.instance_path}: {error.message}"[:300] for error in OPENAPI_31_VALIDATOR.iter_errors(document)]
    assert errors == []


def test_every_schema_is_a_json_schema_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for _, target in fields_named(document, r"^\$ref$"):
        found: Any = document
        for part in target.removeprefix("#/").split("/"):
            found = found[part]


def test_the_document_needs_no_key_and_is_not_kept(operator: Any, document: dict[str, Any]) -> None:
    reply = operator.with_key("").get("/v1/openapi.json")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json == document


def test_every_served_route_is_in_the_document(document: dict[str, Any]) -> None:
    from app import app
    from chalicelib.web.public_routes import PUBLIC_ROUTES

    served = {f"{method} {path}" for path, entries in app.routes.items() for method in entries}
    assert served - set(map(str, operations(document))) == {
        "GET /v1/openapi.json",
        "GET /docs",
        "GET /",
        *PUBLIC_ROUTES,
    }
    assert not [place for place in PUBLIC_ROUTES if " /v1/" in place]


def test_one_parameter_name_per_place_in_a_path(document: dict[str, Any]) -> None:
    """API Gateway takes only one name there."""
    names: dict[str, set[str]] = {}
    for path in document["paths"]:
        for match in re.finditer(r"\{(\w+)\}", path):
            names.setdefault(re.sub(r"\{\w+\}", "{}", path[: match.start()]), set()).add(match[1])
    assert {place: found for place, found in names.items() if len(found) > 1} == {}


def test_every_operation_says_who_may_and_what_can_happen(document: dict[str, Any]) -> None:
    ids = [op.told["operationId"] for op in operations(document)]
    assert len(ids) == len(set(ids))
    for op in operations(document):
        answers, roles = set(op.told["responses"]), bool(op.roles)
        assert ({"401", "403"} <= answers) == roles == ("security" in op.told), op
        assert {"404", "422"} <= answers, op
        good = {code for code in answers if code.startswith("2")}
        # An import is done, or goes on after the answer.
        imports = op.method == "POST" and op.path.startswith("/v1/imports")
        assert good == {"200", "202"} if imports else len(good) == 1, op
        assert op.told["summary"], op
        declared = [one["name"] for one in op.told["parameters"] if one["in"] == "path"]
        assert declared == op.in_path, op
        assert any(one["name"] == "Idempotency-Key" for one in op.told["parameters"]) == (op.method == "POST"), op


def test_money_is_a_string_in_every_schema(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [kind for _, kind in fields_named(schemas, "^type$") if kind == "number"] == []
    checked = 0
    for name, schema in schemas.items():
        for field, told in schema.get("properties", {}).items():
            # ``SourceColumns`` and ``DeckColumns`` have titles and places of columns, not amounts.
            if re.search(MONEY, field) and name not in ("SourceColumns", "DeckColumns"):
                told = bodies.resolved(told, document)
                kinds = [bodies.resolved(one, document) for one in told.get("anyOf", [told])]
                assert {kind["type"] for kind in kinds} <= {"string", "null", "object"}, f"{name}.{field}"
                checked += 1
    assert checked > 30


def test_bodies_say_that_unknown_fields_are_refused(document: dict[str, Any]) -> None:
    for op in operations(document):
        if op.schema:
            assert bodies.resolved(op.schema, document)["additionalProperties"] is False, op


def test_the_bodies_of_the_walk_fit_their_schemas(document: dict[str, Any], ours: Tenant) -> None:
    checked = 0
    for op in operations(document):
        for whole in (False, True) if op.schema else ():
            checked += 1
            body = request(op, ours.ids, whole=whole).body
            assert list(_misfits(op, body)) == [], f"{op} {json.dumps(body)}"
    assert checked > 30


def _misfits(op: Operation, body: Any) -> Iterator[str]:
    schema = {**(op.schema or {}), "components": op.document["components"]}
    for error in Draft202012Validator(schema).iter_errors(body):
        yield f"{error.json_path}: {error.message}"
