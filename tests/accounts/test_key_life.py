"""What a key may do beyond its role, when it was used, and how it is replaced without a pause."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from faults import counted, refusing

from chalicelib.accounts.service import keys
from chalicelib.accounts.store.api_keys import ApiKey, KeyPointer
from chalicelib.aws.stamps import stamp
from chalicelib.principals import SCOPES, scopes_of
from chalicelib.web.routes import ROUTES


def narrowed(reseller: Any, *scopes: str) -> Any:
    return reseller.with_key(reseller.made("/v1/keys", {"scopes": list(scopes)})["api_key"])


# --- scopes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("POST", "/v1/authorizations", ("authorizations",)),
        ("POST", "/v1/authorizations/{authorization_id}/finish", ("authorizations",)),
        ("POST", "/v1/uploads", ("uploads",)),
        ("GET", "/v1/batches/{batch_id}", ("uploads", "read")),
        ("POST", "/v1/clients/{client_id}/payments", ("payments",)),
        ("GET", "/v1/clients/{client_id}/ledger", ("payments", "read")),
        ("POST", "/v1/clients", ("clients",)),
        ("DELETE", "/v1/clients/{client_id}/packages/{package_id}", ("clients",)),
        ("POST", "/v1/dids/{number}/order", ("clients",)),
        ("GET", "/v1/packages", ("read",)),
        ("POST", "/v1/packages", ()),
        ("POST", "/v1/keys", ()),
        ("POST", "/v1/keys/{key_id}/rotate", ()),
        ("PATCH", "/v1/account", ()),
        ("POST", "/v1/clientsandmore", ()),
    ],
)
def test_the_scopes_that_open_an_operation(method: str, path: str, scopes: tuple[str, ...]) -> None:
    assert scopes_of(method, path) == scopes


def test_every_write_that_no_scope_opens_is_meant_to_be_so() -> None:
    import app  # noqa: F401

    found = {entry.path for entry in ROUTES if entry.method != "GET" and "reseller" in entry.roles and not entry.scopes}
    assert found == {
        "/v1/account", "/v1/account/activate", "/v1/cdr-preview", "/v1/cdr-sources", "/v1/cdr-sources/{source_id}",
        "/v1/imports", "/v1/imports/{import_id}/resume", "/v1/keys", "/v1/keys/{key_id}", "/v1/keys/{key_id}/rotate",
        "/v1/notifications", "/v1/packages", "/v1/packages/{package_id}",
        "/v1/packages/{package_id}/rates/import", "/v1/packages/{package_id}/rates/{scope}/{code}",
        "/v1/paypal", "/v1/paypal/app", "/v1/paypal/reviews/{review_id}", "/v1/signup", "/v1/webhooks",
        "/v1/webhooks/{webhook_id}", "/v1/webhooks/{webhook_id}/rotate",
    }  # fmt: skip


def test_a_key_of_one_scope_reaches_exactly_what_the_document_says(reseller: Any) -> None:
    for scope in SCOPES:
        key = narrowed(reseller, scope)
        for entry in ROUTES:
            if "reseller" not in entry.roles:
                continue
            path = entry.path.replace("{", "").replace("}", "")
            refused = key.send(entry.method, path, b"no json" if entry.body else None).status == 403
            assert refused == (scope not in entry.scopes), f"{scope}: {entry.method} {entry.path}"


def test_a_refusal_names_the_scope_that_is_missing(reseller: Any) -> None:
    key = narrowed(reseller, "uploads")
    assert key.post("/v1/uploads", {"kind": "cdr", "filename": "a.csv"}).status == 201
    for path, needed in (("/v1/clients", "the scope clients"), ("/v1/keys", "one without scopes")):
        reply = key.post(path, {})
        assert reply.status == 403
        assert "narrowed to uploads" in reply.json["detail"] and needed in reply.json["detail"]


def test_a_key_may_have_several_scopes_and_never_more_than_its_role(reseller: Any) -> None:
    body = {"role": "reseller_readonly", "scopes": ["payments", "read"]}
    made = reseller.made("/v1/keys", body)
    assert made["scopes"] == ["payments", "read"]
    key = reseller.with_key(made["api_key"])
    assert key.get("/v1/packages").status == 200
    assert key.post("/v1/clients/x/payments", {"amount": "1"}).status == 403


@pytest.mark.parametrize("scopes", [[], ["everything"], "read", ["read"] * 6])
def test_scopes_that_make_no_sense_are_refused(reseller: Any, scopes: Any) -> None:
    reply = reseller.post("/v1/keys", {"scopes": scopes})
    assert reply.status == 422
    assert reply.json["errors"][0]["field"].startswith("scopes")


# --- use and end --------------------------------------------------------------------------------------------------


def test_last_use_is_noted_once_an_hour(reseller: Any) -> None:
    made = reseller.made("/v1/keys", {"label": "switch in Paris"})
    assert (made["label"], made["last_used_at"], made["expires_at"]) == ("switch in Paris", None, None)
    token, noon = made["api_key"], 1_790_000_000
    for now, expected in ((noon, noon), (noon + 3599, noon), (noon + 3600, noon + 3600)):
        assert keys.authenticate(token, now) is not None
        assert ApiKey.get(*ApiKey.key(made["id"])).last_used_at == expected
    with counted() as calls:
        keys.authenticate(token, noon + 3700)
    assert set(calls) == {"GetItem"}


def test_a_use_that_cannot_be_noted_costs_nothing(reseller: Any) -> None:
    made = reseller.made("/v1/keys", {})
    with refusing("UpdateItem", ["AccessDeniedException"]) as left:
        assert keys.authenticate(made["api_key"], 1_790_000_000) is not None
    assert left == []


def test_noting_a_use_does_not_bring_a_revoked_key_back(reseller: Any) -> None:
    made = reseller.made("/v1/keys", {})
    item = ApiKey.get(*ApiKey.key(made["id"]))
    assert reseller.delete(f"/v1/keys/{made['id']}").status == 204
    stamp(item, ApiKey.last_used_at, 1_790_000_000, keys.USE_SECONDS)
    assert ApiKey.find(*ApiKey.key(made["id"])) is None


def test_a_key_can_be_made_to_end(reseller: Any) -> None:
    assert reseller.post("/v1/keys", {"expires_at": "2020-01-01T00:00:00Z"}).json["errors"][0]["field"] == "expires_at"
    made = reseller.made("/v1/keys", {"expires_at": "2091-01-01T00:00:00Z"})
    assert made["expires_at"] == "2091-01-01T00:00:00Z"
    end = 3_818_448_000
    assert keys.authenticate(made["api_key"], end - 1) is not None
    assert keys.authenticate(made["api_key"], end) is None


# --- rotation -----------------------------------------------------------------------------------------------------


def test_a_rotated_key_serves_on_beside_the_new_one(reseller: Any) -> None:
    old = reseller.made("/v1/keys", {"role": "reseller_readonly", "label": "report", "scopes": ["read"]})
    new = reseller.made(f"/v1/keys/{old['id']}/rotate", {"grace_seconds": 60})
    assert {name: new[name] for name in ("role", "label", "scopes", "expires_at")} == {
        "role": "reseller_readonly",
        "label": "report",
        "scopes": ["read"],
        "expires_at": None,
    }
    now = int(time.time())
    for token in (old["api_key"], new["api_key"]):
        assert keys.authenticate(token, now) is not None
    assert keys.authenticate(old["api_key"], now + 61) is None
    assert keys.authenticate(new["api_key"], now + 61) is not None
    ends = {item["id"]: item["expires_at"] for item in reseller.get("/v1/keys").json["items"]}
    assert ends[old["id"]] is not None and ends[new["id"]] is None


def test_both_items_of_an_ended_key_are_left_to_the_clean_up(reseller: Any) -> None:
    old = reseller.made("/v1/keys", {})
    reseller.made(f"/v1/keys/{old['id']}/rotate", {"grace_seconds": 0})
    key = ApiKey.get(*ApiKey.key(old["id"]))
    pointer = KeyPointer.get(*KeyPointer.key(reseller.ids["reseller"], old["id"]))
    assert key.expires_at == pointer.expires_at is not None
    assert reseller.with_key(old["api_key"]).get("/v1/account").status == 401


def test_a_key_is_rotated_once(reseller: Any, other: Any) -> None:
    old = reseller.made("/v1/keys", {})
    assert other.post(f"/v1/keys/{old['id']}/rotate", {}).status == 404
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: reseller.post(f"/v1/keys/{old['id']}/rotate", {}).status, range(8)))
    assert sorted(statuses) == [201] + [409] * 7
    # The reseller's first key, the old and the new one.
    assert len(reseller.get("/v1/keys").json["items"]) == 3


def test_a_key_can_rotate_itself(reseller: Any) -> None:
    (mine,) = reseller.get("/v1/keys").json["items"]
    new = reseller.made(f"/v1/keys/{mine['id']}/rotate", {})
    assert reseller.with_key(new["api_key"]).delete(f"/v1/keys/{mine['id']}").status == 204
    assert reseller.get("/v1/account").status == 401
