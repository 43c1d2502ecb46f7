"""A REST app in trouble: its token ends early, it is taken away, its payer is no client any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import faults
import pytest
from paypal_orders import app_of, approve, event, order_of
from paypal_shop import FORM, Shop, asked

from chalicelib.payments import rest, vault
from local.wire import Answer


@contextmanager
def tokens_refused(shop: Shop, times: int) -> Iterator[list[str]]:
    """PayPal refuses the app's token so often; the paths that were refused."""
    real, refused = shop.standin.rest.respond, list[str]()
    login = f"Bearer token-of-{app_of(shop)}"

    def respond(environment: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if headers.get("authorization") == login and len(refused) < times:
            refused.append(path)
            return Answer(401, b'{"error": "invalid_token"}')
        return real(environment, method, path, headers, body)

    shop.standin.rest.respond = respond  # type: ignore[method-assign]
    try:
        yield refused
    finally:
        shop.standin.rest.respond = real  # type: ignore[method-assign]


def test_a_token_that_ends_before_its_time_is_asked_for_anew(app_shop: Shop) -> None:
    _, approved = approve(app_shop)
    with tokens_refused(app_shop, 1) as refused:
        assert event(app_shop, approved) == 200
    assert (len(refused), app_shop.ledger()) == (1, ["deposit 25.00"])


def test_an_app_that_paypal_refuses_for_good_is_asked_twice_and_told_of(app_shop: Shop) -> None:
    _, approved = approve(app_shop)
    with tokens_refused(app_shop, 99) as refused:
        assert event(app_shop, approved) == 503
    assert (len(refused), app_shop.ledger()) == (2, [])
    assert app_shop.api.get("/v1/paypal").json["health"]["unclear_at"]
    assert event(app_shop, approved) == 200


@pytest.mark.parametrize("how", ["verify", "replay"])
def test_the_operator_is_told_when_paypal_does_not_give_the_money(app_shop: Shop, operator: Any, how: str) -> None:
    order, approved = approve(app_shop)
    order.status = "PAYER_ACTION_REQUIRED"
    assert event(app_shop, approved) == 200
    kept = app_shop.last(operator)
    assert (kept["verdict"], kept["reason"]) == ("VERIFIED", "not_captured")
    path = f"/v1/resellers/{app_shop.reseller_id}/paypal/messages/{kept['id']}/{how}"
    known = app_shop.standin.rest.orders.pop(order.order_id)
    refused = operator.post(path)
    assert refused.status == 409 and "404 RESOURCE_NOT_FOUND" in refused.text
    app_shop.standin.rest.orders[order.order_id] = known
    order.status = "APPROVED"
    assert (operator.post(path).json["outcome"], app_shop.ledger()) == ("credited", ["deposit 25.00"])
    assert app_shop.api.delete("/v1/paypal/app").status == 204
    assert operator.post(path).status in (200, 409)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_a_change_of_app_that_is_cut_off_anywhere_leaves_an_app_with_its_own_secret(
    app_shop: Shop, answered: bool
) -> None:
    secrets: dict[str, str] = {}

    def change(name: str) -> bool:
        told = {"app_key": f"{name}-{app_shop.reseller_id}", "app_secret": f"secret-{name}"}
        secrets[told["app_key"]] = told["app_secret"]
        return bool(app_shop.api.put("/v1/paypal/app", told).status == 200)

    ended = False
    for call in range(40):
        assert change(f"Before{call}")
        with suppress(faults.Killed), faults.killed_at(call, answered=answered):
            ended = change(f"After{call}")
        # Another container, which remembers nothing.
        vault._read.clear()
        rest._tokens.clear()
        order_of(asked(app_shop))
        assert [secrets[key] == secret for _, key, secret in rest._tokens] == [True], f"killed at call {call}"
        if ended:
            return
    raise AssertionError("the last call was never cut")


def test_no_order_is_made_for_a_closed_client(app_shop: Shop) -> None:
    assert app_shop.api.delete(f"/v1/clients/{app_shop.client_id}").status == 204
    path, made = f"/pay/{app_shop.deposit['invoice']}", len(app_shop.standin.rest.orders)
    reply = app_shop.api.with_key("").send("POST", f"{path}/checkout", b"", headers=FORM)
    assert (reply.status, reply.headers["Location"]) == (303, app_shop.deposit["pay_url"])
    assert len(app_shop.standin.rest.orders) == made
