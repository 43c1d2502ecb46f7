"""Orders of a reseller's own REST app, which PayPal recommends over the classic button.

The amount goes to PayPal by API, not in a form that the payer can change. A capture becomes a ``Notice`` like a message
of the button: its id is the transaction id, so a payment that both channels report is booked once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.accounts.ledger.posting import get_client
from chalicelib.aws.transactions import Change, Scope, commit, event, settled
from chalicelib.errors import Conflict, Invalid, NotFound, existing
from chalicelib.payments import amounts, store, texts, vault, webhooks
from chalicelib.payments.gateway import UNCLEAR, Paypal, PaypalFailed
from chalicelib.payments.model import Notice
from chalicelib.payments.rest import App
from chalicelib.payments.service import config, deposits
from chalicelib.payments.service.apply import apply
from chalicelib.payments.shapes import AppIn, DepositOut, PaypalOut
from chalicelib.payments.store import Deposit, Settings
from chalicelib.principals import Principal

_ORDER_SECONDS = 3600
"""A payer who starts again within this time gets the same order. PayPal drops unapproved orders after some hours."""


def app_of(reseller_id: str, environment: str) -> dict[str, str] | None:
    """``app_key``, ``webhook_id`` and ``secret_version`` of a reseller's app; ``None`` if there is none."""
    settings = store.settings_of(reseller_id)
    return settings.apps.get(environment) if settings else None


def put_app(scope: Scope, paypal: Paypal, reseller_id: str, body: AppIn, base_url: str) -> PaypalOut:
    """Use a REST app in the current environment. PayPal must accept its credentials and gets our webhook's URL.

    409 before PayPal is set up; 422 if PayPal refuses the credentials or the webhook.
    """
    settings = _settings(reseller_id)
    environment = settings.environment
    app = App(paypal, environment, body.app_key, body.app_secret, scope.now)
    try:
        app.check()
        webhook_id = app.webhook(f"{base_url}/paypal/webhook/{settings.tokens[environment]}")
    except PaypalFailed as problem:
        raise Invalid.field("app_secret", f"is not taken by PayPal ({environment}): {problem}") from None
    # The secret is stored first: an app without its secret cannot take payments. The previous app uses its own version.
    version = vault.put(reseller_id, environment, body.app_secret)
    stored = {"app_key": body.app_key, "webhook_id": webhook_id, "secret_version": version}
    return _change_apps(scope, reseller_id, environment, stored, base_url)


def remove_app(scope: Scope, reseller_id: str) -> None:
    """Go back to the classic button; 404 if there is no app in the current environment."""
    settings = _settings(reseller_id)
    if settings.environment not in settings.apps:
        raise NotFound()
    _change_apps(scope, reseller_id, settings.environment, None, "")
    vault.remove(reseller_id, settings.environment)


def verify(
    scope: Scope, paypal: Paypal, reseller_id: str, environment: str, headers: dict[str, str], raw: bytes
) -> str:
    """PayPal's answer to whether it sent an event: VERIFIED, INVALID or UNCLEAR (also when the app was removed)."""
    stored = app_of(reseller_id, environment)
    if stored is None:
        return UNCLEAR
    return _app(scope, paypal, reseller_id, environment, stored).verify(stored["webhook_id"], headers, raw)


def checkout(scope: Scope, paypal: Paypal, invoice: str, base_url: str) -> str:
    """Create the order of an open deposit; the URL where the payer approves it. 404 for an unknown invoice, 409 if
    the deposit cannot be paid by an order, ``PaypalFailed`` if PayPal does not create one."""
    deposit = existing(store.deposit_of_invoice(invoice))
    stored = app_of(deposit.reseller_id, deposit.environment)
    client = get_client(deposit.reseller_id, deposit.client_id)
    payable = deposit.status in ("open", "failed") and not deposits.is_over(deposit, client.status, scope.now)
    if stored is None or not payable:
        raise Conflict("This deposit cannot be paid now.")
    app = _app(scope, paypal, deposit.reseller_id, deposit.environment, stored)
    page = deposits.pay_url(deposit, base_url)
    context = {"return_url": f"{page}/return", "cancel_url": f"{page}/cancel", "user_action": "PAY_NOW"}
    request_id = f"{invoice}-{scope.now // _ORDER_SECONDS}"
    order_id, approve_url = app.create_order(
        _unit(deposit), context | {"shipping_preference": "NO_SHIPPING"}, request_id
    )
    if deposit.order_id != order_id:
        _remember_order(scope, deposit, order_id)
    return approve_url


