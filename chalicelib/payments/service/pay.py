"""What the pay page shows: a deposit by its invoice, to whoever has the link."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import client_of, reseller_of
from chalicelib.errors import NotFound
from chalicelib.payments import amounts, store
from chalicelib.payments.page import Asked
from chalicelib.payments.service import deposits
from chalicelib.payments.store import Deposit


def look(invoice: str, now: int, base_url: str) -> Asked:
    """What a page is about; 404 for an invoice that nobody has."""
    deposit = _deposit(invoice)
    settings = store.settings_of(deposit.reseller_id)
    if settings is None:
        raise NotFound()
    client = client_of(deposit.reseller_id, deposit.client_id)()
    action, fields = deposits.form(deposit, settings, base_url)
    return Asked(
        amount=amounts.write(deposit.amount_e8, deposit.currency),
        currency=deposit.currency,
        seller=reseller_of(deposit.reseller_id)().name,
        language=client.profile.get("language", "en"),
        status=deposit.status,
        sandbox=deposit.environment == "sandbox",
        expired=deposits.is_over(deposit, client.status, now),
        action=action,
        fields=fields,
    )


def status(invoice: str) -> str:
    """How far a deposit is; 404 for an invoice that nobody has."""
    return str(_deposit(invoice).status)


def _deposit(invoice: str) -> Deposit:
    found = store.deposit_of_invoice(invoice)
    if found is None:
        raise NotFound()
    return found
