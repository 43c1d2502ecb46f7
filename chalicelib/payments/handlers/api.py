"""``/v1/paypal``, deposits of clients, and the operator's view of messages."""

from __future__ import annotations

from typing import Any

from chalicelib.fields import Page, Paging
from chalicelib.framework import Blueprint
from chalicelib.payments.gateway import Paypal
from chalicelib.payments.service import archive, config, deposits, inbox, orders, reviews
from chalicelib.payments.shapes import AppIn, DepositIn, DepositOut, MessageOut, PaypalIn, PaypalOut, ReviewOut
from chalicelib.principals import EVERYONE_OF_A_RESELLER, OPERATOR, RESELLER, STAFF
from chalicelib.web import lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
RESELLER_AND_CLIENT = ("reseller", "client")
_MESSAGE = "/v1/resellers/{reseller_id}/paypal/messages/{message_id}"


@route(bp, "GET", "/v1/paypal", roles=STAFF, answer=PaypalOut)
def get_paypal(call: Call) -> Any:
    """How this reseller takes PayPal payments, and whether messages arrive."""
    return config.get(call.who.reseller_id, call.base_url)


@route(bp, "PUT", "/v1/paypal", roles=RESELLER, body=PaypalIn, answer=PaypalOut, status=200)
def put_paypal(call: Call) -> Any:
    """Take PayPal payments, or change how."""
    return config.put(call.scope, call.who.reseller_id, call.body(PaypalIn), call.base_url)


@route(bp, "PUT", "/v1/paypal/app", roles=RESELLER, body=AppIn, answer=PaypalOut, status=200)
def put_paypal_app(call: Call) -> Any:
    """Use a REST app of one's own in the place of the classic button."""
    return orders.put_app(call.scope, Paypal(), call.who.reseller_id, call.body(AppIn), call.base_url)


@route(bp, "DELETE", "/v1/paypal/app", roles=RESELLER)
def remove_paypal_app(call: Call) -> Any:
    """Go back to the classic button."""
    orders.remove_app(call.scope, call.who.reseller_id)


@route(bp, "GET", "/v1/paypal/reviews", roles=STAFF, query=Paging, answer=Page[ReviewOut])
def list_paypal_reviews(call: Call) -> Any:
    """What PayPal said that a person should look at, oldest first."""
    return lists.page(call, reviews.listed(call.who.reseller_id, lists.asked(call)))


@route(bp, "DELETE", "/v1/paypal/reviews/{review_id}", roles=RESELLER)
def close_paypal_review(call: Call) -> Any:
    """Tick off an item that was looked at."""
    reviews.close(call.scope, call.who.reseller_id, call.path["review_id"])


@route(bp, "POST", "/v1/clients/{client_id}/deposits", roles=RESELLER_AND_CLIENT, body=DepositIn, answer=DepositOut)
def create_deposit(call: Call) -> Any:
    """Ask for a PayPal payment: the form that leads to PayPal, and a page with it."""
    return deposits.create(call.scope, call.who, call.path["client_id"], call.body(DepositIn), call.base_url)


@route(
    bp, "GET", "/v1/clients/{client_id}/deposits", roles=EVERYONE_OF_A_RESELLER, query=Paging, answer=Page[DepositOut]
)
def list_deposits(call: Call) -> Any:
    """A client's deposits, newest first."""
    items, place = deposits.listed(call.who, call.path["client_id"], lists.asked(call), call.base_url)
    return {"items": items, "next": call.write_cursor(place)}


@route(bp, "GET", "/v1/clients/{client_id}/deposits/{deposit_id}", roles=EVERYONE_OF_A_RESELLER, answer=DepositOut)
def get_deposit(call: Call) -> Any:
    """One deposit and how far it is."""
    return deposits.get(call.who, call.path["client_id"], call.path["deposit_id"], call.base_url)


@route(
    bp, "POST", "/v1/clients/{client_id}/deposits/{deposit_id}/capture", roles=RESELLER, answer=DepositOut, status=200
)
def capture_deposit(call: Call) -> Any:
    """Ask PayPal now for the money of an order that the payer has approved."""
    path = call.path
    return orders.capture(call.scope, Paypal(), call.who, path["client_id"], path["deposit_id"], call.base_url)


@route(bp, "GET", "/v1/resellers/{reseller_id}/paypal/messages", roles=OPERATOR, query=Paging, answer=Page[MessageOut])
def list_paypal_messages(call: Call) -> Any:
    """The messages of a reseller that are still kept, newest first."""
    return lists.page(call, archive.listed(call.path["reseller_id"], lists.asked(call)))


@route(bp, "POST", f"{_MESSAGE}/verify", roles=OPERATOR, answer=MessageOut, status=200)
def verify_paypal_message(call: Call) -> Any:
    """Ask PayPal about a kept message again, and act on it if PayPal knows it now."""
    return inbox.verify_again(call.scope, Paypal(), call.path["reseller_id"], call.path["message_id"])


@route(bp, "POST", f"{_MESSAGE}/replay", roles=OPERATOR, answer=MessageOut, status=200)
def replay_paypal_message(call: Call) -> Any:
    """Decide a verified message again; what it did is not done twice."""
    return inbox.replay(call.scope, Paypal(), call.path["reseller_id"], call.path["message_id"])
