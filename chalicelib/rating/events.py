"""The function that S3 calls, through a queue, for every file dropped under ``incoming/``.

Runs in a Lambda function of its own, imported without ``app.py`` and without the shapes of the API.
"""

from __future__ import annotations

import logging
import time

from chalice.app import Blueprint, SQSEvent

from chalicelib.config import settings
from chalicelib.rating import arrivals
from chalicelib.rating.service import batches, decks
from chalicelib.tables import Scope

log = logging.getLogger(__name__)
bp = Blueprint(__name__)


@bp.on_sqs_message(queue=settings.queue, batch_size=1, name="rate_dropped_files")
def rate_dropped_files(event: SQSEvent) -> None:
    """Rate each CDR file, publish each deck that the messages tell of.

    A failure is raised, so that the queue delivers the message again; the last delivery marks the batch ``failed``.
    """
    for message in event.to_dict()["Records"]:
        last = int(message["attributes"]["ApproximateReceiveCount"]) >= arrivals.MAX_RECEIVES
        for arrival in arrivals.read(message["body"], settings.bucket):
            _take(arrival, last_try=last)


def _take(arrival: arrivals.Arrival, *, last_try: bool) -> None:
    scope = Scope(actor="system:rating", now=int(time.time()))
    log.info("%s arrived", arrival.key)
    if arrival.key.startswith(decks.PREFIX):
        decks.publish(scope, arrival.key, arrival.version_id)
        return
    try:
        batches.rate_batch(scope, arrival.key, arrival.version_id)
    except Exception as problem:
        if last_try:
            reason = f"{type(problem).__name__}: the last of {arrivals.MAX_RECEIVES} tries broke; see the log."
            batches.fail_by_key(scope, arrival.key, arrival.version_id, reason)
        raise