def capture_approved(
    scope: Scope, paypal: Paypal, reseller_id: str, environment: str, approval: Mapping[str, Any]
) -> Notice | None:
    """Capture an order that the payer has approved; the capture as a notice.

    ``None`` if the event's order is not that of its deposit, or PayPal refuses for good (422: the card was declined, or
    the order was captured before). ``PaypalFailed`` if a later try may succeed.
    """
    order_id, invoice, custom = webhooks.approved(approval)
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
    """Capture the order of a deposit now, in case the event of its approval was lost; the deposit afterwards.

    404 for an unknown deposit. 409 if it has no order, or PayPal does not capture it (not approved yet, for example).
    """
    deposits.get(who, client_id, deposit_id, base_url)
    deposit = store.deposit(who.reseller_id, client_id, deposit_id)
    if deposit is None or not deposit.order_id:
        raise Conflict("This deposit has no order at PayPal.")
    with conflict_if_paypal_fails():
        notice = _capture(scope, paypal, deposit)
    if notice is not None:
        apply(scope, who.reseller_id, deposit.environment, notice)
    return deposits.get(who, client_id, deposit_id, base_url)


@contextmanager
def conflict_if_paypal_fails() -> Iterator[None]:
    """Turn ``PaypalFailed`` into a 409 for the caller of the API."""
    try:
        yield
    except PaypalFailed as problem:
        raise Conflict(f"PayPal does not give the money: {problem}") from None


def _capture(scope: Scope, paypal: Paypal, deposit: Deposit) -> Notice | None:
    """Capture the deposit's order; the first capture as a notice, ``None`` if PayPal lists none."""
    stored = app_of(deposit.reseller_id, deposit.environment)
    if stored is None:
        raise PaypalFailed("the app was removed")
    order = _app(scope, paypal, deposit.reseller_id, deposit.environment, stored).capture(deposit.order_id)
    captures = webhooks.captures(order)
    if not captures:
        return None
    # PayPal may leave these out of the capture, because the order has them.
    of_order = {"invoice_id": deposit.invoice, "custom_id": deposit.custom}
    return webhooks.of_capture({**of_order, **captures[0]})


def _unit(deposit: Deposit) -> dict[str, Any]:
    """The purchase unit of the order. The payee is the owner of the app."""
    value = amounts.write(deposit.amount_e8, deposit.currency)
    return {
        "amount": {"currency_code": deposit.currency, "value": value},
        "invoice_id": deposit.invoice,
        "custom_id": deposit.custom,
        "description": texts.words(deposit.language)["item"],
    }


@settled
def _remember_order(scope: Scope, deposit: Deposit, order_id: str) -> None:
    """Store the order on the deposit. Only this order is captured, even if the payer approves an earlier one."""
    item = store.deposit(deposit.reseller_id, deposit.client_id, deposit.deposit_id)
    assert item is not None
    changes = {"deposit_id": item.deposit_id, "order_id": order_id}
    change = Change(item, [Deposit.order_id.set(order_id)], Deposit.order_id == item.order_id)
    commit(scope, [change, event(scope, item.reseller_id, "deposit.ordered", item.client_id, changes)])


def _app(scope: Scope, paypal: Paypal, reseller_id: str, environment: str, stored: Mapping[str, str]) -> App:
    secret = vault.get(reseller_id, environment, stored["secret_version"])
    return App(paypal, environment, stored["app_key"], secret, scope.now)


def _settings(reseller_id: str) -> Settings:
    settings = store.settings_of(reseller_id)
    if settings is None:
        raise Conflict("Set PayPal up first (PUT /v1/paypal).")
    return settings


@settled
def _change_apps(
    scope: Scope, reseller_id: str, environment: str, app: dict[str, str] | None, base_url: str
) -> PaypalOut:
    """Set or remove (``None``) the app of an environment; the settings afterwards."""
    settings = _settings(reseller_id)
    previous = settings.apps.get(environment)
    others = {name: stored for name, stored in settings.apps.items() if name != environment}
    settings.apps = others | ({environment: app} if app else {})
    changes = {"environment": environment, "app_key": app["app_key"] if app else None}
    before = {"app_key": previous["app_key"]} if previous else None
    out = config.to_out(reseller_id, settings, base_url)
    recorded = event(scope, reseller_id, "paypal.app", reseller_id, changes, before)
    commit(scope, [config.changed(settings), recorded], out)
    return out
