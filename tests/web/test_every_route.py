"""Every operation x every role x a stranger's ids, generated from the OpenAPI document: routes to come are covered.

A path parameter or an id in a body that is not known here makes its test fail: say in ``tenants.py`` what it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tenants import Tenant, objects_of, stored_for, work_off
from walk import Operation, Request, Shapes, fields_named, operations, request, strange

import app  # noqa: F401  (declares the routes)
from chalicelib.web import openapi

OPERATIONS = operations(openapi.document())
every_operation = pytest.mark.parametrize("op", OPERATIONS, ids=str)
PENDING_MAY = ("PATCH /v1/account", "POST /v1/account/activate")
"""What a pending reseller may do beside reading."""
TAKEN = ("POST /v1/dids/{number}/order",)
"""Operations on what is everybody's: a number that somebody else took is 409, not unknown."""
NEVER_SUCCEEDS: dict[str, str] = {}
"""Operation -> why the walk cannot make it succeed, so that its good answer is checked elsewhere."""
BOUGHT = r"cost|margin|markup|profit"
"""Names of fields that tell what a reseller earns."""


@pytest.fixture(scope="module", autouse=True)
def kept(theirs: Tenant) -> Iterator[dict[tuple[str, str], str]]:
    """What is stored for the stranger; at the end of all walks it is the same, to the last item and object."""
    before, objects = stored_for(theirs), objects_of(theirs)
    assert len(before) > 50 and objects
    yield before
    assert stored_for(theirs) == before
    assert objects_of(theirs) == objects


@pytest.fixture(scope="module")
def ended(ours: Tenant) -> Any:
    """A key that was in use, and no longer is."""
    made = ours.api.made("/v1/keys", {})
    assert ours.api.with_key(made["api_key"]).get("/v1/account").status == 200
    assert ours.api.delete(f"/v1/keys/{made['id']}").status == 204
    return ours.api.with_key(made["api_key"])


@pytest.fixture(scope="module")
def pending(operator: Any) -> Any:
    """A reseller that has not activated itself."""
    body = {"name": "Pending", "email": "p@pending.example", "activate": False}
    return operator.with_key(operator.made("/v1/resellers", body)["api_key"])


def test_the_walk_knows_every_operation_of_the_document(document: dict[str, Any]) -> None:
    assert len(OPERATIONS) > 40
    assert sorted(map(str, operations(document))) == sorted(map(str, OPERATIONS))


@every_operation
def test_without_a_key_in_use_the_answer_is_401(op: Operation, ours: Tenant, ended: Any, shapes: Shapes) -> None:
    if not op.roles:
        return
    unknown = f"fk_{'0' * 26}_{'x' * 43}"
    for key in ("", "garbage", "é", unknown, ended.key, ended.key[:-1]):
        reply = request(op, ours.ids).send(ours.api.with_key(key))
        assert reply.status == 401, f"with the key {key!r}: {reply.text}"
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert shapes.faults(op, reply) == []


@every_operation
def test_a_role_that_is_not_named_is_refused(op: Operation, ours: Tenant, operator: Any, shapes: Shapes) -> None:
    keys = {"operator": operator, "reseller": ours.api, "reseller_readonly": ours.readonly, "client": ours.client}
    assert set(op.roles) <= set(keys)
    for role in set(keys) - set(op.roles) if op.roles else ():
        reply = request(op, ours.ids).send(keys[role])
        assert reply.status == 403, f"with a key of role {role}: {reply.text}"
        assert shapes.faults(op, reply) == []


@every_operation
def test_a_pending_reseller_may_only_read(op: Operation, ours: Tenant, pending: Any, shapes: Shapes) -> None:
    if not op.roles or str(op) in PENDING_MAY:
        return
    reply = request(op, ours.ids).send(pending)
    if "reseller" not in op.roles or op.method != "GET":
        assert reply.status == 403, reply.text
    else:
        assert reply.status == (404 if op.in_path else 200), reply.text
    assert shapes.faults(op, reply) == []


