"""What tells the calls of a client-day apart: a key, and a hash of 64 bits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.engine.columns import DISPOSITIONS, Ints, Strings

Hashes = NDArray[np.uint64]
_FACTORS = np.array([(0x9E3779B97F4A7C15 * (2 * n + 1) | 1) % 2**64 for n in range(1, 200)], np.uint64)
_LAST = np.uint64(0xC4CEB9FE1A85EC53)


Keys = tuple[Ints, Strings]
"""Kinds and ids of some calls."""


@dataclass(frozen=True)
class Billed:
    """Calls that are billed already, block by block: their ``hashes``, and their ``keys`` where those are needed."""

    hashes: Callable[[], Iterable[Hashes]]
    keys: Callable[[], Iterable[Keys]]


NOTHING = Billed(tuple, tuple)


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
