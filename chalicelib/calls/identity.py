"""What makes two records the same call, within one client and one UTC day.

Three facts decide: the direction, whether the call was answered, and the call id. The first two together are the *kind*
of a call, a number from 0 to 3. The call id is compared as a CSV field (``format.quoted``), as it is stored.

Of records of one call the first wins, and the others are duplicates. A duplicate that differs from the winner in one of
``COMPARED`` is *conflicting*: it may be another call under a wrong id, so a person is shown both.
"""

from __future__ import annotations

from chalicelib.calls.format import ANSWERED, INBOUND, RatedCall, quoted

COMPARED = ("start", "disposition", "to", "seconds")
"""What two records of one call must say alike."""


def kind_of(direction: str, disposition: str) -> int:
    """The kind of a call: 1 is added for inbound, 2 for a call that was not answered."""
    return (direction == INBOUND) + 2 * (disposition != ANSWERED)


def key(kind: int, call_id: bytes) -> bytes:
    """The key of a call; ``call_id`` is a CSV field. Two records are the same call when their keys are equal."""
    return b"%d%b" % (kind, call_id)


def key_of(call: RatedCall) -> bytes:
    """The key of a stored call."""
    return key(kind_of(call.direction, call.disposition), quoted(call.call_id).encode())
