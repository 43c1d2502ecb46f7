"""Resellers: made by the operator, pending until activated, suspended by the operator only."""

from __future__ import annotations

import time
from typing import Any

import pytest

NEW = {
    "name": "Voix",
    "email": "a@voix.example",
    "currency": "USD",
    "time_zone": "Europe/Paris",
    "home_country": "FR",
}


@pytest.fixture
def pending(operator: Any) -> Any:
    made = operator.made("/v1/resellers", {**NEW, "activate": False})
    assert made["status"] == "pending"
    api = operator.with_key(made["api_key"])
    api.ids["reseller"] = made["id"]
    return api


def test_a_new_reseller_is_active_and_its_key_is_shown_once(operator: Any) -> None:
    made = operator.made("/v1/resellers", NEW)
    assert made["status"] == "active"
    assert {name: made[name] for name in NEW} == NEW
    assert (made["balance"], made["cost_source"]) == ("0.00", "deck")
    seen = operator.get(f"/v1/resellers/{made['id']}").json
    assert seen == {name: value for name, value in made.items() if name != "api_key"}
    assert operator.with_key(made["api_key"]).get("/v1/account").json == seen


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "EUR"),
        ("time_zone", "Mars/Olympus"),
        ("home_country", "XX"),
        ("home_country", "fr"),
        ("email", "nobody"),
        ("name", " "),
        ("name", None),
        ("activate", "yes"),
        ("balance", "10.00"),
    ],
)
def test_a_wrong_field_is_422_and_named(operator: Any, field: str, value: Any) -> None:
    reply = operator.post("/v1/resellers", {**NEW, field: value})
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == [field]


def test_the_operator_lists_resellers_in_pages(operator: Any, reseller: Any, other: Any) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = operator.get(f"/v1/resellers?limit=200{cursor and '&cursor=' + cursor}").json
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert reseller.ids["reseller"] in found
    assert found == sorted(set(found))


def test_an_unknown_reseller_is_404(operator: Any) -> None:
    assert operator.get("/v1/resellers/nobody").status == 404
    assert operator.patch("/v1/resellers/nobody", {"name": "X"}).status == 404
    assert operator.get("/v1/resellers/nobody/ledger").status == 404
    assert operator.post("/v1/resellers/nobody/payments", {"amount": "1"}).status == 404


def test_a_pending_reseller_only_reads_changes_itself_and_activates(pending: Any) -> None:
    assert pending.get("/v1/clients").status == 200
    refused = pending.post("/v1/clients", {})
    assert refused.status == 403
    assert "pending" in refused.json["detail"]
    assert pending.patch("/v1/account", {"name": "New name"}).json["name"] == "New name"
    assert pending.post("/v1/account/activate").json["status"] == "active"
    assert pending.post("/v1/clients", {}).status == 201


def test_activating_twice_is_fine(reseller: Any) -> None:
    reply = reseller.post("/v1/account/activate")
    assert (reply.status, reply.json["status"]) == (200, "active")


def test_a_suspended_reseller_only_reads_until_the_operator_lets_it_in_again(operator: Any, reseller: Any) -> None:
    path = f"/v1/resellers/{reseller.ids['reseller']}"
    assert operator.patch(path, {"status": "suspended"}).json["status"] == "suspended"
    assert reseller.get("/v1/account").json["status"] == "suspended"
    assert reseller.post("/v1/clients", {}).status == 403
    assert reseller.patch("/v1/account", {"name": "X"}).status == 403
    assert reseller.post("/v1/account/activate").status == 409
    assert operator.patch(path, {"status": "active"}).status == 200
    assert reseller.post("/v1/clients", {}).status == 201


def test_the_operator_changes_name_email_and_status_only(operator: Any, reseller: Any) -> None:
    path = f"/v1/resellers/{reseller.ids['reseller']}"
    changed = operator.patch(path, {"name": "Voice", "email": "c@voice.example"}).json
    assert (changed["name"], changed["email"]) == ("Voice", "c@voice.example")
    for body in ({"status": "pending"}, {"time_zone": "UTC"}, {"name": None}):
        assert operator.patch(path, body).status == 422


def test_a_reseller_changes_its_account(reseller: Any) -> None:
    body = {"name": "V", "time_zone": "Asia/Tokyo", "home_country": "JP", "cost_source": "record"}
    changed = reseller.patch("/v1/account", body).json
    assert {name: changed[name] for name in body} == body
    assert reseller.get("/v1/account").json == changed
    for field, value in (("email", "x@y.example"), ("cost_source", "guess"), ("time_zone", None)):
        assert reseller.patch("/v1/account", {field: value}).json["errors"][0]["field"] == field


def test_a_reseller_chooses_the_digits_of_its_internal_numbers(reseller: Any) -> None:
    assert reseller.get("/v1/account").json["internal_digits"] is None
    for digits in (2, 9, None):
        assert reseller.patch("/v1/account", {"internal_digits": digits}).json["internal_digits"] == digits
    for digits in (1, 10, "4", 2.5):
        assert (
            reseller.patch("/v1/account", {"internal_digits": digits}).json["errors"][0]["field"] == "internal_digits"
        )


def test_internal_numbers_have_fewer_digits_than_numbers_without_trunk_prefix(reseller: Any) -> None:
    refused = reseller.patch("/v1/account", {"home_country": "NO", "internal_digits": 5})
    assert [error["field"] for error in refused.json["errors"]] == ["internal_digits"]
    assert reseller.patch("/v1/account", {"home_country": "NO", "internal_digits": 4}).status == 200
    assert reseller.patch("/v1/account", {"internal_digits": 5}).status == 422
    assert reseller.patch("/v1/account", {"home_country": "GB", "internal_digits": 8}).status == 200
    assert reseller.patch("/v1/account", {"home_country": "NO"}).status == 422


def test_payments_and_charges_of_a_reseller_never_stop_it(operator: Any, reseller: Any) -> None:
    path = f"/v1/resellers/{reseller.ids['reseller']}"
    charge = operator.post(f"{path}/charges", {"amount": "1000", "description": "Rent"}).json
    payment = operator.post(f"{path}/payments", {"amount": "400.5"}).json
    assert (charge["amount"], payment["balance_after"]) == ("-1000.00", "-599.50")
    assert [entry["kind"] for entry in operator.get(f"{path}/ledger").json["items"]] == ["payment", "charge"]
    assert reseller.get("/v1/account/ledger").json == operator.get(f"{path}/ledger").json
    account = reseller.get("/v1/account").json
    assert (account["balance"], account["status"]) == ("-599.50", "active")


def test_every_change_is_on_the_audit_trail_with_its_actor(operator: Any, reseller: Any) -> None:
    from chalicelib.aws.transactions import Event

    reseller.patch("/v1/account", {"name": "V"})
    trail = Event.under(*Event.of_owner(reseller.ids["reseller"]))
    key_id = reseller.key.split("_")[1]
    told = {(item.kind, item.actor) for item in trail}
    assert told == {
        ("key.created", "operator"),
        ("reseller.created", "operator"),
        ("reseller.changed", f"key:{key_id}"),
    }
    assert all(abs(item.at - time.time()) < 3600 for item in trail)
