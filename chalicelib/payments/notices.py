"""What PayPal tells, whichever channel it comes by, and what we know when it comes."""

from __future__ import annotations

from dataclasses import dataclass

PAYMENT, REFUND, REVERSAL, RECREDIT, ADJUSTMENT, CASE, OTHER = (
    "payment",
    "refund",
    "reversal",
    "recredit",
    "adjustment",
    "case",
    "other",
)
COMPLETED, PENDING, FAILED, UNKNOWN = "completed", "pending", "failed", "unknown"


@dataclass(frozen=True)
class Receiver:
    """Whose PayPal account a message is about: the merchant id, and the addresses it goes by; blank where absent."""

    merchant_id: str = ""
    emails: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.merchant_id or self.emails)


@dataclass(frozen=True)
class Notice:
    """One message. ``movement`` says what moved, ``state`` how far a payment is.

    ``amount`` is text as it came. ``receiver`` and ``test`` are ``None`` where the channel proves them by itself (a
    webhook is signed for the reseller's own app). ``entity`` is IPN's ``transaction_entity``. ``note`` goes into review
    items: a reason code, a case, a word that was not understood.
    """

    channel: str
    movement: str
    txn_id: str = ""
    state: str = ""
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
        """The transaction that this is about: its own for a payment or a case, else the one it changes."""
        return self.txn_id if self.movement in (PAYMENT, CASE, OTHER) else self.parent


@dataclass(frozen=True)
class Intent:
    """What a client was asked to pay, and to whom, as it was when it asked."""

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
    """All that was heard about one transaction, as sums ``_e8``; none of them depends on the order of messages.

    ``credited_e8`` is 0 until the payment is complete, so a refund that comes before its payment counts from then on.
    """

    credited_e8: int = 0
    refunded_e8: int = 0
    reversed_e8: int = 0
    returned_e8: int = 0
    adjusted_e8: int = 0
    state: str = ""
    merchant_id: str = ""

    @property
    def open_e8(self) -> int:
        """What is disputed now: reversed and not returned."""
        return max(0, self.reversed_e8 - self.returned_e8)

    @property
    def taken_e8(self) -> int:
        """What PayPal has taken back, never more than was credited: a dispute that ends in a refund counts once."""
        return min(self.credited_e8, self.refunded_e8 + self.adjusted_e8 + self.open_e8)


@dataclass(frozen=True)
class Known:
    """What a notice is decided on.

    ``environment`` is that of the door the message came through, ``current`` the one the reseller works in now.
    ``merchant_id`` is the pinned receiver, blank while none is. ``done`` says that this very movement was booked.
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
    """What a notice does, as values.

    ``postings`` are ledger entries (kind, amount ``_e8``) of the intent's client. ``book`` is the kind under which the
    movement is booked once. ``payment`` and ``status`` (of the deposit) are those after it, ``None`` and blank for no
    change. ``review`` is the reason of an item that a person should look at; ``pin`` a merchant id to remember.
    """

    outcome: str
    reason: str = ""
    postings: tuple[tuple[str, int], ...] = ()
    book: str = ""
    payment: Payment | None = None
    status: str = ""
    review: str = ""
    pin: str = ""
