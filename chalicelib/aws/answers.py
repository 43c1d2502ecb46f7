"""Answers to requests with an Idempotency-Key: a repeat of such a request gets the stored answer."""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Item, Key, KeyOf

KEPT_SECONDS = 7 * 86_400
"""How long an answer is stored."""


class Answer(Item):
    """``IDEM#<tenant>`` / ``<route>#<Idempotency-Key>``: the answer to a request, without its secrets

    ``fingerprint``: SHA-256 of the request's body. ``status``: HTTP status. ``body``: JSON.
    """

    fingerprint = UnicodeAttribute()
    status = IntegerAttribute()
    body = JSONAttribute(null=True)

    key = KeyOf("IDEM#<tenant>", "<route>#<idempotency_key>")


@dataclass(frozen=True)
class Guard:
    """The Idempotency-Key of a request that was not answered before: the key of its ``Answer`` and two fields of it."""

    key: Key
    fingerprint: str
    status: int


def replay(key: Key, now: int) -> Answer | None:
    """The stored answer of an Idempotency-Key; ``None`` if there is none or it has expired."""
    stored = Answer.find(*key)
    return stored if stored and (stored.expires_at or 0) >= now else None
