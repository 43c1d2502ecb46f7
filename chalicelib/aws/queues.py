"""Messages in the SQS queues, each of which has a function that reads it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import clients

log = logging.getLogger(__name__)

AT_ONCE = 10
"""Most messages that SQS takes in one request."""


def send(queue: str, bodies: Iterable[str]) -> int:
    """Send messages to a queue; returns how many. ``RuntimeError`` if the queue refuses any, after the others."""
    remaining, sent, refused = iter(bodies), 0, 0
    while group := list(islice(remaining, AT_ONCE)):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(group)]
        answer = _sqs().send_message_batch(QueueUrl=_url(queue), Entries=entries)
        failed = len(answer.get("Failed", []))
        sent, refused = sent + len(group) - failed, refused + failed
    if refused:
        raise RuntimeError(f"the queue {queue} refused {refused} messages")
    return sent


def hasten(queue: str, message: dict[str, Any], seconds: int) -> None:
    """Have a queue deliver a failed message again after ``seconds`` times the number of its deliveries so far.

    ``message``: a record of the event. A message is hidden for longer than its function may run (its visibility
    timeout); after a failure that was caught it need not wait so long.
    """
    wait = seconds * int(message["attributes"]["ApproximateReceiveCount"])
    try:
        _sqs().change_message_visibility(
            QueueUrl=_url(queue), ReceiptHandle=message["receiptHandle"], VisibilityTimeout=wait
        )
    except ClientError:
        log.warning("the message comes back only when its visibility ends", exc_info=True)


def _url(queue: str) -> str:
    return str(_sqs().get_queue_url(QueueName=queue)["QueueUrl"])


def _sqs() -> Any:
    return clients.client("sqs")
