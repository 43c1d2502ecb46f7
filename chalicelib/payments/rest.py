"""A reseller's REST app at PayPal: orders, captures, the webhook, and whether an event is PayPal's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from chalicelib.payments.gateway import INVALID, UNCLEAR, VERIFIED, Paypal, PaypalFailed, basic

EVENTS = (
    "CHECKOUT.ORDER.APPROVED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.RESOLVED",
)
SIGNED = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time")
"""What PayPal's check of a signature is told, besides the webhook and the event; the headers are ``paypal-...``."""
_EARLY_SECONDS = 60
_tokens: dict[tuple[str, str, str], tuple[str, int]] = {}


def signature_headers() -> tuple[str, ...]:
    """Headers of an event that its check needs."""
    return tuple(f"paypal-{name.replace('_', '-')}" for name in SIGNED)


@dataclass(frozen=True)
class App:
    """One app in one environment; ``now`` is the instant of the request that it serves."""

    paypal: Paypal
    environment: str
    app_key: str
    secret: str = field(repr=False)
    now: int = 0

    def check(self) -> None:
        """``PaypalFailed`` when PayPal does not take the credentials."""
        _tokens.pop(self._place, None)
        self._authorization()

    def webhook(self, url: str) -> str:
        """The id of the app's webhook at ``url``, made if it is not there."""
        listed = self._call("GET", "/v1/notifications/webhooks").get("webhooks", [])
        for hook in listed:
            if hook.get("url") == url:
                return str(hook["id"])
        wanted = {"url": url, "event_types": [{"name": name} for name in EVENTS]}
        return str(self._call("POST", "/v1/notifications/webhooks", wanted)["id"])

    def create_order(self, unit: dict[str, Any], context: dict[str, Any], request_id: str) -> tuple[str, str]:
        """An order: its id, and where the payer's browser goes. The same ``request_id`` gives the same order."""
        source = {"paypal": {"experience_context": context}}
        wanted = {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": source}
        made = self._call("POST", "/v2/checkout/orders", wanted, request_id)
        links = {link.get("rel"): link.get("href") for link in made.get("links", [])}
        approve = links.get("payer-action") or links.get("approve")
        if not approve:
            raise PaypalFailed("the order has no address to approve it at")
        return str(made["id"]), str(approve)

    def capture(self, order_id: str) -> dict[str, Any]:
        """Take the money of an approved order; again is the same answer."""
        path = f"/v2/checkout/orders/{quote(order_id, safe='')}/capture"
        return dict(self._call("POST", path, {}, f"capture-{order_id}"))

    def verify(self, webhook_id: str, headers: dict[str, str], raw: bytes) -> str:
        """Whether an event is PayPal's: VERIFIED, INVALID, or UNCLEAR, which is anything else at all.

        The event goes into the request byte for byte: its signature is over these bytes, not over what they mean.
        """
        told = {name: headers.get(f"paypal-{name.replace('_', '-')}", "") for name in SIGNED}
        if not all(told.values()):
            return INVALID
        head = json.dumps({**told, "webhook_id": webhook_id})[:-1].encode()
        body = head + b', "webhook_event": ' + raw + b"}"
        try:
            answer = self._send("POST", "/v1/notifications/verify-webhook-signature", body)
        except PaypalFailed:
            return UNCLEAR
        words = {"SUCCESS": VERIFIED, "FAILURE": INVALID}
        return words.get(answer.get("verification_status", ""), UNCLEAR) if isinstance(answer, dict) else UNCLEAR

    @property
    def _place(self) -> tuple[str, str, str]:
        return (self.environment, self.app_key, self.secret)

    def _authorization(self) -> str:
        token, until = _tokens.get(self._place, ("", 0))
        if until <= self.now:
            asked = b"grant_type=client_credentials"
            login = basic(self.app_key, self.secret)
            made = self.paypal.call(self.environment, "POST", "/v1/oauth2/token", login, asked)
            token, until = str(made["access_token"]), self.now + int(made["expires_in"]) - _EARLY_SECONDS
            _tokens[self._place] = token, until
        return f"Bearer {token}"

    def _call(self, method: str, path: str, body: Any = None, request_id: str = "") -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        return self._send(method, path, raw, **({"PayPal-Request-Id": request_id} if request_id else {}))

    def _send(self, method: str, path: str, raw: bytes, **headers: str) -> Any:
        try:
            return self.paypal.call(self.environment, method, path, self._authorization(), raw, **headers)
        except PaypalFailed as problem:
            if problem.status != 401:
                raise
        # The token ended before its time: PayPal may take it back.
        _tokens.pop(self._place, None)
        return self.paypal.call(self.environment, method, path, self._authorization(), raw, **headers)
