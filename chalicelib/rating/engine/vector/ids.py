"""Which call ids are read as they are written, by the rules of ``cdr.call_ids`` and ``cdr.asterisk``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chalicelib.rating.cdr import call, call_ids
from chalicelib.rating.engine.columns import Strings
from chalicelib.rating.engine.vector import words
from chalicelib.rating.engine.vector.page import Field
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask, word

LONGEST_UNIQUE_ID = 64
"""Bytes of Asterisk's unique id; a longer one is left to the reference engine."""
_NUMBER_WORDS = 3
_ALNUM = np.array([bytes([n]).isalnum() for n in range(256)])
_NOT_ZERO = _ALNUM & (np.arange(256) != ord("0"))
_FEW = 100
"""To read so many ids one by one takes no longer than to look which of them are doubtful."""
_SHORT = 5
"""Ids with fewer bytes are read one by one: most placeholders are so short."""
_E_AND_SIGN, _SIGNED = word(b"\xdf\xf9"), word(b"E+") & word(b"\xdf\xf9")
"""Both cases of the letter are one, and so are both signs (and two other bytes)."""


def are_known(buffer: Bytes, begin: Ints, length: Ints) -> Mask:
    """Which call ids need no change: no placeholder, no blank at either end, not too long. Ids must be ASCII.

    Quick tests find the few that may need one, and only those are read one by one.
    """
    known: Mask = (length > 0) & (length <= call.MAX_CALL_ID)
    count = len(begin)
    ends = np.concatenate([buffer[begin], buffer[begin + np.maximum(length, 1) - 1]])
    alnum = ((ends | np.uint8(32)) - np.uint8(97) < 26) | (ends - np.uint8(48) < 10)
    # Of long ids, only zeros and punctuation are a placeholder; most have another letter or digit at an end.
    plain = alnum[:count] & alnum[count:] & (length > call_ids.LONGEST_PLACEHOLDER)
    zeros = np.flatnonzero(ends[:count] | ends[count:] == ord("0"))
    if len(zeros):
        plain[zeros] &= _NOT_ZERO[buffer[begin[zeros] + length[zeros] // 3]]
    some = np.flatnonzero(known & ~plain)
    if len(some) > _FEW:
        some = some[_are_doubtful(buffer, begin[some], length[some])]
    if len(some):
        texts = words.strings(buffer, begin[some], length[some]).tolist()
        known[some] = [call_ids.read(text.decode("latin-1")) == text.decode("latin-1") for text in texts]
    return known


def _are_doubtful(buffer: Bytes, begin: Ints, length: Ints) -> Mask:
    """Which ids are short, begin like a placeholder, or end like ``4.83E+09`` or without a letter or digit."""
    tail = words.window(buffer, begin + np.maximum(length - _SHORT, 0), 1)[:, 0]
    doubtful: Mask = (length < _SHORT) | ~_ALNUM.take(tail.view(np.uint8)[_SHORT - 1 :: 8])
    for shift in range(0, 8 * (_SHORT - 2), 8):
        doubtful |= tail >> np.uint64(shift) & _E_AND_SIGN == _SIGNED
    head = words.window(buffer, begin, 1).view(np.uint8)
    first = head[:, 0]
    doubtful |= ~_ALNUM.take(first) | (first | 32 == ord("u")) & (head[:, 1] | 32 == ord("n"))
    zeros = np.flatnonzero(first == ord("0"))
    doubtful[zeros] |= ~_NOT_ZERO[head[zeros, :_SHORT]].any(axis=1)
    return doubtful


def are_unique_ids(buffer: Bytes, begin: Ints, length: Ints) -> Mask:
    """Whether fields are digits, a point and digits, perhaps after the name of a system and a hyphen."""
    short = length <= LONGEST_UNIQUE_ID
    length = np.minimum(length, LONGEST_UNIQUE_ID)
    texts = words.strings(buffer, begin, length)
    each = texts.view(np.uint8).reshape(len(texts), texts.dtype.itemsize)
    hyphens = each == ord("-")
    skip, blank = np.zeros(len(texts), np.int64), np.zeros(len(texts), bool)
    if hyphens.any():
        skip = np.where(hyphens.any(axis=1), each.shape[1] - hyphens[:, ::-1].argmax(axis=1), 0)
        blank = ((each == ord(" ")) | (each == ord("\t"))).any(axis=1)
    count = min(each.shape[1] // 8, _NUMBER_WORDS)
    numbers = words.points(buffer, begin + skip, np.minimum(length - skip, 8 * count), count)
    one = numbers.digits & (numbers.points == 1) & ~numbers.end & (length - skip <= 8 * _NUMBER_WORDS)
    # One that begins with a zero may be nothing but zeros, a placeholder.
    good: Mask = short & one & ~blank & (skip != 1) & (each[:, 0] != ord("0"))
    return good


def joined_lengths(parts: Sequence[Field]) -> Ints:
    """The lengths of ids that ``joined`` makes."""
    total: Ints = np.add.reduce([length + 1 for _, length in parts]) - 1
    total -= parts[-1][1] == 0
    return total


def joined(buffer: Bytes, parts: Sequence[Field]) -> Strings:
    """Ids made of several fields with a blank between them, and none before a last field that is empty."""
    sizes = joined_lengths(parts)
    counts = [-(-int(length.max(initial=1)) // 8) for _, length in parts]
    width = -(-int(sizes.max(initial=1)) // 8) * 8
    # Each field is written for all rows at once, as wide as the widest of its column; zeros are behind its text, and
    # the next field is written over them. A row has room for the zeros.
    row = width + 8 * max(counts)
    text = np.zeros((len(sizes) + 1) * row, np.uint8)
    at = np.arange(len(sizes)) * row
    for number, ((begin, length), count) in enumerate(zip(parts, counts, strict=True)):
        if number == len(parts) - 1:
            some = np.flatnonzero(length)
            at, begin, length = at[some], begin[some], length[some]
        if number:
            text[at - 1] = ord(" ")
        words.put(text, at, words.words(buffer, begin, length, count))
        at = at + length + 1
    found: Strings = np.ascontiguousarray(text[:-row].reshape(-1, row)[:, :width]).view(f"S{width}")[:, 0]
    return found
