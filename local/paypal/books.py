"""What happened at this PayPal: payments and orders, and every message about them, so that it knows its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from local.paypal import messages
from local.paypal.messages import Fields
from local.paypal.sender import IPN_HEADERS, Sender


class NoSuchThing(Exception):
    """Unknown, or not possible as things stand; the message says which."""


@dataclass
class Paid:
    """One transaction; ``told`` is its last message."""

    environment: str
    notify_url: str
    told: Fields

    @property
    def txn_id(self) -> str:
        return self.told["txn_id"]


@dataclass
class Books:
    """``sent`` holds every message of each environment, byte for byte: what is asked about is looked up there."""

    sender: Sender = field(default_factory=Sender)
    paid: dict[str, Paid] = field(default_factory=dict)
    sent: set[tuple[str, bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pay(self, environment: str, form: Fields, status: str = "Completed") -> Paid:
        """A buyer pays by the classic button. As PayPal does by default, an invoice is paid once."""
        with self._lock:
            if any(one.told["invoice"] == form.get("invoice") and one.told["payment_status"] == "Completed"
                   for one in self.paid.values()):  # fmt: skip
                raise NoSuchThing("This invoice has already been paid.")
            told = messages.payment(environment, form, messages.new_id(), status)
            made = self.paid[told["txn_id"]] = Paid(environment, form.get("notify_url", ""), told)
        self.tell(made, told)
        return made

    def move(self, txn_id: str, what: str, amount: str = "") -> Paid:
        """``complete``, ``deny``, ``refund``, ``reverse``, ``return``, ``adjust`` or ``dispute`` a payment."""
        made = self.paid.get(txn_id)
        if made is None:
            raise NoSuchThing(f"There is no payment {txn_id}.")
        gross = amount or made.told["mc_gross"]
        if what in ("complete", "deny"):
            made.told = told = messages.later(made.told, {"complete": "Completed", "deny": "Denied"}[what])
        elif what == "refund":
            told = messages.change(made.told, "Refunded", f"-{gross}", "refund")
        elif what == "reverse":
            told = messages.change(made.told, "Reversed", f"-{gross}", "chargeback")
        elif what == "return":
            told = messages.change(made.told, "Canceled_Reversal", gross, "other")
        elif what == "adjust":
            told = messages.adjustment(made.told, f"-{gross}")
        elif what == "dispute":
            told = messages.case(made.told, "dispute")
        else:
            raise NoSuchThing(f"Nothing is done by {what!r}.")
        self.tell(made, told)
        return made

    def tell(self, made: Paid, told: Fields) -> bytes:
        """Send a message about a payment, and remember it."""
        raw = self.know(made.environment, messages.encode(told))
        self.sender.send(made.notify_url, raw, IPN_HEADERS)
        return raw

    def know(self, environment: str, raw: bytes) -> bytes:
        """Remember a message as one that was sent; returned as it is."""
        self.sent.add((environment, raw))
        return raw

    def knows(self, environment: str, raw: bytes) -> bool:
        return (environment, raw) in self.sent
