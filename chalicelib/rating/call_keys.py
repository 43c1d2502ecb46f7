"""Which calls of a client-day are copies: found by hashes of 64 bits, decided by the ids themselves.

A day may hold millions of calls, so ids are compared only where hashes are equal: nearly never, unless a file was sent
twice. A collision, even one that somebody made on purpose, costs time and never a call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.columns import DISPOSITIONS, Ints, Strings

Hashes = NDArray[np.uint64]
_FACTORS = np.array([(0x9E3779B97F4A7C15 * (2 * n + 1) | 1) % 2**64 for n in range(1, 200)], np.uint64)
_LAST = np.uint64(0xC4CEB9FE1A85EC53)


@dataclass(frozen=True)
class Billed:
    """Calls that are billed already: their hashes, and how to find their keys (``key_of``) where that is needed."""

    hashes: Hashes
    keys: Callable[[], Collection[bytes]]


NOTHING = Billed(np.zeros(0, np.uint64), tuple)


def kinds(codes: Ints) -> Ints:
    """The part of a code (``columns.CODES``) that tells calls apart: direction, and whether it was answered."""
    return (codes & 1) + 2 * (codes >> 1 > 0)


def key_of(kind: int, call_id: bytes) -> bytes:
    """What makes a call the same call within a client and UTC day; ``call_id`` as it stands in a row."""
    return b"%d%b" % (kind, call_id)


def kind_of(direction: str, disposition: str) -> int:
    return (direction == "inbound") + 2 * (disposition != DISPOSITIONS[0])


def hashes(kind: Ints, call_ids: Strings) -> Hashes:
    """One number per call, the same in every process and however wide the array of ids is."""
    size = -(-call_ids.dtype.itemsize // 8)
    words = call_ids.astype(f"S{8 * size}").view(np.uint64).reshape(-1, size)
    total = kind.astype(np.uint64) + np.uint64(1)
    for place in range(size):
        # Words of zero, behind an id's end, change nothing.
        total += _mixed(words[:, place] * _FACTORS[place % len(_FACTORS)]) * _FACTORS[-1 - place % len(_FACTORS)]
    return _mixed(total) * _LAST


def _mixed(values: Hashes) -> Hashes:
    mixed: Hashes = values ^ values >> np.uint64(32)
    return mixed


def fresh(codes: Ints, call_ids: Strings, billed: Billed) -> Ints:
    """Places of the calls that are neither billed nor copies of an earlier line."""
    kind = kinds(codes)
    own = hashes(kind, call_ids)
    ordered = np.sort(own)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    suspect = np.isin(own, billed.hashes)
    is_billed = bool(suspect.any())
    suspect |= np.isin(own, twice)
    stays = ~suspect
    seen = set(billed.keys()) if is_billed else set()
    places = np.flatnonzero(suspect)
    for place, one, call_id in zip(places.tolist(), kind[places].tolist(), call_ids[places].tolist(), strict=True):
        key = key_of(one, call_id)
        if key not in seen:
            seen.add(key)
            stays[place] = True
    return np.flatnonzero(stays)
