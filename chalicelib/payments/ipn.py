"""The fields of an IPN message -> a ``Notice``. Nothing is trusted here, only named."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.payments.notices import (
    ADJUSTMENT,
    CASE,
    COMPLETED,
    FAILED,
    OTHER,
    PAYMENT,
    PENDING,
    RECREDIT,
    REFUND,
    REVERSAL,
    UNKNOWN,
    Notice,
    Receiver,
)

PAYMENT_TYPES = frozenset({"web_accept", "cart", "express_checkout"})
"""What our button, a cart, or a REST order of the same intent makes. Others are another business of the reseller."""
STATES = {
    "Completed": COMPLETED,
    "Pending": PENDING,
    "Processed": PENDING,
    "Created": PENDING,
    "Denied": FAILED,
    "Failed": FAILED,
    "Expired": FAILED,
    "Voided": FAILED,
}
"""Exact words; any other, older spellings among them, is UNKNOWN and no reason to move money."""
MOVEMENTS = {"Refunded": REFUND, "Reversed": REVERSAL, "Canceled_Reversal": RECREDIT}


def notice(fields: Mapping[str, str]) -> Notice:
    """What a verified message tells."""

    def field(name: str) -> str:
        return fields.get(name, "")

    kind, status = field("txn_type"), field("payment_status")
    movement, state = _movement(kind, status)
    emails = tuple(dict.fromkeys(text.casefold() for text in (field("business"), field("receiver_email")) if text))
    return Notice(
        channel="ipn",
        movement=movement,
        txn_id=field("txn_id"),
        state=state,
        parent=field("parent_txn_id"),
        invoice=field("invoice"),
        custom=field("custom"),
        amount=field("mc_gross"),
        currency=field("mc_currency"),
        receiver=Receiver(field("receiver_id"), emails),
        test=field("test_ipn") == "1",
        entity=field("transaction_entity"),
        note=_note(fields, movement),
    )


def _movement(kind: str, status: str) -> tuple[str, str]:
    """What moved, and how far it is. ``txn_type`` is absent on most refunds, so the status comes first there."""
    if kind == "new_case":
        return CASE, ""
    if kind == "adjustment":
        # A chargeback settled: Completed with a negative amount, and no more a payment than a refund is.
        return ADJUSTMENT, STATES.get(status, UNKNOWN)
    if status in MOVEMENTS:
        return MOVEMENTS[status], ""
    if kind in PAYMENT_TYPES:
        return PAYMENT, STATES.get(status, UNKNOWN)
    return OTHER, ""


def _note(fields: Mapping[str, str], movement: str) -> str:
    """A few words for a person, cut: they come from outside."""
    names = {CASE: ("case_type", "case_id"), OTHER: ("txn_type", "payment_status"), PAYMENT: ("payment_status",)}
    told = [fields.get(name, "") for name in names.get(movement, ("reason_code",))]
    text = " ".join(word for word in told if word)
    return "".join(c for c in text if c.isprintable())[:100]
