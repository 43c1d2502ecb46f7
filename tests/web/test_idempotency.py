"""Idempotency-Key: a request that is sent again gets the same answer and changes nothing, whatever the route."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bodies import ABSENT
from tenants import Tenant, make_tenant, stored_for, work_off
from walk import Operation, operations, request

import app  # noqa: F401  (declares the routes)
from chalicelib.web import openapi

POSTS = [op for op in operations(openapi.document()) if op.method == "POST" and op.roles]
WEEK = 7 * 86_400


@pytest.fixture(scope="module")
def sender(operator: Any, deck_of_the_walk: None) -> Tenant:
    """A tenant whose spare things these tests use up."""
    return make_tenant(operator, "sendingibex")


@pytest.fixture(scope="module")
def partitions(sender: Tenant) -> set[str]:
    """Where things of the tenant are stored; those of other tenants need not be read for every request."""
    return {pk for pk, _ in stored_for(sender)}


def _with(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


def _unsigned(text: str) -> str:
    """An answer without the signatures of its links, which say the second at which they were made."""
    return re.sub(r"[?&]X-Amz-[^\"]*", "", text)


@pytest.mark.parametrize("op", POSTS, ids=str)
def test_every_post_sent_again_answers_the_same_and_changes_nothing(
    op: Operation, sender: Tenant, partitions: set[str], operator: Any
) -> None:
    api = sender.api if "reseller" in op.roles else operator
    spare = sender.spare.get(str(op), {})
    sent = request(op, sender.ids | spare)
    if op.in_body:
        sent = replace(
            sent,
            body={
                **sent.body,
                **{name: spare[name] for name in spare.keys() & set(op.in_body) if spare[name] is not ABSENT},
            },
        )
    headers = _with(f"again {op}".replace(" ", "-"))
    first = api.send("POST", sent.path, sent.body, headers)
    assert first.status in (200, 201, 202), first.text
    before = stored_for(sender, partitions)
    second = api.send("POST", sent.path, sent.body, headers)
    secret = first.json.get("api_key") or first.json.get("secret")
    hidden = first.text.replace(f'"{secret}"', "null") if secret else first.text
    assert (second.status, _unsigned(second.text)) == (first.status, _unsigned(hidden))
    assert stored_for(sender, partitions) == before
    changed = request(op, sender.ids, whole=True).body
    if op.in_body and changed != sent.body:
        other = api.send("POST", sent.path, changed, headers)
        assert other.status in (409, 422), other.text
        assert stored_for(sender, partitions) == before
    if first.status == 202:
        work_off(sender)


def test_a_secret_is_shown_once_and_not_kept(reseller: Any) -> None:
    replies = [reseller.post("/v1/keys", {}, headers=_with("secret")) for _ in range(2)]
    shown, hidden = (reply.json for reply in replies)
    assert shown["api_key"].startswith("fk_") and hidden["api_key"] is None
    assert {**shown, "api_key": None} == hidden
    tenant = Tenant("", reseller, {"reseller_id": reseller.ids["reseller"]})
    assert [text for text in stored_for(tenant).values() if shown["api_key"] in text] == []


def test_another_body_under_the_same_key_is_409(reseller: Any) -> None:
    first = reseller.post("/v1/clients", {"company": "a"}, headers=_with("k"))
    for body in ({"company": "b"}, {}, {"company": "a", "city": ""}, b'{"company":  "a"}'):
        reply = reseller.post("/v1/clients", body, headers=_with("k"))
        assert (reply.status, reply.headers["Content-Type"]) == (409, "application/problem+json")
    assert reseller.post("/v1/clients", {"company": "a"}, headers=_with("k")).text == first.text
    assert len(reseller.get("/v1/clients").json["items"]) == 1


def test_a_key_is_scoped_to_tenant_route_and_path(reseller: Any, operator: Any) -> None:
    body = {"name": "Other", "email": "b@other.example"}
    other = operator.with_key(operator.made("/v1/resellers", body)["api_key"])
    clients = [api.post("/v1/clients", {}, headers=_with("one")).json["id"] for api in (reseller, other)]
    clients.append(reseller.made("/v1/clients", {})["id"])
    assert len(set(clients)) == 3
    owners = [(reseller, clients[0]), (other, clients[1]), (reseller, clients[2])]
    for kind in ("payments", "charges"):
        for api, client in owners:
            reply = api.post(f"/v1/clients/{client}/{kind}", {"amount": "1"}, headers=_with("one"))
            assert reply.status == 201, reply.text
    for api, client in owners:
        assert [entry["kind"] for entry in api.get(f"/v1/clients/{client}/ledger").json["items"]] == [
            "charge",
            "payment",
        ]


def test_all_keys_of_a_reseller_share_its_scope(reseller: Any) -> None:
    second = reseller.with_key(reseller.made("/v1/keys", {})["api_key"])
    texts = [api.post("/v1/clients", {}, headers=_with("k")).text for api in (reseller, second)]
    assert texts[0] == texts[1]


def test_reads_and_patches_take_no_notice_of_the_header(reseller: Any) -> None:
    client = reseller.made("/v1/clients", {"company": "a"})["id"]
    path = f"/v1/clients/{client}"
    seen = []
    for company in ("b", "c", "b"):
        assert reseller.patch(path, {"company": company}, headers=_with("k")).json["company"] == company
        seen.append(reseller.get(path, headers=_with("k")).json["company"])
    assert seen == ["b", "c", "b"]
    tenant = Tenant("", reseller, {"reseller_id": reseller.ids["reseller"]})
    assert [pk for pk, _ in stored_for(tenant) if pk.startswith("IDEM#")] == []


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\n", "x" * 201])
def test_a_key_that_is_none_is_refused_by_name(reseller: Any, key: str) -> None:
    reply = reseller.post("/v1/clients", {}, headers=_with(key))
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["#", "a#b/c", "../x", "%23", "x" * 200, '"', "~"])
def test_any_visible_character_may_stand_in_a_key(reseller: Any, key: str) -> None:
    assert len({reseller.post("/v1/clients", {}, headers=_with(key)).text for _ in range(2)}) == 1


def test_a_refused_request_leaves_its_key_free(reseller: Any) -> None:
    client = reseller.made("/v1/clients", {})["id"]
    path = f"/v1/clients/{client}/payments"
    assert reseller.post(path, {"amount": "0"}, headers=_with("k")).status == 422
    assert reseller.post(path, {"amount": "1"}, headers=_with("k")).status == 201


def test_a_stored_answer_is_not_shown_to_a_role_that_may_not_ask(reseller: Any) -> None:
    assert reseller.post("/v1/clients", {}, headers=_with("k")).status == 201
    readonly = reseller.with_key(reseller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    assert readonly.post("/v1/clients", {}, headers=_with("k")).status == 403


def test_after_seven_days_the_key_is_free_again(reseller: Any) -> None:
    from chalicelib.aws.answers import Answer

    client = reseller.made("/v1/clients", {})["id"]
    path = f"/v1/clients/{client}/payments"
    first = reseller.post(path, {"amount": "1"}, headers=_with("k")).json
    kept = Answer.get(*Answer.key(f"{reseller.ids['reseller']}/", f"create_client_payment/{client}", "k"))
    posted = kept.expires_at - WEEK
    assert first["posted_at"].startswith("20") and posted > 1_700_000_000
    # DynamoDB deletes what has expired within days, not at once, so the item is still there.
    kept.update(actions=[Answer.expires_at.set(posted - 1)])
    second = reseller.post(path, {"amount": "2"}, headers=_with("k"))
    assert (second.status, second.json["id"]) == (201, "2")
    assert reseller.post(path, {"amount": "2"}, headers=_with("k")).text == second.text


def test_twins_at_once_have_one_effect_and_one_answer(reseller: Any) -> None:
    client = reseller.made("/v1/clients", {})["id"]
    path = f"/v1/clients/{client}/payments"
    replies = _at_once([lambda: reseller.post(path, {"amount": "10"}, headers=_with("twin")) for _ in range(8)])
    assert {(reply.status, reply.text) for reply in replies} == {(201, replies[0].text)}
    assert reseller.get(f"/v1/clients/{client}").json["balance"] == "10.00"


def test_twins_that_take_a_name_get_the_same_answer_and_not_taken(reseller: Any) -> None:
    client = reseller.made("/v1/clients", {})["id"]
    package = reseller.made("/v1/packages", {"name": "p"})["id"]
    body = {"username": "twin", "client_id": client, "package_id": package}
    replies = _at_once([lambda: reseller.post("/v1/subaccounts", body, headers=_with("twin")) for _ in range(6)])
    assert {(reply.status, reply.text) for reply in replies} == {(201, replies[0].text)}
    assert len(reseller.get("/v1/subaccounts").json["items"]) == 1


def test_twins_with_different_bodies_have_one_effect(reseller: Any) -> None:
    client = reseller.made("/v1/clients", {})["id"]
    path = f"/v1/clients/{client}/payments"

    def pay(amount: int) -> Callable[[], Any]:
        return lambda: reseller.post(path, {"amount": str(amount)}, headers=_with("twin"))

    replies = _at_once([pay(amount) for amount in range(1, 7)])
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409, 409]
    paid = next(reply.json for reply in replies if reply.status == 201)
    assert reseller.get(f"/v1/clients/{client}").json["balance"] == paid["amount"]


def test_twins_of_a_request_that_writes_nothing_else_agree(reseller: Any) -> None:
    """An upload's URL is made up, not stored: its answer must be the same all the same."""
    body = {"kind": "cdr", "filename": "a.csv"}
    replies = _at_once([lambda: reseller.post("/v1/uploads", body, headers=_with("twin")) for _ in range(4)])
    assert {(reply.status, reply.text) for reply in replies} == {(201, replies[0].text)}


def _at_once(requests: list[Callable[[], Any]]) -> list[Any]:
    """Send all at the same moment, each from a thread of its own; the answers in the order of the requests."""
    gate, replies = threading.Barrier(len(requests)), [None] * len(requests)

    def run(n: int) -> None:
        gate.wait()
        replies[n] = requests[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies
