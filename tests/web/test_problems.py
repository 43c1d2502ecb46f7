"""What cannot be read, what is not allowed and what breaks: always problem+json, and the field is named."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any

import bodies
import pytest
from chalice.app import Blueprint, Chalice
from faults import refusing
from tenants import Tenant
from walk import Operation, operations, request

import app  # noqa: F401  (declares the routes)
from chalicelib.errors import LostRace, TooFast
from chalicelib.fields import Shape
from chalicelib.web import openapi, problems
from chalicelib.web.routes import MAX_BODY_BYTES, ROUTES, Call, route

OPERATIONS = operations(openapi.document())
WITH_BODY = [op for op in OPERATIONS if op.schema and op.roles]
WITH_PATH = [op for op in OPERATIONS if op.in_path and op.roles]
DECIMAL = "^-?[0-9]{1,15}"
"""How the pattern of a field begins that takes money."""
LINES = {
    ("POST /v1/cdr-preview", "text"),
    ("POST /v1/deck-preview", "text"),
    *(("POST /v1/imports", name) for name in ("clients", "subaccounts", "dids", "balances")),
    ("POST /v1/packages/{package_id}/rates/import", "rates"),
}
"""Texts of several lines, whose content is looked at line by line."""
"""A file of calls: what cannot stand in it is told line by line, as in a batch."""
ENDS = {
    '"date"': (
        "0001-01-01",
        "9999-12-31",
        "1969-12-31",
        "2200-01-01",
        "2026-W01-1",
        "20260101",
        "2026-02-30",
        "",
        "٢٠٢٦-01-01",
    ),
    '"date-time"': ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-23T08:30:60Z", "2026-11-23", ""),
}
UNREADABLE = {
    "no JSON": b"x=1",
    "half of it": b'{"company": "a"',
    "two of it": b"{} {}",
    "a single quote": b"{'company': 'a'}",
    "NaN": b'{"company": NaN}',
    "Infinity": b'{"company": -Infinity}',
    "a name twice": b'{"company": "a", "company": "b"}',
    "a name twice, further in": b'{"pulse": {"initial": 6, "increment": 6, "initial": 60}}',
    "a list": b"[]",
    "a text": b'"a"',
    "null": b"null",
    "no UTF-8": b'{"company": "\xff\xfe"}',
    "a number of 5,000 digits": b'{"company": ' + b"9" * 5000 + b"}",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
}


def is_problem(reply: Any, status: int, *fields: str) -> bool:
    """Whether an answer is a whole problem of this status; the assertion says what it is not."""
    assert reply.status == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Cache-Control"] == "no-store"
    body = reply.json
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status and body["title"] and body["detail"]
    assert "Traceback" not in reply.text and "pydantic" not in reply.text
    if fields:
        assert {error["field"] for error in body["errors"]} == set(fields), reply.text
        assert all(error["message"] for error in body["errors"])
    return True


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_cannot_be_read_is_400(reseller: Any, raw: bytes) -> None:
    assert is_problem(reseller.send("POST", "/v1/clients", raw), 400)


def test_a_body_over_the_limit_is_413_also_where_none_is_wanted(reseller: Any) -> None:
    large = b'{"company": "' + b"a" * MAX_BODY_BYTES + b'"}'
    for path in ("/v1/clients", "/v1/account/activate"):
        assert is_problem(reseller.send("POST", path, large), 413)


def test_thousands_of_unknown_fields_make_a_short_answer(reseller: Any) -> None:
    many = {f"field-{n}-{'x' * 300}": 1 for n in range(2_000)}
    reply = reseller.post("/v1/clients", many)
    assert is_problem(reply, 422)
    assert len(reply.text) < 100_000


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "multipart/form-data", "application/jsonp", "x"])
def test_another_content_type_is_415(reseller: Any, media: str) -> None:
    reply = reseller.send("POST", "/v1/clients", b'{"company": "a"}', headers={"content-type": media})
    assert is_problem(reply, 415)


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "application/json;charset=UTF-8"])
def test_a_charset_beside_the_content_type_is_taken(reseller: Any, media: str) -> None:
    assert reseller.send("POST", "/v1/clients", b"{}", headers={"content-type": media}).status == 201


@pytest.mark.parametrize("op", WITH_BODY, ids=str)
def test_an_unknown_field_is_refused_by_name(op: Operation, ours: Tenant, operator: Any) -> None:
    sent = request(op, ours.ids)
    reply = _key(op, ours, operator).send(op.method, sent.path, {**sent.body, "surprise": 1})
    assert is_problem(reply, 422, "surprise")


@pytest.mark.parametrize("op", WITH_BODY, ids=str)
def test_money_is_a_decimal_string_and_nothing_else(op: Operation, ours: Tenant, operator: Any) -> None:
    sent, key = request(op, ours.ids, whole=True), _key(op, ours, operator)
    for name in _fields(op, lambda schema: schema.get("pattern", "").startswith(DECIMAL)):
        for wrong in (10, 10.5, True, "1e3", "1_0", "+1", " 1", "1 ", "٣", "", ".5", "1.", "9" * 16, []):
            reply = key.send(op.method, sent.path, {**sent.body, name: wrong})
            assert is_problem(reply, 422, name), (name, wrong)


@pytest.mark.parametrize("op", WITH_BODY, ids=str)
def test_a_text_with_a_character_that_cannot_be_printed_is_refused(op: Operation, ours: Tenant, operator: Any) -> None:
    sent, key = request(op, ours.ids, whole=True), _key(op, ours, operator)
    for name in _fields(op, lambda schema: schema.get("type") == "string"):
        if (str(op), name) in LINES:
            continue
        for bad in (b"\\u0000", b"\\ud800", b"\\u202e", b"\\n"):
            raw = json.dumps({**sent.body, name: "walk@SPOILT.example"}).encode().replace(b"SPOILT", b"a" + bad + b"b")
            assert is_problem(key.send(op.method, sent.path, raw), 422, name), (name, bad)


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op.roles], ids=str)
def test_days_and_instants_end_before_the_calendar_does(op: Operation, ours: Tenant, operator: Any) -> None:
    """What is one day or one offset from the calendar's end would be taken, and break whoever reads it."""
    sent, key = request(op, ours.ids, whole=True), _key(op, ours, operator)
    for kind, wrong in ENDS.items():
        for name in _fields(op, lambda schema, kind=kind: f'"{schema.get("format")}"' == kind) if op.schema else ():
            for text in wrong:
                assert is_problem(key.send(op.method, sent.path, {**sent.body, name: text}), 422, name), text
        for name in (name for name, one in op.in_query.items() if kind in json.dumps(one["schema"])):
            for text in wrong:
                asked = request(op, ours.ids, whole=True, query={name: text})
                assert is_problem(key.send(op.method, asked.path, asked.body), 422, name), text


