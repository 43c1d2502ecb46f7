"""The calls that are already billed, which rating a later file needs: by hash, and by id where hashes are equal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

import numpy as np

from chalicelib.calls import format as call_format
from chalicelib.calls import store as call_store
from chalicelib.calls.identity import kind_of
from chalicelib.calls.index import day_name, portions
from chalicelib.calls.store import Segment
from chalicelib.rating.engine import call_keys
from chalicelib.rating.engine.call_keys import Billed, Keys, Said
from chalicelib.rating.engine.columns import CODES, Ints
from chalicelib.rating.engine.hashing import Hashes

CACHED_HASHES = 4_000_000
"""Hashes of calls that a container keeps, 8 bytes each: the files of a client's day arrive one after another."""


SegmentPlace = tuple[str, str, str]
"""Object and keys of a segment. A re-rating leaves the rest of a compacted segment under the same keys."""


class BilledCalls:
    """Calls that are already billed to a client on some UTC days; they are read only when they are needed.

    The calls of other batches count, and those that the present generation of this batch has billed: its months
    ``settled``. What a previous generation of it billed does not count, because it is about to be replaced.
    """

    def __init__(self, client_id: str, days: Sequence[int], batch_id: str, settled: Collection[str]) -> None:
        names = {day_name(day): day for day in days}
        found = call_store.segments_of(client_id, min(names), max(names)) if names else []
        self._segments: dict[int, list[Segment]] = {}
        for segment in found:
            if segment.day in names and (segment.batch_id != batch_id or segment.month in settled):
                self._segments.setdefault(names[segment.day], []).append(segment)
        self.places = frozenset(_place(segment) for segments in self._segments.values() for segment in segments)

    def crowded(self, most: int) -> list[str]:
        """Days that have more than ``most`` segments when one more is added."""
        return [day_name(day) for day, found in self._segments.items() if len(found) >= most]

    def billed(self, day: int) -> Billed:
        """The hashes and ids of a day's calls."""
        own = self._segments.get(day, [])
        if not own:
            return call_keys.NOTHING
        return Billed(
            lambda: (hashes for segment in own for hashes in _hashes(segment)),
            lambda: (keys for segment in own for keys in _keys(segment)),
        )


def _keys(segment: Segment) -> Iterator[Keys]:
    """The keys of a segment's calls, some at a time."""
    for data in portions(segment, segment.members):
        directions, dispositions, call_ids = zip(*call_format.decode_keys(data), strict=True)
        kinds = np.fromiter(map(kind_of, directions, dispositions), np.int64, len(directions))
        yield Keys(kinds, np.array([call_id.encode() for call_id in call_ids], np.bytes_), partial(_said, data))


def _said(data: bytes, places: Ints) -> Said:
    """What some of the rows of whole members say."""
    calls = list(call_format.decode_some(data, places.tolist()))
    return Said(
        np.array([call.start for call in calls], np.int64),
        np.array([CODES[call.direction, call.disposition] for call in calls], np.int64),
        np.array([call.to_number.encode() for call in calls], np.bytes_),
        np.array([call.seconds for call in calls], np.int64),
        np.array([call.line for call in calls], np.int64),
        np.array([call.batch_id.encode() for call in calls], np.bytes_),
    )


def _hashes(segment: Segment) -> Iterator[Hashes]:
    """Hashes of a segment's calls. They may be cached, because objects never change."""
    cached = _cache.get(_place(segment))
    if cached is not None:
        yield cached
        return
    found = list[Hashes]()
    for keys in _keys(segment):
        hashes = call_keys.hashes(keys.kind, keys.call_id)
        if segment.rows <= CACHED_HASHES:
            found.append(hashes)
        yield hashes
    cache(segment, found)


def cache(segment: Segment, found: Sequence[Hashes]) -> None:
    """Keep the hashes of a segment's calls, so that the try of the next file need not read it; unless too many."""
    count = sum(map(len, found))
    if count != segment.rows or count > CACHED_HASHES:
        return
    _cache.add(_place(segment), np.concatenate(found))


def _place(segment: Segment) -> SegmentPlace:
    # Without its offset, which is not known before the object is full.
    return segment.object_key, segment.pk, segment.sk


class _Cache:
    """Hashes by segment; when they become too many, all are dropped."""

    def __init__(self) -> None:
        self._hashes: dict[SegmentPlace, Hashes] = {}
        self._count = 0

    def get(self, place: SegmentPlace) -> Hashes | None:
        return self._hashes.get(place)

    def clear(self) -> None:
        self._hashes, self._count = {}, 0

    def add(self, place: SegmentPlace, hashes: Hashes) -> None:
        if self._count + len(hashes) > CACHED_HASHES:
            self.clear()
        if place not in self._hashes:
            self._hashes[place] = hashes
            self._count += len(hashes)


_cache = _Cache()
