"""The part of PayPal's REST API that a checkout needs: tokens, orders, captures, webhooks and their signatures."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from local.paypal import messages, pages
from local.paypal.books import Books, NoSuchThing
from local.wire import Answer

Json = dict[str, Any]
WRONG_SECRET = "wrong-secret"
"""This secret is always wrong; any other pair of id and secret is accepted as an app."""


@dataclass
class Order:
    """One order: its purchase unit, where the browser goes afterwards, and its capture once there is one."""

    order_id: str
    client_id: str
    environment: str
    unit: Json
    context: Json
    status: str = "PAYER_ACTION_REQUIRED"
    capture: Json | None = None


@dataclass
class Rest:
    """``webhooks``: per app, its id and URL. ``signed``: every event that was sent, by its transmission."""

    books: Books
    url: str = ""
    orders: dict[str, Order] = field(default_factory=dict)
    requests: dict[tuple[str, str], Answer] = field(default_factory=dict)
    webhooks: dict[str, Json] = field(default_factory=dict)
    signed: dict[str, bytes] = field(default_factory=dict)
    captured_as: str = "COMPLETED"

    def respond(self, environment: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """One call of the API. A repeated ``PayPal-Request-Id`` gets the first answer again."""
        if path == "v1/oauth2/token":
            return _token(headers.get("authorization", ""))
        client_id = headers.get("authorization", "").removeprefix("Bearer token-of-")
        if not client_id or " " in client_id:
            return _json(401, {"name": "AUTHENTICATION_FAILURE"})
        key = (path, headers.get("paypal-request-id", ""))
        if key[1] and key in self.requests:
            return self.requests[key]
        answer = self._call(environment, method, path, client_id, body)
        if key[1] and answer.status < 300:
            self.requests[key] = answer
        return answer

    def _call(self, environment: str, method: str, path: str, client_id: str, body: bytes) -> Answer:
        request = json.loads(body) if body else {}
        parts = path.split("/")
        if path == "v1/notifications/webhooks":
            return self._webhooks(method, client_id, request)
        if path == "v1/notifications/verify-webhook-signature":
            return self._verify(client_id, request, body)
        if path == "v2/checkout/orders" and method == "POST":
            return self._create(environment, client_id, request)
        if parts[:3] == ["v2", "checkout", "orders"] and len(parts) in (4, 5):
            order = self.orders.get(parts[3])
            if order is None or order.client_id != client_id:
                return _json(404, {"name": "RESOURCE_NOT_FOUND"})
            return self._capture(order) if parts[4:] == ["capture"] else _json(200, _shown(order))
        return _json(404, {"name": "NOT_FOUND"})

    def browser(self, environment: str, path: str, form: dict[str, str]) -> Answer:
        """The buyer's side of an order: looks at it, approves it, is sent back."""
        order = self.orders.get(form.get("token", ""))
        if order is None:
            raise NoSuchThing("There is no such order.")
        if path == "checkoutnow":
            amount = f"{order.unit['amount']['value']} {order.unit['amount']['currency_code']}"
            return pages.approval(environment, order.order_id, amount, order.context["cancel_url"])
        self.approve(order.order_id)
        return pages.see_other(f"{order.context['return_url']}?token={order.order_id}&PayerID=LPLWNMTBWMFAY")

    def approve(self, order_id: str) -> None:
        """The payer agrees; the app gets an event, and may capture."""
        order = self.orders.get(order_id)
        if order is None:
            raise NoSuchThing("There is no such order.")
        order.status = "APPROVED"
        self.send_event(order, "CHECKOUT.ORDER.APPROVED", "checkout-order", _shown(order))

    def refund(self, order_id: str, amount: str) -> Json:
        """The merchant refunds a capture; the event as it was sent."""
        return self._back(order_id, "PAYMENT.CAPTURE.REFUNDED", amount)

    def reverse(self, order_id: str, amount: str) -> Json:
        """PayPal takes a capture back; the event as it was sent."""
        return self._back(order_id, "PAYMENT.CAPTURE.REVERSED", amount)

    def send_event(self, order: Order, kind: str, resource_type: str, resource: Json) -> Json:
        """Send an event to the app's webhook, signed."""
        event = {
            "id": f"WH-{messages.new_id()}-{messages.new_id()}",
            "event_version": "1.0",
            "create_time": "2027-01-14T04:12:59.000Z",
            "resource_type": resource_type,
            "resource_version": "2.0",
            "event_type": kind,
            "summary": "",
            "resource": resource,
            "links": [],
        }
        hook = self.webhooks.get(order.client_id)
        if hook:
            raw, headers = self.sign(event)
            self.books.sender.send(hook["url"], raw, headers)
        return event

    def sign(self, event: Json) -> tuple[bytes, dict[str, str]]:
        """An event as bytes with the headers of its transmission; stored in ``signed``."""
        raw, transmission = json.dumps(event, ensure_ascii=False).encode(), secrets.token_hex(16)
        self.signed[transmission] = raw
        names = ("auth-algo", "cert-url", "transmission-id", "transmission-sig", "transmission-time")
        values = (
            "SHA256withRSA",
            f"{self.url}/live/v1/notifications/certs/CERT",
            transmission,
            "c2lnbmVk",
            "2027-01-14T04:13:00Z",
        )
        headers = {f"PAYPAL-{name.upper()}": value for name, value in zip(names, values, strict=True)}
        return raw, {"Content-Type": "application/json", "User-Agent": "PayPal/AUHD-214.0-56917498", **headers}

    def _webhooks(self, method: str, client_id: str, request: Json) -> Answer:
        mine = self.webhooks.get(client_id)
        if method == "GET":
            return _json(200, {"webhooks": [mine] if mine else []})
        if mine and mine["url"] == request["url"]:
            return _json(400, {"name": "WEBHOOK_URL_ALREADY_EXISTS"})
        self.webhooks[client_id] = {"id": messages.new_id(), **{name: request[name] for name in ("url", "event_types")}}
        return _json(201, self.webhooks[client_id])

    def _verify(self, client_id: str, request: Json, body: bytes) -> Answer:
        hook, raw = self.webhooks.get(client_id), self.signed.get(request.get("transmission_id", ""))
        # The request must contain the event as it was sent: real signatures are over its bytes.
        good = hook is not None and raw is not None and request.get("webhook_id") == hook["id"] and raw in body
        return _json(200, {"verification_status": "SUCCESS" if good else "FAILURE"})

    def _create(self, environment: str, client_id: str, request: Json) -> Answer:
        [unit] = request["purchase_units"]
        context = request["payment_source"]["paypal"]["experience_context"]
        order = Order(messages.new_id(), client_id, environment, unit, context)
        self.orders[order.order_id] = order
        approve = f"{self.url}/{environment}/checkoutnow?token={order.order_id}"
        return _json(201, _shown(order) | {"links": [{"rel": "payer-action", "href": approve, "method": "GET"}]})

    def _capture(self, order: Order) -> Answer:
        if order.status == "COMPLETED":
            return _json(422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "ORDER_ALREADY_CAPTURED"}]})
        if order.status != "APPROVED":
            return _json(422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "ORDER_NOT_APPROVED"}]})
        order.status = "COMPLETED"
        names = ("amount", "invoice_id", "custom_id")
        order.capture = {name: order.unit[name] for name in names} | {
            "id": messages.new_id(),
            "status": self.captured_as,
            "final_capture": True,
            "supplementary_data": {"related_ids": {"order_id": order.order_id}},
        }
        self.send_event(order, f"PAYMENT.CAPTURE.{self.captured_as}", "capture", order.capture)
        return _json(201, _shown(order))

    def _back(self, order_id: str, kind: str, amount: str) -> Json:
        order = self.orders[order_id]
        assert order.capture is not None
        up = f"https://api.paypal.com/v2/payments/captures/{order.capture['id']}"
        back = {
            "id": messages.new_id(),
            "amount": {**order.capture["amount"], "value": amount},
            "invoice_id": order.unit["invoice_id"],
            "custom_id": order.unit["custom_id"],
            "status": "COMPLETED",
            "links": [{"rel": "up", "href": up, "method": "GET"}],
        }
        return self.send_event(order, kind, "refund", back)


def _shown(order: Order) -> Json:
    unit = dict(order.unit)
    if order.capture:
        unit["payments"] = {"captures": [order.capture]}
    return {"id": order.order_id, "intent": "CAPTURE", "status": order.status, "purchase_units": [unit]}


def _token(authorization: str) -> Answer:
    try:
        client_id, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    except ValueError:
        client_id = secret = ""
    if not client_id or not secret or secret == WRONG_SECRET:
        return _json(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
    return _json(200, {"access_token": f"token-of-{client_id}", "token_type": "Bearer", "expires_in": 32_400})


def _json(status: int, content: Json) -> Answer:
    return Answer(status, json.dumps(content).encode())
