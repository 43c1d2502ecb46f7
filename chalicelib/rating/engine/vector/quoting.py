"""Where fields end in a chunk with quotes: delimiters within quotes are text.

The quotes up to a byte tell whether it lies within some, so all of a chunk is known at once, 64 bytes in a word of as
many bits. That is how the csv module reads a line only if each of its quotes opens or closes a field, or is one of two
that stand for one; other quotes are told.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chalicelib.rating.cdr.multiline import spans
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask, Words

_QUOTE, _LINE_END, _RETURN = 34, 10, 13
_OPEN_SHARE = 32
"""Of so many lines one may leave a quote open; beyond, the chunk goes through the reference."""
_ONE, _LAST = np.uint64(1), np.uint64(63)
NONE = np.zeros(0, np.int64)


class Marks(NamedTuple):
    """Places in a chunk: ``ends`` of fields (delimiters and line ends), ``doubled`` quotes, ``misplaced`` quotes.

    ``longer``: lines that are or may be parts of records over several lines; none of their quotes is looked at.
    ``open_ones``: those of them that are one record with a quote left open.
    """

    ends: Ints
    has_quotes: bool = False
    doubled: Ints = NONE
    misplaced: Ints = NONE
    longer: Ints = NONE
    open_ones: Ints = NONE


def marks(data: bytes, buffer: Bytes, delimiter: str) -> Marks | None:
    """All of them; ``None`` where too many lines leave a quote open. ``data`` ends with a line feed."""
    # Whole words: the bytes behind the chunk are zeros.
    body = buffer[: len(data) + -len(data) % 64]
    is_quote, is_line_end = body == _QUOTE, body == _LINE_END
    is_end = is_line_end | (body == ord(delimiter))
    quotes, longer, open_ones = _bits(is_quote), NONE, NONE
    inside = _inside(quotes)
    if (inside & _bits(is_line_end)).any():
        line_ends = np.flatnonzero(is_line_end)
        odd = np.flatnonzero(np.diff(_unpacked(inside)[line_ends], prepend=False))
        longer, open_ones = _longer(data, odd)
        if len(open_ones) * _OPEN_SHARE > len(line_ends):
            return None
        for first, last in zip(np.append(-1, line_ends)[longer] + 1, line_ends[longer], strict=True):
            is_quote[first:last] = is_end[first:last] = False
        quotes = _bits(is_quote)
        inside = _inside(quotes)
    ends = _bits(is_end)
    return Marks(_places(ends & ~inside), True, *_doubled_and_misplaced(body, quotes, ends, inside), longer, open_ones)


def _bits(which: Mask) -> Words:
    """A bit per byte, the first byte's lowest."""
    bits: Words = np.packbits(which, bitorder="little").view(np.uint64)
    return bits


def _unpacked(bits: Words) -> Mask:
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_)


def _places(bits: Words) -> Ints:
    return np.flatnonzero(_unpacked(bits)) if bits.any() else NONE


def _inside(quotes: Words) -> Words:
    """The bytes up to which the count of quotes is odd: opening quotes and what is behind them."""
    bits = quotes
    for width in (1, 2, 4, 8, 16, 32):
        bits = bits ^ bits << np.uint64(width)
    before = np.bitwise_xor.accumulate(bits >> _LAST)
    # All bits of a word turn where an odd count of quotes is before it.
    bits[1:] ^= np.uint64(0) - before[:-1]
    return bits


def _longer(data: bytes, odd: Ints) -> tuple[Ints, Ints]:
    """The lines of the records that begin with an odd count of quotes; and which of the records are a line each."""
    found = [(first, span or 1) for first, span in spans(data.split(b"\n")[:-1], odd.tolist())]
    longer = [line for first, span in found for line in range(first, first + span)]
    return np.array(longer, np.int64), np.array([first for first, span in found if span == 1], np.int64)


def _doubled_and_misplaced(body: Bytes, quotes: Words, ends: Words, inside: Words) -> tuple[Ints, Ints]:
    opening, closing = quotes & inside, quotes & ~inside
    marks = quotes | ends
    behind, before = _next(marks, _ONE), _previous(marks)
    loose = _places(closing & ~before)
    loose = loose[body[loose + 1] != _RETURN]
    return _places(opening & _next(closing, np.uint64(0))), np.concatenate(
        [loose, _wrong(body, _places(opening & ~behind), closing, ends & inside)]
    )


def _wrong(body: Bytes, late: Ints, closing: Words, text: Words) -> Ints:
    """Quotes that open in the middle of a field, where they are text (``, "office",``), but that ``marks`` reads
    otherwise: a delimiter between them would end the field, and two side by side would be two.
    """
    if not len(late):
        return NONE
    closes, within = _places(closing), _places(text)
    end = closes[np.searchsorted(closes, late)]
    has_text = np.searchsorted(within, late) != np.searchsorted(within, end)
    wrong: Ints = late[has_text | (body[end + 1] == _QUOTE)]
    return wrong


def _next(bits: Words, first: np.uint64) -> Words:
    """The bytes behind those; ``first``: whether the chunk's first is one."""
    return bits << _ONE | np.append(first, bits[:-1] >> _LAST)


def _previous(bits: Words) -> Words:
    """The bytes before those."""
    return bits >> _ONE | np.append(bits[1:] << _LAST, np.uint64(0))
