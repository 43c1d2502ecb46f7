"""An event of a REST app -> a ``Notice``. Pure.

PayPal has confirmed the event before, and the app is the reseller's own, so a notice names no receiver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.payments.model import MOST_NOTE, Movement, Notice, State
from chalicelib.text import one_line

APPROVED = "CHECKOUT.ORDER.APPROVED"
STATES = {
    "COMPLETED": State.COMPLETED,
    # A refund of it has an event of its own.
    "PARTIALLY_REFUNDED": State.COMPLETED,
    "REFUNDED": State.COMPLETED,
    "PENDING": State.PENDING,
    "DECLINED": State.FAILED,
    "DENIED": State.FAILED,
    "FAILED": State.FAILED,
}
"""Values of a capture's ``status``."""
_CAPTURES = "/v2/payments/captures/"


def notice(event: Mapping[str, Any]) -> Notice:
    """What an event says; ``Movement.OTHER`` for a kind that moves no money."""
    kind, resource = _text(event, "event_type"), _object(event, "resource")
    match kind:
        case "PAYMENT.CAPTURE.COMPLETED" | "PAYMENT.CAPTURE.PENDING" | "PAYMENT.CAPTURE.DENIED":
            return of_capture(resource)
        case "PAYMENT.CAPTURE.REFUNDED":
            return _correction(Movement.REFUND, resource)
        case "PAYMENT.CAPTURE.REVERSED":
            return _correction(Movement.REVERSAL, resource)
        case _ if kind.startswith("CUSTOMER.DISPUTE."):
            return _dispute(kind, resource)
        case _:
            return Notice("webhook", Movement.OTHER, note=one_line(kind, MOST_NOTE))


def of_capture(resource: Mapping[str, Any]) -> Notice:
    """A capture, from an event or from the answer to our own request. Its id is IPN's ``txn_id``."""
    return _notice(resource, Movement.PAYMENT, state=STATES.get(_text(resource, "status"), State.UNKNOWN))


def captures(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The captures of an order's one purchase unit."""
    listed = _object(_first(order, "purchase_units"), "payments").get("captures")
    return [capture for capture in listed if isinstance(capture, dict)] if isinstance(listed, list) else []


def approved(event: Mapping[str, Any]) -> tuple[str, str, str]:
    """Order id, invoice and custom of an order that the payer has approved; blank if absent."""
    order = _object(event, "resource")
    unit = _first(order, "purchase_units")
    return _text(order, "id"), _text(unit, "invoice_id"), _text(unit, "custom_id")


def _dispute(kind: str, resource: Mapping[str, Any]) -> Notice:
    transaction = _first(resource, "disputed_transactions")
    note = f"{kind.rpartition('.')[2].lower()} {_text(resource, 'dispute_id')}"
    return Notice("webhook", Movement.CASE, _text(transaction, "seller_transaction_id"), note=one_line(note, MOST_NOTE))


def _correction(movement: Movement, resource: Mapping[str, Any]) -> Notice:
    if _text(resource, "status") in ("CANCELLED", "FAILED"):
        return Notice("webhook", Movement.OTHER, note="failed")
    links = resource.get("links")
    listed = links if isinstance(links, list) else []
    ups = (link for link in listed if isinstance(link, dict) and link.get("rel") == "up")
    # The id of the capture is at the end of the link; without it the decision finds no parent.
    parent = next((str(up.get("href", "")).rpartition(_CAPTURES)[2] for up in ups), "")
    return _notice(resource, movement, parent=parent)


def _notice(resource: Mapping[str, Any], movement: Movement, *, state: State = State.NONE, parent: str = "") -> Notice:
    amount = _object(resource, "amount")
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
        note=one_line(_text(resource, "status"), MOST_NOTE),
    )


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The JSON object in a field; empty if there is none."""
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}


def _first(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The first of the JSON objects in a field; empty if there is none."""
    values = parent.get(name)
    return values[0] if isinstance(values, list) and values and isinstance(values[0], dict) else {}


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    return value if isinstance(value, str) else ""
