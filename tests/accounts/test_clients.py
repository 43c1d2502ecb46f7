"""Clients: made, changed, closed; their packages; and service that follows mode, limit and balance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

PROFILE = {
    "company": "Acme",
    "first_name": "Ada",
    "last_name": "Byron",
    "email": "ada@acme.example",
    "phone": "+1 514 555 0000",
    "address": "1 Main",
    "city": "Montréal",
    "state": "QC",
    "country": "CA",
    "zip": "H1H 1H1",
    "language": "fr",
    "time_zone": "America/Toronto",
    "low_balance_email": "billing@acme.example",
}


def test_a_client_has_its_profile_flat_in_the_answer(reseller: Any) -> None:
    made = reseller.made("/v1/clients", {**PROFILE, "credit_limit": "50", "low_balance_threshold": "-10"})
    assert {name: made[name] for name in PROFILE} == PROFILE
    assert (made["status"], made["service"], made["balance_mode"]) == ("active", "active", "permissive")
    assert (made["credit_limit"], made["low_balance_threshold"], made["balance"]) == ("50.00", "-10.00", "0.00")
    assert reseller.get(f"/v1/clients/{made['id']}").json == made
    assert reseller.get("/v1/clients").json == {"items": [made], "next": None}


def test_a_strict_client_starts_suspended_and_a_payment_lets_it_in(reseller: Any) -> None:
    made = reseller.made("/v1/clients", {"balance_mode": "strict"})
    assert made["service"] == "suspended"
    reseller.made(f"/v1/clients/{made['id']}/payments", {"amount": "0.00000001"})
    assert reseller.get(f"/v1/clients/{made['id']}").json["service"] == "active"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("credit_limit", 50),
        ("credit_limit", "-1"),
        ("low_balance_threshold", 1.5),
        ("balance_mode", "generous"),
        ("country", "Canada"),
        ("country", "XX"),
        ("country", "AC"),
        ("time_zone", "Montréal"),
        ("time_zone", "America"),
        ("language", "de"),
        ("low_balance_email", "a@b"),
        ("zip", "1" * 301),
        ("phone", 15145550000),
        ("email", "nobody"),
        ("language", "français"),
        ("company", "a\u0000b"),
        ("balance", "5.00"),
        ("status", "active"),
    ],
)
def test_a_wrong_field_is_422_and_named(reseller: Any, field: str, value: Any) -> None:
    reply = reseller.post("/v1/clients", {field: value})
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == [field]


NAMES = (
    {"company": "Télécom «\N{NO-BREAK SPACE}Québec\N{NO-BREAK SPACE}»", "first_name": "Zoë"},
    {"company": "می\N{ZERO WIDTH NON-JOINER}خواهم", "city": "ירושלים", "language": "fr"},
    {"company": "山田\N{IDEOGRAPHIC SPACE}太郎", "address": "1\N{NARROW NO-BREAK SPACE}000, rue\N{SOFT HYPHEN}x"},
    {"company": "é" * 300, "last_name": "👩\N{ZERO WIDTH JOINER}💻"},
)


@pytest.mark.parametrize("profile", NAMES)
def test_a_client_is_named_as_its_name_is_written(reseller: Any, profile: dict[str, str]) -> None:
    made = reseller.made("/v1/clients", profile)
    shown = reseller.get(f"/v1/clients/{made['id']}").json
    assert {name: shown[name] for name in profile} == profile


def test_a_patch_changes_only_what_it_names(reseller: Any) -> None:
    made = reseller.made("/v1/clients", {**PROFILE, "credit_limit": "50"})
    changed = reseller.patch(f"/v1/clients/{made['id']}", {"city": "Laval", "credit_limit": None}).json
    assert changed == {**made, "city": "Laval", "credit_limit": None}
    assert reseller.get(f"/v1/clients/{made['id']}").json == changed
    assert reseller.patch(f"/v1/clients/{made['id']}", {"city": None}).status == 422


def test_service_follows_another_mode_or_limit_at_once(reseller: Any, client: dict[str, Any]) -> None:
    path = f"/v1/clients/{client['id']}"
    reseller.made(f"{path}/charges", {"amount": "20"})
    for body, service in (
        ({"credit_limit": "10"}, "suspended"),
        ({"credit_limit": "20"}, "active"),
        ({"balance_mode": "strict"}, "suspended"),
        ({"balance_mode": "permissive", "credit_limit": None}, "active"),
    ):
        assert reseller.patch(path, body).json["service"] == service, body
        assert reseller.get(path).json["service"] == service


def test_a_crossing_made_by_a_patch_is_recorded_once(reseller: Any, client: dict[str, Any]) -> None:
    from chalicelib.aws.transactions import Event

    path = f"/v1/clients/{client['id']}"
    reseller.patch(path, {"low_balance_threshold": "5"})
    reseller.patch(path, {"low_balance_threshold": "6", "balance_mode": "strict"})
    kinds = [item.kind for item in Event.under(*Event.of_owner(reseller.ids["reseller"]))]
    assert kinds.count("client.low_balance") == 1
    assert kinds.count("client.suspended") == 1


def test_a_strangers_client_is_404(reseller: Any, other: Any, client: dict[str, Any]) -> None:
    path = f"/v1/clients/{client['id']}"
    package = other.made("/v1/packages", {"name": "P"})["id"]
    tries = [
        other.get(path),
        other.patch(path, {"city": "X"}),
        other.delete(path),
        other.get(f"{path}/ledger"),
        other.post(f"{path}/payments", {"amount": "1"}),
        other.post(f"{path}/charges", {"amount": "1"}),
        other.post(f"{path}/ledger/1/reverse"),
        other.post(f"{path}/packages", {"package_id": package}),
        other.get(f"{path}/packages"),
    ]
    assert [reply.status for reply in tries] == [404] * len(tries)
    assert other.get("/v1/clients").json["items"] == []


def test_a_client_takes_several_packages_each_once(
    reseller: Any, client: dict[str, Any], package: dict[str, Any]
) -> None:
    path = f"/v1/clients/{client['id']}/packages"
    second = reseller.made("/v1/packages", {"name": "Silver"})
    made = reseller.made(path, {"package_id": package["id"]})
    assert (made["client_id"], made["package_id"]) == (client["id"], package["id"])
    reseller.made(path, {"package_id": second["id"]})
    assert reseller.post(path, {"package_id": package["id"]}).status == 409
    assert reseller.post(path, {"package_id": "nothing"}).status == 404
    found = [item["package_id"] for item in reseller.get(path).json["items"]]
    assert sorted(found) == sorted([package["id"], second["id"]])


def test_a_strangers_package_cannot_be_attached(reseller: Any, other: Any, client: dict[str, Any]) -> None:
    strange = other.made("/v1/packages", {"name": "P"})["id"]
    assert reseller.post(f"/v1/clients/{client['id']}/packages", {"package_id": strange}).status == 404


def test_a_package_that_a_subaccount_uses_stays_attached(reseller: Any, subaccount: dict[str, Any]) -> None:
    path = f"/v1/clients/{subaccount['client_id']}/packages/{subaccount['package_id']}"
    refused = reseller.delete(path)
    assert refused.status == 409
    assert "alice" in refused.json["detail"]
    assert reseller.delete(f"/v1/subaccounts/{subaccount['id']}").status == 204
    assert reseller.delete(path).status == 204
    assert reseller.delete(path).status == 404


def test_closing_names_what_is_attached(reseller: Any, subaccount: dict[str, Any], did: str) -> None:
    path = f"/v1/clients/{subaccount['client_id']}"
    assert reseller.post(f"/v1/dids/{did}/assign", {"client_id": subaccount["client_id"]}).status == 200
    refused = reseller.delete(path)
    assert refused.status == 409
    named = {error["field"]: error["message"] for error in refused.json["errors"]}
    assert named == {"packages": subaccount["package_id"], "subaccounts": "alice", "dids": did}
    assert all(name in refused.json["detail"] for name in named.values())
    reseller.post(f"/v1/dids/{did}/release", {})
    reseller.delete(f"/v1/subaccounts/{subaccount['id']}")
    reseller.delete(f"{path}/packages/{subaccount['package_id']}")
    assert reseller.delete(path).status == 204


def test_a_closed_client_keeps_its_ledger_and_takes_nothing_new(
    reseller: Any, client: dict[str, Any], package: dict[str, Any], did: str, rated: Any
) -> None:
    path = f"/v1/clients/{client['id']}"
    reseller.made(f"{path}/payments", {"amount": "7"})
    assert reseller.delete(path).status == 204
    assert reseller.delete(path).status == 204
    seen = reseller.get(path).json
    assert (seen["status"], seen["balance"]) == ("closed", "7.00")
    body = {"username": "late", "client_id": client["id"], "package_id": package["id"]}
    assert reseller.post("/v1/subaccounts", body).status == 409
    assert reseller.post(f"{path}/packages", {"package_id": package["id"]}).status == 409
    assert reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"]}).status == 409
    assert reseller.patch(path, {"status": "active"}).status == 409
    rated(client["id"], "sub:late", 1_790_000_000, 2 * 10**8)
    assert reseller.get(path).json["balance"] == "5.00"


@pytest.mark.parametrize("field", ["country", "time_zone", "email", "low_balance_email", "city"])
def test_a_text_can_be_emptied_again(reseller: Any, field: str) -> None:
    made = reseller.made("/v1/clients", PROFILE)
    assert reseller.patch(f"/v1/clients/{made['id']}", {field: ""}).json == {**made, field: ""}


def test_closing_and_attaching_at_once_never_leave_something_on_a_closed_client(
    reseller: Any, package: dict[str, Any]
) -> None:
    for number in range(6):
        path = f"/v1/clients/{reseller.made('/v1/clients', {})['id']}"
        body = {"username": f"u{number}", "client_id": path.rsplit("/", 1)[1], "package_id": package["id"]}
        with ThreadPoolExecutor(2) as pool:
            closing = pool.submit(reseller.delete, path)
            attaching = pool.submit(reseller.post, "/v1/subaccounts", body)
        assert (closing.result().status, attaching.result().status) in [(204, 409), (409, 201)]


def test_deleting_and_attaching_a_package_at_once_never_leave_a_package_that_is_gone(
    reseller: Any, client: dict[str, Any]
) -> None:
    for _ in range(6):
        package_id = reseller.made("/v1/packages", {"name": "P"})["id"]
        with ThreadPoolExecutor(2) as pool:
            deleting = pool.submit(reseller.delete, f"/v1/packages/{package_id}")
            body = {"package_id": package_id}
            attaching = pool.submit(reseller.post, f"/v1/clients/{client['id']}/packages", body)
        assert (deleting.result().status, attaching.result().status) in [(204, 404), (409, 201)]
