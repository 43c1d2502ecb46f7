"""The function that the clock calls every minute: it empties the outbox and sends the deliveries that are due.

It runs in a Lambda function of its own, which imports neither ``app.py`` nor the shapes of the API.
"""

from __future__ import annotations

import logging
import time

from chalicelib.apart import Apart
from chalicelib.aws.event_time import now_of
from chalicelib.aws.transactions import Scope
from chalicelib.framework import Blueprint, CloudWatchEvent
from chalicelib.notices.service import fanout, sending

log = logging.getLogger(__name__)
bp = Blueprint(__name__)

WORK_SECONDS = 60
"""For how long new tries are begun; the call of the next minute continues."""


@bp.schedule("rate(1 minute)", name="send_notices")
def send_notices(event: CloudWatchEvent) -> None:
    """Send the notices of all events that happened since the last call, and repeat failed ones."""
    began = time.monotonic()
    # The local stack may pretend a later date; a call that was delayed there must not use its old one.
    start = max(int(time.time()), now_of(event.to_dict()["time"]))

    def clock() -> int:
        return start + int(time.monotonic() - began)

    scope = Scope("system:notices", start)
    apart = Apart()
    with apart.turn("the outbox"):
        items = fanout.take_all(scope)
        log.log(logging.INFO if items else logging.DEBUG, "took %d items from the outbox", items)
    with apart.turn("sending"):
        tries = sending.send_due(scope, clock, start + WORK_SECONDS)
        log.log(logging.INFO if tries else logging.DEBUG, "tried %d deliveries", tries)
    apart.end()
