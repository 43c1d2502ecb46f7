"""What a verified notice does: the checks in their order, and what moves. Pure; ``docs/paypal.md`` is its table.

The client and the amount that are credited come from the intent, never from the message. What is taken back follows
from sums that do not depend on the order in which messages come (``Payment.taken_e8``); an entry is the difference.
"""

from __future__ import annotations

import re
from dataclasses import replace

from chalicelib.payments import amounts
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
    Decision,
    Intent,
    Known,
    Notice,
    Payment,
)

TXN_ID = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)
BOOKS = {PAYMENT: "credit", REFUND: "refund", REVERSAL: "reversal", RECREDIT: "recredit", ADJUSTMENT: "adjustment"}
"""Kinds under which a transaction is booked once."""
ENTRIES = {REFUND: "refund", REVERSAL: "chargeback", ADJUSTMENT: "chargeback", RECREDIT: "recredit"}
"""Kinds of ledger entries."""

ELSEWHERE = ("wrong_environment", "wrong_receiver", "wrong_currency")
"""Doubts that say whose a movement is not."""


def ignored(reason: str) -> Decision:
    return Decision("ignored", reason)


def review(known: Known, reason: str) -> Decision:
    """Nothing moves, a person looks. The deposit shows it, unless it is paid."""
    unpaid = known.intent is not None and known.intent.status not in ("paid", "review")
    return Decision("review", reason, review=reason, status="review" if unpaid else "")


def decide(notice: Notice, known: Known) -> Decision:
    """What this notice does, on what is known."""
    if notice.movement == OTHER:
        return ignored("not_a_deposit")
    if not TXN_ID.fullmatch(notice.txn_id):
        return ignored("no_txn_id")
    if notice.movement == CASE:
        return Decision("review", "case", review="case") if _ours(known) else ignored("not_ours")
    if notice.movement == PAYMENT:
        return _payment(notice, known)
    return _taken_back(notice, known)


def _ours(known: Known) -> bool:
    return known.intent is not None or known.payment is not None


def _payment(notice: Notice, known: Known) -> Decision:
    intent, payment = known.intent, known.payment or Payment()
    if intent is None:
        return ignored("not_ours")
    if notice.test is not None and notice.test != (known.environment == "sandbox"):
        return review(known, "wrong_environment")
    if wrong := _wrong_receiver(notice, known.merchant_id or intent.merchant_id, intent.email):
        return review(known, wrong)
    if wrong := _unlike(notice, known, intent):
        return review(known, wrong)
    if notice.state == COMPLETED:
        return _completed(notice, known, intent, payment)
    if notice.state == PENDING:
        return _pending(known, intent, payment)
    if notice.state == FAILED:
        return _failed(known, intent, payment)
    return review(known, "unknown_status")


def _unlike(notice: Notice, known: Known, intent: Intent) -> str:
    """How a payment differs from what was asked for; blank when it does not."""
    if intent.environment != known.environment:
        return "wrong_environment"
    if known.environment == "sandbox" and known.current != "sandbox":
        return "sandbox_is_over"
    if notice.custom != intent.custom:
        return "wrong_custom"
    if notice.currency != intent.currency:
        return "wrong_currency"
    if _amount(notice) != intent.amount_e8:
        return "wrong_amount"
    return "" if notice.entity in ("", "payment") else "not_a_payment"


def _wrong_receiver(notice: Notice, merchant_id: str, email: str) -> str:
    """``merchant_id`` where one is known, else the address; blank when the receiver is right."""
    receiver = notice.receiver
    if receiver is None:
        return ""
    if not receiver:
        return "no_receiver"
    if receiver.merchant_id and merchant_id:
        return "" if receiver.merchant_id == merchant_id else "wrong_receiver"
    named = {email.casefold(), merchant_id.casefold()} - {""}
    return "" if named & set(receiver.emails) else "wrong_receiver"


def _completed(notice: Notice, known: Known, intent: Intent, payment: Payment) -> Decision:
    if payment.credited_e8 or known.done:
        return Decision("duplicate", "credited_before")
    if intent.status == "paid":
        return Decision("review", "paid_twice", review="paid_twice")
    merchant_id = notice.receiver.merchant_id if notice.receiver else ""
    after = replace(payment, credited_e8=intent.amount_e8, state=COMPLETED, merchant_id=merchant_id)
    # What was taken back before the payment was heard of.
    refunded = min(after.taken_e8, after.refunded_e8)
    early = (("refund", -refunded), ("chargeback", refunded - after.taken_e8))
    return Decision(
        "credited",
        postings=(("deposit", intent.amount_e8), *((kind, amount) for kind, amount in early if amount)),
        book=BOOKS[PAYMENT],
        payment=after,
        status="paid",
        pin="" if known.merchant_id or intent.merchant_id else merchant_id,
    )


