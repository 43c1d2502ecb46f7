"""Messages from PayPal: kept as they came, verified, applied; what is answered tells PayPal whether to send again.

200 for everything understood, also what is refused: PayPal switches off the notifications of a whole account whose
listener goes on failing. 503 whenever nothing is known for certain, so that PayPal sends the message again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from chalicelib import periods
from chalicelib.accounts.service import pages
from chalicelib.accounts.service.posting import reseller_of
from chalicelib.errors import Conflict, NotFound, TooLarge
from chalicelib.payments import form, ipn, store
from chalicelib.payments.gateway import INVALID, UNCLEAR, VERIFIED, Paypal
from chalicelib.payments.notices import Decision, Notice
from chalicelib.payments.service.apply import apply
from chalicelib.payments.store import Door, Message
from chalicelib.tables import Scope, new_id

log = logging.getLogger(__name__)
KEPT_SECONDS = 180 * periods.DAY_SECONDS
"""How long a message is kept: as long as a payment is usually disputed. It holds personal data."""
_HEADERS = ("content-type", "user-agent")


def door_of(token: str) -> Door:
    """Whose door this is; 404 for a token that nobody has. It routes a message, it proves nothing."""
    found = store.door(token)
    if found is None:
        raise NotFound()
    return found


def take_ipn(scope: Scope, paypal: Paypal, token: str, raw: bytes, headers: Mapping[str, str]) -> int:
    """An IPN message; the HTTP status to answer."""
    door = door_of(token)
    if len(raw) > form.MAX_BYTES:
        raise TooLarge(f"A message has at most {form.MAX_BYTES} bytes.")
    kept = keep(scope, door, "ipn", raw, {name: headers[name] for name in _HEADERS if name in headers})
    return _work(scope, paypal, door.reseller_id, kept)


def keep(scope: Scope, door: Door, channel: str, raw: bytes, headers: Mapping[str, str]) -> Message:
    """Store a message before anything is known about it."""
    message_id = new_id()
    kept = Message(
        store.partition(door.reseller_id),
        f"MSG#{message_id}",
        message_id=message_id,
        environment=door.environment,
        channel=channel,
        raw=raw,
        headers={name: value[:2000] for name, value in headers.items()},
        received_at=scope.now,
        expires_at=scope.now + KEPT_SECONDS,
    )
    kept.save()
    store.tell_health(door.reseller_id, "received_at", scope.now)
    return kept


def listed(reseller_id: str, asked: pages.Asked) -> pages.Rows[Message]:
    """The messages of a reseller that are still kept, newest first."""
    reseller_of(reseller_id)()
    return pages.page(Message, store.partition(reseller_id), "MSG#", asked, newest_first=True)


def verify_again(scope: Scope, paypal: Paypal, reseller_id: str, message_id: str) -> Message:
    """Ask PayPal about a kept message once more, and do what it says if it is known now."""
    kept = _kept(reseller_id, message_id)
    _work(scope, paypal, reseller_id, kept)
    return kept


def replay(scope: Scope, reseller_id: str, message_id: str) -> Message:
    """Decide a message again that PayPal has verified; what it did is not done twice. 409 for any other."""
    kept = _kept(reseller_id, message_id)
    if kept.verdict != VERIFIED or kept.channel != "ipn":
        raise Conflict("Only an IPN message that PayPal has verified is replayed; ask PayPal again (verify).")
    finish(kept, VERIFIED, apply(scope, reseller_id, kept.environment, _read(kept)))
    return kept


def _kept(reseller_id: str, message_id: str) -> Message:
    reseller_of(reseller_id)()
    found = store.message(reseller_id, message_id)
    if found is None:
        raise NotFound()
    return found


def _work(scope: Scope, paypal: Paypal, reseller_id: str, kept: Message) -> int:
    """Check the form, ask PayPal, apply."""
    try:
        notice = _read(kept)
    except form.BadForm as bad:
        finish(kept, "", Decision("rejected", bad.reason))
        return 200
    return settle_verdict(
        scope, reseller_id, kept, paypal.verify(kept.environment, kept.raw),
        lambda: apply(scope, reseller_id, kept.environment, notice), notice,
    )  # fmt: skip


def settle_verdict(
    scope: Scope, reseller_id: str, kept: Message, verdict: str, act: Callable[[], Decision], notice: Notice | None
) -> int:
    """What follows from PayPal's word about a message; the status to answer."""
    if verdict == VERIFIED:
        decision = act()
        finish(kept, VERIFIED, decision, notice)
        store.tell_health(reseller_id, "verified_at", scope.now)
        return 200
    finish(kept, verdict, Decision("invalid" if verdict == INVALID else "unclear"))
    store.tell_health(reseller_id, "invalid_at" if verdict == INVALID else "unclear_at", scope.now)
    if verdict == INVALID:
        log.warning("PayPal does not know a message (INVALID): reseller %s, message %s", reseller_id, kept.message_id)
        return 200
    assert verdict == UNCLEAR
    return 503


def finish(kept: Message, verdict: str, decision: Decision, notice: Notice | None = None) -> None:
    """Note on the message what became of it. The ledger does not depend on this note."""
    txn_id = notice.txn_id[:64] if notice and notice.txn_id.isprintable() else kept.txn_id
    kept.update(
        actions=[
            Message.verdict.set(verdict),
            Message.outcome.set(decision.outcome),
            Message.reason.set(decision.reason),
            Message.txn_id.set(txn_id),
        ]
    )


def _read(kept: Message) -> Notice:
    return ipn.notice(form.parse(kept.raw))
