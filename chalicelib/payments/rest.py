"""A reseller's REST app at PayPal: orders, captures, its webhook, and the verification of events."""

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
"""Fields of PayPal's signature check, besides the webhook and the event. They come as headers ``paypal-...``."""
_EARLY_SECONDS = 60
"""How long before its end an access token is renewed."""
_tokens: dict[tuple[str, str, str], tuple[str, int]] = {}
"""Access tokens of this container: credentials -> token, and the instant at which it is renewed."""


def signature_headers() -> tuple[str, ...]:
    """Names of the headers that the verification of an event needs, in lower case."""
    return tuple(f"paypal-{name.replace('_', '-')}" for name in SIGNED)


@dataclass(frozen=True)
class App:
    """One app in one environment. ``app_key`` is PayPal's "Client ID", ``now`` the instant of the current request."""

    paypal: Paypal
    environment: str
    app_key: str
    secret: str = field(repr=False)
    now: int = 0

    def check(self) -> None:
        """Raise ``PaypalFailed`` if PayPal refuses the credentials."""
        _tokens.pop(self._credentials, None)
        self._authorization()

    def webhook(self, url: str) -> str:
        """The id of the app's webhook at ``url``; it is created if there is none."""
        listed = self._call("GET", "/v1/notifications/webhooks").get("webhooks", [])
        for hook in listed:
            if hook.get("url") == url:
                return str(hook["id"])
        new = {"url": url, "event_types": [{"name": name} for name in EVENTS]}
        return str(self._call("POST", "/v1/notifications/webhooks", new)["id"])

    def create_order(self, unit: dict[str, Any], context: dict[str, Any], request_id: str) -> tuple[str, str]:
        """Create an order; its id and the URL to approve it. The same ``request_id`` gives the same order."""
        source = {"paypal": {"experience_context": context}}
        body = {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": source}
        order = self._call("POST", "/v2/checkout/orders", body, request_id)
        links = {link.get("rel"): link.get("href") for link in order.get("links", [])}
        approve = links.get("payer-action") or links.get("approve")
        if not approve:
            raise PaypalFailed("the order has no address to approve it at")
        return str(order["id"]), str(approve)

    def capture(self, order_id: str) -> dict[str, Any]:
        """Capture an approved order; PayPal answers a repeat the same."""
        path = f"/v2/checkout/orders/{quote(order_id, safe='')}/capture"
        return dict(self._call("POST", path, {}, f"capture-{order_id}"))

    def verify(self, webhook_id: str, headers: dict[str, str], raw: bytes) -> str:
        """Ask PayPal whether it sent an event: VERIFIED, INVALID, or UNCLEAR for any other answer and for none.

        The event goes into the request byte for byte, because its signature covers the bytes.
        """
        signed = {name: headers.get(f"paypal-{name.replace('_', '-')}", "") for name in SIGNED}
        if not all(signed.values()):
            return INVALID
        head = json.dumps({**signed, "webhook_id": webhook_id})[:-1].encode()
        body = head + b', "webhook_event": ' + raw + b"}"
        try:
            answer = self._send("POST", "/v1/notifications/verify-webhook-signature", body)
        except PaypalFailed:
            return UNCLEAR
        words = {"SUCCESS": VERIFIED, "FAILURE": INVALID}
        return words.get(answer.get("verification_status", ""), UNCLEAR) if isinstance(answer, dict) else UNCLEAR

    @property
    def _credentials(self) -> tuple[str, str, str]:
        return (self.environment, self.app_key, self.secret)

    def _authorization(self) -> str:
        token, until = _tokens.get(self._credentials, ("", 0))
        if until <= self.now:
            body = b"grant_type=client_credentials"
            login = basic(self.app_key, self.secret)
            answer = self.paypal.call(self.environment, "POST", "/v1/oauth2/token", login, body)
            token, until = str(answer["access_token"]), self.now + int(answer["expires_in"]) - _EARLY_SECONDS
            _tokens[self._credentials] = token, until
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
        # PayPal may revoke a token before its end.
        _tokens.pop(self._credentials, None)
        return self.paypal.call(self.environment, method, path, self._authorization(), raw, **headers)
