"""The signature of a webhook: HMAC-SHA256 over ``<timestamp>.<body>``, one for each secret that is valid."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any


def new_secret() -> str:
    """256 random bits as text, with a prefix by which secret scanners find leaks."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def body_of(event_id: str, kind: str, at: str, data: dict[str, Any]) -> bytes:
    """The JSON that is signed and sent, the same at every try. ``at``: RFC 3339."""
    fields = {"id": event_id, "type": kind, "created_at": at, "data": data}
    return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()


def signature(keys: Sequence[str], timestamp: int, body: bytes) -> str:
    """The value of ``Forfait-Signature``: ``t=<seconds>,v1=<hex>`` with one ``v1`` for each secret."""
    signed = b"%d.%s" % (timestamp, body)
    digests = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
