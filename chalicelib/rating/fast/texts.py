"""The texts of plain lines as they will stand in a segment's row, without a Python string for any of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating import call_fields
from chalicelib.rating.columns import Strings, Texts
from chalicelib.rating.fast import fields, split
from chalicelib.rating.fast.split import Ints, Lines
from chalicelib.rating.formats import Layout
from chalicelib.rating.segments import quoted

_PLUS, _ONE = split.word(b"+"), split.word(b"\x001")


def texts_of(lines: Lines, layout: Layout, chosen: Ints, home: str) -> Texts:
    """The texts of the ``chosen`` ones of a chunk's lines."""
    buffer = lines.buffer

    def field(name: str) -> tuple[Ints, Ints]:
        begin = lines.starts[layout.columns[name]][chosen]
        return begin, lines.ends[layout.columns[name]][chosen] - begin

    ids = _strings(buffer, *field("call_id"))
    if layout.delimiter != ",":
        ids = np.array([quoted(each.decode()).encode() for each in ids.tolist()] or ids, np.bytes_)
    called, _ = _numbers(buffer, *field("to"), home)
    return Texts(ids, _strings(buffer, *field("account")), _callers(buffer, *field("from"), home), called)


def _strings(buffer: NDArray[np.uint8], begin: Ints, length: Ints) -> Strings:
    count = max(1, -(-int(length.max(initial=1)) // 8))
    strings: Strings = split.words(buffer, begin, length, count).view(f"S{8 * count}")[:, 0]
    return strings


def _callers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, home: str) -> Strings:
    """Callers' numbers, and what is no number as it stands."""
    callers, known = _numbers(buffer, begin, length, home)
    odd = np.flatnonzero(~known)
    if len(odd):
        shown = [bytes(buffer[at : at + size]).decode() for at, size in zip(begin[odd], length[odd], strict=True)]
        others = np.array([quoted(call_fields.caller(each, home)).encode() for each in shown], np.bytes_)
        callers = callers.astype(np.promote_types(callers.dtype, others.dtype))
        callers[odd] = others
    return callers


def _numbers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, home: str) -> tuple[Strings, NDArray[np.bool_]]:
    """``+`` and the digits of each number; and which of them are numbers."""
    skip, _, ten, known = fields.spelling(buffer, begin, length, home)
    got, _, plain = split.digits(buffer, begin + skip, length - skip)
    first, last = np.ascontiguousarray(got.T)
    # The digits move on by as many bytes as are put before them: ``+``, and a 1 where it lacks.
    one = ten.astype(np.uint64)
    shift = (one << np.uint64(3)) + np.uint64(8)
    moved = np.empty((len(begin), 2), np.uint64)
    moved[:, 0] = first << shift | one * _ONE | _PLUS
    moved[:, 1] = last << shift | first >> np.uint64(64) - shift
    return moved.view("S16")[:, 0], known & plain
