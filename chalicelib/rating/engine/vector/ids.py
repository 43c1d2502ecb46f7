"""Which call ids are read as they are written, by the rules of ``cdr.call_ids`` and ``cdr.asterisk``."""

from __future__ import annotations

import numpy as np

from chalicelib.rating.cdr import call, call_ids
from chalicelib.rating.engine.vector import words
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask, word

LONGEST_UNIQUE_ID = 64
"""Bytes of Asterisk's unique id; a longer one is left to the reference engine."""
_NUMBER_WORDS = 3
_SHORT = 5
"""Ids with fewer bytes are looked at one by one: most placeholders are so short."""
_ALNUM = np.array([bytes([n]).isalnum() for n in range(256)])
_NOT_ZERO = _ALNUM & (np.arange(256) != ord("0"))
_UN, _SMALL = word(b"un"), word(b"\x20\x20")
_E, _SIGN, _LETTER_AND_SIGN = word(b"e"), word(b"\0+"), word(b"\xff\xf9")


def are_known(buffer: Bytes, begin: Ints, length: Ints) -> Mask:
    """Which call ids need no change: no placeholder, no blank at either end, not too long.

    A few quick tests find the doubtful ones: short, without a letter or digit in front, beginning with zeros or with
    ``un`` (``undefined``), or like ``4.83E+09`` at their end. Only those are read one by one. Ids must be ASCII.
    """
    sized = (length > 0) & (length <= call.MAX_CALL_ID)
    head = words.window(buffer, begin, 1)[:, 0]
    tail = words.window(buffer, begin + np.maximum(length - _SHORT, 0), 1)[:, 0]
    first = (head & np.uint64(255)).view(np.int64)
    doubtful = ~_ALNUM[first] | ~_ALNUM[(tail >> np.uint64(32) & np.uint64(255)).view(np.int64)] | (length < _SHORT)
    doubtful |= (head | _SMALL) & np.uint64(0xFFFF) == _UN
    for shift in (0, 8, 16):
        two = (tail >> np.uint64(shift) | np.uint64(32)) & _LETTER_AND_SIGN
        # Without two of its bits, the sign of an exponent is the same for ``+`` and ``-``.
        doubtful |= two == _E | _SIGN & _LETTER_AND_SIGN
    zeros = np.flatnonzero(first == ord("0"))
    if len(zeros):
        each = head[zeros].view(np.uint8).reshape(-1, 8)[:, :_SHORT]
        doubtful[zeros] |= ~_NOT_ZERO[each].any(axis=1)
    some = np.flatnonzero(doubtful & sized)
    if len(some):
        texts = words.strings(buffer, begin[some], length[some]).tolist()
        sized[some] = [call_ids.read(text.decode("latin-1")) == text.decode("latin-1") for text in texts]
    known: Mask = sized
    return known


def are_unique_ids(buffer: Bytes, begin: Ints, length: Ints) -> Mask:
    """Whether fields are digits, a point and digits, perhaps after the name of a system and a hyphen."""
    short = length <= LONGEST_UNIQUE_ID
    length = np.minimum(length, LONGEST_UNIQUE_ID)
    texts = words.strings(buffer, begin, length)
    each = texts.view(np.uint8).reshape(len(texts), texts.dtype.itemsize)
    hyphens = each == ord("-")
    named = hyphens.any(axis=1)
    skip = np.where(named, each.shape[1] - hyphens[:, ::-1].argmax(axis=1), 0)
    numbers = words.points(buffer, begin + skip, np.minimum(length - skip, 8 * _NUMBER_WORDS), _NUMBER_WORDS)
    blank = ((each == ord(" ")) | (each == ord("\t"))).any(axis=1)
    one = numbers.digits & (numbers.points == 1) & ~numbers.end & (length - skip <= 8 * _NUMBER_WORDS)
    # One that begins with a zero may be nothing but zeros, a placeholder.
    good: Mask = short & one & ~blank & (skip != 1) & (each[:, 0] != ord("0"))
    return good
