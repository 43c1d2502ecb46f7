"""Rated calls in S3, read by ranges through their index in the table."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib import periods
from chalicelib.rating import segments, store
from chalicelib.rating.segments import RatedCall, key_of
from chalicelib.rating.store import Segment
from chalicelib.tables import new_id


def batch_of(segment: Segment) -> str:
    """The batch that billed the calls of a segment."""
    return str(segment.sk).split("#")[2]


def generation_of(segment: Segment) -> int:
    """The generation of that batch."""
    return int(str(segment.sk).split("#")[3])


def read(segment: Segment, members: Sequence[Sequence[int]] | None = None) -> list[RatedCall]:
    """The calls of a segment, or of some neighbouring members of it, oldest first."""
    offset, length = span(segment.members if members is None else members)
    return list(segments.decode(store.read(segment.object_key, offset, length)))


def key_of_call(call: RatedCall) -> str:
    """What makes a call the same call within a client and UTC day."""
    return key_of(call.direction, call.disposition, segments.quoted(call.call_id))


SHARED = "shared"
"""Stands for the client where an object holds calls of several."""


def object_key(reseller_id: str, client_id: str, month: str, batch_id: str) -> str:
    """A new name for calls of a client and month: a try that dies leaves an orphan, never what another would trust."""
    return f"rated/{reseller_id}/{client_id}/{month}/{batch_id}-{new_id()}.csv.gz"


def day_name(day: int) -> str:
    return periods.utc_day(day * periods.DAY_SECONDS)


def span(members: Sequence[Sequence[int]]) -> tuple[int, int]:
    offset = members[0][0]
    return offset, members[-1][0] + members[-1][1] - offset
