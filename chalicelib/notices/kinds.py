"""Kinds of events that have notices, and when a failed delivery is tried again."""

from __future__ import annotations

CLIENT_KINDS = ("client.low_balance", "client.suspended", "client.resumed")
"""Kinds that a client may get by e-mail; its reseller may get them too."""
KINDS = (*CLIENT_KINDS, "account.low_balance", "batch.rejects", "batch.failed")
TRY_SECONDS = 86_400
"""How long after its creation a delivery may be tried."""
_FIRST_PAUSE, _LONGEST_PAUSE = 60, 4 * 3600


def next_try(created_at: int, attempts: int, now: int) -> int | None:
    """Instant of the next try: 1, 2, 4, ... minutes after the failed one, at most 4 hours; ``None`` after a day."""
    due = now + min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return due if due <= created_at + TRY_SECONDS else None
