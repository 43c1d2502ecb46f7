"""The way that PayPal recommends: a REST app of the reseller's own, with orders in the place of the classic button.

The amount goes to PayPal by API and not by an editable form. What comes back goes the same way as a message of the
button: the capture's id is the transaction id, so a payment that both channels tell of is booked once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.accounts.ledger.posting import client_of
from chalicelib.aws.transactions import Change, Scope, commit, event, settle, settled
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.payments import amounts, store, vault, webhooks
from chalicelib.payments.gateway import UNCLEAR, Paypal, PaypalFailed
from chalicelib.payments.model import Notice
from chalicelib.payments.rest import App
from chalicelib.payments.service import config, deposits
from chalicelib.payments.service.apply import apply
from chalicelib.payments.shapes import AppIn, DepositOut, PaypalOut
from chalicelib.payments.store import Deposit, Settings
from chalicelib.principals import Principal

_ORDER_SECONDS = 3600
"""A payer who starts again within the hour gets the same order; PayPal gives up unapproved ones after some hours."""


def app_of(reseller_id: str, environment: str) -> dict[str, str] | None:
    """``app_key``, ``webhook_id`` and ``secret_version`` of a reseller's app."""
    settings = store.settings_of(reseller_id)
    return settings.apps.get(environment) if settings else None


def put_app(scope: Scope, paypal: Paypal, reseller_id: str, body: AppIn, base_url: str) -> PaypalOut:
    """Take a REST app for the present environment: PayPal is asked whether it knows it, and told of our webhook.

    409 before PayPal is set up; 422 when PayPal refuses.
    """
    settings = _settings(reseller_id)
    environment = settings.environment
    app = App(paypal, environment, body.app_key, body.app_secret, scope.now)
    try:
        app.check()
        webhook_id = app.webhook(f"{base_url}/paypal/webhook/{settings.tokens[environment]}")
    except PaypalFailed as problem:
        raise Invalid.field("app_secret", f"is not taken by PayPal ({environment}): {problem}") from None
    # The secret first: an app without its secret would turn payers away. The app before it keeps its own until then.
    version = vault.put(reseller_id, environment, body.app_secret)
    told = {"app_key": body.app_key, "webhook_id": webhook_id, "secret_version": version}
    return _change_apps(scope, reseller_id, environment, told, base_url)


def remove_app(scope: Scope, reseller_id: str) -> None:
    """Go back to the classic button; 404 when there is no app in the present environment."""
    settings = _settings(reseller_id)
    if settings.environment not in settings.apps:
        raise NotFound()
    _change_apps(scope, reseller_id, settings.environment, None, "")
    vault.remove(reseller_id, settings.environment)


def verify(
    scope: Scope, paypal: Paypal, reseller_id: str, environment: str, headers: dict[str, str], raw: bytes
) -> str:
    """What PayPal says about an event of the reseller's app."""
    found = app_of(reseller_id, environment)
    if found is None:
        return UNCLEAR
    return _app(scope, paypal, reseller_id, environment, found).verify(found["webhook_id"], headers, raw)


def checkout(scope: Scope, paypal: Paypal, invoice: str, base_url: str) -> str:
    """Make the order of an open deposit, and say where the payer's browser goes; 409 when it cannot be paid so."""
    deposit = store.deposit_of_invoice(invoice)
    if deposit is None:
        raise NotFound()
    found = app_of(deposit.reseller_id, deposit.environment)
    client = client_of(deposit.reseller_id, deposit.client_id)()
    if found is None or deposit.status not in ("open", "failed") or deposits.is_over(deposit, client.status, scope.now):
        raise Conflict("This deposit cannot be paid now.")
    app = _app(scope, paypal, deposit.reseller_id, deposit.environment, found)
    page = deposits.pay_url(deposit, base_url)
    context = {"return_url": f"{page}/return", "cancel_url": f"{page}/cancel", "user_action": "PAY_NOW"}
    request_id = f"{invoice}-{scope.now // _ORDER_SECONDS}"
    order_id, approve_url = app.create_order(
        _unit(deposit), context | {"shipping_preference": "NO_SHIPPING"}, request_id
    )
    _bind(scope, deposit, order_id)
    return approve_url


