"""The items of this room in the table. ``pk`` and ``sk`` of each model stand in its docstring.

``PP#<reseller>`` what a reseller has to do with PayPal; ``DOOR#<token>`` and ``PAY#<invoice>`` lead there from outside.

Whoever moves money requires three things unchanged since it looked: the ``version`` of the payment, the ``version`` of
the client, and that the movement was not booked (``Booked`` is put where none stands).
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item
from chalicelib.payments import model

SUMS = ("credited_e8", "refunded_e8", "reversed_e8", "returned_e8", "adjusted_e8")


def partition(reseller_id: str) -> str:
    return f"PP#{reseller_id}"


class Settings(Item):
    """``PP#<reseller_id>`` / ``SETTINGS``

    ``tokens`` has one per environment, never changed: a payment keeps the URL it was made with for its later messages.
    ``receiver_id`` is the merchant id of the first payment, pinned. ``apps`` has the REST app of each environment
    (``app_key``, ``webhook_id``, ``secret_version``); its secret lies elsewhere (``vault``).
    """

    email = UnicodeAttribute()
    merchant_id = UnicodeAttribute(default="")
    environment = UnicodeAttribute()
    amounts: Any = JSONAttribute()
    tokens: Any = JSONAttribute()
    receiver_id = UnicodeAttribute(default="")
    apps: Any = JSONAttribute(default=dict)
    version = IntegerAttribute(default=0)


class Door(Item):
    """``DOOR#<token>`` / ``DOOR``: whose messages come through a URL, and from which PayPal"""

    reseller_id = UnicodeAttribute()
    environment = UnicodeAttribute()


class Health(Item):
    """``PP#<reseller_id>`` / ``HEALTH``: when messages came last; written beside everything else"""

    received_at = IntegerAttribute(null=True)
    verified_at = IntegerAttribute(null=True)
    invalid_at = IntegerAttribute(null=True)
    unclear_at = IntegerAttribute(null=True)


class Deposit(Item):
    """``PP#<reseller_id>`` / ``DEPOSIT#<client_id>#<deposit_id>``: an intent, with the receiver as it was then"""

    deposit_id = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    invoice = UnicodeAttribute()
    custom = UnicodeAttribute()
    amount_e8 = IntegerAttribute()
    currency = UnicodeAttribute()
    environment = UnicodeAttribute()
    email = UnicodeAttribute()
    merchant_id = UnicodeAttribute(default="")
    order_id = UnicodeAttribute(default="")
    status = UnicodeAttribute(default="open")
    created_at = IntegerAttribute()
    open_until = IntegerAttribute()

    def intent(self) -> model.Intent:
        return model.Intent(
            deposit_id=self.deposit_id,
            client_id=self.client_id,
            invoice=self.invoice,
            custom=self.custom,
            amount_e8=self.amount_e8,
            currency=self.currency,
            environment=self.environment,
            email=self.email,
            merchant_id=self.merchant_id,
            status=self.status,
        )


class Invoice(Item):
    """``PAY#<invoice>`` / ``PAY``: the deposit of an invoice, which is also the address of its pay page"""

    reseller_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    deposit_id = UnicodeAttribute()


class Transaction(Item):
    """``PP#<reseller_id>`` / ``TXN#<environment>#<original txn_id>``: sums of all that was heard about one payment

    Before its payment is known it has ``expires_at``: a refund of something that never was ours is forgotten.
    """

    credited_e8 = IntegerAttribute(default=0)
    refunded_e8 = IntegerAttribute(default=0)
    reversed_e8 = IntegerAttribute(default=0)
    returned_e8 = IntegerAttribute(default=0)
    adjusted_e8 = IntegerAttribute(default=0)
    state = UnicodeAttribute(default="")
    merchant_id = UnicodeAttribute(default="")
    client_id = UnicodeAttribute(default="")
    deposit_id = UnicodeAttribute(default="")
    version = IntegerAttribute(default=0)

    def payment(self) -> model.Payment:
        sums = {name: int(getattr(self, name)) for name in SUMS}
        return model.Payment(**sums, state=model.State(self.state), merchant_id=self.merchant_id)


class Booked(Item):
    """``PP#<reseller_id>`` / ``BOOKED#<environment>#<txn_id>#<kind>``: this movement, or this review, was made"""

    at = IntegerAttribute()


class Review(Item):
    """``PP#<reseller_id>`` / ``REVIEW#<review_id>``: something a person should look at"""

    review_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    environment = UnicodeAttribute()
    txn_id = UnicodeAttribute()
    note = UnicodeAttribute(default="")
    client_id = UnicodeAttribute(default="")
    deposit_id = UnicodeAttribute(default="")
    told = UnicodeAttribute(default="")
    at = IntegerAttribute()


class Message(Item):
    """``PP#<reseller_id>`` / ``MSG#<message_id>``: a message as it came, kept for a while (``expires_at``)

    ``raw`` and ``headers`` hold personal data of payers. Neither is logged or answered by the API.
    """

    message_id = UnicodeAttribute()
    environment = UnicodeAttribute()
    channel = UnicodeAttribute()
    raw = BinaryAttribute(legacy_encoding=False)
    headers: Any = JSONAttribute(default=dict)
    received_at = IntegerAttribute()
    verdict = UnicodeAttribute(default="")
    outcome = UnicodeAttribute(default="")
    reason = UnicodeAttribute(default="")
    txn_id = UnicodeAttribute(default="")


def settings_of(reseller_id: str) -> Settings | None:
    return Settings.find(partition(reseller_id), "SETTINGS")


def door(token: str) -> Door | None:
    return Door.find(f"DOOR#{token}", "DOOR")


def health(reseller_id: str) -> Health:
    return Health.find(partition(reseller_id), "HEALTH") or Health(partition(reseller_id), "HEALTH")


def tell_health(reseller_id: str, name: str, now: int) -> None:
    """Note that something happened just now. Not part of any decision, so it needs no condition."""
    Health(partition(reseller_id), "HEALTH").update(actions=[getattr(Health, name).set(now)])


def deposit(reseller_id: str, client_id: str, deposit_id: str) -> Deposit | None:
    return Deposit.find(partition(reseller_id), f"DEPOSIT#{client_id}#{deposit_id}")


def deposit_of_invoice(invoice: str) -> Deposit | None:
    """The deposit of an invoice, whoever's it is; an invoice from outside may be anything."""
    if not (invoice.isascii() and invoice.isalnum() and len(invoice) <= 64):
        return None
    found = Invoice.find(f"PAY#{invoice}", "PAY")
    return deposit(found.reseller_id, found.client_id, found.deposit_id) if found else None


def transaction(reseller_id: str, environment: str, txn_id: str) -> Transaction | None:
    return Transaction.find(partition(reseller_id), f"TXN#{environment}#{txn_id}")


def booked(reseller_id: str, environment: str, txn_id: str, kind: str) -> Booked:
    return Booked(partition(reseller_id), f"BOOKED#{environment}#{txn_id}#{kind}")


def message(reseller_id: str, message_id: str) -> Message | None:
    return Message.find(partition(reseller_id), f"MSG#{message_id}")
