"""``/pay/{intent}``: the page that takes a payer to PayPal, and those that PayPal brings it back to.

All are public: the address is the permission. Those that PayPal brings payers back to are inert: they believe nothing
of their query string, and change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from chalicelib.aws.transactions import Scope
from chalicelib.errors import Conflict, NotFound
from chalicelib.framework import Blueprint
from chalicelib.payments import gateway, page
from chalicelib.payments.gateway import Paypal, PaypalFailed
from chalicelib.payments.page import Asked
from chalicelib.payments.service import orders, pay
from chalicelib.web.doors import FORM, Reply, Visit, door

bp = Blueprint(__name__)


@door(bp, "GET", "/pay/{intent}")
def show_pay(visit: Visit) -> Reply:
    """The amount and the button."""
    return _page(visit, page.pay)


@door(bp, "GET", "/pay/{intent}/return")
def show_return(visit: Visit) -> Reply:
    """Waiting, then paid."""
    return _page(visit, lambda asked: page.back(asked, "state"))


@door(bp, "GET", "/pay/{intent}/cancel")
def show_cancel(visit: Visit) -> Reply:
    """Back without a payment."""
    return _page(visit, lambda asked: page.cancelled(asked, f"../{visit.path['intent']}"))


@door(bp, "GET", "/pay/{intent}/state")
def show_state(visit: Visit) -> Reply:
    """How far the payment is, for the page."""
    return Reply(json.dumps({"status": pay.status(visit.path["intent"])}), content_type="application/json")


@door(bp, "POST", "/pay/{intent}/checkout", takes=FORM)
def start_checkout(visit: Visit) -> Reply:
    """Make the order and take the payer to PayPal; back to the page when that is not possible now."""
    here = f"{visit.base_url}/pay/{visit.path['intent']}"
    try:
        scope = Scope("payer", visit.now)
        return _go(orders.checkout(scope, Paypal(), visit.path["intent"], visit.base_url))
    except Conflict:
        return _go(here)
    except PaypalFailed:
        return Reply("PayPal does not answer. Go back and try again in a minute.", 503)


def _go(url: str) -> Reply:
    return Reply(status=303, headers={"Location": url})


def _page(visit: Visit, show: Callable[[Asked], str]) -> Reply:
    try:
        asked = pay.look(visit.path["intent"], visit.now, visit.base_url)
    except NotFound:
        return Reply(page.missing(), 404, "text/html; charset=utf-8", _headers())
    return Reply(show(asked), 200, "text/html; charset=utf-8", _headers())


def _headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": page.policy(gateway.origins()),
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        # The address of the page is the permission to see it: PayPal need not have it from the browser.
        "Referrer-Policy": "no-referrer",
    }
