"""Messages of S3 in the queue: which object versions they name, and the same messages for files to try again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote_plus, unquote_plus

from chalicelib.aws import queues
from chalicelib.config import settings

MAX_RECEIVES = 5
"""Deliveries of a message before it goes to the dead-letter queue; ``infra/`` has the same number."""
VISIBILITY_SECONDS = 960
"""How long the queue hides a message while a function works on it; ``infra/`` has the same number."""
SPENT_SECONDS = MAX_RECEIVES * VISIBILITY_SECONDS
"""After so long, all deliveries of a message are over."""


class Arrival(NamedTuple):
    """One object version under ``incoming/``."""

    key: str
    version_id: str


def read(body: str, bucket: str) -> list[Arrival]:
    """A message body -> the object versions that arrived in ``bucket``; none for ``s3:TestEvent`` or other buckets."""
    message = json.loads(body)
    arrivals = []
    for record in message.get("Records", []):
        stored = record.get("s3", {})
        if stored.get("bucket", {}).get("name") != bucket or "key" not in stored.get("object", {}):
            continue
        # S3 encodes keys like the fields of a form: a blank is a plus sign.
        key = unquote_plus(stored["object"]["key"])
        arrivals.append(Arrival(key, stored["object"].get("versionId", "")))
    return [arrival for arrival in arrivals if arrival.key.startswith(("incoming/cdr/", "incoming/decks/"))]


def announce(arrivals: Iterator[tuple[str, str]]) -> int:
    """Put ``(key, version id)`` on the queue as S3 does when a file is dropped; returns how many."""
    return queues.send(settings.queue, (_message(*arrival) for arrival in arrivals))


def _message(key: str, version_id: str) -> str:
    stored = {"bucket": {"name": settings.bucket}, "object": {"key": quote_plus(key), "versionId": version_id}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": stored}]})
