"""``/v1/paypal``, deposits of clients, and the operator's view of messages."""

from __future__ import annotations

from typing import Any

from chalicelib.framework import Blueprint
from chalicelib.payments.gateway import Paypal
from chalicelib.payments.service import archive, config, deposits, inbox, orders, reviews
from chalicelib.payments.shapes import AppIn, DepositIn, DepositOut, MessageOut, PaypalIn, PaypalOut, ReviewOut
from chalicelib.principals import EVERYONE_OF_A_RESELLER, OPERATOR, RESELLER, STAFF
from chalicelib.web.lists import list_route, page_request
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
RESELLER_AND_CLIENT = ("reseller", "client")
_MESSAGE = "/v1/resellers/{reseller_id}/paypal/messages/{message_id}"


@route(bp, "GET", "/v1/paypal", roles=STAFF, answer=PaypalOut)
def get_paypal(call: Call) -> Any:
    """Get the PayPal settings, and when messages of PayPal came last."""
    return config.get(call.who.reseller_id, call.base_url)


@route(bp, "PUT", "/v1/paypal", roles=RESELLER, body=PaypalIn, answer=PaypalOut, status=200)
def put_paypal(call: Call) -> Any:
    """Set up PayPal payments, or change the settings."""
    return config.put(call.scope, call.who.reseller_id, call.body(PaypalIn), call.base_url)


@route(bp, "PUT", "/v1/paypal/app", roles=RESELLER, body=AppIn, answer=PaypalOut, status=200)
def put_paypal_app(call: Call) -> Any:
    """Use a REST app of your own instead of the classic button."""
    return orders.put_app(call.scope, Paypal(), call.who.reseller_id, call.body(AppIn), call.base_url)


@route(bp, "DELETE", "/v1/paypal/app", roles=RESELLER)
def remove_paypal_app(call: Call) -> Any:
    """Remove the REST app and go back to the classic button."""
    orders.remove_app(call.scope, call.who.reseller_id)


@list_route(bp, "/v1/paypal/reviews", ReviewOut, roles=STAFF)
def list_paypal_reviews(call: Call) -> Any:
    """List messages of PayPal that a person should look at, oldest first."""
    return reviews.listed(call.who.reseller_id, page_request(call))


@route(bp, "DELETE", "/v1/paypal/reviews/{review_id}", roles=RESELLER)
def close_paypal_review(call: Call) -> Any:
    """Close an item that a person has looked at."""
    reviews.close(call.scope, call.who.reseller_id, call.path["review_id"])


@route(bp, "POST", "/v1/clients/{client_id}/deposits", roles=RESELLER_AND_CLIENT, body=DepositIn, answer=DepositOut)
def create_deposit(call: Call) -> Any:
    """Create a deposit: the form that leads to PayPal, and a page with that form."""
    return deposits.create(call.scope, call.who, call.path["client_id"], call.body(DepositIn), call.base_url)


@list_route(bp, "/v1/clients/{client_id}/deposits", DepositOut, roles=EVERYONE_OF_A_RESELLER)
def list_deposits(call: Call) -> Any:
    """List a client's deposits, newest first."""
    return deposits.listed(call.who, call.path["client_id"], page_request(call), call.base_url)


@route(bp, "GET", "/v1/clients/{client_id}/deposits/{deposit_id}", roles=EVERYONE_OF_A_RESELLER, answer=DepositOut)
def get_deposit(call: Call) -> Any:
    """Get a deposit and its status."""
    return deposits.get(call.who, call.path["client_id"], call.path["deposit_id"], call.base_url)


@route(
    bp, "POST", "/v1/clients/{client_id}/deposits/{deposit_id}/capture", roles=RESELLER, answer=DepositOut, status=200
)
def capture_deposit(call: Call) -> Any:
    """Capture the order of a deposit now, after the payer has approved it."""
    path = call.path
    return orders.capture(call.scope, Paypal(), call.who, path["client_id"], path["deposit_id"], call.base_url)


@list_route(bp, "/v1/resellers/{reseller_id}/paypal/messages", MessageOut, roles=OPERATOR)
def list_paypal_messages(call: Call) -> Any:
    """List the stored messages of a reseller, newest first."""
    return archive.listed(call.path["reseller_id"], page_request(call))


@route(bp, "POST", f"{_MESSAGE}/verify", roles=OPERATOR, answer=MessageOut, status=200)
def verify_paypal_message(call: Call) -> Any:
    """Ask PayPal about a stored message again, and apply it if PayPal verifies it now."""
    return inbox.verify_again(call.scope, Paypal(), call.path["reseller_id"], call.path["message_id"])


@route(bp, "POST", f"{_MESSAGE}/replay", roles=OPERATOR, answer=MessageOut, status=200)
def replay_paypal_message(call: Call) -> Any:
    """Decide a verified message again; what was booked is not booked twice."""
    return inbox.replay(call.scope, Paypal(), call.path["reseller_id"], call.path["message_id"])
