"""Messages as they came: stored before anything is known about them, with a note of their outcome later.

PayPal sends a message again until it is answered 200. It gets 200 for every message that is understood, also for a
refused one, because PayPal switches off the notifications of a whole account whose URL keeps failing. It gets 503 when
PayPal itself gave no clear answer about the message.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.aws import paging
from chalicelib.aws.transactions import Scope, new_id
from chalicelib.errors import existing
from chalicelib.payments import store
from chalicelib.payments.gateway import INVALID, VERIFIED
from chalicelib.payments.model import Decision
from chalicelib.payments.store import IpnEndpoint, Message

log = logging.getLogger(__name__)
KEPT_SECONDS = 180 * periods.DAY_SECONDS
"""How long a message is kept: as long as a payment is usually disputed. It holds personal data."""
SETTLED, AGAIN = 200, 503
"""HTTP status that ends PayPal's tries, and the one that asks for another."""


def endpoint_of(token: str) -> IpnEndpoint:
    """Reseller and environment of a URL's token; 404 for an unknown one. A token does not prove who sends."""
    return existing(IpnEndpoint.find(*IpnEndpoint.key(token)))


def keep(
    scope: Scope, endpoint: IpnEndpoint, channel: str, raw: bytes, headers: Mapping[str, str], names: tuple[str, ...]
) -> Message:
    """Store a message with the headers listed in ``names``; the stored item."""
    message_id = new_id()
    message = Message(
        *Message.key(endpoint.reseller_id, message_id),
        message_id=message_id,
        environment=endpoint.environment,
        channel=channel,
        raw=raw,
        headers={name: headers[name][:2000] for name in names if name in headers},
        received_at=scope.now,
        expires_at=scope.now + KEPT_SECONDS,
    )
    message.save()
    store.note_health(endpoint.reseller_id, "received_at", scope.now)
    return message


def listed(reseller_id: str, request: paging.PageRequest) -> paging.Page[Message]:
    """A page of a reseller's stored messages, newest first."""
    get_reseller(reseller_id)
    return paging.page(Message, Message.of_reseller(reseller_id), request, newest_first=True)


def find(reseller_id: str, message_id: str) -> Message:
    """A stored message; 404 if there is none."""
    get_reseller(reseller_id)
    return existing(Message.find(*Message.key(reseller_id, message_id)))


def settle_verified(scope: Scope, message: Message, decision: Decision, txn_id: str) -> int:
    """Note the decision on a message that PayPal has verified; the HTTP status to answer."""
    finish(message, VERIFIED, decision, txn_id)
    store.note_health(message.reseller_id, "verified_at", scope.now)
    return SETTLED


def settle_unverified(scope: Scope, message: Message, verdict: str) -> int:
    """Note that PayPal did not verify a message; the HTTP status to answer.

    A message that was verified before stays verified: PayPal may forget its old messages.
    """
    if message.verdict == VERIFIED:
        return SETTLED
    if verdict == INVALID:
        finish(message, INVALID, Decision("invalid"))
        store.note_health(message.reseller_id, "invalid_at", scope.now)
        ids = (message.reseller_id, message.message_id)
        log.warning("PayPal does not know a message (INVALID): reseller %s, message %s", *ids)
        return SETTLED
    finish(message, verdict, Decision("unclear"))
    store.note_health(message.reseller_id, "unclear_at", scope.now)
    return AGAIN


def finish(message: Message, verdict: str, decision: Decision, txn_id: str = "") -> None:
    """Write PayPal's verdict and our decision to the stored message. No ledger entry depends on this note."""
    fields = {"verdict": verdict, "outcome": decision.outcome, "reason": decision.reason, "txn_id": txn_id[:64]}
    message.update(actions=[getattr(Message, name).set(value) for name, value in fields.items()])
