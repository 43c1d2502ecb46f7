"""What PayPal calls. Nothing that comes in here is believed before PayPal has said that it sent it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chalicelib.aws.transactions import Scope
from chalicelib.errors import ForfaitError, LostRace
from chalicelib.framework import Blueprint
from chalicelib.payments.gateway import Paypal, PaypalFailed
from chalicelib.payments.service import inbox
from chalicelib.web.doors import FORM, Reply, Visit, door

bp = Blueprint(__name__)
log = logging.getLogger(__name__)


@door(bp, "POST", "/paypal/ipn/{token}", takes=FORM)
def take_ipn(visit: Visit) -> Reply:
    """An IPN message: 200 when it is settled, 503 for PayPal to send it again."""
    return _taken(inbox.take_ipn, visit, "paypal:ipn")


@door(bp, "POST", "/paypal/webhook/{token}", takes="application/json")
def take_webhook(visit: Visit) -> Reply:
    """An event of a reseller's REST app: as above."""
    return _taken(inbox.take_event, visit, "paypal:webhook")


def _taken(take: Callable[..., int], visit: Visit, actor: str) -> Reply:
    try:
        return Reply(status=take(Scope(actor, visit.now), Paypal(), visit.path["token"], visit.raw, visit.headers))
    except (LostRace, PaypalFailed):
        return Reply(status=503)
    except ForfaitError:
        raise
    except Exception:
        # A database that does not answer, say. PayPal sends the message again for days.
        log.exception("a message of PayPal could not be settled")
        return Reply(status=503)
