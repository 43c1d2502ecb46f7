"""Requests made up by schemathesis from the served document, good ones and bad ones, sent over HTTP.

Whatever comes in, no answer is a 5xx, each has a declared status, media type and shape, and what does not fit the
document is refused as a problem that names the field. The same examples come every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from tenants import Tenant, make_tenant
from walk import ORDER, QUERY

import app  # noqa: F401  (declares the routes)
from chalicelib.web import openapi

pytestmark = pytest.mark.long

GOOD, BAD = 10, 15
"""Examples of each operation."""
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
DOCUMENT = openapi.document()
OPERATIONS = sorted(
    ((method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods),
    key=lambda one: ORDER.index(one[0]),
)


def _each(operations: list[tuple[str, str]]) -> Any:
    return pytest.mark.parametrize(("method", "path"), operations, ids=[" ".join(one) for one in operations])


def _takes_something(method: str, path: str) -> bool:
    """Whether a request can be wrong but for its path."""
    told = DOCUMENT["paths"][path][method.lower()]
    return "requestBody" in told or any(one["in"] != "path" for one in told["parameters"])


class Served:
    """The document as it is served, a tenant whose keys and ids are used, and the answers' statuses."""

    def __init__(self, url: str, tenant: Tenant, operator_key: str) -> None:
        config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
        self.schema: Any = schemathesis.openapi.from_url(f"{url}/v1/openapi.json", config=config)
        self.url, self.tenant, self._operator_key = url, tenant, operator_key
        self.statuses: dict[str, list[int]] = {}

    def operation(self, method: str, path: str) -> Any:
        return self.schema[path][method]

    def ids(self, operation: Any) -> dict[str, str]:
        """Things that are there, by the names of the operation's path parameters."""
        ids = self.tenant.ids | self.tenant.spare.get(f"{operation.method.upper()} {operation.path}", {})
        return {one.name: ids[one.name] for one in operation.path_parameters}

    def send(self, case: Any, *more: Any) -> Any:
        key = self._operator_key if "operator" in case.operation.definition.raw["x-roles"] else self.tenant.api.key
        response = case.call(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self.statuses.setdefault(f"{case.method} {case.operation.path}", []).append(response.status_code)
        case.validate_response(response, checks=[*CHECKS, *more])
        return response


@pytest.fixture(scope="module")
def served(operator: Any, edge: Any, deck_of_the_walk: None) -> Iterator[Served]:
    from local.aws import listen
    from local.server import HttpServer

    server = HttpServer(listen(0), edge)
    server.start()
    found = Served(server.url, make_tenant(operator, "fuzzedaxolotl"), operator.key)
    # Another one than the tenant, which the operator would suspend.
    found.tenant.ids["reseller_id"] = operator.made("/v1/resellers", {"name": "Axolotl", "email": "a@axolotl.example"})[
        "id"
    ]
    yield found
    server.stop()


def the_same(count: int) -> Any:
    """So many examples, the same ones every time; five suffice to reach what the last test looks for."""
    return examples(count, 5, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@_each(OPERATIONS)
def test_a_request_that_fits_gets_an_answer_that_fits(method: str, path: str, served: Served) -> None:
    operation = served.operation(method, path)
    known = served.ids(operation)

    @the_same(GOOD)
    @given(operation.as_strategy(GenerationMode.POSITIVE), st.booleans())
    def send(case: Any, real: bool) -> None:
        if real:
            _on_things_that_are_there(case, known, {**served.tenant.ids, **QUERY})
        response = served.send(case)
        assert response.status_code not in (401, 403, 405, 415), response.text
        _told(case, response)

    send()


@_each([one for one in OPERATIONS if _takes_something(*one)])
def test_a_request_that_does_not_fit_is_refused_by_name(method: str, path: str, served: Served) -> None:
    operation = served.operation(method, path)
    known = served.ids(operation)

    @the_same(BAD)
    @given(operation.as_strategy(GenerationMode.NEGATIVE))
    def send(case: Any) -> None:
        _on_things_that_are_there(case, known, {})
        _told(case, served.send(case, checks.negative_data_rejection))

    send()


@_each([one for one in OPERATIONS if not _takes_something(*one)])
def test_what_takes_no_parameter_says_so(method: str, path: str, served: Served) -> None:
    case = served.operation(method, path).Case(query={"surprise": "1"}, path_parameters={})
    _on_things_that_are_there(case, served.ids(case.operation), {})
    response = served.send(case)
    assert response.status_code == 422 and response.json()["errors"][0]["field"] == "surprise"


def test_the_requests_reached_what_they_were_made_for(served: Served, record_testsuite_property: Any) -> None:
    """Of the operations that were tried, most were made to act, and to refuse a field."""
    if set(served.statuses) < {" ".join(one) for one in OPERATIONS}:
        pytest.skip("says nothing about a part of the operations")
    acted = [name for name, statuses in served.statuses.items() if min(statuses) < 300]
    refused = [name for name, statuses in served.statuses.items() if 422 in statuses]
    assert len(acted) > 0.75 * len(OPERATIONS), sorted(set(served.statuses) - set(acted))
    assert len(refused) > 0.95 * len(OPERATIONS), sorted(set(served.statuses) - set(refused))
    record_testsuite_property("fuzzed_requests", sum(map(len, served.statuses.values())))


def _on_things_that_are_there(case: Any, path: dict[str, str], values: dict[str, str]) -> None:
    case.path_parameters.update(path)
    (case.query or {}).pop("cursor" if values else "", None)
    for part in (case.query, case.body):
        if isinstance(part, dict):
            part.update({name: values[name] for name in part if name in values})


def _told(case: Any, response: Any) -> None:
    """A refusal is a problem; one of a field names it as the caller did."""
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["detail"]
    if response.status_code == 422:
        assert problem["errors"], problem
        for error in problem["errors"]:
            assert error["field"] and error["message"], problem
