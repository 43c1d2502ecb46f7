"""Idempotency-Key: a request that is sent again has one effect and the same answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

KEY = {"idempotency-key": "order-66"}
LISTS = {
    "clients": "/v1/clients",
    "packages": "/v1/packages",
    "subaccounts": "/v1/subaccounts",
    "dids": "/v1/dids",
    "keys": "/v1/keys",
}
BEFORE = {"clients": 1, "packages": 1, "subaccounts": 0, "dids": 0, "keys": 1}
"""What the reseller of these tests has, and how many there are after one request of each sort."""
ADDED: dict[str, dict[str, int]] = {
    "payment": {},
    "client": {"clients": 2},
    "package": {"packages": 2},
    "attach": {},
    "subaccount": {"subaccounts": 1},
    "order": {"dids": 1},
    "key": {"keys": 2},
}


def test_a_repeat_has_the_same_answer_and_no_second_effect(reseller: Any, client: dict[str, Any]) -> None:
    path = f"/v1/clients/{client['id']}/payments"
    first = reseller.post(path, {"amount": "10"}, headers=KEY)
    second = reseller.post(path, {"amount": "10"}, headers=KEY)
    assert (first.status, first.json) == (second.status, second.json)
    assert first.status == 201
    assert reseller.get(f"/v1/clients/{client['id']}").json["balance"] == "10.00"


def test_another_body_under_the_same_key_is_409(reseller: Any, client: dict[str, Any]) -> None:
    path = f"/v1/clients/{client['id']}/payments"
    assert reseller.post(path, {"amount": "10"}, headers=KEY).status == 201
    assert reseller.post(path, {"amount": "11"}, headers=KEY).status == 409
    assert reseller.get(f"/v1/clients/{client['id']}").json["balance"] == "10.00"


def test_a_key_belongs_to_tenant_and_route(reseller: Any, other: Any, client: dict[str, Any]) -> None:
    path = f"/v1/clients/{client['id']}"
    assert reseller.post(f"{path}/payments", {"amount": "10"}, headers=KEY).status == 201
    assert reseller.post(f"{path}/charges", {"amount": "10"}, headers=KEY).json["amount"] == "-10.00"
    second = reseller.made("/v1/clients", {})["id"]
    assert reseller.post(f"/v1/clients/{second}/payments", {"amount": "10"}, headers=KEY).json["id"] == "1"
    theirs = other.made("/v1/clients", {})["id"]
    assert other.post(f"/v1/clients/{theirs}/payments", {"amount": "3"}, headers=KEY).json["amount"] == "3.00"


def test_a_secret_is_not_shown_again(operator: Any, reseller: Any) -> None:
    for api, path, body in (
        (reseller, "/v1/keys", {"role": "reseller_readonly"}),
        (operator, "/v1/resellers", {"name": "N", "email": "n@n.example", "currency": "USD"}),
    ):
        headers = {"idempotency-key": f"secret-{reseller.ids['reseller']}"}
        first, second = (api.post(path, body, headers=headers) for _ in range(2))
        assert first.json["api_key"].startswith("fk_")
        assert second.json == {**first.json, "api_key": None}


def test_a_refused_request_does_not_use_up_its_key(reseller: Any, client: dict[str, Any]) -> None:
    path = f"/v1/clients/{client['id']}/payments"
    assert reseller.post(path, {"amount": "-10"}, headers=KEY).status == 422
    assert reseller.post(path, {"amount": "10"}, headers=KEY).status == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_a_key_that_is_not_visible_ascii_is_422(reseller: Any, key: str) -> None:
    reply = reseller.post("/v1/clients", {}, headers={"idempotency-key": key})
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "Idempotency-Key")


def _requests(client: dict[str, Any], package: dict[str, Any], number: str) -> dict[str, tuple[str, Any]]:
    held = {"client_id": client["id"], "package_id": package["id"]}
    return {
        "payment": (f"/v1/clients/{client['id']}/payments", {"amount": "10"}),
        "client": ("/v1/clients", {"company": "Twin"}),
        "package": ("/v1/packages", {"name": "Twin"}),
        "attach": (f"/v1/clients/{client['id']}/packages", {"package_id": package["id"]}),
        "subaccount": ("/v1/subaccounts", {**held, "username": "twin", "charge_setup_fee_now": True}),
        "order": (f"/v1/dids/{number}/order", None),
        "key": ("/v1/keys", {}),
    }


@pytest.mark.parametrize("what", list(ADDED))
def test_eight_twins_at_once_have_one_effect_and_one_answer(
    reseller: Any, client: dict[str, Any], package: dict[str, Any], on_sale: Callable[..., str], what: str
) -> None:
    path, body = _requests(client, package, on_sale(monthly="2", setup="1"))[what]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: reseller.post(path, body, headers=KEY), range(8)))
    assert {reply.status for reply in replies} == {200 if what == "order" else 201}
    answers = {str({**reply.json, "api_key": None}) for reply in replies}
    assert len(answers) == 1
    balance = {"payment": "10.00", "subaccount": "-5.00"}.get(what, "0.00")
    assert reseller.get(f"/v1/clients/{client['id']}").json["balance"] == balance
    assert reseller.get("/v1/account").json["balance"] == ("-3.00" if what == "order" else "0.00")
    assert {name: len(reseller.get(url).json["items"]) for name, url in LISTS.items()} == {**BEFORE, **ADDED[what]}
