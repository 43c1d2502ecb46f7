"""The hash for texts in arrays: call ids, names of sub-accounts, fields of a CDR.

It is fast, not secure: texts can be chosen so that two have the same hash. Compare the texts where hashes are equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.engine.columns import Ints, Strings

Hashes = NDArray[np.uint64]

_FACTORS = np.array([(0x9E3779B97F4A7C15 * (2 * n + 1) | 1) % 2**64 for n in range(1, 200)], np.uint64)
_LAST = np.uint64(0xC4CEB9FE1A85EC53)
_HALF = np.uint64(32)


def hashes(texts: Strings, kinds: Ints | int = 0) -> Hashes:
    """One hash of 64 bits per text and kind, the same in every process and however wide the array is."""
    size = -(-texts.dtype.itemsize // 8)
    return hashes_of_words(texts.astype(f"S{8 * size}").view(np.uint64).reshape(-1, size), kinds)


def hashes_of_words(words: NDArray[np.uint64], kinds: Ints | int = 0) -> Hashes:
    """The same for texts that are rows of words of eight bytes, filled up with zeros; words of zero change nothing."""
    total = np.full(len(words), kinds, np.uint64)
    total += np.uint64(1)
    for place in range(words.shape[1]):
        mixed = words[:, place] * _FACTORS[place % len(_FACTORS)]
        mixed ^= mixed >> _HALF
        mixed *= _FACTORS[-1 - place % len(_FACTORS)]
        total += mixed
    total ^= total >> _HALF
    total *= _LAST
    return total
