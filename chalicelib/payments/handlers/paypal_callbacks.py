"""The addresses that PayPal's servers call. Anybody can, so a message counts only after PayPal has confirmed it."""

from __future__ import annotations

import logging

from chalicelib.aws.transactions import Scope
from chalicelib.errors import ForfaitError, LostRace
from chalicelib.framework import Blueprint
from chalicelib.payments.gateway import Paypal, PaypalFailed
from chalicelib.payments.service import inbox
from chalicelib.web.public_routes import FORM, PublicRequest, PublicResponse, public_route

bp = Blueprint(__name__)
log = logging.getLogger(__name__)


@public_route(bp, "POST", "/paypal/ipn/{token}", accepts=FORM)
def take_ipn(request: PublicRequest) -> PublicResponse:
    """An IPN message: 200 when it is settled, 503 for PayPal to send it again."""
    scope = Scope("paypal:ipn", request.now)
    try:
        status = inbox.take_ipn(scope, Paypal(), request.path["token"], request.raw, request.headers)
    except Exception as problem:
        status = _status_of(problem)
    return PublicResponse(status=status)


@public_route(bp, "POST", "/paypal/webhook/{token}", accepts="application/json")
def take_webhook(request: PublicRequest) -> PublicResponse:
    """An event of a reseller's REST app: 200 when it is settled, 503 for PayPal to send it again."""
    scope = Scope("paypal:webhook", request.now)
    try:
        status = inbox.take_event(scope, Paypal(), request.path["token"], request.raw, request.headers)
    except Exception as problem:
        status = _status_of(problem)
    return PublicResponse(status=status)


def _status_of(problem: Exception) -> int:
    """503, so that PayPal sends the message again for days. Raises the errors that would repeat (404, 413)."""
    if isinstance(problem, LostRace | PaypalFailed):
        return 503
    if isinstance(problem, ForfaitError):
        raise problem
    # A database that does not answer, for example.
    log.error("a message of PayPal could not be settled", exc_info=problem)
    return 503
