"""When a switch last asked whether a call may start: shown of each reseller and client.

A client that must pay first is stopped only by a switch that asks.
"""

from __future__ import annotations

from chalicelib.accounts.store.owners import Owner
from chalicelib.aws.stamps import stamp

ASKED_SECONDS = 600
"""``last_asked_at`` is written once in so many seconds, however many calls ask: so it is exact to ten minutes."""


def note_asked(owner: Owner, now: int) -> None:
    """Store that a switch has asked for a call of this client or reseller, which was just read.

    The owner's version stays, so no entry is decided again; a failure is only logged.
    """
    stamp(owner, Owner.last_asked_at, now, ASKED_SECONDS)