def capture_approved(
    scope: Scope, paypal: Paypal, reseller_id: str, environment: str, told: Mapping[str, Any]
) -> Notice | None:
    """Take the money of an order that was approved.

    ``None`` when it is not the order of the deposit that it names, or PayPal refuses for good (422: the card was
    declined, the order was captured before). ``PaypalFailed`` when asking again may help.
    """
    order_id, invoice, custom = webhooks.approved(told)
    deposit = store.deposit_of_invoice(invoice)
    if deposit is None or (deposit.reseller_id, deposit.environment) != (reseller_id, environment):
        return None
    if deposit.order_id != order_id or deposit.custom != custom or deposit.status == "paid":
        return None
    try:
        return _capture(scope, paypal, deposit)
    except PaypalFailed as problem:
        if problem.status != 422:
            raise
        return None


def capture(scope: Scope, paypal: Paypal, who: Principal, client_id: str, deposit_id: str, base_url: str) -> DepositOut:
    """Ask PayPal for the money of a deposit's order now, should the event of its approval have been lost.

    409 when there is no order, or PayPal does not give it (the payer has not approved, say).
    """
    deposits.get(who, client_id, deposit_id, base_url)
    deposit = store.deposit(who.reseller_id, client_id, deposit_id)
    if deposit is None or not deposit.order_id:
        raise Conflict("This deposit has no order at PayPal.")
    with told_to_whoever_asks():
        notice = _capture(scope, paypal, deposit)
    if notice is not None:
        apply(scope, who.reseller_id, deposit.environment, notice)
    return deposits.get(who, client_id, deposit_id, base_url)


@contextmanager
def told_to_whoever_asks() -> Iterator[None]:
    """For a person who asks for the money: that PayPal does not give it is a 409, and no failure of ours."""
    try:
        yield
    except PaypalFailed as problem:
        raise Conflict(f"PayPal does not give the money: {problem}") from None


def _capture(scope: Scope, paypal: Paypal, deposit: Deposit) -> Notice | None:
    found = app_of(deposit.reseller_id, deposit.environment)
    if found is None:
        raise PaypalFailed("the app was removed")
    order = _app(scope, paypal, deposit.reseller_id, deposit.environment, found).capture(deposit.order_id)
    made = webhooks.captures(order)
    if not made:
        return None
    # PayPal leaves out of a capture what stands in its order.
    own = {"invoice_id": deposit.invoice, "custom_id": deposit.custom}
    return webhooks.of_capture({**own, **made[0]})


def _unit(deposit: Deposit) -> dict[str, Any]:
    """What is bought: the deposit. The payee is the app's owner."""
    value = amounts.write(deposit.amount_e8, deposit.currency)
    return {
        "amount": {"currency_code": deposit.currency, "value": value},
        "invoice_id": deposit.invoice,
        "custom_id": deposit.custom,
        "description": "Account deposit",
    }


def _bind(scope: Scope, deposit: Deposit, order_id: str) -> None:
    """Remember the order: no other one of the same invoice will be captured."""
    if deposit.order_id == order_id:
        return

    def decide() -> None:
        now = store.deposit(deposit.reseller_id, deposit.client_id, deposit.deposit_id)
        assert now is not None
        told = {"deposit_id": now.deposit_id, "order_id": order_id}
        bound = Change(now, [Deposit.order_id.set(order_id)], Deposit.order_id == now.order_id)
        commit(scope, [bound, event(scope, now.reseller_id, "deposit.ordered", now.client_id, told)])

    settle(decide)


def _app(scope: Scope, paypal: Paypal, reseller_id: str, environment: str, found: Mapping[str, str]) -> App:
    secret = vault.get(reseller_id, environment, found["secret_version"])
    return App(paypal, environment, found["app_key"], secret, scope.now)


def _settings(reseller_id: str) -> Settings:
    settings = store.settings_of(reseller_id)
    if settings is None:
        raise Conflict("Set PayPal up first (PUT /v1/paypal).")
    return settings


@settled
def _change_apps(
    scope: Scope, reseller_id: str, environment: str, app: dict[str, str] | None, base_url: str
) -> PaypalOut:
    settings = _settings(reseller_id)
    before = settings.apps.get(environment)
    others = {name: told for name, told in settings.apps.items() if name != environment}
    settings.apps = others | ({environment: app} if app else {})
    told = {"environment": environment, "app_key": app["app_key"] if app else None}
    was = {"app_key": before["app_key"]} if before else None
    out = config.shown(reseller_id, settings, base_url)
    commit(scope, [config.changed(settings), event(scope, reseller_id, "paypal.app", reseller_id, told, was)], out)
    return out
