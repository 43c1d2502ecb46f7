"""What the pay page shows: a deposit by its invoice, for anybody who has the link."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import get_client, get_reseller
from chalicelib.errors import existing
from chalicelib.payments import amounts, store
from chalicelib.payments.page import PaymentView
from chalicelib.payments.service import deposits
from chalicelib.payments.store import Deposit


def view(invoice: str, now: int, base_url: str) -> PaymentView:
    """What the page of an invoice shows; 404 for an unknown one."""
    deposit = _deposit(invoice)
    settings = existing(store.settings_of(deposit.reseller_id))
    client = get_client(deposit.reseller_id, deposit.client_id)
    action, fields = deposits.form(deposit, settings, base_url)
    return PaymentView(
        amount=amounts.write(deposit.amount_e8, deposit.currency),
        currency=deposit.currency,
        seller=get_reseller(deposit.reseller_id).name,
        language=client.profile.get("language", "en"),
        status=deposit.status,
        sandbox=deposit.environment == "sandbox",
        expired=deposits.is_over(deposit, client.status, now),
        action=action,
        fields=fields,
    )


def status(invoice: str) -> str:
    """Status of the deposit of an invoice; 404 for an unknown one."""
    return _deposit(invoice).status


def _deposit(invoice: str) -> Deposit:
    return existing(store.deposit_of_invoice(invoice))
