"""A verified notice becomes ledger entries: read what is known, decide by ``decide``, write once.

One transaction holds the entries, the balance and service of the client, the sums of the payment, the deposit's
status, what was booked, and whatever a person should look at. A repeat finds the booking; a twin loses the race and
reads again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chalicelib import money, periods
from chalicelib.accounts.ledger.posting import client_of, plan, reseller_of
from chalicelib.accounts.rules import Posting
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, event, new_id, settle
from chalicelib.config import settings as deployment
from chalicelib.errors import NotFound
from chalicelib.payments import store
from chalicelib.payments.decide import BOOKED_AS, TXN_ID, decide
from chalicelib.payments.model import Decision, Facts, Movement, Notice
from chalicelib.payments.service.config import changed
from chalicelib.payments.store import Booked, Deposit, Review, Settings, Transaction

FORGOTTEN_SECONDS = 400 * periods.DAY_SECONDS
"""How long a refund waits for a payment that never comes. Cards are charged back for up to a year and more."""
TEXTS = {
    "deposit": "PayPal deposit",
    "refund": "PayPal refund",
    "chargeback": "PayPal dispute",
    "recredit": "PayPal dispute closed",
}
"""Descriptions of the entries."""


@dataclass(frozen=True)
class Found:
    """The items that a notice is decided on, all read at this try."""

    settings: Settings
    deposit: Deposit | None
    transaction: Transaction | None
    facts: Facts


def apply(scope: Scope, reseller_id: str, environment: str, notice: Notice) -> Decision:
    """Do what a notice says, once, however often and beside whomever it comes."""

    # What is booked makes a repeat safe by itself; the answer to an Idempotency-Key is not made here.
    scope = replace(scope, guard=None)

    def attempt() -> Decision:
        found = _find(reseller_id, environment, notice)
        decision = decide(notice, found.facts)
        if writes := _writes(scope, reseller_id, environment, notice, found, decision):
            commit(scope, writes)
        return decision

    # Fewer tries than usual: PayPal waits 20 s for an answer, and sends again.
    return settle(attempt, attempts=20)


def _find(reseller_id: str, environment: str, notice: Notice) -> Found:
    settings = store.settings_of(reseller_id)
    if settings is None:
        raise NotFound()
    # The deposit comes before the payment: read the other way round, what a twin credits in between would look like a
    # deposit that somebody else has paid.
    deposit = _of_invoice(reseller_id, notice)
    transaction = store.transaction(reseller_id, environment, notice.original) if _is_id(notice.original) else None
    done = notice.movement in BOOKED_AS and _was_booked(
        reseller_id, environment, notice.txn_id, BOOKED_AS[notice.movement]
    )
    if transaction and transaction.deposit_id and notice.movement != Movement.PAYMENT:
        # What follows a payment is about the deposit that it paid, whatever invoice it names.
        deposit = store.deposit(reseller_id, transaction.client_id, transaction.deposit_id)
    facts = Facts(
        environment=environment,
        current=settings.environment,
        currency=deployment.currency,
        merchant_id=_pinned(settings, environment, deposit),
        intent=deposit.intent() if deposit else None,
        payment=transaction.payment() if transaction else None,
        done=done,
    )
    return Found(settings, deposit, transaction, facts)


def _of_invoice(reseller_id: str, notice: Notice) -> Deposit | None:
    """The deposit that a notice names by its invoice, if it is this reseller's."""
    found = store.deposit_of_invoice(notice.invoice)
    return found if found and found.reseller_id == reseller_id else None


def _pinned(settings: Settings, environment: str, deposit: Deposit | None) -> str:
    """The account that must be paid: the one the deposit was made for, else the one that was paid first."""
    if deposit and deposit.merchant_id:
        return str(deposit.merchant_id)
    return (settings.merchant_id or settings.receiver_id) if _is_of(settings, environment, deposit) else ""


def _is_of(settings: Settings, environment: str, deposit: Deposit | None) -> bool:
    """Whether the present settings are those of a message: a late one may belong to the environment or the account
    before them, whose merchant id says nothing about theirs."""
    return settings.environment == environment and (deposit is None or deposit.email == settings.email)


def _writes(
    scope: Scope, reseller_id: str, environment: str, notice: Notice, found: Found, decision: Decision
) -> list[Write]:
    """Everything that a decision changes, for one transaction; empty when it changes nothing."""
    writes: list[Write] = []
    deposit = found.deposit
    if decision.postings and deposit:
        writes += _postings(scope, reseller_id, notice, deposit, decision)
    if decision.payment:
        writes.append(_transaction(scope, reseller_id, environment, notice, found, decision))
    if decision.book:
        writes.append(Put(_booking(scope, reseller_id, environment, notice.txn_id, decision.book)))
    if decision.status and deposit:
        writes += _status(scope, reseller_id, notice, deposit, decision.status)
    if decision.review and (decision.book or not _reviewed(reseller_id, environment, notice, decision)):
        writes += _review(scope, reseller_id, environment, notice, found, decision)
    if decision.pin and _is_of(found.settings, environment, deposit):
        found.settings.receiver_id = decision.pin
        pinned = event(scope, reseller_id, "paypal.pinned", reseller_id, {"receiver_id": decision.pin})
        writes += [changed(found.settings), pinned]
    return writes


