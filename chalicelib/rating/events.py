"""The functions that messages of S3 and schedules start.

Each is a Lambda function of its own, which imports neither ``app.py`` nor the shapes of the API.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from chalicelib.apart import Apart
from chalicelib.aws import queues
from chalicelib.aws.event_time import now_of
from chalicelib.aws.transactions import Scope
from chalicelib.config import settings
from chalicelib.framework import Blueprint, CloudWatchEvent, SQSEvent
from chalicelib.rating import s3_events
from chalicelib.rating.batches import lifecycle
from chalicelib.rating.decks import publish
from chalicelib.rating.nightly import reconcile, recover, sweep

log = logging.getLogger(__name__)
bp = Blueprint(__name__)

RETRY_SECONDS = 20
"""Wait before a failed file is tried again, times the number of tries so far."""


@bp.on_sqs_message(queue=settings.queue, batch_size=1, name="rate_dropped_files")
def rate_dropped_files(event: SQSEvent) -> None:
    """Rate each CDR file and publish each deck that the messages announce.

    Any failure is raised, so that the queue delivers the message again; the last delivery marks the batch ``failed``.
    """
    for message in event.to_dict()["Records"]:
        receives = int(message["attributes"]["ApproximateReceiveCount"])
        try:
            for arrival in s3_events.read(message["body"], settings.bucket):
                _take(arrival, last_try=receives >= s3_events.MAX_RECEIVES)
        except Exception:
            queues.hasten(settings.queue, message, RETRY_SECONDS)
            raise


@bp.schedule("cron(10 2 * * ? *)", name="rescan")
def rescan(event: CloudWatchEvent) -> None:
    """Announce again every dropped file that has no batch, and every batch whose every try was killed.

    With ``{"retry_failed": true}`` as its detail, which only people send, also the batches that were given up.
    """
    detail = event.to_dict().get("detail") or {}
    scope = Scope(actor="system:rescan", now=_now(event))
    apart = Apart()
    with apart.turn("the search for files without a batch"):
        log.info("announced %d files again", recover.announce_unrated(scope.now))
    with apart.turn("the search for batches that stopped"):
        resumed = recover.resume_stopped(scope, failed=detail.get("retry_failed") is True)
        log.info("announced %d batches again that had stopped, gave up %d", resumed.announced, resumed.given_up)
    apart.end()


@bp.schedule("cron(10 6 * * ? *)", name="sweep")
def sweep_objects(event: CloudWatchEvent) -> None:
    """Delete objects under ``rated/`` that are 15 days old and not in the index."""
    swept = sweep.sweep(Scope(actor="system:sweep", now=_now(event)), lambda: _is_late(event))
    log.info("looked at %d objects, deleted %d, left %d old ones", swept.seen, swept.deleted, swept.left)
    if not swept.finished:
        log.warning("the sweep ran out of time; its next run continues there")


@bp.schedule("cron(10 4 * * ? *)", name="reconcile")
def reconcile_books(event: CloudWatchEvent) -> None:
    """Check that everything adds up, reading what was written since the last time; raises when it does not.

    With ``{"checks": ["balances"]}`` as its detail, which only people send, run these checks alone and write nothing.
    """
    names = (event.to_dict().get("detail") or {}).get("checks")
    if names is None:
        found = reconcile.nightly(Scope(actor="system:reconcile", now=_now(event)), int(time.time()))
    else:
        found = reconcile.selected(names, _now(event))
    if found:
        raise RuntimeError(f"{len(found)} differences in the books; see the log")


def _now(event: CloudWatchEvent) -> int:
    return now_of(event.to_dict()["time"])


def _is_late(event: CloudWatchEvent) -> bool:
    """Whether the function has less than a minute left to run."""
    context: Any = event.context
    return context is not None and context.get_remaining_time_in_millis() < 60_000


def _take(arrival: s3_events.Arrival, *, last_try: bool) -> None:
    scope = Scope(actor="system:rating", now=int(time.time()))
    log.info("%s arrived", arrival.key)
    if arrival.key.startswith(publish.PREFIX):
        publish.publish(scope, arrival.key, arrival.version_id)
        return
    # Here and not above: the API imports this module to declare its functions, and does not need numpy.
    from chalicelib.rating.batches import rate

    try:
        rate.rate_batch(scope, arrival.key, arrival.version_id, lambda: int(time.time()))
    except Exception as problem:
        if last_try:
            reason = f"{type(problem).__name__}: the last of {s3_events.MAX_RECEIVES} tries broke; see the log."
            lifecycle.fail_by_key(scope, arrival.key, arrival.version_id, reason)
        raise
