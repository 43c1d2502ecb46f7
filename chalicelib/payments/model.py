"""The values that payments are decided with: what PayPal says, what is stored about it, and the decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never


class Movement(StrEnum):
    """What a message of PayPal is about. The values are stored."""

    PAYMENT = "payment"
    """Money that a payer sends."""
    REFUND = "refund"
    """Money that the reseller gives back."""
    REVERSAL = "reversal"
    """Money that PayPal takes back because of a dispute or a chargeback."""
    RECREDIT = "recredit"
    """Reversed money that comes back after a dispute."""
    ADJUSTMENT = "adjustment"
    """A chargeback that PayPal settles with a transaction of its own."""
    CASE = "case"
    """A dispute that was opened; no money moves yet."""
    OTHER = "other"
    """Anything else: it is ignored."""


Correction = Literal[Movement.REFUND, Movement.REVERSAL, Movement.RECREDIT, Movement.ADJUSTMENT]
"""Movements that change an earlier payment, which they name as ``Notice.parent``."""


class State(StrEnum):
    """How far a payment is. The values are stored."""

    NONE = ""
    """No state: a movement that has none, or a payment of which no message has come yet."""
    PENDING = "pending"
    """PayPal has the payment and waits for the money."""
    COMPLETED = "completed"
    """The reseller has the money."""
    FAILED = "failed"
    """Refused, expired or voided."""
    UNKNOWN = "unknown"
    """A word of PayPal that is not in our tables."""


@dataclass(frozen=True)
class Receiver:
    """The PayPal account that a message says was paid; falsy when the message names none.

    merchant_id: PayPal's id of the account; blank if absent.
    emails: addresses of the account, in lower case.
    """

    merchant_id: str = ""
    emails: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.merchant_id or self.emails)


MOST_NOTE = 100
"""Characters of a ``note``, which comes from outside."""


@dataclass(frozen=True)
class Notice:
    """One message of PayPal, the same for both channels. Texts are as PayPal wrote them, blank if absent.

    channel: ``"ipn"`` or ``"webhook"``.
    movement: what the message is about.
    txn_id: PayPal's id of the transaction.
    state: how far a payment or an adjustment is.
    parent: id of the payment that a correction changes.
    invoice: our invoice, which names the deposit.
    custom: the second random text of the deposit.
    amount: decimal text, negative for money that leaves the reseller.
    currency: ISO 4217 code.
    receiver: the account that was paid; ``None`` for a webhook, which is signed for the reseller's own app.
    test: whether PayPal calls it a sandbox message; ``None`` for a webhook, whose URL tells.
    entity: IPN's ``transaction_entity``: ``payment``, or ``auth`` or ``order`` for what is no money yet.
    note: a reason code, a case or an unknown word, for the person who reads a review item.
    """

    channel: str
    movement: Movement
    txn_id: str = ""
    state: State = State.NONE
    parent: str = ""
    invoice: str = ""
    custom: str = ""
    amount: str = ""
    currency: str = ""
    receiver: Receiver | None = None
    test: bool | None = None
    entity: str = ""
    note: str = ""

    @property
    def original(self) -> str:
        """Id of the payment that this is about: the parent of a correction, else the transaction itself."""
        match self.movement:
            case Movement.PAYMENT | Movement.CASE | Movement.OTHER:
                return self.txn_id
            case Movement.REFUND | Movement.REVERSAL | Movement.RECREDIT | Movement.ADJUSTMENT:
                return self.parent
            case _:
                assert_never(self.movement)


@dataclass(frozen=True)
class Intent:
    """A deposit as the decision sees it: what the client was asked to pay and to which account, when it was made.

    deposit_id, client_id: our ids.
    invoice, custom: the two random texts that a payment of this deposit must carry.
    amount_e8: amount to pay, in 1e-8 of ``currency``.
    currency: ISO 4217 code.
    environment: ``"live"`` or ``"sandbox"``.
    email: address of the reseller's PayPal account, in lower case.
    merchant_id: merchant id of that account; blank if the reseller gave none.
    status: ``open``, ``pending``, ``paid``, ``failed`` or ``review``.
    """

    deposit_id: str
    client_id: str
    invoice: str
    custom: str
    amount_e8: int
    currency: str
    environment: str
    email: str
    merchant_id: str
    status: str


@dataclass(frozen=True)
class Payment:
    """Everything that messages said about one payment, as sums in 1e-8 of the currency, none of them negative.

    No sum depends on the order of messages.

    credited_e8: credited to the client; 0 until the payment is complete, so an earlier refund counts from then on.
    refunded_e8: given back by the reseller.
    reversed_e8: taken back by PayPal in disputes.
    returned_e8: given back to the reseller after disputes.
    adjusted_e8: taken back by adjustments.
    state: how far the payment is.
    merchant_id: account that received it; blank if unknown.
    """

    credited_e8: int = 0
    refunded_e8: int = 0
    reversed_e8: int = 0
    returned_e8: int = 0
    adjusted_e8: int = 0
    state: State = State.NONE
    merchant_id: str = ""

    @property
    def open_e8(self) -> int:
        """Amount in dispute now: reversed and not returned, ``_e8``."""
        return max(0, self.reversed_e8 - self.returned_e8)

    @property
    def taken_e8(self) -> int:
        """Amount that PayPal took back, ``_e8``, never more than was credited: a refunded dispute counts once."""
        return min(self.credited_e8, self.refunded_e8 + self.adjusted_e8 + self.open_e8)


@dataclass(frozen=True)
class Facts:
    """What is stored when a notice is decided.

    environment: environment of the URL that the message came to, ``"live"`` or ``"sandbox"``.
    current: environment that the reseller uses now.
    currency: ISO 4217 code of the deployment.
    merchant_id: account that must be paid; blank while no merchant id is known.
    intent: the deposit that the notice is about; ``None`` if it is not ours.
    payment: sums of the payment that the notice is about; ``None`` before the first message.
    done: whether this very movement was booked before.
    """

    environment: str
    current: str
    currency: str
    merchant_id: str = ""
    intent: Intent | None = None
    payment: Payment | None = None
    done: bool = False


@dataclass(frozen=True)
class Decision:
    """What a notice does. Blank, empty and ``None`` mean: nothing of this kind.

    outcome: one word for the list of messages, such as ``credited`` (``docs/paypal.md`` lists them).
    reason: one word that explains the outcome.
    postings: ledger entries of the client: kind and amount ``_e8``, negative for a debit.
    book: kind under which the movement is booked, so that it counts once.
    payment: sums of the payment after the notice; ``None`` for no change.
    status: new status of the deposit.
    review: reason of a new review item, for a person to look at.
    pin: merchant id to remember as the reseller's account.
    """

    outcome: str
    reason: str = ""
    postings: tuple[tuple[str, int], ...] = ()
    book: str = ""
    payment: Payment | None = None
    status: str = ""
    review: str = ""
    pin: str = ""
