"""Rated calls in S3, read by ranges through their index in the table."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chalicelib import periods
from chalicelib.rating import segments, store
from chalicelib.rating.segments import RatedCall, key_of
from chalicelib.rating.store import Segment

KEPT_KEYS = 300_000
"""Call keys that a container remembers (some 40 MB): the files of a client's day come one after another."""


class Known:
    """Calls already billed to a client on some UTC days: which segments there are, and their keys when asked.

    Of the batch that asks, only what its present generation has billed counts: the months in ``settled``. What an
    earlier one billed will make room.
    """

    def __init__(self, client_id: str, days: Sequence[int], batch_id: str, settled: Collection[str]) -> None:
        names = {day_name(day): day for day in days}
        found = store.segments_of(client_id, min(names), max(names)) if names else []
        self._segments: dict[int, list[Segment]] = {}
        for segment in found:
            if segment.day in names and (batch_of(segment) != batch_id or segment.month in settled):
                self._segments.setdefault(names[segment.day], []).append(segment)
        self.names = frozenset(segment.sk for segments in self._segments.values() for segment in segments)

    def keys(self, day: int) -> frozenset[str]:
        """What tells the calls of a day apart (``segments.key_of``)."""
        found = [_keys(each.object_key, *span(each.members)) for each in self._segments.get(day, ())]
        return frozenset().union(*found)


def batch_of(segment: Segment) -> str:
    """The batch that billed the calls of a segment."""
    return str(segment.sk).split("#")[2]


def read(segment: Segment, members: Sequence[Sequence[int]] | None = None) -> list[RatedCall]:
    """The calls of a segment, or of some neighbouring members of it, oldest first."""
    offset, length = span(segment.members if members is None else members)
    return list(segments.decode(store.read(segment.object_key, offset, length)))


def key_of_call(call: RatedCall) -> str:
    """What makes a call the same call within a client and UTC day."""
    return key_of(call.direction, call.disposition, segments.quoted(call.call_id))


def day_name(day: int) -> str:
    return periods.utc_day(day * periods.DAY_SECONDS)


def span(members: Sequence[Sequence[int]]) -> tuple[int, int]:
    offset = members[0][0]
    return offset, members[-1][0] + members[-1][1] - offset


def _keys(object_key: str, offset: int, length: int) -> frozenset[str]:
    """Call keys of part of an object; objects never change, so remembering them is safe."""
    place = (object_key, offset)
    found = _kept.get(place)
    if found is None:
        found = frozenset(key_of(*key) for key in segments.decode_keys(store.read(object_key, offset, length)))
        if sum(map(len, list(_kept.values()))) + len(found) > KEPT_KEYS:
            _kept.clear()
        if len(found) <= KEPT_KEYS:
            _kept[place] = found
    return found


_kept: dict[tuple[str, int], frozenset[str]] = {}
