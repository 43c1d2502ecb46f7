"""The stand-in's records: payments, and every message that was sent about them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from local.paypal import messages
from local.paypal.messages import Fields
from local.paypal.sender import IPN_HEADERS, Sender


class NoSuchThing(Exception):
    """Unknown, or not possible in the present state; the message says which."""


@dataclass
class Paid:
    """One transaction; ``message`` is the last IPN message about it."""

    environment: str
    notify_url: str
    message: Fields

    @property
    def txn_id(self) -> str:
        return self.message["txn_id"]


@dataclass
class Books:
    """``sent`` holds every message of each environment, byte for byte; it answers questions about messages."""

    sender: Sender = field(default_factory=Sender)
    paid: dict[str, Paid] = field(default_factory=dict)
    sent: set[tuple[str, bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pay(self, environment: str, form: Fields, status: str = "Completed") -> Paid:
        """A buyer pays by the classic button. As PayPal does by default, an invoice is paid once."""
        with self._lock:
            if any(one.message["invoice"] == form.get("invoice") and one.message["payment_status"] == "Completed"
                   for one in self.paid.values()):  # fmt: skip
                raise NoSuchThing("This invoice has already been paid.")
            message = messages.payment(environment, form, messages.new_id(), status)
            made = self.paid[message["txn_id"]] = Paid(environment, form.get("notify_url", ""), message)
        self.notify(made, message)
        return made

    def move(self, txn_id: str, what: str, amount: str = "") -> Paid:
        """``complete``, ``deny``, ``refund``, ``reverse``, ``return``, ``adjust`` or ``dispute`` a payment."""
        made = self.paid.get(txn_id)
        if made is None:
            raise NoSuchThing(f"There is no payment {txn_id}.")
        gross = amount or made.message["mc_gross"]
        if what in ("complete", "deny"):
            made.message = message = messages.later(made.message, {"complete": "Completed", "deny": "Denied"}[what])
        elif what == "refund":
            message = messages.change(made.message, "Refunded", f"-{gross}", "refund")
        elif what == "reverse":
            message = messages.change(made.message, "Reversed", f"-{gross}", "chargeback")
        elif what == "return":
            message = messages.change(made.message, "Canceled_Reversal", gross, "other")
        elif what == "adjust":
            message = messages.adjustment(made.message, f"-{gross}")
        elif what == "dispute":
            message = messages.case(made.message, "dispute")
        else:
            raise NoSuchThing(f"Nothing is done by {what!r}.")
        self.notify(made, message)
        return made

    def notify(self, made: Paid, message: Fields) -> bytes:
        """Send a message about a payment, and remember it."""
        raw = self.know(made.environment, messages.encode(message))
        self.sender.send(made.notify_url, raw, IPN_HEADERS)
        return raw

    def know(self, environment: str, raw: bytes) -> bytes:
        """Remember a message as one that was sent; returned as it is."""
        self.sent.add((environment, raw))
        return raw

    def knows(self, environment: str, raw: bytes) -> bool:
        return (environment, raw) in self.sent