def _pending(known: Known, intent: Intent, payment: Payment) -> Decision:
    if payment.state in (COMPLETED, FAILED):
        return ignored("settled_before")
    status = "pending" if intent.status in ("open", "failed", "review") else ""
    if payment.state == PENDING and not status:
        return Decision("duplicate", "pending_before")
    return Decision("pending", payment=replace(payment, state=PENDING), status=status)


def _failed(known: Known, intent: Intent, payment: Payment) -> Decision:
    if payment.state == COMPLETED:
        return review(known, "failed_after_credit")
    if payment.state == FAILED:
        return Decision("duplicate", "failed_before")
    status = "failed" if intent.status in ("open", "pending", "review") else ""
    return Decision("failed", payment=replace(payment, state=FAILED), status=status)


def _taken_back(notice: Notice, known: Known) -> Decision:
    """Refunds, reversals, their end, and adjustments, of a payment that may not have been heard of yet."""
    if not TXN_ID.fullmatch(notice.parent):
        return review(known, "no_parent") if _ours(known) else ignored("not_ours")
    if notice.invoice and not _ours(known):
        return ignored("not_ours")
    if known.done:
        return Decision("duplicate", "booked_before")
    if wrong := _doubtful(notice, known):
        # Nothing of it is known, and no deposit of ours is paid so: another business of this reseller, no work for it.
        return review(known, wrong) if _ours(known) or wrong not in ELSEWHERE else ignored("not_ours")
    before = known.payment or Payment()
    after = _counted(before, notice.movement, abs(_amount(notice) or 0))
    change = before.taken_e8 - after.taken_e8
    if not before.credited_e8:
        # A pending payment that is reversed will not come; should it come all the same, this counts then.
        over = before.state == PENDING and known.intent is not None and notice.movement != RECREDIT
        state = FAILED if over else before.state
        return Decision(
            "parked",
            "payment_not_seen" if not before.state else "payment_not_complete",
            book=BOOKS[notice.movement],
            payment=replace(after, state=state),
            status="failed" if over and known.intent and known.intent.status in ("open", "pending") else "",
        )
    return Decision(
        ("recredited" if change > 0 else "debited") if change else "covered",
        postings=((ENTRIES[notice.movement], change),) if change else (),
        book=BOOKS[notice.movement],
        payment=after,
        review=_remark(notice.movement, after),
    )


def _doubtful(notice: Notice, known: Known) -> str:
    """Why a movement must not be booked by itself; blank when it may."""
    if notice.test is not None and notice.test != (known.environment == "sandbox"):
        return "wrong_environment"
    if notice.receiver and (wrong := _wrong_owner(notice, known)):
        return wrong
    if notice.currency != (known.intent.currency if known.intent else known.currency):
        return "wrong_currency"
    amount = _amount(notice)
    if not amount:
        return "wrong_amount"
    if notice.movement == RECREDIT and amount < 0:
        return "not_returned"
    if notice.movement == ADJUSTMENT and (amount > 0 or notice.state != COMPLETED):
        return "unknown_adjustment"
    return ""


def _wrong_owner(notice: Notice, known: Known) -> str:
    """The receiver of a movement, as far as there is something to compare it with. An adjustment names none, or us."""
    merchant_id = (known.payment.merchant_id if known.payment else "") or known.merchant_id
    intent = known.intent
    comparable = intent or (merchant_id and notice.receiver and notice.receiver.merchant_id)
    if notice.movement == ADJUSTMENT or not comparable:
        return ""
    return _wrong_receiver(
        notice, merchant_id or (intent.merchant_id if intent else ""), intent.email if intent else ""
    )


def _counted(payment: Payment, movement: str, amount_e8: int) -> Payment:
    if movement == REFUND:
        return replace(payment, refunded_e8=payment.refunded_e8 + amount_e8)
    if movement == REVERSAL:
        return replace(payment, reversed_e8=payment.reversed_e8 + amount_e8)
    if movement == RECREDIT:
        return replace(payment, returned_e8=payment.returned_e8 + amount_e8)
    return replace(payment, adjusted_e8=payment.adjusted_e8 + amount_e8)


def _remark(movement: str, after: Payment) -> str:
    """What a person should look at although the books are right."""
    if movement == RECREDIT:
        if after.returned_e8 > after.reversed_e8:
            return "returned_more"
        return "returned_less" if after.open_e8 else ""
    return "refunded_more" if after.refunded_e8 > after.credited_e8 else ""


def _amount(notice: Notice) -> int | None:
    try:
        return amounts.parse(notice.amount, notice.currency)
    except ValueError:
        return None
