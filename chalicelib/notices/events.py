"""The function that the clock calls every minute: hand on what the outbox holds, and send what is due.

It runs in a Lambda function of its own, imported without ``app.py`` and without the shapes of the API.
"""

from __future__ import annotations

import logging
import time

from chalicelib import periods
from chalicelib.aws.transactions import Scope
from chalicelib.framework import Blueprint, CloudWatchEvent
from chalicelib.notices.service import fanout, sending

log = logging.getLogger(__name__)
bp = Blueprint(__name__)

WORK_SECONDS = 60
"""How long tries are begun; the next minute's call goes on."""


@bp.schedule("rate(1 minute)", name="send_notices")
def send_notices(event: CloudWatchEvent) -> None:
    """Tell everybody who is to be told of what happened."""
    began = time.monotonic()
    # A date that is pretended may lie ahead; a call that was late must not work with its old one.
    start = max(int(time.time()), periods.parse_instant(event.to_dict()["time"]))

    def clock() -> int:
        return start + int(time.monotonic() - began)

    scope = Scope("system:notices", start)
    taken = fanout.take_all(scope)
    tried = sending.send_due(scope, clock, start + WORK_SECONDS)
    if taken or tried:
        log.info("handed on %d notices, tried %d deliveries", taken, tried)