@every_operation
def test_a_strangers_ids_do_not_exist(
    op: Operation, ours: Tenant, theirs: Tenant, kept: dict[tuple[str, str], str], shapes: Shapes
) -> None:
    own = ours.ids | ours.spare.get(str(op), {})
    keys = {"reseller": ours.api, "reseller_readonly": ours.readonly, "client": ours.client}
    for role in keys.keys() & set(op.roles):
        for place, sent in strange(op, own, theirs.ids):
            reply = sent.send(keys[role])
            _refused(op, place, sent, reply)
            assert shapes.faults(op, reply) == []
            assert _leaked(sent, reply, theirs) == []
    partitions = {pk for pk, _ in kept}
    assert stored_for(theirs, partitions) == kept


@every_operation
def test_a_clients_key_does_not_see_another_client_of_its_reseller(op: Operation, ours: Tenant, shapes: Shapes) -> None:
    if "client" not in op.roles:
        return
    theirs = {name: value for name, value in ours.second.items() if value != ours.ids[name]}
    for place, sent in strange(op, ours.ids, theirs):
        reply = sent.send(ours.client)
        _refused(op, place, sent, reply)
        assert shapes.faults(op, reply) == []
    for whole in (False, True):
        sent = request(op, ours.ids, whole=whole)
        assert [word for word in _words_of_second(ours) if word in sent.send(ours.client).text] == []


