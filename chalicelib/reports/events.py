"""What happens every hour: one function sends a message per reseller, another bills and closes for each message.

Each is a Lambda function of its own, which imports neither ``app.py`` nor the shapes of the API.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

from chalicelib import periods
from chalicelib.accounts.ledger import queries
from chalicelib.accounts.service import fees, import_lock, import_steps
from chalicelib.aws import queues
from chalicelib.aws.event_time import now_of
from chalicelib.aws.transactions import Scope
from chalicelib.config import settings
from chalicelib.framework import Blueprint, CloudWatchEvent, SQSEvent
from chalicelib.reports import closing

log = logging.getLogger(__name__)
bp = Blueprint(__name__)

WORK_SECONDS = 600
"""After so long a function sends the message again and ends, because AWS stops it after 900 seconds."""
RETRY_SECONDS = 60
"""Wait before a failed message is tried again, times the number of tries so far."""


@bp.schedule("rate(1 hour)", name="hourly")
def hourly(event: CloudWatchEvent) -> dict[str, Any]:
    """Put a message per reseller on the queue; returns the queue and the number of messages."""
    at = periods.format_instant(now_of(event.to_dict()["time"]))
    sent = queues.send(settings.hourly_queue, _messages(at))
    return {"queue": settings.hourly_queue, "messages": sent}


def _messages(at: str) -> Iterator[str]:
    for reseller_id in queries.reseller_ids():
        yield json.dumps({"reseller_id": reseller_id, "at": at})


@bp.on_sqs_message(queue=settings.hourly_queue, batch_size=1, name="bill_and_close")
def bill_and_close(event: SQSEvent) -> None:
    """Bill the fees of a reseller that are due, then close the months that are due; or apply rows of an import.

    Any failure is raised, so that the queue delivers the message again.
    """
    for message in event.to_dict()["Records"]:
        try:
            _work(message["body"])
        except Exception:
            queues.hasten(settings.hourly_queue, message, RETRY_SECONDS)
            raise


def _work(body: str) -> None:
    """``body``: JSON of ``reseller_id`` and ``at`` (RFC 3339); ``import``, the id of an import with rows to apply, if
    that is all to do; and in a message that is passed on from the closing of months its ``place``.
    """
    message, begun = json.loads(body), time.monotonic()
    reseller_id, now = message["reseller_id"], now_of(message["at"])

    def out_of_time() -> bool:
        return time.monotonic() - begun > WORK_SECONDS

    if "import" in message:
        if not import_steps.apply(
            Scope(actor="system:imports", now=now), reseller_id, message["import"], out_of_time=out_of_time
        ):
            queues.send(settings.hourly_queue, [body])
        return
    place = closing.Place(*message["place"]) if "place" in message else None
    if place is None:
        if (unfinished := import_lock.unfinished(reseller_id)) is not None:
            # Its own message may be lost, or have failed too often.
            import_steps.announce(reseller_id, unfinished, now)
        # A fee that is billed has its next date, so a message that is passed on goes on with the others.
        billed = fees.bill_due(Scope(actor="system:fees", now=now), reseller_id, out_of_time)
        log.info("reseller %s: %d dates, %d fees", reseller_id, billed.dates, billed.entries)
        if billed.failed:
            # Its months stay open, because the missing fee belongs to one of them.
            raise RuntimeError(f"{len(billed.failed)} fees of reseller {reseller_id} failed; see the log")
        if not billed.finished:
            queues.send(settings.hourly_queue, [body])
            return
    scope, after_days = Scope(actor="system:closing", now=now), settings.close_after_days
    closed = closing.close_due(scope, reseller_id, after_days, out_of_time, place or closing.START)
    log.info("reseller %s: %d months of ledgers closed", reseller_id, closed.closed)
    if not closed.finished:
        queues.send(settings.hourly_queue, [json.dumps({**message, "place": closed.place})])
    elif closed.place.left_open:
        raise RuntimeError(f"{closed.place.left_open} ledgers of reseller {reseller_id} stay open; see the log")
