"""A REST app in the place of the button: orders, captures, signed events, and the same ledger behind both channels."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import faults
import pytest
from faults import at_once
from paypal_orders import app_of, approve, captured, deliver, event, order_of
from paypal_shop import Shop, asked, open_shop

from chalicelib.payments import decide
from local.paypal import messages
from local.paypal.rest import WRONG_SECRET
from local.paypal.sender import Habits


def test_an_order_is_made_from_the_intent_captured_and_credited_once(app_shop: Shop) -> None:
    assert (app_shop.deposit["action"], app_shop.deposit["fields"]) == (f"{app_shop.deposit['pay_url']}/checkout", {})
    order, approved = approve(app_shop)
    assert order.unit["amount"] == {"currency_code": "USD", "value": "25.00"}
    assert (order.unit["invoice_id"], order.unit["custom_id"]) == (
        app_shop.deposit["invoice"],
        app_shop.deposit["custom"],
    )
    assert order.context["return_url"] == f"{app_shop.deposit['pay_url']}/return"
    assert event(app_shop, approved) == 200
    assert (app_shop.ledger(), app_shop.now()) == (["deposit 25.00"], "paid")
    assert [event(app_shop, told) for told in (captured(order), approved, captured(order))] == [200] * 3
    assert (app_shop.ledger(), app_shop.reviews()) == (["deposit 25.00"], [])
    entry = app_shop.api.get(f"/v1/clients/{app_shop.client_id}/ledger").json["items"][0]
    assert (entry["source"], entry["actor"]) == (f"paypal:{order.capture['id']}", "paypal:webhook")


def test_a_button_that_is_pressed_twice_makes_one_order(app_shop: Shop) -> None:
    assert order_of(app_shop).order_id == order_of(app_shop).order_id


@pytest.mark.parametrize("first", ["webhook", "ipn", "both at once"])
def test_ipn_and_webhook_of_one_payment_credit_once(app_shop: Shop, first: str) -> None:
    """PayPal sends both where both are switched on. A capture's id is IPN's txn_id."""
    order, _ = approve(app_shop)
    form = {"business": "shop@voix.example", "amount": "25.00", "currency_code": "USD",
            "invoice": app_shop.deposit["invoice"], "custom": app_shop.deposit["custom"]}  # fmt: skip
    app_shop.standin.rest._capture(order)
    ipn = messages.payment("live", form, order.capture["id"], "Completed") | {"txn_type": "express_checkout"}
    ipn_url = app_shop.standin.rest.webhooks[app_of(app_shop)]["url"].replace("/webhook/", "/ipn/")
    app_shop.deposit["fields"] = {"notify_url": ipn_url}
    ways = [lambda: event(app_shop, captured(order)), lambda: app_shop.send(ipn)]
    if first == "both at once":
        at_once([way for way in ways for _ in range(4)])
    else:
        for way in ways if first == "webhook" else ways[::-1]:
            assert way() == 200
    assert (app_shop.ledger(), app_shop.now(), app_shop.reviews()) == (["deposit 25.00"], "paid", [])
    refund = messages.change(ipn, "Refunded", "-10.00", "refund")
    up = f"https://api.paypal.com/v2/payments/captures/{order.capture['id']}"
    amount = {"currency_code": "USD", "value": "10.00"}
    told = {"id": refund["txn_id"], "status": "COMPLETED", "amount": amount, "links": [{"rel": "up", "href": up}]}
    assert event(app_shop, {"event_type": "PAYMENT.CAPTURE.REFUNDED", "resource": told}) == 200
    assert app_shop.send(refund) == 200
    assert app_shop.ledger() == ["deposit 25.00", "refund -10.00"]


def test_a_reversal_by_event_debits_and_one_without_its_capture_is_looked_at(app_shop: Shop) -> None:
    order, approved = approve(app_shop)
    event(app_shop, approved)
    lost = {**order.capture, "status": "REVERSED"}
    assert event(app_shop, {"event_type": "PAYMENT.CAPTURE.REVERSED", "resource": lost}) == 200
    assert (app_shop.ledger(), app_shop.reviews()) == (["deposit 25.00"], ["no_parent"])
    assert event(app_shop, app_shop.standin.rest.reverse(order.order_id, "25.00")) == 200
    assert app_shop.ledger() == ["deposit 25.00", "chargeback -25.00"]


def test_a_capture_that_waits_is_pending_and_then_paid_or_failed(app_shop: Shop) -> None:
    app_shop.standin.rest.captured_as = "PENDING"
    try:
        order, approved = approve(app_shop)
        assert (event(app_shop, approved), app_shop.now(), app_shop.ledger()) == (200, "pending", [])
    finally:
        app_shop.standin.rest.captured_as = "COMPLETED"
    order.capture["status"] = "DECLINED"
    assert (event(app_shop, captured(order, "DENIED")), app_shop.now()) == (200, "failed")
    order.capture["status"] = "COMPLETED"
    assert (event(app_shop, captured(order)), app_shop.now()) == (200, "paid")
    assert app_shop.ledger() == ["deposit 25.00"]


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_an_approval_that_comes_again_is_captured_and_credited_once(
    app_shop: Shop, answered: bool
) -> None:
    _, told = approve(app_shop)
    with faults.counted() as made:
        assert event(app_shop, told) == 200
    kills = faults.kills(made, answered=answered)
    for kill in kills:
        shop = asked(app_shop)
        order, told = approve(shop)
        with suppress(faults.Killed), kill():
            event(shop, told)
        assert event(shop, told) == 200
        assert event(shop, captured(order)) == 200
        assert (shop.now(), shop.reviews()) == ("paid", []), str(kill)
    assert app_shop.ledger() == ["deposit 25.00"] * (len(kills) + 1)


def test_a_dispute_is_shown_to_the_reseller(app_shop: Shop) -> None:
    order, approved = approve(app_shop)
    event(app_shop, approved)
    disputed = [{"seller_transaction_id": order.capture["id"]}]
    told = {
        "event_type": "CUSTOMER.DISPUTE.CREATED",
        "resource": {"dispute_id": "PP-1", "disputed_transactions": disputed},
    }
    assert [event(app_shop, told) for _ in range(2)] == [200, 200]
    assert app_shop.reviews() == ["case"]
    assert app_shop.api.get("/v1/paypal/reviews").json["items"][0]["note"] == "created PP-1"


@pytest.mark.parametrize("spoil", ["signature", "event", "headers", "app"])
def test_an_event_that_paypal_did_not_sign_for_this_app_moves_nothing(
    app_shop: Shop, operator: Any, spoil: str
) -> None:
    order, _ = approve(app_shop)
    app_shop.standin.rest._capture(order)
    raw, signed = app_shop.standin.rest.sign(captured(order))
    if spoil == "signature":
        signed["PAYPAL-TRANSMISSION-ID"] = "0" * 32
    elif spoil == "event":
        raw = raw.replace(b"25.00", b"25.0 ")
    elif spoil == "headers":
        del signed["PAYPAL-TRANSMISSION-SIG"]
    else:
        app_shop.standin.rest.webhooks[app_of(app_shop)]["id"] = "another"
    assert deliver(app_shop, raw, signed) == 200
    assert (app_shop.ledger(), app_shop.now()) == ([], "open")
    assert app_shop.last(operator)["outcome"] == "invalid"


def test_the_event_goes_back_to_paypal_byte_for_byte(app_shop: Shop) -> None:
    order, _ = approve(app_shop)
    app_shop.standin.rest._capture(order)
    _, signed = app_shop.standin.rest.sign({})
    raw = json.dumps(captured(order), indent=3, ensure_ascii=False).replace("\n", "\r\n").encode() + b" "
    app_shop.standin.rest.signed[signed["PAYPAL-TRANSMISSION-ID"]] = raw
    assert deliver(app_shop, raw, signed) == 200
    assert app_shop.ledger() == ["deposit 25.00"]


def test_an_order_that_is_not_the_deposits_own_is_not_captured(app_shop: Shop, operator: Any) -> None:
    """An order names its deposit by fields that anybody may write into an order of theirs."""
    order, approved = approve(app_shop)
    for changes in ({"id": "ANOTHERORDER"}, {"purchase_units": [{**order.unit, "custom_id": "x"}]},
                    {"purchase_units": [{**order.unit, "invoice_id": "0" * 32}]}, {"purchase_units": []}):  # fmt: skip
        told = {**approved, "resource": {**approved["resource"], **changes}}
        assert event(app_shop, told) == 200
        assert app_shop.last(operator)["reason"] == "not_captured"
    assert (order.capture, app_shop.ledger()) == (None, [])


def test_a_capture_of_another_amount_or_currency_is_looked_at(app_shop: Shop) -> None:
    order, _ = approve(app_shop)
    app_shop.standin.rest._capture(order)
    for amount in ({"currency_code": "USD", "value": "24.00"}, {"currency_code": "EUR", "value": "25.00"}):
        assert event(app_shop, {**captured(order), "resource": {**order.capture, "amount": amount}}) == 200
    assert (app_shop.ledger(), app_shop.reviews(), app_shop.now()) == ([], ["wrong_amount", "wrong_currency"], "review")


def test_the_money_can_be_asked_for_when_the_event_was_lost(app_shop: Shop) -> None:
    path = f"/v1/clients/{app_shop.client_id}/deposits/{app_shop.deposit['id']}/capture"
    assert app_shop.api.post(path).status == 409
    order = order_of(app_shop)
    refused = app_shop.api.post(path)
    assert refused.status == 409 and "422 UNPROCESSABLE_ENTITY" in refused.text
    order.status = "APPROVED"
    assert (app_shop.api.post(path).json["status"], app_shop.ledger()) == ("paid", ["deposit 25.00"])
    assert app_shop.api.post(path).status == 200
    assert app_shop.ledger() == ["deposit 25.00"]


def test_a_payer_goes_the_whole_way_through_the_stand_in(app_shop: Shop) -> None:
    """The browser's requests, and PayPal's own delivery to the webhook; only the port is left out."""
    order = order_of(app_shop)
    sent: list[int] = []
    sender = app_shop.standin.books.sender
    real, sender.habits = sender.send, Habits()
    sender.send = lambda url, raw, headers: sent.append(deliver(app_shop, raw, dict(headers)))  # type: ignore[method-assign]
    try:
        page = app_shop.standin.respond("GET", f"/live/checkoutnow?token={order.order_id}", {}, b"")
        assert page.status == 200 and b"25.00 USD" in page.body
        back = app_shop.standin.respond("POST", "/live/approve", {}, f"token={order.order_id}".encode())
    finally:
        sender.send = real  # type: ignore[method-assign]
    assert (back.status, set(sent)) == (303, {200})
    assert dict(back.headers)["Location"].startswith(f"{app_shop.deposit['pay_url']}/return?token=")
    assert app_shop.ledger() == ["deposit 25.00"]


def test_credentials_that_paypal_does_not_take_are_refused_and_not_kept(reseller: Any, paypal: Any) -> None:
    told = {"app_key": "App", "app_secret": WRONG_SECRET}
    assert reseller.put("/v1/paypal/app", told).status == 409, "PayPal is not set up yet"
    open_shop(reseller, paypal)
    reply = reseller.put("/v1/paypal/app", told)
    assert reply.status == 422 and reply.json["errors"][0]["field"] == "app_secret"
    assert WRONG_SECRET not in reply.text and "invalid_client" in reply.text
    assert reseller.get("/v1/paypal").json["app"] is None
    assert reseller.delete("/v1/paypal/app").status == 404


def test_without_the_app_the_button_is_back_and_its_events_find_nobody(app_shop: Shop) -> None:
    _, approved = approve(app_shop)
    raw, signed = app_shop.standin.rest.sign(approved)
    hook = "/paypal" + app_shop.standin.rest.webhooks[app_of(app_shop)]["url"].partition("/paypal")[2]
    before = app_of(app_shop)
    assert app_shop.api.delete("/v1/paypal/app").status == 204
    told = app_shop.api.get("/v1/audit?kind=paypal.app").json["items"][0]["changes"]
    assert {"field": "app_key", "old": before, "new": None} in told
    lower = {name.lower(): value for name, value in signed.items()}
    assert app_shop.api.with_key("").send("POST", hook, raw, headers=lower).status == 404
    after = asked(app_shop)
    assert after.deposit["fields"]["cmd"] == "_xclick"
    assert (after.send(after.good), after.now()) == (200, "paid")


def test_a_new_secret_is_used_from_then_on(app_shop: Shop) -> None:
    from chalicelib.payments import rest

    order_of(app_shop)
    assert app_shop.api.put("/v1/paypal/app", {"app_key": app_of(app_shop), "app_secret": "an0ther"}).status == 200
    order_of(asked(app_shop))
    assert [secret for _, key, secret in rest._tokens if key == app_of(app_shop)] == ["s3cret", "an0ther"]


def test_a_secret_is_kept_by_the_secrets_manager_and_nowhere_else(app_shop: Shop, aws: str) -> None:
    import boto3

    name = f"forfait-local/paypal/{app_shop.reseller_id}/live"
    assert boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"] == "s3cret"
    from chalicelib.config import settings

    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=settings.table)
    for item in (item for page in pages for item in page["Items"] if app_shop.reseller_id in repr(item)):
        assert "s3cret" not in repr(item)


SHAPES: list[Any] = [
    [], "x", None, 1, {}, {"event_type": 1}, {"event_type": "PAYMENT.CAPTURE.COMPLETED"},
    {"event_type": "PAYMENT.CAPTURE.REFUNDED", "resource": {"links": "up"}},
    {"event_type": "PAYMENT.CAPTURE.REVERSED", "resource": {"links": [1, {"rel": "up"}]}},
    {"event_type": "CUSTOMER.DISPUTE.CREATED", "resource": {"disputed_transactions": [1]}},
    {"event_type": "CHECKOUT.ORDER.APPROVED", "resource": {"purchase_units": "x"}},
    {"event_type": "BILLING.PLAN.CREATED", "resource": {}},
]  # fmt: skip


@pytest.mark.parametrize("told", SHAPES, ids=repr)
def test_an_event_of_any_shape_is_answered(app_shop: Shop, told: Any) -> None:
    assert event(app_shop, told) == 200
    assert (app_shop.ledger(), app_shop.reviews()) == ([], [])


def test_a_body_that_is_no_json_or_too_long_is_answered(app_shop: Shop, operator: Any) -> None:
    assert deliver(app_shop, b"{", {"content-type": "application/json"}) == 200
    assert app_shop.last(operator)["reason"] == "no_event"
    assert deliver(app_shop, b"[" * 100_000, {"content-type": "application/json"}) == 200
    assert deliver(app_shop, b" " * (256 * 1024 + 1), {"content-type": "application/json"}) == 413
    assert decide.TXN_ID.fullmatch("x")


def test_the_operator_asks_again_about_an_event(app_shop: Shop, operator: Any) -> None:
    order, approved = approve(app_shop)
    raw, signed = app_shop.standin.rest.sign(approved)
    known = app_shop.standin.rest.signed.pop(signed["PAYPAL-TRANSMISSION-ID"])
    assert (deliver(app_shop, raw, signed), app_shop.ledger()) == (200, [])
    app_shop.standin.rest.signed[signed["PAYPAL-TRANSMISSION-ID"]] = known
    path = f"/v1/resellers/{app_shop.reseller_id}/paypal/messages/{app_shop.last(operator)['id']}"
    assert operator.post(f"{path}/replay").status == 409
    assert operator.post(f"{path}/verify").json["outcome"] == "credited"
    assert operator.post(f"{path}/replay").json["verdict"] == "VERIFIED"
    assert (app_shop.ledger(), order.status) == (["deposit 25.00"], "COMPLETED")
