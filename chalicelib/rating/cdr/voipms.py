"""Rows as VoIP.ms shows them (the field names of its ``getCDR``), spelled in the columns of Forfait's own CSV.

What differs: times are Eastern wall clocks without an offset, the direction has no column of its own, the caller is
``"Name" <number>``, and recordings stand among the calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.calls.format import INBOUND, OUTBOUND
from chalicelib.rating.cdr import call
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
    "seconds",
    "total",
)
REQUIRED = frozenset({"date", "account", "callerid", "destination", "disposition", "seconds"})
DIRECTION = frozenset({"description", "destination_type"})
"""One of them must be there to tell an inbound call."""

_RECORDING = "call recording"
_CALLER = re.compile(r"<([^<>]*)>\s*")
_NAMES = {"call_id": "uniqueid", "start": "date", "from": "callerid", "to": "destination", "cost": "total"}


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """A row's texts by ``COLUMNS`` (``pick`` takes them out of the fields) -> by ``call_fields.COLUMNS``.

    Raises ``BadField`` (``not_a_call``) for a recording. ``account`` is kept whole, main id included
    (``100000_office``): it is the name under which the sub-account registers.
    """
    uniqueid, date, description, kind, account, caller, called, disposition, seconds, total = pick(fields)
    way = direction(description, kind)
    name = _CALLER.search(caller)
    number = name.group(1) if name and name.group(1).strip() else caller
    return uniqueid, date, way, account, number, called, disposition, seconds, total


def renamed(message: str) -> str:
    """A message about a column of Forfait's, about the column of VoIP.ms that it came from."""
    return call.renamed(message, _NAMES)


def direction(description: str, kind: str) -> str:
    """VoIP.ms puts ``IN:USA`` even on some rows that it describes as outbound, so the description comes first.

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
