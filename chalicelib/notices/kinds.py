"""What can be told, and how long one tries."""

from __future__ import annotations

CLIENT_KINDS = ("client.low_balance", "client.suspended", "client.resumed")
"""What a client may be told of by e-mail, beside its reseller."""
KINDS = (*CLIENT_KINDS, "account.low_balance", "batch.rejects", "batch.failed")
TRY_SECONDS = 86_400
"""An answer that does not come within a day is not waited for."""
_FIRST_PAUSE, _LONGEST_PAUSE = 60, 4 * 3600


def next_try(created_at: int, attempts: int, now: int) -> int | None:
    """When to try again after so many failed attempts: in 1, 2, 4, ... minutes, at most 4 hours; ``None``: never."""
    due = now + min(_FIRST_PAUSE * 2 ** (attempts - 1), _LONGEST_PAUSE)
    return due if due <= created_at + TRY_SECONDS else None
