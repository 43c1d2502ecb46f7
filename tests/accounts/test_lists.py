"""Lists: pages of any size, cursors that are signed and bound to tenant and list."""

from __future__ import annotations

from typing import Any

import pytest


def walk(api: Any, path: str, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    joiner = "&" if "?" in path else "?"
    while cursor is not None:
        page = api.get(f"{path}{joiner}limit={limit}{cursor and '&cursor=' + cursor}").json
        assert len(page["items"]) <= limit
        assert page["items"] or page["next"] is None
        found += page["items"]
        cursor = page["next"]
    return found


@pytest.fixture
def filled(reseller: Any) -> Any:
    """A reseller with five of everything, every other sub-account and DID another client's."""
    package = reseller.made("/v1/packages", {"name": "P0"})
    for number in range(1, 5):
        reseller.made("/v1/packages", {"name": f"P{number}"})
    clients = [reseller.made("/v1/clients", {"company": f"C{number}"})["id"] for number in range(5)]
    for number in range(5):
        body = {"username": f"u{number}", "client_id": clients[number % 2], "package_id": package["id"]}
        reseller.made("/v1/subaccounts", body)
        reseller.made(f"/v1/clients/{clients[0]}/payments", {"amount": str(number + 1)})
        reseller.made("/v1/keys", {})
    reseller.ids["client"] = clients[0]
    return reseller


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_pages_of_any_size_give_every_item_once_in_order(filled: Any, limit: int) -> None:
    assert [item["company"] for item in walk(filled, "/v1/clients", limit)] == ["C0", "C1", "C2", "C3", "C4"]
    assert [item["name"] for item in walk(filled, "/v1/packages", limit)] == ["P0", "P1", "P2", "P3", "P4"]
    assert [item["username"] for item in walk(filled, "/v1/subaccounts", limit)] == ["u0", "u1", "u2", "u3", "u4"]
    assert len({item["id"] for item in walk(filled, "/v1/keys", limit)}) == 6


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_a_ledger_is_walked_newest_first(filled: Any, limit: int) -> None:
    found = walk(filled, f"/v1/clients/{filled.ids['client']}/ledger", limit)
    assert [item["id"] for item in found] == ["5", "4", "3", "2", "1"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_narrowed_list_has_full_pages(filled: Any, limit: int) -> None:
    path = f"/v1/subaccounts?client_id={filled.ids['client']}"
    assert [item["username"] for item in walk(filled, path, limit)] == ["u0", "u2", "u4"]


def test_a_cursor_of_another_tenant_list_or_role_is_422(filled: Any, other: Any) -> None:
    cursor = filled.get("/v1/clients?limit=1").json["next"]
    customer = filled.made("/v1/keys", {"role": "client", "client_id": filled.ids["client"]})["api_key"]
    for api, path in (
        (other, "/v1/clients"),
        (filled, "/v1/packages"),
        (filled.with_key(customer), "/v1/clients"),
    ):
        reply = api.get(f"{path}?cursor={cursor}")
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=abc", "page=2"])
def test_a_wrong_parameter_is_422_and_named(reseller: Any, query: str) -> None:
    reply = reseller.get(f"/v1/clients?{query}")
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, query.split("=")[0])


def test_a_tampered_cursor_is_422(filled: Any) -> None:
    cursor = filled.get("/v1/clients?limit=1").json["next"]
    # Not its last character, which may stand for the same bytes with another one.
    other = "B" if cursor[9] == "A" else "A"
    assert filled.get(f"/v1/clients?cursor={cursor[:9]}{other}{cursor[10:]}").status == 422


def test_fifty_items_are_the_default_page(reseller: Any) -> None:
    from chalicelib.accounts.store.terms import Package

    model = reseller.made("/v1/packages", {"name": "P"})
    first = Package.get(*Package.key(reseller.ids["reseller"], model["id"]))
    with Package.batch_write() as batch:
        for number in range(50):
            values = first.attribute_values | {"sk": f"PACKAGE#{number:03d}", "package_id": f"{number:03d}"}
            batch.save(Package(**values))
    page = reseller.get("/v1/packages").json
    assert len(page["items"]) == 50
    assert len(reseller.get(f"/v1/packages?cursor={page['next']}").json["items"]) == 1
