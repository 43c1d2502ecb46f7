"""The effect of a verified notice: which checks it must pass, and what it moves. Pure.

``docs/paypal.md`` lists every case; the tests read its tables. The credited client and amount come from the intent,
never from the message. Debits follow from sums that do not depend on the order of messages (``Payment.taken_e8``): an
entry is the difference between the sum before and after.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import assert_never

from chalicelib.payments import amounts
from chalicelib.payments.model import Correction, Decision, Facts, Intent, Movement, Notice, Payment, Receiver, State

TXN_ID = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)
BOOKED_AS = {
    Movement.PAYMENT: "credit",
    Movement.REFUND: "refund",
    Movement.REVERSAL: "reversal",
    Movement.RECREDIT: "recredit",
    Movement.ADJUSTMENT: "adjustment",
}
"""Kind of the booking that makes a movement count once."""
ENTRY_KINDS: dict[Correction, str] = {
    Movement.REFUND: "refund",
    Movement.REVERSAL: "chargeback",
    Movement.ADJUSTMENT: "chargeback",
    Movement.RECREDIT: "recredit",
}
"""Kind of the ledger entry of a correction."""
OTHER_BUSINESS = ("wrong_environment", "wrong_receiver", "wrong_currency")
"""Doubts that mean, for an unknown payment, that it belongs to another business of the reseller."""


def ignored(reason: str) -> Decision:
    """A decision that changes nothing."""
    return Decision("ignored", reason)


def review(facts: Facts, reason: str) -> Decision:
    """No money moves and a person must look. The deposit gets the status ``review``, unless it is paid."""
    unpaid = facts.intent is not None and facts.intent.status not in ("paid", "review")
    return Decision("review", reason, review=reason, status="review" if unpaid else "")


def decide(notice: Notice, facts: Facts) -> Decision:
    """The effect of a notice, given what is stored."""
    match notice.movement:
        case Movement.OTHER:
            return ignored("not_a_deposit")
        case _ if not TXN_ID.fullmatch(notice.txn_id):
            return ignored("no_txn_id")
        case Movement.CASE:
            return Decision("review", "case", review="case") if _ours(facts) else ignored("not_ours")
        case Movement.PAYMENT:
            return _payment(notice, facts)
        case Movement.REFUND | Movement.REVERSAL | Movement.RECREDIT | Movement.ADJUSTMENT as movement:
            return _correction(notice, movement, facts)
        case _:
            assert_never(notice.movement)


def _ours(facts: Facts) -> bool:
    return facts.intent is not None or facts.payment is not None


def _payment(notice: Notice, facts: Facts) -> Decision:
    intent, payment = facts.intent, facts.payment or Payment()
    if intent is None:
        return ignored("not_ours")
    if _wrong_environment(notice, facts):
        return review(facts, "wrong_environment")
    if wrong := _wrong_receiver(notice, facts.merchant_id or intent.merchant_id, intent.email):
        return review(facts, wrong)
    if wrong := _difference(notice, facts, intent):
        return review(facts, wrong)
    match notice.state:
        case State.COMPLETED:
            return _completed(notice, facts, intent, payment)
        case State.PENDING:
            return _pending(intent, payment)
        case State.FAILED:
            return _failed(facts, intent, payment)
        case State.UNKNOWN | State.NONE:
            return review(facts, "unknown_status")
        case _:
            assert_never(notice.state)


def _wrong_environment(notice: Notice, facts: Facts) -> bool:
    """Whether the message says the opposite of its URL: sandbox at a live URL, or live at a sandbox URL."""
    return notice.test is not None and notice.test != (facts.environment == "sandbox")


def _difference(notice: Notice, facts: Facts, intent: Intent) -> str:
    """The first difference between a payment and its intent, as a reason; blank if they agree."""
    if intent.environment != facts.environment:
        return "wrong_environment"
    if facts.environment == "sandbox" and facts.current != "sandbox":
        return "sandbox_is_over"
    if notice.custom != intent.custom:
        return "wrong_custom"
    if notice.currency != intent.currency:
        return "wrong_currency"
    if _amount(notice) != intent.amount_e8:
        return "wrong_amount"
    return "" if notice.entity in ("", "payment") else "not_a_payment"


def _wrong_receiver(notice: Notice, merchant_id: str, email: str) -> str:
    """Why the receiver is wrong, as a reason; blank if it is right.

    Merchant ids are compared where both are known, addresses otherwise.
    """
    receiver = notice.receiver
    if receiver is None:
        return ""
    if not receiver:
        return "no_receiver"
    if receiver.merchant_id and merchant_id:
        return "" if receiver.merchant_id == merchant_id else "wrong_receiver"
    accepted = {email.casefold(), merchant_id.casefold()} - {""}
    return "" if accepted & set(receiver.emails) else "wrong_receiver"


def _completed(notice: Notice, facts: Facts, intent: Intent, payment: Payment) -> Decision:
    if payment.credited_e8 or facts.done:
        return Decision("duplicate", "credited_before")
    if intent.status == "paid":
        return Decision("review", "paid_twice", review="paid_twice")
    merchant_id = notice.receiver.merchant_id if notice.receiver else ""
    after = replace(payment, credited_e8=intent.amount_e8, state=State.COMPLETED, merchant_id=merchant_id)
    # Corrections that came before the payment are debited together with its credit.
    refunded = min(after.taken_e8, after.refunded_e8)
    debits = (("refund", -refunded), ("chargeback", refunded - after.taken_e8))
    return Decision(
        "credited",
        postings=(("deposit", intent.amount_e8), *((kind, amount) for kind, amount in debits if amount)),
        book=BOOKED_AS[Movement.PAYMENT],
        payment=after,
        status="paid",
        pin="" if facts.merchant_id or intent.merchant_id else merchant_id,
    )


def _pending(intent: Intent, payment: Payment) -> Decision:
    if payment.state in (State.COMPLETED, State.FAILED):
        return ignored("settled_before")
    status = "pending" if intent.status in ("open", "failed", "review") else ""
    if payment.state == State.PENDING and not status:
        return Decision("duplicate", "pending_before")
    return Decision("pending", payment=replace(payment, state=State.PENDING), status=status)


def _failed(facts: Facts, intent: Intent, payment: Payment) -> Decision:
    if payment.state == State.COMPLETED:
        return review(facts, "failed_after_credit")
    if payment.state == State.FAILED:
        return Decision("duplicate", "failed_before")
    status = "failed" if intent.status in ("open", "pending", "review") else ""
    return Decision("failed", payment=replace(payment, state=State.FAILED), status=status)


def _correction(notice: Notice, movement: Correction, facts: Facts) -> Decision:
    """A refund, reversal, recredit or adjustment. It may come before the payment that it changes."""
    if not TXN_ID.fullmatch(notice.parent):
        return review(facts, "no_parent") if _ours(facts) else ignored("not_ours")
    if notice.invoice and not _ours(facts):
        return ignored("not_ours")
    if facts.done:
        return Decision("duplicate", "booked_before")
    if doubt := _doubt(notice, movement, facts):
        return review(facts, doubt) if _ours(facts) or doubt not in OTHER_BUSINESS else ignored("not_ours")
    before = facts.payment or Payment()
    after = _added(before, movement, abs(_amount(notice) or 0))
    if not before.credited_e8:
        return _parked(movement, facts, before, after)
    change = before.taken_e8 - after.taken_e8
    return Decision(
        ("recredited" if change > 0 else "debited") if change else "covered",
        postings=((ENTRY_KINDS[movement], change),) if change else (),
        book=BOOKED_AS[movement],
        payment=after,
        review=_remark(movement, after),
    )


def _parked(movement: Correction, facts: Facts, before: Payment, after: Payment) -> Decision:
    """A correction of a payment that is not credited: its sum is kept and counts when the payment completes.

    A pending payment that is refunded or reversed has failed; it is still credited if it completes later.
    """
    intent = facts.intent
    failed = before.state == State.PENDING and intent is not None and movement != Movement.RECREDIT
    return Decision(
        "parked",
        "payment_not_complete" if before.state else "payment_not_seen",
        book=BOOKED_AS[movement],
        payment=replace(after, state=State.FAILED) if failed else after,
        status="failed" if failed and intent and intent.status in ("open", "pending") else "",
    )


def _doubt(notice: Notice, movement: Correction, facts: Facts) -> str:
    """Why a correction must not be booked without a person, as a reason; blank if it may."""
    if _wrong_environment(notice, facts):
        return "wrong_environment"
    if notice.receiver and movement != Movement.ADJUSTMENT and (wrong := _wrong_owner(notice, notice.receiver, facts)):
        return wrong
    if notice.currency != (facts.intent.currency if facts.intent else facts.currency):
        return "wrong_currency"
    amount = _amount(notice)
    if not amount:
        return "wrong_amount"
    if movement == Movement.RECREDIT and amount < 0:
        return "not_returned"
    if movement == Movement.ADJUSTMENT and (amount > 0 or notice.state != State.COMPLETED):
        return "unknown_adjustment"
    return ""


def _wrong_owner(notice: Notice, receiver: Receiver, facts: Facts) -> str:
    """Why the receiver of a correction is not the account of its payment; blank if it is, or nothing to compare with.

    Not for adjustments: they name no receiver, or us.
    """
    intent = facts.intent
    merchant_id = (facts.payment.merchant_id if facts.payment else "") or facts.merchant_id
    if intent:
        return _wrong_receiver(notice, merchant_id or intent.merchant_id, intent.email)
    return _wrong_receiver(notice, merchant_id, "") if merchant_id and receiver.merchant_id else ""


def _added(payment: Payment, movement: Correction, amount_e8: int) -> Payment:
    """The payment with the amount of one more correction in its sums."""
    match movement:
        case Movement.REFUND:
            return replace(payment, refunded_e8=payment.refunded_e8 + amount_e8)
        case Movement.REVERSAL:
            return replace(payment, reversed_e8=payment.reversed_e8 + amount_e8)
        case Movement.RECREDIT:
            return replace(payment, returned_e8=payment.returned_e8 + amount_e8)
        case Movement.ADJUSTMENT:
            return replace(payment, adjusted_e8=payment.adjusted_e8 + amount_e8)
        case _:
            assert_never(movement)


def _remark(movement: Correction, after: Payment) -> str:
    """Reason of a review item although the booking is right; blank for none."""
    if movement == Movement.RECREDIT:
        if after.returned_e8 > after.reversed_e8:
            return "returned_more"
        return "returned_less" if after.open_e8 else ""
    return "refunded_more" if after.refunded_e8 > after.credited_e8 else ""


def _amount(notice: Notice) -> int | None:
    """The amount ``_e8``; ``None`` for a text that PayPal would not write."""
    try:
        return amounts.parse(notice.amount, notice.currency)
    except ValueError:
        return None
