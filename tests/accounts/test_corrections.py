"""An owner's start moved before calls that are rated: allowed to whoever says that the batches will be rated again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

OLD, CALLED, NOW = "2026-10-01T00:00:00Z", 1_791_201_600, "2026-10-05T12:00:00Z"
"""``CALLED`` is ``NOW``: the start of the one rated call."""


@pytest.fixture
def shop(reseller: Any) -> dict[str, str]:
    """Two clients and a sub-account of the first."""
    ids = {name: reseller.made("/v1/clients", {"company": name})["id"] for name in ("ann", "bob")}
    ids["package"] = reseller.made("/v1/packages", {"name": "p"})["id"]
    body = {"username": "desk", "client_id": ids["ann"], "package_id": ids["package"]}
    return {**ids, "desk": reseller.made("/v1/subaccounts", body)["id"]}


def owner(reseller: Any, holder: str, at: int) -> str:
    from chalicelib.accounts.service import term_versions

    found = term_versions.assignment_at(reseller.ids["reseller"], holder, at)
    return str(found.client_id) if found else ""


def test_a_sub_account_moves_before_its_rated_calls_only_with_the_promise(
    reseller: Any, shop: dict[str, str], rated: Callable[..., None]
) -> None:
    rated(shop["ann"], "sub:desk", CALLED)
    path, body = f"/v1/subaccounts/{shop['desk']}", {"client_id": shop["bob"], "effective_from": OLD}
    refused = reseller.patch(path, body)
    assert refused.status == 409 and "will_rerate" in refused.json["detail"]
    assert reseller.patch(path, {**body, "will_rerate": True}).status == 200
    assert owner(reseller, "SUB#desk", CALLED) == shop["bob"]
    assert owner(reseller, "SUB#desk", CALLED - 30 * 86_400) == shop["ann"]


def test_the_start_of_the_present_owner_can_be_moved_back(
    reseller: Any, shop: dict[str, str], rated: Callable[..., None]
) -> None:
    path = f"/v1/subaccounts/{shop['desk']}"
    assert reseller.patch(path, {"client_id": shop["bob"], "effective_from": "2026-10-20T00:00:00Z"}).status == 200
    rated(shop["ann"], "sub:desk", CALLED)
    assert owner(reseller, "SUB#desk", CALLED) == shop["ann"]
    body = {"client_id": shop["bob"], "effective_from": OLD}
    assert reseller.patch(path, body).status == 422
    assert reseller.patch(path, {**body, "will_rerate": True}).status == 200
    assert owner(reseller, "SUB#desk", CALLED) == shop["bob"]
    assert reseller.patch(path, {"effective_from": OLD, "will_rerate": True}).status == 422


def test_a_did_is_released_and_assigned_before_its_rated_calls_only_with_the_promise(
    reseller: Any, operator: Any, shop: dict[str, str], rated: Callable[..., None], number: str = "+15145550177"
) -> None:
    operator.made("/v1/inventory", {"number": number, "monthly": "1", "setup": "1", "per_minute": "0.01"})
    assert reseller.post(f"/v1/dids/{number}/order").status == 200
    assert reseller.post(f"/v1/dids/{number}/assign", {"client_id": shop["ann"]}).status == 200
    rated(shop["ann"], f"did:{number}", CALLED)
    for step, body in (("release", {}), ("assign", {"client_id": shop["bob"], "charge_monthly": False})):
        body |= {"effective_from": OLD}
        assert reseller.post(f"/v1/dids/{number}/{step}", body).status == 409
        assert reseller.post(f"/v1/dids/{number}/{step}", {**body, "will_rerate": True}).status == 200
    assert owner(reseller, f"DID#{number}", CALLED) == shop["bob"]


def test_while_a_batch_is_open_the_promise_does_not_help(
    reseller: Any, shop: dict[str, str], batches: Callable[[str, bool], None]
) -> None:
    batches("b1", True)
    body = {"client_id": shop["bob"], "effective_from": OLD, "will_rerate": True}
    assert reseller.patch(f"/v1/subaccounts/{shop['desk']}", body).status == 409
    batches("b1", False)
    assert reseller.patch(f"/v1/subaccounts/{shop['desk']}", body).status == 200
