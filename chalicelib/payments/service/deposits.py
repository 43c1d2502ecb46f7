"""Deposits: what a client is going to pay. Stored first; the form for PayPal is made from the stored values."""

from __future__ import annotations

import secrets
from typing import Any

from chalicelib import money, periods
from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.accounts.service import clients
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Scope, commit, event, new_id, settled
from chalicelib.config import settings as deployment
from chalicelib.errors import Conflict, Invalid, existing
from chalicelib.payments import amounts, gateway, store, texts
from chalicelib.payments.service.config import notify_url
from chalicelib.payments.shapes import DepositIn, DepositOut
from chalicelib.payments.store import Deposit, Invoice, Settings
from chalicelib.principals import Principal

OPEN_SECONDS = 7 * periods.DAY_SECONDS
"""How long the pay page offers the button. A payment that was begun counts even if it completes later."""


@settled
def create(scope: Scope, who: Principal, client_id: str, body: DepositIn, base_url: str) -> DepositOut:
    """A new deposit. 404 for another's client, 409 for a closed client or without PayPal, 422 for an amount that is not
    offered."""
    clients.refuse_others(who, client_id)
    settings = store.settings_of(who.reseller_id)
    client = clients.open_client(who.reseller_id, client_id)
    if settings is None:
        raise Conflict("This reseller takes no PayPal payments yet (PUT /v1/paypal).")
    if body.amount not in [int(text) * money.ONE for text in settings.amounts]:
        raise Invalid.field("amount", f"must be one of {', '.join(settings.amounts)}")
    item = _item(scope, who.reseller_id, client_id, settings, body.amount)
    item.language = client.profile.get("language", "en")
    invoice = Invoice(
        *Invoice.key(item.invoice), reseller_id=who.reseller_id, client_id=client_id, deposit_id=item.deposit_id
    )
    out = to_out(item, settings, base_url)
    # Requires the client's version, so a client that is closed at this moment gets no deposit.
    bumped = client.bump()
    changes = {"deposit_id": item.deposit_id, "amount": money.format_amount(body.amount)}
    recorded = event(scope, who.reseller_id, "deposit.created", client_id, changes)
    commit(scope, [bumped, Put(item), Put(invoice), recorded], out)
    return out


def get(who: Principal, client_id: str, deposit_id: str, base_url: str) -> DepositOut:
    """One deposit; 404 for an unknown one or another's."""
    clients.get(who, client_id)
    item = existing(store.deposit(who.reseller_id, client_id, deposit_id))
    return to_out(item, _settings(who.reseller_id), base_url)


def listed(who: Principal, client_id: str, request: paging.PageRequest, base_url: str) -> paging.Page[Any]:
    """A page of a client's deposits, newest first."""
    clients.get(who, client_id)
    page = paging.page(Deposit, Deposit.of_client(who.reseller_id, client_id), request, newest_first=True)
    settings = _settings(who.reseller_id) if page.items else None
    return paging.Page([to_out(item, settings, base_url) for item in page.items if settings], page.place)


def to_out(item: Deposit, settings: Settings, base_url: str) -> DepositOut:
    """A deposit as the API answers it, with the form."""
    action, fields = form(item, settings, base_url)
    stored = ("client_id", "invoice", "custom", "currency", "environment", "status", "created_at", "open_until")
    answer: dict[str, Any] = {name: getattr(item, name) for name in stored}
    answer |= {"id": item.deposit_id, "amount": item.amount_e8, "pay_url": pay_url(item, base_url)}
    return DepositOut.model_validate(answer | {"action": action, "fields": fields})


def pay_url(item: Deposit, base_url: str) -> str:
    return f"{base_url}/pay/{item.invoice}"


def is_over(item: Deposit, client_status: str, now: int) -> bool:
    """Whether the button is no longer offered: after a week, or when the client is closed."""
    return now >= item.open_until or client_status == "closed"


def form(item: Deposit, settings: Settings, base_url: str) -> tuple[str, dict[str, str]]:
    """URL and fields of the form that the payer's browser sends.

    With a REST app the URL is our own ``checkout``, which creates the order; else it is PayPal's classic button. The
    payer can change every field of the button's form, so a message about it is compared with the stored deposit.
    """
    page = pay_url(item, base_url)
    if item.environment in settings.apps:
        return f"{page}/checkout", {}
    fields = {
        "cmd": "_xclick",
        "business": item.merchant_id or item.email,
        "amount": amounts.write(item.amount_e8, item.currency),
        "currency_code": item.currency,
        "item_name": texts.words(item.language)["item"],
        "quantity": "1",
        "invoice": item.invoice,
        "custom": item.custom,
        "notify_url": notify_url(base_url, settings.tokens[item.environment]),
        "return": f"{page}/return",
        "cancel_return": f"{page}/cancel",
        # Makes PayPal send the browser back by GET, without the payer's data.
        "rm": "1",
        "no_shipping": "1",
        "no_note": "1",
        "charset": "utf-8",
    }
    return gateway.form_action(item.environment), fields


def _settings(reseller_id: str) -> Settings:
    return existing(store.settings_of(reseller_id))


def _item(scope: Scope, reseller_id: str, client_id: str, settings: Settings, amount_e8: int) -> Deposit:
    deposit_id = new_id()
    return Deposit(
        *Deposit.key(reseller_id, client_id, deposit_id),
        deposit_id=deposit_id,
        reseller_id=reseller_id,
        client_id=client_id,
        invoice=secrets.token_hex(16),
        custom=secrets.token_hex(16),
        amount_e8=amount_e8,
        currency=get_reseller(reseller_id).currency or deployment.currency,
        environment=settings.environment,
        email=settings.email,
        merchant_id=settings.merchant_id,
        created_at=scope.now,
        open_until=scope.now + OPEN_SECONDS,
    )
