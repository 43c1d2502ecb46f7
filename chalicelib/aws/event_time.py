"""The time that events name: on AWS the clock counts instead."""

from __future__ import annotations

import time

from chalicelib import periods
from chalicelib.config import settings


def now_of(instant: str) -> int:
    """The present instant for an event (or message) that says it is ``instant``, in RFC 3339.

    On the stage ``local`` it is that instant, because people run schedules there with another date. Elsewhere it is the
    clock: an event that is late, is delivered again or was written by hand must not turn a record of the past back.
    """
    named = periods.parse_instant(instant)
    return named if settings.is_local else int(time.time())
