"""Reads rated calls from S3, by the ranges that the index in the table names."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.aws.transactions import new_id
from chalicelib.calls import format as call_format
from chalicelib.calls import store as call_store
from chalicelib.calls.format import RatedCall
from chalicelib.calls.store import Segment

ROWS_AT_ONCE = 1 << 16
"""Calls that are read at a time, or one member if it has more."""
UNREADABLE = (objects.Missing, zlib.error, EOFError, ValueError, TypeError)
"""What is raised when the bytes of a segment are gone or damaged."""


def read(segment: Segment, members: Sequence[Sequence[int]] | None = None) -> list[RatedCall]:
    """The calls of a segment, or of some neighbouring ``members`` of it, oldest first."""
    return list(calls(segment, members))


def calls(segment: Segment, members: Sequence[Sequence[int]] | None = None) -> Iterator[RatedCall]:
    """The same, one by one: a client's day may have millions."""
    for data in portions(segment, segment.members if members is None else members):
        yield from call_format.decode(data)


def portions(segment: Segment, members: Sequence[Sequence[int]]) -> Iterator[bytes]:
    """The bytes of neighbouring members of a segment, some at a time, each read when it is needed."""
    for some in _some_at_once(members):
        yield objects.read(segment.object_key, *span(some))


def _some_at_once(members: Sequence[Sequence[int]]) -> Iterator[Sequence[Sequence[int]]]:
    first = rows = 0
    for place, member in enumerate(members):
        if rows and rows + member[2] > ROWS_AT_ONCE:
            yield members[first:place]
            first, rows = place, 0
        rows += member[2]
    if rows:
        yield members[first:]


def last_start(client_id: str, holder: str, since: int) -> int | None:
    """The start of the latest rated call of ``sub:<username>`` or ``did:<number>`` at or after an instant.

    ``None`` if there is no such call. The calls themselves are read, newest first: a sub-account or DID seldom changes
    its client, and so nothing has to be stored for each.
    """
    name, found = holder.partition(":")[2], since - 1
    newest = sorted(call_store.segments_of(client_id, periods.utc_day(since), "9999"), key=_last, reverse=True)
    for segment in newest:
        members = [member for member in segment.members if member[4] >= since]
        for some in reversed(list(_some_at_once(members))):
            if some[-1][4] <= found:
                break
            data = objects.read(segment.object_key, *span(some))
            if name in call_format.unpacked(data):
                starts = (call.start for call in call_format.decode(data) if call_format.holder_of(call) == holder)
                found = max(found, max(starts, default=found))
    return found if found >= since else None


def batches_with(client_ids: Iterable[str], holder: str, since: int) -> set[str]:
    """Ids of batches that have billed one of these clients a call of ``holder`` that began at ``since`` or later."""
    name, found = holder.partition(":")[2], set[str]()
    first_day = periods.utc_day(max(since, 0))
    for segment in (each for one in client_ids for each in call_store.segments_of(one, first_day, "9999")):
        if segment.batch_id in found:
            continue
        members = [member for member in segment.members if member[4] >= since]
        for data in portions(segment, members):
            if name in call_format.unpacked(data):
                calls = (call for call in call_format.decode(data) if call.start >= since)
                found |= {call.batch_id for call in calls if call_format.holder_of(call) == holder}
    return found


def _last(segment: Segment) -> int:
    return segment.last


SHARED = "shared"
"""In the place of the client's id, for an object with calls of several clients."""


def object_key(reseller_id: str, client_id: str, month: str, batch_id: str) -> str:
    """A new random name. So a try that dies leaves an object that no index item names, and no other try uses."""
    return f"rated/{reseller_id}/{client_id}/{month}/{batch_id}-{new_id()}.csv.gz"


def day_name(day: int) -> str:
    """``YYYY-MM-DD`` of a UTC day counted from 1970."""
    return periods.utc_day(day * periods.DAY_SECONDS)


def span(members: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Offset and length in bytes of neighbouring members."""
    offset = members[0][0]
    return offset, members[-1][0] + members[-1][1] - offset