@pytest.mark.parametrize("op", OPERATIONS, ids=str)
def test_an_unknown_query_parameter_is_refused_by_name(op: Operation, ours: Tenant, operator: Any) -> None:
    sent = request(op, ours.ids, query={"surprise": "1"})
    assert is_problem(_key(op, ours, operator).send(op.method, sent.path, sent.body), 422, "surprise")


@pytest.mark.parametrize("op", WITH_PATH, ids=str)
def test_a_path_parameter_that_is_no_id_names_nothing(op: Operation, ours: Tenant, operator: Any, edge: Any) -> None:
    key = _key(op, ours, operator)
    body = json.dumps(request(op, ours.ids).body or {}).encode()
    query = request(op, ours.ids).path.partition("?")[2]
    client = ours.ids["client_id"]
    ids = ("a%23b", f"{client}%23", f"x%2F..%2F{client}", "%2E%2E%2Fx", "%00", f"{client}%0A", "%F0%9F%92%A9", "%25",
           f"{client}%2523", "%zz", "%FF", "x" * 129)  # fmt: skip
    for bad in ids:
        path = re.sub(r"\{\w+\}", bad, op.path)
        status, raw, headers = _through(edge, op.method, f"{path}?{query}", key.key, body)
        assert status == 404, (bad, raw)
        assert headers["Content-Type"] == "application/problem+json"
        assert json.loads(raw)["status"] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("PUT", "/v1/clients"),
        ("DELETE", "/v1/account"),
        ("GET", "/v1/clients/a/b/c/d"),
        ("HEAD", "/v1/clients"),
        ("OPTIONS", "/v1/clients"),
        ("POST", "//v1/clients"),
    ],
)
def test_unknown_paths_and_methods_are_404(reseller: Any, edge: Any, method: str, path: str) -> None:
    status, raw, headers = _through(edge, method, path, reseller.key, b"{}")
    assert status == 404
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(raw)["status"] == 404


# --- what breaks --------------------------------------------------------------------------------------------------


class Answered(Shape):
    thing: str


