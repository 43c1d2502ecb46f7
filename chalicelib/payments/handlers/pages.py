"""``/pay/{intent}``: the page that takes a payer to PayPal, and the pages that PayPal sends the payer back to.

All are public: who knows the address may see them. The pages that PayPal sends payers back to ignore their query string
and change nothing.
"""

from __future__ import annotations

import json

from chalicelib.aws.transactions import Scope
from chalicelib.errors import Conflict
from chalicelib.framework import Blueprint
from chalicelib.payments import gateway, page
from chalicelib.payments.gateway import Paypal, PaypalFailed
from chalicelib.payments.page import PaymentView
from chalicelib.payments.service import orders, pay
from chalicelib.web.public_routes import FORM, PublicRequest, PublicResponse, public_route

bp = Blueprint(__name__)


def error_page(status: int, headers: dict[str, str]) -> PublicResponse:
    """An error as a page, in the language that the browser asks for: an unknown link has no client."""
    return _html(page.notice("missing" if status == 404 else "trouble", headers.get("accept-language", "en")), status)


@public_route(bp, "GET", "/pay/{intent}", error_page=error_page)
def show_pay(request: PublicRequest) -> PublicResponse:
    """The amount and the button."""
    return _html(page.pay(_view(request)))


@public_route(bp, "GET", "/pay/{intent}/return", error_page=error_page)
def show_return(request: PublicRequest) -> PublicResponse:
    """The status of the payment, after the payer has paid."""
    return _html(page.back(_view(request), "state"))


@public_route(bp, "GET", "/pay/{intent}/cancel", error_page=error_page)
def show_cancel(request: PublicRequest) -> PublicResponse:
    """The way back to the button, for a payer who has not paid; else the status."""
    return _html(page.cancelled(_view(request), f"../{request.path['intent']}"))


@public_route(bp, "GET", "/pay/{intent}/state")
def show_state(request: PublicRequest) -> PublicResponse:
    """The status of the payment as JSON, for the script of the page."""
    return PublicResponse(json.dumps({"status": pay.status(request.path["intent"])}), content_type="application/json")


@public_route(bp, "POST", "/pay/{intent}/checkout", accepts=FORM, error_page=error_page)
def start_checkout(request: PublicRequest) -> PublicResponse:
    """Create the order and redirect the payer to PayPal, or back to the page if the deposit cannot be paid now."""
    intent, scope = request.path["intent"], Scope("payer", request.now)
    try:
        url = orders.checkout(scope, Paypal(), intent, request.base_url)
    except Conflict:
        url = f"{request.base_url}/pay/{intent}"
    except PaypalFailed:
        return _html(page.notice("unreachable", _view(request).language), 503)
    return PublicResponse(status=303, headers={"Location": url})


def _view(request: PublicRequest) -> PaymentView:
    return pay.view(request.path["intent"], request.now, request.base_url)


def _html(text: str, status: int = 200) -> PublicResponse:
    headers = {
        "Content-Security-Policy": page.policy(gateway.origins()),
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        # The address gives access to the page, so the browser must not send it to PayPal.
        "Referrer-Policy": "no-referrer",
    }
    return PublicResponse(text, status, "text/html; charset=utf-8", headers)
