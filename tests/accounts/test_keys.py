"""API keys: made, shown once, kept as a hash, revoked; and what each role may do."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

STAFF_READS = (
    "/v1/account",
    "/v1/account/ledger",
    "/v1/keys",
    "/v1/packages",
    "/v1/clients",
    "/v1/subaccounts",
    "/v1/dids",
    "/v1/dids/available",
)
CLIENT_READS = ("/v1/clients", "/v1/subaccounts", "/v1/dids")
WRITES = (
    ("PATCH", "/v1/account"),
    ("POST", "/v1/account/activate"),
    ("POST", "/v1/keys"),
    ("DELETE", "/v1/keys/x"),
    ("POST", "/v1/packages"),
    ("PATCH", "/v1/packages/x"),
    ("DELETE", "/v1/packages/x"),
    ("POST", "/v1/clients"),
    ("PATCH", "/v1/clients/x"),
    ("DELETE", "/v1/clients/x"),
    ("POST", "/v1/clients/x/packages"),
    ("DELETE", "/v1/clients/x/packages/y"),
    ("POST", "/v1/clients/x/payments"),
    ("POST", "/v1/clients/x/charges"),
    ("POST", "/v1/clients/x/ledger/1/reverse"),
    ("POST", "/v1/subaccounts"),
    ("PATCH", "/v1/subaccounts/x"),
    ("DELETE", "/v1/subaccounts/x"),
    ("POST", "/v1/dids/15145550000/order"),
    ("POST", "/v1/dids/15145550000/assign"),
    ("POST", "/v1/dids/15145550000/release"),
    ("POST", "/v1/dids/15145550000/cancel"),
)
OPERATORS = (
    ("POST", "/v1/resellers"),
    ("GET", "/v1/resellers"),
    ("GET", "/v1/resellers/x"),
    ("PATCH", "/v1/resellers/x"),
    ("POST", "/v1/resellers/x/keys"),
    ("POST", "/v1/resellers/x/payments"),
    ("POST", "/v1/resellers/x/charges"),
    ("GET", "/v1/resellers/x/ledger"),
    ("POST", "/v1/inventory"),
    ("GET", "/v1/inventory"),
)


@pytest.fixture
def reader(reseller: Any) -> Any:
    return reseller.with_key(reseller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])


@pytest.fixture
def customer(reseller: Any, client: dict[str, Any]) -> Any:
    return reseller.with_key(reseller.made("/v1/keys", {"role": "client", "client_id": client["id"]})["api_key"])


def test_a_key_carries_its_id_and_256_bits_and_only_its_hash_is_kept(reseller: Any) -> None:
    from chalicelib.accounts.store.api_keys import ApiKey

    made = reseller.made("/v1/keys", {"role": "reseller"})
    assert re.fullmatch(rf"fk_{made['id']}_[A-Za-z0-9_-]{{43}}", made["api_key"])
    stored = ApiKey.get(*ApiKey.key(made["id"])).to_dynamodb_dict()
    assert made["api_key"] not in str(stored)
    assert stored["sha256"] == {"S": hashlib.sha256(made["api_key"].encode()).hexdigest()}


def test_keys_are_listed_without_their_secrets(reseller: Any) -> None:
    made = reseller.made("/v1/keys", {"role": "reseller_readonly"})
    items = reseller.get("/v1/keys").json["items"]
    assert [item["role"] for item in items] == ["reseller", "reseller_readonly"]
    assert items[1] == {name: value for name, value in made.items() if name != "api_key"}


def test_a_revoked_key_is_refused_at_once(reseller: Any) -> None:
    made = reseller.made("/v1/keys", {})
    other_hand = reseller.with_key(made["api_key"])
    assert other_hand.get("/v1/account").status == 200
    assert reseller.delete(f"/v1/keys/{made['id']}").status == 204
    assert other_hand.get("/v1/account").status == 401
    assert reseller.delete(f"/v1/keys/{made['id']}").status == 404
    assert len(reseller.get("/v1/keys").json["items"]) == 1


def test_a_stranger_cannot_revoke_a_key(reseller: Any, other: Any) -> None:
    made = reseller.made("/v1/keys", {})
    assert other.delete(f"/v1/keys/{made['id']}").status == 404
    assert reseller.with_key(made["api_key"]).get("/v1/account").status == 200


@pytest.mark.parametrize("key", ["", "nonsense", "fk_", "fk_01h0000000000000000000000_x", "fk_" + "é" * 70])
def test_what_is_no_key_is_401(reseller: Any, key: str) -> None:
    reply = reseller.with_key(key).get("/v1/account")
    assert reply.status == 401
    assert reply.json["status"] == 401


def test_the_right_id_with_another_secret_is_401(reseller: Any) -> None:
    head, secret = reseller.key[:-1], reseller.key[-1]
    assert reseller.with_key(head + ("A" if secret != "A" else "B")).get("/v1/account").status == 401


@pytest.mark.parametrize("body", [{"role": "client"}, {"role": "reseller", "client_id": "x"}])
def test_a_client_id_goes_with_the_role_client_only(reseller: Any, body: dict[str, str]) -> None:
    reply = reseller.post("/v1/keys", body)
    assert reply.status == 422
    assert reply.json["errors"][0]["field"] == "client_id"


def test_a_key_for_an_unknown_or_strange_client_is_404(reseller: Any, other: Any) -> None:
    strange = other.made("/v1/clients", {})["id"]
    for client_id in ("nobody", strange):
        assert reseller.post("/v1/keys", {"role": "client", "client_id": client_id}).status == 404


def test_an_unknown_role_is_422(reseller: Any) -> None:
    assert reseller.post("/v1/keys", {"role": "operator"}).json["errors"][0]["field"] == "role"


def test_the_operator_makes_a_key_for_a_reseller_that_lost_its_own(operator: Any, reseller: Any) -> None:
    made = operator.made(f"/v1/resellers/{reseller.ids['reseller']}/keys", {})
    assert reseller.with_key(made["api_key"]).get("/v1/account").json["id"] == reseller.ids["reseller"]
    assert operator.post("/v1/resellers/nobody/keys", {}).status == 404


def test_a_read_only_key_reads_everything_and_writes_nothing(reader: Any) -> None:
    assert [reader.get(path).status for path in STAFF_READS] == [200] * len(STAFF_READS)
    assert [reader.send(method, path, {}).status for method, path in WRITES] == [403] * len(WRITES)


def test_a_clients_key_reads_its_own_and_writes_nothing(customer: Any) -> None:
    assert [customer.get(path).status for path in CLIENT_READS] == [200] * len(CLIENT_READS)
    hidden = [path for path in STAFF_READS if path not in CLIENT_READS]
    assert [customer.get(path).status for path in hidden] == [403] * len(hidden)
    assert [customer.send(method, path, {}).status for method, path in WRITES] == [403] * len(WRITES)


def test_only_the_operator_sees_resellers_and_inventory(reseller: Any, reader: Any, customer: Any) -> None:
    for key in (reseller, reader, customer):
        assert [key.send(method, path, {}).status for method, path in OPERATORS] == [403] * len(OPERATORS)


def test_the_operator_is_no_reseller(operator: Any) -> None:
    assert [operator.get(path).status for path in STAFF_READS] == [403] * len(STAFF_READS)


def test_a_clients_key_sees_only_its_client(reseller: Any, customer: Any, client: dict[str, Any]) -> None:
    another = reseller.made("/v1/clients", {"company": "Rival"})["id"]
    assert customer.get(f"/v1/clients/{client['id']}").json["company"] == "Acme"
    assert customer.get(f"/v1/clients/{client['id']}/ledger").status == 200
    assert [item["id"] for item in customer.get("/v1/clients").json["items"]] == [client["id"]]
    for path in (f"/v1/clients/{another}", f"/v1/clients/{another}/ledger", f"/v1/dids?client_id={another}"):
        assert customer.get(path).status == 404, path
    assert customer.get(f"/v1/subaccounts?client_id={another}").status == 404
    assert customer.get(f"/v1/clients/{client['id']}/packages").status == 403


def test_a_clients_key_sees_only_its_subaccounts_and_dids(
    reseller: Any, customer: Any, subaccount: dict[str, Any], did: str, on_sale: Any
) -> None:
    rival = reseller.made("/v1/clients", {})["id"]
    body = {"username": "rival", "client_id": rival, "package_id": subaccount["package_id"]}
    hidden = reseller.made("/v1/subaccounts", body)["id"]
    in_stock = on_sale()
    assert reseller.post(f"/v1/dids/{in_stock}/order").status == 200
    body = {"client_id": subaccount["client_id"], "monthly": "4.50"}
    assert reseller.post(f"/v1/dids/{did}/assign", body).status == 200
    assert [item["username"] for item in customer.get("/v1/subaccounts").json["items"]] == ["alice"]
    assert customer.get(f"/v1/subaccounts/{subaccount['id']}").status == 200
    assert customer.get(f"/v1/subaccounts/{hidden}").status == 404
    (seen,) = customer.get("/v1/dids").json["items"]
    assert (seen["number"], seen["monthly"]) == (did, "4.50")
    assert "cost" not in str(seen)
