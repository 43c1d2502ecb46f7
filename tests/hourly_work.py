"""The queue of the hourly work without its function: tests take its messages and call the function with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Take = Callable[[], list[dict[str, Any]]]


@contextmanager
def queue(aws: str) -> Iterator[Take]:
    """Yields a function that takes all messages off the queue, which is empty before and after."""
    from local import provision

    sqs = provision.client_maker(aws)("sqs")
    name = os.environ["FORFAIT_HOURLY_QUEUE"]
    provision.queue(sqs, name)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def take() -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in found:
                taken.append(message)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    take()
    yield take
    take()


def record(body: str) -> dict[str, Any]:
    """The event with a message, as Lambda gets it."""
    attributes = {"ApproximateReceiveCount": "1"}
    return {"Records": [{"body": body, "receiptHandle": "x", "attributes": attributes, "eventSource": "aws:sqs"}]}
