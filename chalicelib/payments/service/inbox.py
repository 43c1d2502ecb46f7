"""The way of a message: stored, verified by PayPal, translated, decided, applied. Both channels go the same way.

The operator can send a stored message the same way again (``verify_again``, ``replay``).
"""

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
    """Store and process an IPN message; the HTTP status to answer. 404 for an unknown token, 413 above 64 KB."""
    endpoint = archive.endpoint_of(token)
    if len(raw) > form.MAX_BYTES:
        raise TooLarge(f"A message has at most {form.MAX_BYTES} bytes.")
    message = archive.keep(scope, endpoint, "ipn", raw, headers, _IPN_HEADERS)
    return _process(scope, paypal, message)


def take_event(scope: Scope, paypal: Paypal, token: str, raw: bytes, headers: Mapping[str, str]) -> int:
    """Store and process an event of a REST app; the HTTP status to answer. 404 also when there is no app."""
    endpoint = archive.endpoint_of(token)
    if len(raw) > MAX_EVENT_BYTES:
        raise TooLarge(f"An event has at most {MAX_EVENT_BYTES} bytes.")
    if orders.app_of(endpoint.reseller_id, endpoint.environment) is None:
        raise NotFound()
    message = archive.keep(scope, endpoint, "webhook", raw, headers, rest.signature_headers())
    return _process(scope, paypal, message)


def verify_again(scope: Scope, paypal: Paypal, reseller_id: str, message_id: str) -> Message:
    """Ask PayPal about a stored message once more, and apply it if PayPal verifies it now."""
    message = archive.find(reseller_id, message_id)
    with orders.conflict_if_paypal_fails():
        _process(scope, paypal, message)
    return message


def replay(scope: Scope, paypal: Paypal, reseller_id: str, message_id: str) -> Message:
    """Decide a verified message again; what was booked is not booked twice. 409 if PayPal has not verified it."""
    message = archive.find(reseller_id, message_id)
    if message.verdict != VERIFIED:
        raise Conflict("Only a message that PayPal has verified is decided again; ask PayPal first (verify).")
    notice = _notice(message)
    with orders.conflict_if_paypal_fails():
        decision = _apply(scope, paypal, message, notice)
    archive.finish(message, VERIFIED, decision, _txn_id(notice))
    return message


def _process(scope: Scope, paypal: Paypal, message: Message) -> int:
    """Translate a stored message, have PayPal verify it, apply it; the HTTP status to answer."""
    try:
        notice = _notice(message)
    except form.BadForm as bad:
        archive.finish(message, "", Decision("rejected", bad.reason))
        return archive.SETTLED
    verdict = _verdict(scope, paypal, message)
    if verdict != VERIFIED:
        return archive.settle_unverified(scope, message, verdict)
    decision = _apply(scope, paypal, message, notice)
    return archive.settle_verified(scope, message, decision, _txn_id(notice))


def _notice(message: Message) -> Notice:
    """What a message says; ``BadForm`` for one that PayPal would not write."""
    if message.channel == "ipn":
        return ipn.notice(form.parse(message.raw))
    return webhooks.notice(_event(message))


def _event(message: Message) -> dict[str, Any]:
    """The JSON object of a webhook event; ``BadForm`` if it is none."""
    try:
        event = json.loads(message.raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise form.BadForm("no_event")
    return event


def _verdict(scope: Scope, paypal: Paypal, message: Message) -> str:
    """PayPal's answer to whether it sent a message: VERIFIED, INVALID or UNCLEAR."""
    if message.channel == "ipn":
        return paypal.verify(message.environment, message.raw)
    return orders.verify(scope, paypal, message.reseller_id, message.environment, dict(message.headers), message.raw)


def _apply(scope: Scope, paypal: Paypal, message: Message, notice: Notice) -> Decision:
    """Apply a verified message. If it says that a payer approved an order, the order is captured and that applied."""
    if message.channel == "webhook" and (event := _event(message)).get("event_type") == webhooks.APPROVED:
        captured = orders.capture_approved(scope, paypal, message.reseller_id, message.environment, event)
        if captured is None:
            return ignored("not_captured")
        notice = captured
    return apply(scope, message.reseller_id, message.environment, notice)


def _txn_id(notice: Notice) -> str:
    return notice.txn_id if TXN_ID.fullmatch(notice.txn_id) else ""