@pytest.fixture
def broken() -> Iterator[Callable[[Callable[[Call], Any]], Any]]:
    """Serves one handler of the test at ``GET /v1/broken``, in an app of its own."""
    from chalice.config import Config
    from chalice.local import LocalGateway

    before = list(ROUTES)

    def serve(handler: Callable[[Call], Any]) -> Any:
        made, bp = Chalice(app_name="broken", configure_logs=False), Blueprint("broken")
        route(bp, "GET", "/v1/broken", roles=(), answer=Answered)(handler)
        made.register_middleware(problems.chalice_errors, "http")
        made.register_blueprint(bp)
        return LocalGateway(made, Config.create(chalice_stage="local", chalice_app=made, lambda_timeout=30))

    yield serve
    ROUTES[:] = before


@pytest.mark.parametrize(
    ("breaks", "status"),
    [
        (RuntimeError("secret"), 500),
        (KeyError("secret"), 500),
        (RecursionError("secret"), 500),
        (TooFast(), 429),
        (LostRace(("secret",)), 409),
    ],
    ids=repr,
)
def test_a_handler_that_breaks_answers_a_problem_without_its_insides(
    broken: Any, reseller: Any, caplog: pytest.LogCaptureFixture, breaks: Exception, status: int
) -> None:
    def handler(call: Call) -> Any:
        """Break."""
        raise breaks

    with caplog.at_level(logging.ERROR):
        reply = type(reseller)(broken(handler)).get("/v1/broken")
    assert is_problem(reply, status)
    assert "secret" not in reply.text
    assert ("GET /v1/broken failed" in caplog.text) == (status == 500)


@pytest.mark.parametrize("answer", [{"thing": 1}, {"thing": "a", "secret": "b"}, {}, "secret"], ids=repr)
def test_an_answer_that_is_not_as_declared_is_our_fault_and_not_the_callers(
    broken: Any, reseller: Any, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    def handler(call: Call) -> Any:
        """Answer something else."""
        return answer

    reply = type(reseller)(broken(handler)).get("/v1/broken")
    assert is_problem(reply, 500)
    assert "secret" not in reply.text and "GET /v1/broken failed" in caplog.text


def test_a_store_that_fails_is_500_without_its_words(reseller: Any, caplog: pytest.LogCaptureFixture) -> None:
    with refusing("GetItem", ["AccessDeniedException"]):
        reply = reseller.get("/v1/clients/nobody?limit=1")
    assert is_problem(reply, 500)
    assert "AccessDenied" not in reply.text and "injected" not in reply.text
    assert "limit" not in caplog.text, "query strings are never logged"


@pytest.mark.parametrize(
    ("wrong", "detail"),
    [
        ({"email": "nobody"}, "email must be an e-mail address such as me@example.com"),
        ({"country": "Canada"}, "country must be an ISO 3166 alpha-2 code such as CA"),
        ({"country": "XX"}, "country must be an ISO 3166 alpha-2 code such as CA"),
        ({"balance_mode": "loose"}, "balance_mode must be 'permissive' or 'strict'"),
        ({"zip": "1" * 301}, "zip must have at most 300 characters"),
        ({"phone": 5}, "phone must be a valid string"),
        ({"low_balance_threshold": "5,00"}, "low_balance_threshold must be a decimal number such as 0.012"),
    ],
)
def test_what_is_wrong_with_a_field_reads_on_from_its_name(
    reseller: Any, wrong: dict[str, object], detail: str
) -> None:
    reply = reseller.post("/v1/clients", {"company": "a", **wrong})
    assert (reply.status, reply.json["detail"]) == (422, detail)


def _key(op: Operation, ours: Tenant, operator: Any) -> Any:
    return ours.api if "reseller" in op.roles else operator


def _fields(op: Operation, wanted: Callable[[dict[str, Any]], bool]) -> list[str]:
    """Fields of the body whose schema, null left aside, is wanted; those with fixed words are not."""
    schema = bodies.resolved(op.schema or {}, op.document)
    found = []
    for name, told in schema["properties"].items():
        told = bodies.resolved(told, op.document)
        kinds = [bodies.resolved(one, op.document) for one in told.get("anyOf", [told])]
        if any(wanted(kind) and "enum" not in kind and "const" not in kind for kind in kinds):
            found.append(name)
    return found


def _through(edge: Any, method: str, target: str, key: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
    headers = Message()
    headers["Authorization"] = f"Bearer {key}"
    headers["Content-Length"] = str(len(body))
    headers["Content-Type"] = "application/json"
    answer = edge.answer(method, target, headers, body)
    return answer.status, answer.body, dict(answer.headers)