@every_operation
def test_operator_gets_404_for_ids_that_nobody_has(op: Operation, ours: Tenant, operator: Any) -> None:
    nobody = dict.fromkeys(ours.ids, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    for place, sent in strange(op, ours.ids, nobody) if "operator" in op.roles else ():
        _refused(op, place, sent, sent.send(operator))


# --- a walk through one's own things ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One request that was let in, and its answer."""

    op: Operation
    role: str
    sent: Request
    reply: Any

    def __str__(self) -> str:
        return f"{self.role}: {self.sent.method} {self.sent.path} {self.sent.body} -> {self.reply.status}"


@pytest.fixture(scope="module")
def walked(walker: Tenant, operator: Any) -> list[Step]:
    """Every operation on own ids by every role that may, reads first; lists are followed to their third page."""
    keys = {"operator": operator, "reseller": walker.api, "reseller_readonly": walker.readonly}
    steps = []
    for op in OPERATIONS:
        for role, key in {**keys, "client": walker.client}.items():
            if role not in op.roles and (op.roles or role != "client"):
                continue
            for sent in _own_requests(op, walker, brief=role == "reseller_readonly"):
                steps.append(Step(op, role, sent, sent.send(key)))
                if steps[-1].reply.status == 202:
                    work_off(walker)
                steps += _next_pages(steps[-1], key)
    return steps


def test_every_answer_has_the_declared_shape(walked: list[Step], shapes: Shapes) -> None:
    faults = [(str(step), fault) for step in walked for fault in shapes.faults(step.op, step.reply)]
    assert faults == []


def test_every_operation_succeeds_on_own_ids(walked: list[Step]) -> None:
    succeeded = {str(step.op) for step in walked if step.reply.status < 300}
    told = [f"{step} {step.reply.text[:300]}" for step in walked if str(step.op) not in succeeded | set(NEVER_SUCCEEDS)]
    assert told == [], "give what they need in `spare` of tests/web/tenants.py, or a reason in NEVER_SUCCEEDS"


def test_no_answer_names_a_stranger(walked: list[Step], theirs: Tenant) -> None:
    leaks = [
        (str(step), word) for step in walked if step.role != "operator" for word in _leaked(step, step.reply, theirs)
    ]
    assert leaks == []


def test_a_clients_key_never_sees_what_its_reseller_pays_or_adds(walked: list[Step]) -> None:
    mine = [step for step in walked if step.role == "client" and step.reply.status == 200]
    theirs = [step for step in walked if step.role != "client" and step.reply.status == 200]
    fields = [pair for step in theirs for pair in fields_named(_json(step), BOUGHT)]
    figures = {value for name, value in _flat(fields) if _is_figure(value)}
    # Without the deck's and the markup's figures among them, nothing would be proved.
    assert {"0.0137", "0.0041", "23.70"} <= figures
    told = [value for step in mine for _, value in fields_named(_json(step), BOUGHT) if value is not None]
    assert told == []
    for step in mine:
        seen = set(re.findall(r"[0-9]+\.[0-9]+", step.reply.text)) & figures
        assert seen == set(), f"{step} {step.reply.text}"
        assert "cost" not in step.reply.text.partition("\r\n")[0] or step.reply.text[:1] == "{", f"{step}"


def _own_requests(op: Operation, walker: Tenant, *, brief: bool) -> Iterator[Request]:
    """With what is required, with everything, and with every choice of each filter; ``brief``: with everything."""
    own = walker.ids | walker.spare.get(str(op), {})
    yield from () if brief else [request(op, own)]
    yield request(op, own, whole=True)
    for name, parameter in () if brief else op.in_query.items():
        for value in _choices(parameter["schema"]):
            yield request(op, own, whole=True, query={name: value})


def _choices(schema: dict[str, Any]) -> list[str]:
    return [value for one in schema.get("anyOf", [schema]) for value in one.get("enum", [])]


def _next_pages(step: Step, key: Any) -> Iterator[Step]:
    base, reply = step.sent.path, step.reply
    for _ in range(2):
        cursor = _json_of(reply).get("next")
        if cursor is None:
            return
        sent = Request("GET", f"{base}{'&' if '?' in base else '?'}cursor={cursor}", None)
        reply = sent.send(key)
        yield Step(step.op, step.role, sent, reply)


def _refused(op: Operation, place: str, sent: Request, reply: Any) -> None:
    """A stranger's id: 404; in a body 422 naming the field will do, in a filter a list without anything."""
    allowed = [404] + [409] * (str(op) in TAKEN) + [422] * (place == "body")
    if place == "query" and reply.status == 200:
        assert reply.json["items"] == [], f"{sent.text}: {reply.text}"
        return
    if place == "path" and reply.status == 422:
        # A body with every field can break a rule between fields, which is said before anything is looked up.
        assert sent.body and len(sent.body) > 1, f"{sent.text}: {reply.text}"
        return
    assert reply.status in allowed, f"{sent.method} {sent.text}: {reply.status} {reply.text}"
    if reply.status == 422:
        assert {error["field"] for error in reply.json["errors"]} & set(sent.body), reply.text


def _leaked(sent: Any, reply: Any, theirs: Tenant) -> list[str]:
    """Words and ids of a stranger in an answer that the request did not hold itself."""
    ids = [value for value in {*theirs.ids.values(), *theirs.second.values()} if len(value) > 10]
    asked = sent.sent.text if isinstance(sent, Step) else sent.text
    answered = f"{reply.text} {reply.headers}"
    return [word for word in [*theirs.words, *ids] if word in answered and word.lstrip("+") not in asked]


def _words_of_second(tenant: Tenant) -> list[str]:
    known = {"client_id", "package_id", "subaccount_id", "number"}
    return [f"{tenant.word}-2", *(value for name, value in tenant.second.items() if name in known)]


def _json(step: Step) -> Any:
    return _json_of(step.reply)


def _json_of(reply: Any) -> Any:
    return reply.json if reply.text and "json" in reply.headers.get("Content-Type", "") else {}


def _flat(fields: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Fields with plain values, those inside an object (the cost of a quote) among them."""
    for name, value in fields:
        if isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _is_figure(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?[0-9]+\.[0-9]+", value) is not None and float(value) != 0


def test_a_path_parameter_that_the_walk_does_not_know_is_named(theirs: Tenant) -> None:
    told = {"x-roles": [], "parameters": [], "responses": {}}
    with pytest.raises(AssertionError, match="has a path parameter thing_id: add one to `ids`"):
        request(Operation("GET", "/v1/things/{thing_id}", told, {}), theirs.ids)
