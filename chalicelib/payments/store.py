"""The items of payments in the table. The docstring of each model names its ``pk`` and ``sk``.

``PP#<reseller>`` holds all that a reseller has at PayPal. ``DOOR#<token>`` and ``PAY#<invoice>`` find the reseller of
a URL that is called without a key.

A transaction that moves money requires three things: the ``version`` of the payment and the ``version`` of the client
are what they were when they were read, and there is no ``Booked`` item of the movement yet.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws.bases import ClientItem
from chalicelib.aws.items import IntegerAttribute, KeyOf, KeyPart
from chalicelib.aws.transactions import Item
from chalicelib.payments import model

SUMS = ("credited_e8", "refunded_e8", "reversed_e8", "returned_e8", "adjusted_e8")
"""Sums of a payment, by the same names in ``Transaction`` and ``model.Payment``."""


class Settings(Item):
    """``PP#<reseller_id>`` / ``SETTINGS``

    ``tokens``: the token of each environment's URL. It never changes, because later messages of a payment come to the
    URL that the payment was made with. ``receiver_id``: merchant id of the account that received the first payment.
    ``apps``: REST app by environment (``app_key``, ``webhook_id``, ``secret_version``); ``vault`` keeps its secret.
    """

    email = UnicodeAttribute()
    merchant_id = UnicodeAttribute(default="")
    environment = UnicodeAttribute()
    amounts: Any = JSONAttribute()
    tokens: Any = JSONAttribute()
    receiver_id = UnicodeAttribute(default="")
    apps: Any = JSONAttribute(default=dict)
    version = IntegerAttribute(default=0)

    key = KeyOf("PP#<reseller_id>", "SETTINGS")


class IpnEndpoint(Item):
    """``DOOR#<token>`` / ``DOOR``: reseller and environment of a URL that PayPal calls"""

    reseller_id = UnicodeAttribute()
    environment = UnicodeAttribute()

    key = KeyOf("DOOR#<token>", "DOOR")


class Health(Item):
    """``PP#<reseller_id>`` / ``HEALTH``: instants of the latest messages; written outside of transactions"""

    received_at = IntegerAttribute(null=True)
    verified_at = IntegerAttribute(null=True)
    invalid_at = IntegerAttribute(null=True)
    unclear_at = IntegerAttribute(null=True)

    key = KeyOf("PP#<reseller_id>", "HEALTH")


class Deposit(ClientItem):
    """``PP#<reseller_id>`` / ``DEPOSIT#<client_id>#<deposit_id>``: what a client is going to pay

    ``email``, ``merchant_id`` and ``environment`` are those of the settings when it was created, ``language`` that of
    the client.
    """

    deposit_id = UnicodeAttribute()
    invoice = UnicodeAttribute()
    custom = UnicodeAttribute()
    amount_e8 = IntegerAttribute()
    currency = UnicodeAttribute()
    environment = UnicodeAttribute()
    email = UnicodeAttribute()
    merchant_id = UnicodeAttribute(default="")
    order_id = UnicodeAttribute(default="")
    language = UnicodeAttribute(default="en")
    status = UnicodeAttribute(default="open")
    created_at = IntegerAttribute()
    open_until = IntegerAttribute()

    key = KeyOf("PP#<reseller_id>", "DEPOSIT#<client_id>#<deposit_id>")
    of_client = KeyOf("PP#<reseller_id>", "DEPOSIT#<client_id>#")

    def intent(self) -> model.Intent:
        return model.Intent(**{field.name: getattr(self, field.name) for field in fields(model.Intent)})


class Invoice(ClientItem):
    """``PAY#<invoice>`` / ``PAY``: the deposit of an invoice; the invoice is also the path of its pay page"""

    deposit_id = UnicodeAttribute()

    key = KeyOf("PAY#<invoice>", "PAY")


class Transaction(Item):
    """``PP#<reseller_id>`` / ``TXN#<environment>#<original txn_id>``: the sums of one payment (``model.Payment``)

    It has ``expires_at`` until a message of the payment itself comes: a refund may be about a payment that is not ours.
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

    key = KeyOf("PP#<reseller_id>", "TXN#<environment>#<txn_id>")

    def payment(self) -> model.Payment:
        sums = {name: getattr(self, name) for name in SUMS}
        return model.Payment(**sums, state=model.State(self.state), merchant_id=self.merchant_id)


class Booked(Item):
    """``PP#<reseller_id>`` / ``BOOKED#<environment>#<txn_id>#<kind>``: a movement was booked, or a review item made"""

    at = IntegerAttribute()

    key = KeyOf("PP#<reseller_id>", "BOOKED#<environment>#<txn_id>#<kind>")


class Review(Item):
    """``PP#<reseller_id>`` / ``REVIEW#<review_id>``: a message that a person should look at

    ``told``: amount and currency that PayPal named, as text.
    """

    review_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    environment = UnicodeAttribute()
    txn_id = UnicodeAttribute()
    note = UnicodeAttribute(default="")
    client_id = UnicodeAttribute(default="")
    deposit_id = UnicodeAttribute(default="")
    told = UnicodeAttribute(default="")
    at = IntegerAttribute()

    key = KeyOf("PP#<reseller_id>", "REVIEW#<review_id>")
    of_reseller = KeyOf("PP#<reseller_id>", "REVIEW#")


class Message(Item):
    """``PP#<reseller_id>`` / ``MSG#<message_id>``: a message as it came, until ``expires_at``

    ``raw`` and ``headers`` hold personal data of payers: they are never logged and never in an answer of the API.
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

    key = KeyOf("PP#<reseller_id>", "MSG#<message_id>")
    of_reseller = KeyOf("PP#<reseller_id>", "MSG#")
    reseller_id = KeyPart(1, str, of="pk")


def settings_of(reseller_id: str) -> Settings | None:
    return Settings.find(*Settings.key(reseller_id))


def health(reseller_id: str) -> Health:
    """The stored instants; all ``None`` before the first message."""
    key = Health.key(reseller_id)
    return Health.find(*key) or Health(*key)


def note_health(reseller_id: str, name: str, now: int) -> None:
    """Set one instant of ``Health`` to ``now``. No decision reads it, so the write has no condition."""
    Health(*Health.key(reseller_id)).update(actions=[getattr(Health, name).set(now)])


def deposit(reseller_id: str, client_id: str, deposit_id: str) -> Deposit | None:
    return Deposit.find(*Deposit.key(reseller_id, client_id, deposit_id))


def deposit_of_invoice(invoice: str) -> Deposit | None:
    """The deposit of an invoice, of any reseller. ``None`` for a text from outside that is no invoice."""
    if not (invoice.isascii() and invoice.isalnum() and len(invoice) <= 64):
        return None
    found = Invoice.find(*Invoice.key(invoice))
    return deposit(found.reseller_id, found.client_id, found.deposit_id) if found else None


def transaction(reseller_id: str, environment: str, txn_id: str) -> Transaction | None:
    return Transaction.find(*Transaction.key(reseller_id, environment, txn_id))
