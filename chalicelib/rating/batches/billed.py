"""Calls that are billed already, as rating a later file needs to know them: by hashes, and exactly when asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from chalicelib.calls import format as call_format
from chalicelib.calls import store as call_store
from chalicelib.calls.index import day_name, portions
from chalicelib.calls.store import Segment
from chalicelib.rating.engine import call_keys
from chalicelib.rating.engine.call_keys import Billed, Hashes, Keys, kind_of

KEPT_HASHES = 4_000_000
"""Hashes of calls that a container remembers (8 bytes each): the files of a client's day come one after another."""


Place = tuple[str, str, str]
"""The object of a segment and the segment's own keys."""


class Known:
    """Calls already billed to a client on some UTC days: which segments there are, and their calls when asked.

    Of the batch that asks, only what its present generation has billed counts: the months in ``settled``. What an
    earlier one billed will make room.
    """

    def __init__(self, client_id: str, days: Sequence[int], batch_id: str, settled: Collection[str]) -> None:
        names = {day_name(day): day for day in days}
        found = call_store.segments_of(client_id, min(names), max(names)) if names else []
        self._segments: dict[int, list[Segment]] = {}
        for segment in found:
            if segment.day in names and (segment.batch_id != batch_id or segment.month in settled):
                self._segments.setdefault(names[segment.day], []).append(segment)
        # With their objects: what a re-rating leaves of a compacted segment stays at its place in the index.
        self.places = frozenset(_place(segment) for segments in self._segments.values() for segment in segments)

    def crowded(self, most: int) -> list[str]:
        """Days that have more than ``most`` segments when one more is added."""
        return [day_name(day) for day, found in self._segments.items() if len(found) >= most]

    def billed(self, day: int) -> Billed:
        """What tells the calls of a day apart."""
        own = self._segments.get(day, [])
        if not own:
            return call_keys.NOTHING
        return Billed(
            lambda: (hashes for segment in own for hashes in _hashes(segment)),
            lambda: (keys for segment in own for keys in _keys(segment)),
        )


def _keys(segment: Segment) -> Iterator[Keys]:
    """Kinds and ids of a segment's calls, some at a time."""
    for data in portions(segment, segment.members):
        ways, ends, call_ids = zip(*call_format.decode_keys(data), strict=True)
        kinds = np.fromiter(map(kind_of, ways, ends), np.int64, len(ways))
        yield kinds, np.array([call_id.encode() for call_id in call_ids], np.bytes_)


def _hashes(segment: Segment) -> Iterator[Hashes]:
    """Hashes of a segment's calls; objects never change, so remembering them is safe."""
    kept = _kept.get(_place(segment))
    if kept is not None:
        yield kept
        return
    found = list[Hashes]()
    for keys in _keys(segment):
        hashes = call_keys.hashes(*keys)
        if segment.rows <= KEPT_HASHES:
            found.append(hashes)
        yield hashes
    remember(segment, found)


def remember(segment: Segment, found: Sequence[Hashes]) -> None:
    """Keep the hashes of a segment's calls, so that the next file's try need not read it; too many are not kept."""
    count = sum(map(len, found))
    if count != segment.rows or count > KEPT_HASHES:
        return
    _kept.add(_place(segment), np.concatenate(found))


def _place(segment: Segment) -> Place:
    # Not by its offset: that is not known before the object is full.
    return segment.object_key, segment.pk, segment.sk


class _Kept:
    """Hashes by place, all forgotten at once when they become too many."""

    def __init__(self) -> None:
        self._hashes: dict[Place, Hashes] = {}
        self._count = 0

    def get(self, place: Place) -> Hashes | None:
        return self._hashes.get(place)

    def clear(self) -> None:
        self._hashes, self._count = {}, 0

    def add(self, place: Place, hashes: Hashes) -> None:
        if self._count + len(hashes) > KEPT_HASHES:
            self.clear()
        if place not in self._hashes:
            self._hashes[place] = hashes
            self._count += len(hashes)


_kept = _Kept()
