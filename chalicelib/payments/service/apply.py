"""Applying a verified notice: read what is stored, decide (``decide``, pure), write once.

One transaction holds the ledger entries, balance and service of the client, the sums of the payment, the deposit's
status, the booking, and a review item. A repeat finds the booking. Of two at the same moment one loses the race and
decides again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib import money, periods
from chalicelib.accounts.ledger.posting import get_client, get_reseller, plan
from chalicelib.accounts.rules import Posting
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, event, new_id, settled_within
from chalicelib.config import settings as deployment
from chalicelib.errors import existing
from chalicelib.payments import store
from chalicelib.payments.decide import BOOKED_AS, TXN_ID, decide
from chalicelib.payments.model import Decision, Facts, Movement, Notice, Payment
from chalicelib.payments.service.config import changed
from chalicelib.payments.store import Booked, Deposit, Review, Settings, Transaction
from chalicelib.text import one_line

UNMATCHED_SECONDS = 400 * periods.DAY_SECONDS
"""How long the sums of an unknown payment are kept. Cards are charged back for a year and more."""
DESCRIPTIONS = {
    "deposit": "PayPal deposit",
    "refund": "PayPal refund",
    "chargeback": "PayPal dispute",
    "recredit": "PayPal dispute closed",
}
"""Description of a ledger entry by its kind."""


@dataclass(frozen=True)
class _Case:
    """A notice, and the stored items that its decision depends on, all read in the same attempt.

    deposit: the deposit that the notice is about; ``None`` if it is not ours.
    transaction: the sums of its payment; ``None`` before the first message about it.
    facts: the same items as the decision takes them.
    """

    reseller_id: str
    environment: str
    notice: Notice
    settings: Settings
    deposit: Deposit | None
    transaction: Transaction | None
    facts: Facts


# Fewer attempts than usual: PayPal waits 20 s for an answer, and sends again.
@settled_within(attempts=20)
def apply(scope: Scope, reseller_id: str, environment: str, notice: Notice) -> Decision:
    """Apply a notice and return the decision. A movement counts once, however often it comes and on which channel.

    ``environment`` is that of the URL the message came to. Raises ``LostRace`` when every attempt lost its race.
    """
    # The booking makes a repeat safe. The answer to an Idempotency-Key is stored by the caller.
    scope = replace(scope, guard=None)
    case = _read(reseller_id, environment, notice)
    decision = decide(notice, case.facts)
    if writes := _writes(scope, case, decision):
        commit(scope, writes)
    return decision


def _read(reseller_id: str, environment: str, notice: Notice) -> _Case:
    settings = existing(store.settings_of(reseller_id))
    # The deposit is read before the payment. In the other order, a credit that another message books in between would
    # look like a deposit that a different payment has paid.
    deposit = _deposit_of(reseller_id, notice)
    transaction = store.transaction(reseller_id, environment, notice.original) if _is_id(notice.original) else None
    kind = BOOKED_AS.get(notice.movement)
    done = kind is not None and _was_booked(reseller_id, environment, notice.txn_id, kind)
    if transaction and transaction.deposit_id and notice.movement != Movement.PAYMENT:
        # A correction is about the deposit that its payment paid, even if it names another invoice.
        deposit = store.deposit(reseller_id, transaction.client_id, transaction.deposit_id)
    facts = Facts(
        environment=environment,
        current=settings.environment,
        currency=deployment.currency,
        merchant_id=_merchant_id(settings, environment, deposit),
        intent=deposit.intent() if deposit else None,
        payment=transaction.payment() if transaction else None,
        done=done,
    )
    return _Case(reseller_id, environment, notice, settings, deposit, transaction, facts)


def _deposit_of(reseller_id: str, notice: Notice) -> Deposit | None:
    """The deposit whose invoice a notice names; ``None`` if it is another reseller's."""
    deposit = store.deposit_of_invoice(notice.invoice)
    return deposit if deposit and deposit.reseller_id == reseller_id else None


def _merchant_id(settings: Settings, environment: str, deposit: Deposit | None) -> str:
    """The account that must be paid: that of the deposit, else that of the settings or of the first payment."""
    if deposit and deposit.merchant_id:
        return deposit.merchant_id
    return (settings.merchant_id or settings.receiver_id) if _same_account(settings, environment, deposit) else ""


def _same_account(settings: Settings, environment: str, deposit: Deposit | None) -> bool:
    """Whether the settings are still those of the message's environment and of the deposit's account."""
    return settings.environment == environment and (deposit is None or deposit.email == settings.email)


