"""Rows as VoIP.ms shows them (the field names of its ``getCDR``), spelled in the columns of Forfait's own CSV.

The differences: times are Eastern local times without an offset, the direction has no column of its own, the caller is
written ``"Name" <number>``, and recordings are listed among the calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.calls.format import INBOUND, OUTBOUND
from chalicelib.rating.cdr import durations
from chalicelib.rating.cdr.call import BadField

ZONE = "America/New_York"
COLUMNS = (
    "uniqueid",
    "date",
    "description",
    "destination_type",
    "account",
    "callerid",
    "destination",
    "disposition",
    "duration",
    "seconds",
    "total",
)
REQUIRED = frozenset({"date", "account", "callerid", "destination", "disposition"})
LENGTH = frozenset({"seconds", "duration"})
"""A file must have one of these columns; the billable seconds are those of ``duration`` where it has no other."""
OTHER_NAMES = {
    "call date": "date",
    "date/time": "date",
    "caller id": "callerid",
    "call description": "description",
    "destination type": "destination_type",
    "sub account": "account",
    "unique id": "uniqueid",
    "cost": "total",
}
"""Titles that are read as names of ``getCDR``. VoIP.ms publishes no list of those of its portal's export, so none is
certain; a file with others is read by a source."""
DIRECTION = frozenset({"description", "destination_type"})
"""A file must have one of these columns: they say whether a call is inbound."""

_RECORDING = "call recording"
_CALLER = re.compile(r"<([^<>]*)>\s*")
NAMES = {
    "direction": "description",
    "call_id": "uniqueid",
    "start": "date",
    "from": "callerid",
    "to": "destination",
    "cost": "total",
}
"""Forfait's columns -> VoIP.ms's, for messages about refused lines."""


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """The fields of a row -> the texts of a call in the order of ``call.COLUMNS``.

    ``pick`` selects the fields of this module's ``COLUMNS``. Raises ``BadField`` (``not_a_call``) for a recording.
    ``account`` keeps the main id (``100000_office``): it is the name with which the sub-account registers.
    """
    uniqueid, date, description, kind, account, caller, called, disposition, duration, seconds, total = pick(fields)
    way = direction(description, kind)
    durations.check(seconds, duration, ("seconds", "duration"))
    seconds = seconds if seconds.strip() else duration
    name = _CALLER.search(caller)
    number = name.group(1) if name and name.group(1).strip() else caller
    return uniqueid, date, way, account, number, called, disposition, seconds, total


def direction(description: str, kind: str) -> str:
    """The direction, from ``description`` or, where that does not say it, from the destination type ``kind``.

    VoIP.ms gives the type ``IN:USA`` to some rows that it describes as outbound, so the description decides.
    Raises ``BadField`` (``not_a_call``) for a recording.
    """
    description = description.strip().lower()
    if description == _RECORDING:
        raise BadField("not_a_call")
    if "inbound" in description:
        return INBOUND
    if "outbound" in description:
        return OUTBOUND
    return INBOUND if kind.strip().upper().startswith("IN") else OUTBOUND
