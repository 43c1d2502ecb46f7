"""The ends of fields in a chunk with quotes, where delimiters between quotes are text.

A byte is between quotes when the count of quotes before it is odd. This is computed for 64 bytes at once, as bits of an
integer. The csv module reads a line in the same way only when each quote opens a field, closes one, or is one of two
that mean one quote; other quotes are reported as misplaced.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chalicelib.rating.cdr.multiline import spans
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask, Words

_QUOTE, _LINE_END, _RETURN = 34, 10, 13
_OPEN_SHARE = 32
"""One of so many lines may leave a quote open; with more of them the chunk is left to the reference engine."""
_ONE, _LAST = np.uint64(1), np.uint64(63)
NONE = np.zeros(0, np.int64)


class Marks(NamedTuple):
    """Positions in a chunk: ``ends`` of fields (delimiters and line ends), ``misplaced`` quotes, and ``doubled`` ones,
    with others that are no text of their field.

    ``doubled_in``: the indexes in ``ends`` of the fields that have doubled quotes.
    ``all_quoted``: every field has a quote at its begin and at its end.
    ``longer``: the numbers of lines in records that are or may be longer than a line; their quotes are not examined.
    ``open_ones``: those of them that are a record of one line with a quote left open.
    """

    ends: Ints
    has_quotes: bool = False
    all_quoted: bool = False
    doubled: Ints = NONE
    doubled_in: Ints = NONE
    misplaced: Ints = NONE
    longer: Ints = NONE
    open_ones: Ints = NONE


def marks(data: bytes, buffer: Bytes, delimiter: str) -> Marks | None:
    """The marks of a chunk, or None when too many lines leave a quote open.

    ``data`` ends with a line feed; ``buffer`` is ``data`` with zeros after it.
    """
    # Whole words of 64 bits: the bytes after the chunk are zeros.
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
    real = ends & ~inside
    opening, closing = quotes & inside, quotes & ~inside
    # Ends and doubled quotes are searched together, because the search takes long for each of the chunk's bytes.
    found = _places(real | opening & _next(closing, np.uint64(0)))
    is_quote = body[found] == _QUOTE
    places, doubled = found[~is_quote], np.flatnonzero(is_quote)
    opened, closed = opening & _next(real, _ONE), closing & _previous(real)
    all_quoted = _count(opened) == _count(closed) == len(places)
    text, misplaced = _loose_and_misplaced(body, quotes, ends, inside)
    doubled_in = doubled - np.arange(len(doubled))
    if len(text):
        doubled_in = np.concatenate([doubled_in, np.searchsorted(places, text)])
    spots = np.concatenate([found[doubled], text])
    return Marks(places, True, all_quoted, spots, doubled_in, misplaced, longer, open_ones)


def _bits(which: Mask) -> Words:
    """One bit per byte of the chunk; the lowest bit is the first byte."""
    bits: Words = np.packbits(which, bitorder="little").view(np.uint64)
    return bits


def _unpacked(bits: Words) -> Mask:
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_)


def _places(bits: Words) -> Ints:
    return np.flatnonzero(_unpacked(bits)) if bits.any() else NONE


def _count(bits: Words) -> int:
    return int(np.bitwise_count(bits).sum())


def _inside(quotes: Words) -> Words:
    """The bytes with an odd count of quotes up to and including them: opening quotes and the text after them."""
    bits = quotes
    for width in (1, 2, 4, 8, 16, 32):
        bits = bits ^ bits << np.uint64(width)
    before = np.bitwise_xor.accumulate(bits >> _LAST)
    # All bits of a word are inverted when the count of quotes before it is odd.
    bits[1:] ^= np.uint64(0) - before[:-1]
    return bits


def _longer(data: bytes, odd: Ints) -> tuple[Ints, Ints]:
    """The lines of all records that begin with a line in ``odd``, and which of these records are one line."""
    found = [(first, span or 1) for first, span in spans(data.split(b"\n")[:-1], odd.tolist())]
    longer = [line for first, span in found for line in range(first, first + span)]
    return np.array(longer, np.int64), np.array([first for first, span in found if span == 1], np.int64)


def _loose_and_misplaced(body: Bytes, quotes: Words, ends: Words, inside: Words) -> tuple[Ints, Ints]:
    """The closing quotes behind which is text of their field, and misplaced quotes."""
    opening, closing = quotes & inside, quotes & ~inside
    marks = quotes | ends
    behind, before = _next(marks, _ONE), _previous(marks)
    loose = _places(closing & ~before)
    loose = loose[body[loose + 1] != _RETURN]
    wrong = _wrong(body, _places(opening & ~behind), closing, ends & inside)
    if len(loose):
        # Text after a closing quote belongs to the field (`"Bob" <101>`), if there are no other quotes in it.
        places = _places(marks)
        after = body[places[np.minimum(np.searchsorted(places, loose) + 1, len(places) - 1)]]
        is_text = after != _QUOTE
        loose, wrong = loose[is_text], np.concatenate([wrong, loose[~is_text]])
    return loose, wrong


def _wrong(body: Bytes, late: Ints, closing: Words, text: Words) -> Ints:
    """The quotes in the middle of a field (``late``) that ``marks`` reads otherwise than the csv module.

    There they are text (``, "office",``): a delimiter after them ends the field, and two in a row are two quotes.
    """
    if not len(late):
        return NONE
    closes, within = _places(closing), _places(text)
    end = closes[np.searchsorted(closes, late)]
    has_text = np.searchsorted(within, late) != np.searchsorted(within, end)
    wrong: Ints = late[has_text | (body[end + 1] == _QUOTE)]
    return wrong


def _next(bits: Words, first: np.uint64) -> Words:
    """The bytes after these; ``first``: whether the first byte of the chunk is one."""
    moved = bits << _ONE
    moved[:1] |= first
    moved[1:] |= bits[:-1] >> _LAST
    return moved


def _previous(bits: Words) -> Words:
    """The bytes before these."""
    moved = bits >> _ONE
    moved[:-1] |= bits[1:] << _LAST
    return moved
