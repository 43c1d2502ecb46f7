"""S3's notifications in the queue: read into the object versions they name, and made for one that is rated again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote_plus, unquote_plus

from chalicelib.aws import queues
from chalicelib.config import settings

MAX_RECEIVES = 5
"""Deliveries of one message before it goes to the dead letters; the queue in ``infra/`` has the same number."""
VISIBILITY_SECONDS = 960
"""How long a message that a try holds is hidden from others; also as in ``infra/``."""
SPENT_SECONDS = MAX_RECEIVES * VISIBILITY_SECONDS
"""After so long without a sign of life, all deliveries of a message are spent."""


class Arrival(NamedTuple):
    """One object version under ``incoming/``."""

    key: str
    version_id: str


def read(body: str, bucket: str) -> list[Arrival]:
    """A message body -> what arrived in ``bucket``; ``s3:TestEvent`` and other buckets' records tell of nothing."""
    message = json.loads(body)
    arrivals = []
    for record in message.get("Records", []):
        told = record.get("s3", {})
        if told.get("bucket", {}).get("name") != bucket or "key" not in told.get("object", {}):
            continue
        # S3 writes keys as in a form: blanks are plus signs.
        key = unquote_plus(told["object"]["key"])
        arrivals.append(Arrival(key, told["object"].get("versionId", "")))
    return [arrival for arrival in arrivals if arrival.key.startswith(("incoming/cdr/", "incoming/decks/"))]


def announce(arrivals: Iterator[tuple[str, str]]) -> int:
    """Put object versions on the queue, as S3 does when they are dropped; returns how many."""
    return queues.send(settings.queue, (_message(*arrival) for arrival in arrivals))


def _message(key: str, version_id: str) -> str:
    told = {"bucket": {"name": settings.bucket}, "object": {"key": quote_plus(key), "versionId": version_id}}
    return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}]})
