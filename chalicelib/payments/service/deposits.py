"""Intents: what a client is going to pay. Stored first; the form that leads to PayPal is made out of what is stored."""

from __future__ import annotations

import secrets
from typing import Any

from chalicelib import money, periods
from chalicelib.accounts.ledger.posting import plan, reseller_of
from chalicelib.accounts.service import clients
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Scope, commit, event, new_id, settle
from chalicelib.config import settings as deployment
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.payments import amounts, gateway, store
from chalicelib.payments.service.config import notify_url
from chalicelib.payments.shapes import DepositIn, DepositOut
from chalicelib.payments.store import Deposit, Invoice, Settings
from chalicelib.principals import Principal

OPEN_SECONDS = 7 * periods.DAY_SECONDS
"""How long the pay page offers the button. A payment that was begun may complete much later, and counts."""


def create(scope: Scope, who: Principal, client_id: str, body: DepositIn, base_url: str) -> DepositOut:
    """An intent. 404 for a stranger's client, 409 for a closed one or without PayPal, 422 for an amount not offered."""
    clients.refuse_others(who, client_id)

    def decide() -> DepositOut:
        settings = store.settings_of(who.reseller_id)
        client = clients.open_client(who.reseller_id, client_id)
        if settings is None:
            raise Conflict("This reseller takes no PayPal payments yet (PUT /v1/paypal).")
        if body.amount not in [int(text) * money.ONE for text in settings.amounts]:
            raise Invalid.field("amount", f"must be one of {', '.join(settings.amounts)}")
        item = _item(scope, who.reseller_id, client_id, settings, body.amount)
        pointer = Invoice(f"PAY#{item.invoice}", "PAY")
        pointer.reseller_id, pointer.client_id, pointer.deposit_id = who.reseller_id, client_id, item.deposit_id
        out = shown(item, settings, base_url)
        # The client's version fences it: a client that is closed at this moment gets no intent.
        _, bump = plan(scope, client, [])
        told = {"deposit_id": item.deposit_id, "amount": money.format_amount(body.amount)}
        recorded = event(scope, who.reseller_id, "deposit.created", client_id, told)
        commit(scope, [*bump, Put(item), Put(pointer), recorded], out)
        return out

    return settle(decide)


def get(who: Principal, client_id: str, deposit_id: str, base_url: str) -> DepositOut:
    """One deposit; 404 for a stranger's."""
    clients.get(who, client_id)
    found = store.deposit(who.reseller_id, client_id, deposit_id)
    if found is None:
        raise NotFound()
    return shown(found, _settings(who.reseller_id), base_url)


def listed(who: Principal, client_id: str, asked: paging.Asked, base_url: str) -> tuple[list[DepositOut], str | None]:
    """A page of a client's deposits, newest first, and the place where the next one starts."""
    clients.get(who, client_id)
    prefix = f"DEPOSIT#{client_id}#"
    found = paging.page(Deposit, store.partition(who.reseller_id), prefix, asked, newest_first=True)
    settings = _settings(who.reseller_id) if found.items else None
    return [shown(item, settings, base_url) for item in found.items if settings], found.place


def shown(item: Deposit, settings: Settings, base_url: str) -> DepositOut:
    """A deposit as it is answered, with the form."""
    action, fields = form(item, settings, base_url)
    told: dict[str, Any] = {name: getattr(item, name) for name in ("client_id", "invoice", "custom", "currency")}
    told |= {
        "id": item.deposit_id,
        "amount": item.amount_e8,
        "environment": item.environment,
        "status": item.status,
        "action": action,
        "fields": fields,
        "pay_url": pay_url(item, base_url),
        "created_at": item.created_at,
        "open_until": item.open_until,
    }
    return DepositOut.model_validate(told)


def pay_url(item: Deposit, base_url: str) -> str:
    return f"{base_url}/pay/{item.invoice}"


def is_over(item: Deposit, client_status: str, now: int) -> bool:
    """Whether the button is gone: a week has passed, or the client was closed. What was begun before still counts."""
    return now >= item.open_until or client_status == "closed"


def form(item: Deposit, settings: Settings, base_url: str) -> tuple[str, dict[str, str]]:
    """Where the payer's browser is sent to, and with which fields.

    With a REST app that is our own ``checkout``, which makes the order; else the classic button. Nothing in its form is
    signed, so nothing in it is believed when it comes back.
    """
    page = pay_url(item, base_url)
    if item.environment in settings.apps:
        return f"{page}/checkout", {}
    fields = {
        "cmd": "_xclick",
        "business": item.merchant_id or item.email,
        "amount": amounts.write(item.amount_e8, item.currency),
        "currency_code": item.currency,
        "item_name": "Account deposit",
        "quantity": "1",
        "invoice": item.invoice,
        "custom": item.custom,
        "notify_url": notify_url(base_url, settings.tokens[item.environment]),
        "return": f"{page}/return",
        "cancel_return": f"{page}/cancel",
        # The browser comes back by GET and without the payer's data.
        "rm": "1",
        "no_shipping": "1",
        "no_note": "1",
        "charset": "utf-8",
    }
    return gateway.form_action(item.environment), fields


def _settings(reseller_id: str) -> Settings:
    found = store.settings_of(reseller_id)
    if found is None:
        raise NotFound()
    return found


def _item(scope: Scope, reseller_id: str, client_id: str, settings: Settings, amount_e8: int) -> Deposit:
    deposit_id = new_id()
    return Deposit(
        store.partition(reseller_id),
        f"DEPOSIT#{client_id}#{deposit_id}",
        deposit_id=deposit_id,
        reseller_id=reseller_id,
        client_id=client_id,
        invoice=secrets.token_hex(16),
        custom=secrets.token_hex(16),
        amount_e8=amount_e8,
        currency=reseller_of(reseller_id)().currency or deployment.currency,
        environment=settings.environment,
        email=settings.email,
        merchant_id=settings.merchant_id,
        created_at=scope.now,
        open_until=scope.now + OPEN_SECONDS,
    )
