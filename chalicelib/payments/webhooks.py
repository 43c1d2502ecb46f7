"""An event of a REST app -> a ``Notice``. The event is known to be PayPal's and the app the reseller's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.payments.notices import (
    CASE,
    COMPLETED,
    FAILED,
    OTHER,
    PAYMENT,
    PENDING,
    REFUND,
    REVERSAL,
    UNKNOWN,
    Notice,
)

APPROVED = "CHECKOUT.ORDER.APPROVED"
STATES = {
    "COMPLETED": COMPLETED,
    # What was given back later has events of its own.
    "PARTIALLY_REFUNDED": COMPLETED,
    "REFUNDED": COMPLETED,
    "PENDING": PENDING,
    "DECLINED": FAILED,
    "DENIED": FAILED,
    "FAILED": FAILED,
}
_PAYMENTS = ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED")
_BACK = {"PAYMENT.CAPTURE.REFUNDED": REFUND, "PAYMENT.CAPTURE.REVERSED": REVERSAL}
_CAPTURES = "/v2/payments/captures/"


def notice(event: Mapping[str, Any]) -> Notice:
    """What an event tells; ``OTHER`` for a kind that moves nothing."""
    kind, resource = _text(event, "event_type"), _inner(event, "resource")
    if kind in _PAYMENTS:
        return of_capture(resource)
    if kind in _BACK:
        return _back(_BACK[kind], resource)
    if kind.startswith("CUSTOMER.DISPUTE."):
        disputed = resource.get("disputed_transactions")
        first = disputed[0] if isinstance(disputed, list) and disputed and isinstance(disputed[0], dict) else {}
        note = f"{kind.rpartition('.')[2].lower()} {_text(resource, 'dispute_id')}"
        return Notice("webhook", CASE, _text(first, "seller_transaction_id"), note=_clean(note))
    return Notice("webhook", OTHER, note=_clean(kind))


def of_capture(resource: Mapping[str, Any]) -> Notice:
    """A capture, out of an event or out of the answer to our own request. Its id is IPN's ``txn_id``."""
    return _told(resource, PAYMENT, state=STATES.get(_text(resource, "status"), UNKNOWN))


def captures(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The captures of an order's one purchase unit."""
    units = order.get("purchase_units")
    payments = _inner(units[0], "payments") if isinstance(units, list) and units and isinstance(units[0], dict) else {}
    found = payments.get("captures")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def approved(event: Mapping[str, Any]) -> tuple[str, str, str]:
    """Order, invoice and custom of an order that the payer has approved; blank where they are absent."""
    resource = _inner(event, "resource")
    units = resource.get("purchase_units")
    unit = units[0] if isinstance(units, list) and units and isinstance(units[0], dict) else {}
    return _text(resource, "id"), _text(unit, "invoice_id"), _text(unit, "custom_id")


def _back(movement: str, resource: Mapping[str, Any]) -> Notice:
    if _text(resource, "status") in ("CANCELLED", "FAILED"):
        return Notice("webhook", OTHER, note="failed")
    links = resource.get("links")
    ups = (
        [link for link in links if isinstance(link, dict) and link.get("rel") == "up"]
        if isinstance(links, list)
        else []
    )
    # Without the way up nobody can say which capture it was, or whether the amount is all of it.
    parent = next((str(up.get("href", "")).rpartition(_CAPTURES)[2] for up in ups), "")
    return _told(resource, movement, parent=parent)


def _told(resource: Mapping[str, Any], movement: str, *, state: str = "", parent: str = "") -> Notice:
    amount = _inner(resource, "amount")
    return Notice(
        channel="webhook",
        movement=movement,
        txn_id=_text(resource, "id"),
        state=state,
        parent=parent,
        invoice=_text(resource, "invoice_id"),
        custom=_text(resource, "custom_id"),
        amount=_text(amount, "value"),
        currency=_text(amount, "currency_code"),
        note=_clean(_text(resource, "status")),
    )


def _inner(told: Any, name: str) -> Mapping[str, Any]:
    found = told.get(name) if isinstance(told, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""


def _clean(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:100]
