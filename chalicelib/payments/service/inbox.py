"""Messages of both channels: taken, verified, applied; and, for the operator, asked about or decided again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.aws.transactions import Scope
from chalicelib.errors import Conflict, NotFound, TooLarge
from chalicelib.payments import form, ipn, rest, webhooks
from chalicelib.payments.decide import TXN_ID, ignored
from chalicelib.payments.gateway import VERIFIED, Paypal
from chalicelib.payments.model import Decision, Notice
from chalicelib.payments.service import archive, orders
from chalicelib.payments.service.apply import apply
from chalicelib.payments.store import Message

MAX_EVENT_BYTES = 256 << 10
_IPN_HEADERS = ("content-type", "user-agent")


def take_ipn(scope: Scope, paypal: Paypal, token: str, raw: bytes, headers: Mapping[str, str]) -> int:
    """An IPN message; the HTTP status to answer."""
    door = archive.door_of(token)
    if len(raw) > form.MAX_BYTES:
        raise TooLarge(f"A message has at most {form.MAX_BYTES} bytes.")
    kept = archive.keep(scope, door, "ipn", raw, headers, _IPN_HEADERS)
    return _work(scope, paypal, door.reseller_id, kept)


def take_event(scope: Scope, paypal: Paypal, token: str, raw: bytes, headers: Mapping[str, str]) -> int:
    """An event of a reseller's REST app; the HTTP status to answer. 404 when there is no app."""
    door = archive.door_of(token)
    if len(raw) > MAX_EVENT_BYTES:
        raise TooLarge(f"An event has at most {MAX_EVENT_BYTES} bytes.")
    if orders.app_of(door.reseller_id, door.environment) is None:
        raise NotFound()
    kept = archive.keep(scope, door, "webhook", raw, headers, rest.signature_headers())
    return _work(scope, paypal, door.reseller_id, kept)


def verify_again(scope: Scope, paypal: Paypal, reseller_id: str, message_id: str) -> Message:
    """Ask PayPal about a kept message once more, and do what it says if it is known now."""
    kept = archive.find(reseller_id, message_id)
    with orders.told_to_whoever_asks():
        _work(scope, paypal, reseller_id, kept)
    return kept


def replay(scope: Scope, paypal: Paypal, reseller_id: str, message_id: str) -> Message:
    """Decide a message again that PayPal has verified; what it did is not done twice. 409 for any other."""
    kept = archive.find(reseller_id, message_id)
    if kept.verdict != VERIFIED:
        raise Conflict("Only a message that PayPal has verified is decided again; ask PayPal first (verify).")
    notice = _read(kept)
    with orders.told_to_whoever_asks():
        decision = _act(scope, paypal, reseller_id, kept, notice)
    archive.finish(kept, VERIFIED, decision, _txn_id(notice))
    return kept


def _work(scope: Scope, paypal: Paypal, reseller_id: str, kept: Message) -> int:
    """Read, ask PayPal, apply; the status to answer."""
    try:
        notice = _read(kept)
    except form.BadForm as bad:
        archive.finish(kept, "", Decision("rejected", bad.reason))
        return archive.SETTLED
    if kept.channel == "ipn":
        verdict = paypal.verify(kept.environment, kept.raw)
    else:
        verdict = orders.verify(scope, paypal, reseller_id, kept.environment, dict(kept.headers), kept.raw)

    def act() -> Decision:
        return _act(scope, paypal, reseller_id, kept, notice)

    return archive.settle(scope, reseller_id, kept, verdict, act, _txn_id(notice))


def _read(kept: Message) -> Notice:
    """What a message tells; ``BadForm`` for one that PayPal would not write."""
    return ipn.notice(form.parse(kept.raw)) if kept.channel == "ipn" else webhooks.notice(_event(kept))


def _event(kept: Message) -> dict[str, Any]:
    try:
        told = json.loads(kept.raw)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise form.BadForm("no_event")
    return told


def _act(scope: Scope, paypal: Paypal, reseller_id: str, kept: Message, notice: Notice) -> Decision:
    """What a verified message does. An order that the payer has approved is captured first, and that is applied."""
    if kept.channel == "webhook" and _event(kept).get("event_type") == webhooks.APPROVED:
        captured = orders.capture_approved(scope, paypal, reseller_id, kept.environment, _event(kept))
        if captured is None:
            return ignored("not_captured")
        notice = captured
    return apply(scope, reseller_id, kept.environment, notice)


def _txn_id(notice: Notice) -> str:
    return notice.txn_id if TXN_ID.fullmatch(notice.txn_id) else ""