def _writes(scope: Scope, case: _Case, decision: Decision) -> list[Write]:
    """Everything that a decision changes, for one transaction; empty when it changes nothing."""
    writes: list[Write] = []
    deposit = case.deposit
    if decision.postings and deposit:
        writes += _postings(scope, case, deposit, decision)
    if decision.payment:
        writes.append(_transaction(scope, case, decision.payment))
    if decision.book:
        writes.append(Put(_booking(scope, case, decision.book)))
    if decision.status and deposit:
        writes += _status(scope, case, deposit, decision.status)
    if decision.review and (decision.book or not _reviewed(case, decision)):
        writes += _review(scope, case, decision)
    if decision.pin and _same_account(case.settings, case.environment, deposit):
        case.settings.receiver_id = decision.pin
        pinned = event(scope, case.reseller_id, "paypal.pinned", case.reseller_id, {"receiver_id": decision.pin})
        writes += [changed(case.settings), pinned]
    return writes


def _status(scope: Scope, case: _Case, deposit: Deposit, status: str) -> list[Write]:
    """The deposit's new status, with an audit event where neither an entry nor a review item records it."""
    writes: list[Write] = [Change(deposit, [Deposit.status.set(status)], Deposit.status == deposit.status)]
    if status in ("pending", "failed"):
        changes = {"deposit_id": deposit.deposit_id, "txn_id": case.notice.txn_id}
        writes.append(event(scope, case.reseller_id, f"deposit.{status}", deposit.client_id, changes))
    return writes


def _postings(scope: Scope, case: _Case, deposit: Deposit, decision: Decision) -> list[Write]:
    """The ledger entries, in the current month of the reseller's time zone."""
    month = get_reseller(case.reseller_id).calendar.month_of(scope.now)
    client = get_client(case.reseller_id, deposit.client_id)
    txn_id = case.notice.txn_id
    postings = [
        Posting(kind, amount, DESCRIPTIONS[kind], month, f"paypal:{txn_id}") for kind, amount in decision.postings
    ]
    _, writes = plan(scope, client, postings)
    for kind, amount in decision.postings:
        changes = {"amount": money.format_amount(amount), "deposit_id": deposit.deposit_id, "txn_id": txn_id}
        writes.append(event(scope, case.reseller_id, f"ledger.{kind}", deposit.client_id, changes))
    return writes


def _transaction(scope: Scope, case: _Case, payment: Payment) -> Write:
    """The sums of the payment, if they are still as they were read."""
    before, deposit = case.transaction, case.deposit
    version = before.version if before else 0
    item = Transaction(
        *Transaction.key(case.reseller_id, case.environment, case.notice.original),
        **{name: getattr(payment, name) for name in store.SUMS},
        state=payment.state.value,
        merchant_id=payment.merchant_id,
        client_id=deposit.client_id if deposit else "",
        deposit_id=deposit.deposit_id if deposit else "",
        expires_at=None if payment.state else scope.now + UNMATCHED_SECONDS,
        version=version + 1,
    )
    return Put(item, Transaction.version == version) if before else Put(item)


def _review(scope: Scope, case: _Case, decision: Decision) -> list[Write]:
    """A review item, and the booking by which a message that comes again makes no second one."""
    review_id, deposit, notice = new_id(), case.deposit, case.notice
    item = Review(
        *Review.key(case.reseller_id, review_id),
        review_id=review_id,
        reason=decision.review,
        environment=case.environment,
        txn_id=notice.txn_id,
        note=notice.note,
        client_id=deposit.client_id if deposit else "",
        deposit_id=deposit.deposit_id if deposit else "",
        told=_named_amount(notice),
        at=scope.now,
    )
    changes = {"reason": decision.review, "txn_id": notice.txn_id, "review_id": review_id}
    booking = _booking(scope, case, _review_kind(notice, decision))
    # Next to a booking the note may exist: another movement with the same transaction id had the same remark.
    return [
        Put(item),
        Put(booking, anyway=bool(decision.book)),
        event(scope, case.reseller_id, "paypal.review", review_id, changes),
    ]


def _named_amount(notice: Notice) -> str:
    """Amount and currency that PayPal named, for a person to compare; cut, because they come from outside."""
    return one_line(f"{notice.amount} {notice.currency}".strip(), 40)


def _review_kind(notice: Notice, decision: Decision) -> str:
    """Kind of the booking of a review item. Several cases of one payment differ by their notes."""
    return f"review:{decision.review}" + (f":{notice.note}" if notice.movement == Movement.CASE else "")


def _reviewed(case: _Case, decision: Decision) -> bool:
    kind = _review_kind(case.notice, decision)
    return _was_booked(case.reseller_id, case.environment, case.notice.txn_id, kind)


def _booking(scope: Scope, case: _Case, kind: str) -> Booked:
    return Booked(*Booked.key(case.reseller_id, case.environment, case.notice.txn_id, kind), at=scope.now)


def _was_booked(reseller_id: str, environment: str, txn_id: str, kind: str) -> bool:
    return _is_id(txn_id) and Booked.find(*Booked.key(reseller_id, environment, txn_id, kind)) is not None


def _is_id(txn_id: str) -> bool:
    return TXN_ID.fullmatch(txn_id) is not None
