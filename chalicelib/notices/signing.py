"""The signature of a webhook: HMAC-SHA256 over ``<timestamp>.<body>``, with every secret that is valid just now."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any


def new_secret() -> str:
    """256 random bits, with a prefix by which leaks are found."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def body_of(event_id: str, kind: str, at: str, data: dict[str, Any]) -> bytes:
    """The text that is signed and sent: the same at every try."""
    told = {"id": event_id, "type": kind, "created_at": at, "data": data}
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


def signature(keys: Sequence[str], timestamp: int, body: bytes) -> str:
    """The value of ``Forfait-Signature``: ``t=<seconds>,v1=<hex>`` with one ``v1`` for each secret."""
    signed = b"%d.%s" % (timestamp, body)
    marks = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])
