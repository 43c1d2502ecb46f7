"""``/v1/webhooks``, ``/v1/notifications`` and ``/v1/deliveries``."""

from __future__ import annotations

from typing import Any

from chalicelib.framework import Blueprint
from chalicelib.notices.service import choices
from chalicelib.notices.shapes import (
    DeliveriesQuery,
    DeliveryOut,
    WebhookIn,
    WebhookMade,
    WebhookOut,
    WishesIn,
    WishesOut,
)
from chalicelib.principals import RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/webhooks", roles=RESELLER, body=WebhookIn, answer=WebhookMade)
def create_webhook(call: Call) -> Any:
    """Send events to a URL; the secret that signs the requests is shown once."""
    return choices.create(call.scope, call.who.reseller_id, call.body(WebhookIn))


@list_route(bp, "/v1/webhooks", WebhookOut, roles=STAFF)
def list_webhooks(call: Call) -> Any:
    """List webhooks, oldest first, without their secrets."""
    return choices.listed(call.who.reseller_id, page_request(call))


@route(bp, "POST", "/v1/webhooks/{webhook_id}/rotate", roles=RESELLER, answer=WebhookMade, status=200)
def rotate_webhook(call: Call) -> Any:
    """Create a new secret, which is shown once; the old one also signs for a day."""
    return choices.rotate(call.scope, call.who.reseller_id, call.path["webhook_id"])


@route(bp, "DELETE", "/v1/webhooks/{webhook_id}", roles=RESELLER)
def delete_webhook(call: Call) -> Any:
    """Delete a webhook."""
    choices.delete(call.scope, call.who.reseller_id, call.path["webhook_id"])


@route(bp, "GET", "/v1/notifications", roles=STAFF, answer=WishesOut)
def get_notifications(call: Call) -> Any:
    """Get the kinds of events that go out by e-mail, to clients and to the reseller."""
    return choices.get_wishes(call.who.reseller_id)


@route(bp, "PUT", "/v1/notifications", roles=RESELLER, body=WishesIn, answer=WishesOut)
def put_notifications(call: Call) -> Any:
    """Set the kinds of events that go out by e-mail."""
    return choices.put_wishes(call.scope, call.who.reseller_id, call.body(WishesIn))


@list_route(bp, "/v1/deliveries", DeliveryOut, roles=STAFF, query=DeliveriesQuery)
def list_deliveries(call: Call) -> Any:
    """List e-mails and webhook requests of the last 30 days, newest first, with their outcome."""
    return choices.deliveries(call.who.reseller_id, call.query(DeliveriesQuery), page_request(call))