def _status(scope: Scope, reseller_id: str, notice: Notice, deposit: Deposit, status: str) -> list[Write]:
    """The deposit's new status. The trail has a line of its own for what neither an entry nor a review tells of."""
    writes: list[Write] = [Change(deposit, [Deposit.status.set(status)], Deposit.status == deposit.status)]
    if status in ("pending", "failed"):
        told = {"deposit_id": deposit.deposit_id, "txn_id": notice.txn_id}
        writes.append(event(scope, reseller_id, f"deposit.{status}", deposit.client_id, told))
    return writes


def _postings(scope: Scope, reseller_id: str, notice: Notice, deposit: Deposit, decision: Decision) -> list[Write]:
    """The entries, in the reseller's month of today."""
    month = periods.local_month(scope.now, periods.zone(reseller_of(reseller_id)().time_zone))
    client = client_of(reseller_id, deposit.client_id)()
    source = f"paypal:{notice.txn_id}"
    wanted = [Posting(kind, amount, TEXTS[kind], month, source) for kind, amount in decision.postings]
    _, writes = plan(scope, client, wanted)
    for kind, amount in decision.postings:
        told = {"amount": money.format_amount(amount), "deposit_id": deposit.deposit_id, "txn_id": notice.txn_id}
        writes.append(event(scope, reseller_id, f"ledger.{kind}", deposit.client_id, told))
    return writes


def _transaction(
    scope: Scope, reseller_id: str, environment: str, notice: Notice, found: Found, decision: Decision
) -> Write:
    """The sums of a payment after the decision, if nobody changed them since."""
    payment, before, deposit = decision.payment, found.transaction, found.deposit
    assert payment is not None
    key = (store.partition(reseller_id), f"TXN#{environment}#{notice.original}")
    fields: dict[str, Any] = {name: getattr(payment, name) for name in (*store.SUMS, "state", "merchant_id")}
    if deposit:
        fields |= {"client_id": deposit.client_id, "deposit_id": deposit.deposit_id}
    if not payment.state:
        fields["expires_at"] = scope.now + FORGOTTEN_SECONDS
    version = before.version if before else 0
    item = Transaction(*key, **fields, version=version + 1)
    return Put(item, Transaction.version == version) if before else Put(item)


def _review(
    scope: Scope, reseller_id: str, environment: str, notice: Notice, found: Found, decision: Decision
) -> list[Write]:
    """An item for a person, and the note that it was made: a message that comes again makes no second one."""
    review_id, deposit = new_id(), found.deposit
    item = Review(
        store.partition(reseller_id),
        f"REVIEW#{review_id}",
        review_id=review_id,
        reason=decision.review,
        environment=environment,
        txn_id=notice.txn_id,
        note=notice.note,
        client_id=deposit.client_id if deposit else "",
        deposit_id=deposit.deposit_id if deposit else "",
        told=_told(notice),
        at=scope.now,
    )
    told = {"reason": decision.review, "txn_id": notice.txn_id, "review_id": review_id}
    noted = _booking(scope, reseller_id, environment, notice.txn_id, _review_kind(notice, decision))
    # Beside a booking the note may stand already: the same remark on an earlier movement is another one's.
    return [
        Put(item),
        Put(noted, anyway=bool(decision.book)),
        event(scope, reseller_id, "paypal.review", review_id, told),
    ]


def _told(notice: Notice) -> str:
    """The amount that PayPal named, for a person to compare; cut, because it comes from outside."""
    text = f"{notice.amount} {notice.currency}".strip()
    return "".join(c for c in text if c.isprintable())[:40]


def _review_kind(notice: Notice, decision: Decision) -> str:
    # A case is known by its own id, which is part of the note; any other remark by what it says.
    return f"review:{decision.review}" + (f":{notice.note}" if notice.movement == Movement.CASE else "")


def _reviewed(reseller_id: str, environment: str, notice: Notice, decision: Decision) -> bool:
    return _was_booked(reseller_id, environment, notice.txn_id, _review_kind(notice, decision))


def _booking(scope: Scope, reseller_id: str, environment: str, txn_id: str, kind: str) -> Booked:
    item = store.booked(reseller_id, environment, txn_id, kind)
    item.at = scope.now
    return item


def _was_booked(reseller_id: str, environment: str, txn_id: str, kind: str) -> bool:
    if not _is_id(txn_id):
        return False
    key = store.booked(reseller_id, environment, txn_id, kind)
    return Booked.find(key.pk, key.sk) is not None


def _is_id(txn_id: str) -> bool:
    return TXN_ID.fullmatch(txn_id) is not None
