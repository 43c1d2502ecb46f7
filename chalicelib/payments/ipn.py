"""The fields of an IPN message -> a ``Notice``. Pure; it checks nothing, it only translates PayPal's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from chalicelib.payments.model import MOST_NOTE, Movement, Notice, Receiver, State
from chalicelib.text import one_line

PAYMENT_TYPES = frozenset({"web_accept", "cart", "express_checkout"})
"""Values of ``txn_type`` for our button, a cart, or a REST order. Other types are other business of the reseller."""
STATES = {
    "Completed": State.COMPLETED,
    "Pending": State.PENDING,
    "Processed": State.PENDING,
    "Created": State.PENDING,
    "Denied": State.FAILED,
    "Failed": State.FAILED,
    "Expired": State.FAILED,
    "Voided": State.FAILED,
}
"""Values of ``payment_status`` for a payment, exact to the letter. Any other is UNKNOWN and moves no money."""
CORRECTIONS = {"Refunded": Movement.REFUND, "Reversed": Movement.REVERSAL, "Canceled_Reversal": Movement.RECREDIT}
"""Values of ``payment_status`` that change an earlier payment."""


def notice(fields: Mapping[str, str]) -> Notice:
    """What a message says."""

    def field(name: str) -> str:
        return fields.get(name, "")

    movement, state = _movement(field("txn_type"), field("payment_status"))
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


def _movement(txn_type: str, payment_status: str) -> tuple[Movement, State]:
    """Movement and state. Most refunds have no ``txn_type``, so for corrections the status decides."""
    if txn_type == "new_case":
        return Movement.CASE, State.NONE
    if txn_type == "adjustment":
        # It comes as Completed with a negative amount, so only ``txn_type`` distinguishes it from a payment.
        return Movement.ADJUSTMENT, STATES.get(payment_status, State.UNKNOWN)
    if payment_status in CORRECTIONS:
        return CORRECTIONS[payment_status], State.NONE
    if txn_type in PAYMENT_TYPES:
        return Movement.PAYMENT, STATES.get(payment_status, State.UNKNOWN)
    return Movement.OTHER, State.NONE


def _note(fields: Mapping[str, str], movement: Movement) -> str:
    """Values of the fields that explain the message to a person; one line and cut, because they come from outside."""
    return one_line(" ".join(fields[name] for name in _explaining(movement) if fields.get(name)), MOST_NOTE)


def _explaining(movement: Movement) -> tuple[str, ...]:
    match movement:
        case Movement.CASE:
            return ("case_type", "case_id")
        case Movement.OTHER:
            return ("txn_type", "payment_status")
        case Movement.PAYMENT:
            return ("payment_status",)
        case Movement.REFUND | Movement.REVERSAL | Movement.RECREDIT | Movement.ADJUSTMENT:
            return ("reason_code",)
        case _:
            assert_never(movement)
