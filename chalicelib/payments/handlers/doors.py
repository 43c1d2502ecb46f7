"""What PayPal calls. Nothing that comes in here is believed before PayPal has said that it sent it."""

from __future__ import annotations

import logging

from chalice.app import Blueprint

from chalicelib.errors import ForfaitError, LostRace
from chalicelib.payments.gateway import Paypal
from chalicelib.payments.service import inbox
from chalicelib.tables import Scope
from chalicelib.web.doors import FORM, Reply, Visit, door

bp = Blueprint(__name__)
log = logging.getLogger(__name__)


@door(bp, "POST", "/paypal/ipn/{token}", takes=FORM)
def take_ipn(visit: Visit) -> Reply:
    """An IPN message: 200 when it is settled, 503 for PayPal to send it again."""
    try:
        scope = Scope("paypal:ipn", visit.now)
        return Reply(status=inbox.take_ipn(scope, Paypal(), visit.path["token"], visit.raw, visit.headers))
    except LostRace:
        return Reply(status=503)
    except ForfaitError:
        raise
    except Exception:
        # A database that does not answer, say. PayPal sends the message again for four days.
        log.exception("an IPN message could not be settled")
        return Reply(status=503)
