"""Calls to internal numbers, such as extensions: which rows are such calls, found once per distinct number."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from chalicelib.dialling import DialPlan
from chalicelib.rating.engine.vector import words
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask

MOST_BYTES = 8
"""Longer texts, such as user names, are left to the reference engine: one word is compared per row."""


def internal(buffer: Bytes, begin: Ints, length: Ints, rows: Ints, plan: DialPlan) -> Mask | None:
    """Which rows call an internal number, by their fields of the number called; None: none does.

    ``rows``: the rows in question. Numbers that a deck may price, and emergency numbers, are left out.
    """
    rows = rows[(length[rows] > 0) & (length[rows] <= MOST_BYTES)]
    if not len(rows):
        return None
    texts, which = np.unique(words.words(buffer, begin[rows], length[rows], 1)[:, 0], return_inverse=True)
    certain = np.array([_is_internal(text.tobytes().rstrip(b"\0"), plan) for text in texts])
    if not certain.any():
        return None
    found = np.zeros(len(length), bool)
    found[rows] = certain[which]
    return found


@lru_cache(maxsize=1 << 14)
def _is_internal(text: bytes, plan: DialPlan) -> bool:
    """Whether this is how an internal number is stored, so that the text need not be changed."""
    try:
        called = plan.read(text.decode("ascii"))
    except ValueError:
        return False
    is_priced = called in plan.codes or plan.is_emergency(called)
    return called.encode() == text and called[0] != "+" and not is_priced and plan.is_internal(called)
