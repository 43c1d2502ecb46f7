"""What happens every hour: one message per reseller, and the function that works them off.

Both run in Lambda functions of their own, imported without ``app.py`` and without the shapes of the API.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

from chalice.app import Blueprint, CloudWatchEvent, SQSEvent

from chalicelib import periods, queues
from chalicelib.accounts.service import fees, months
from chalicelib.config import settings
from chalicelib.tables import Scope

log = logging.getLogger(__name__)
bp = Blueprint(__name__)

WORK_SECONDS = 600
"""A function that has worked so long passes the rest on to a fresh one: AWS ends it after 900 seconds."""
RETRY_SECONDS = 60
"""Wait before a failed message is tried again, times the tries so far."""


@bp.schedule("rate(1 hour)", name="hourly")
def hourly(event: CloudWatchEvent) -> dict[str, Any]:
    """Put a message per reseller on the queue; answers with the queue and how many."""
    # The event's own instant travels in the message, so that a schedule can be run with a date to pretend.
    at = str(event.to_dict()["time"])
    periods.parse_instant(at)
    sent = queues.send(settings.hourly_queue, _messages(at))
    return {"queue": settings.hourly_queue, "messages": sent}


def _messages(at: str) -> Iterator[str]:
    for reseller_id in months.reseller_ids():
        yield json.dumps({"reseller_id": reseller_id, "at": at})


@bp.on_sqs_message(queue=settings.hourly_queue, batch_size=1, name="bill_and_close")
def bill_and_close(event: SQSEvent) -> None:
    """Bill the reseller's recurring fees that are due. A failure is raised, so that the message comes again."""
    for message in event.to_dict()["Records"]:
        try:
            _work(message["body"])
        except Exception:
            queues.hasten(settings.hourly_queue, message, RETRY_SECONDS)
            raise


def _work(body: str) -> None:
    told, begun = json.loads(body), time.monotonic()
    scope = Scope(actor="system:fees", now=periods.parse_instant(told["at"]))
    run = fees.bill_due(scope, told["reseller_id"], lambda: time.monotonic() - begun > WORK_SECONDS)
    log.info("reseller %s: %d dates, %d entries", told["reseller_id"], run.dates, run.entries)
    if run.failed:
        raise RuntimeError(f"{len(run.failed)} fees of reseller {told['reseller_id']} failed; see the log")
    if not run.finished:
        queues.send(settings.hourly_queue, [body])
