"""Messages as they came: kept before anything is known about them, with a note of what became of them.

What is answered tells PayPal whether to send again. 200 for everything understood, also what is refused: PayPal
switches off the notifications of a whole account whose listener goes on failing. 503 whenever nothing is known for
certain.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from chalicelib import periods
from chalicelib.accounts.ledger.posting import reseller_of
from chalicelib.aws import paging
from chalicelib.aws.transactions import Scope, new_id
from chalicelib.errors import NotFound
from chalicelib.payments import store
from chalicelib.payments.gateway import INVALID, VERIFIED
from chalicelib.payments.model import Decision
from chalicelib.payments.store import Door, Message

log = logging.getLogger(__name__)
KEPT_SECONDS = 180 * periods.DAY_SECONDS
"""How long a message is kept: as long as a payment is usually disputed. It holds personal data."""
SETTLED, AGAIN = 200, 503


def door_of(token: str) -> Door:
    """Whose door this is; 404 for a token that nobody has. It routes a message, it proves nothing."""
    found = store.door(token)
    if found is None:
        raise NotFound()
    return found


def keep(
    scope: Scope, door: Door, channel: str, raw: bytes, headers: Mapping[str, str], names: tuple[str, ...]
) -> Message:
    """Store a message, with those of its headers that ``names`` says."""
    message_id = new_id()
    kept = Message(
        store.partition(door.reseller_id),
        f"MSG#{message_id}",
        message_id=message_id,
        environment=door.environment,
        channel=channel,
        raw=raw,
        headers={name: headers[name][:2000] for name in names if name in headers},
        received_at=scope.now,
        expires_at=scope.now + KEPT_SECONDS,
    )
    kept.save()
    store.tell_health(door.reseller_id, "received_at", scope.now)
    return kept


def listed(reseller_id: str, asked: paging.Asked) -> paging.Rows[Message]:
    """The messages of a reseller that are still kept, newest first."""
    reseller_of(reseller_id)()
    return paging.page(Message, store.partition(reseller_id), "MSG#", asked, newest_first=True)


def find(reseller_id: str, message_id: str) -> Message:
    """A kept message; 404 when there is none."""
    reseller_of(reseller_id)()
    found = store.message(reseller_id, message_id)
    if found is None:
        raise NotFound()
    return found


def settle(
    scope: Scope, reseller_id: str, kept: Message, verdict: str, act: Callable[[], Decision], txn_id: str = ""
) -> int:
    """What follows from PayPal's word about a message; the status to answer."""
    if verdict == VERIFIED:
        finish(kept, VERIFIED, act(), txn_id)
        store.tell_health(reseller_id, "verified_at", scope.now)
        return SETTLED
    if kept.verdict == VERIFIED:
        # Asked about again. PayPal need not know its old messages for ever: what it said, and what that did, stands.
        return SETTLED
    if verdict == INVALID:
        finish(kept, INVALID, Decision("invalid"))
        store.tell_health(reseller_id, "invalid_at", scope.now)
        log.warning("PayPal does not know a message (INVALID): reseller %s, message %s", reseller_id, kept.message_id)
        return SETTLED
    finish(kept, verdict, Decision("unclear"))
    store.tell_health(reseller_id, "unclear_at", scope.now)
    return AGAIN


def finish(kept: Message, verdict: str, decision: Decision, txn_id: str = "") -> None:
    """Note on the message what became of it. The ledger does not depend on this note."""
    told = {"verdict": verdict, "outcome": decision.outcome, "reason": decision.reason, "txn_id": txn_id[:64]}
    kept.update(actions=[getattr(Message, name).set(value) for name, value in told.items()])
