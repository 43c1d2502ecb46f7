"""The texts of rows in the form in which calls are stored, without a Python string for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls.format import quoted
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import call
from chalicelib.rating.engine.columns import Strings, Texts
from chalicelib.rating.engine.vector import fields, ids, words
from chalicelib.rating.engine.vector.layouts import MappedRows
from chalicelib.rating.engine.vector.words import Ints

_PLUS, _ONE = words.word(b"+"), words.word(b"\x001")


def texts_of(rows: MappedRows, chosen: Ints, plan: DialPlan) -> Texts:
    """The texts of the ``chosen`` rows (indexes)."""
    buffer = rows.buffer

    def field(name: str) -> tuple[Ints, Ints]:
        begin, length = rows.fields[name]
        return begin[chosen], length[chosen]

    if rows.id_parts:
        call_id = ids.joined(buffer, [(begin[chosen], length[chosen]) for begin, length in rows.id_parts])
    else:
        call_id = words.strings(buffer, *field("call_id"))
    begin, length = field("to")
    called, known = _numbers(buffer, begin, length, plan)
    # Of the rows that were understood, only those with internal numbers have others; these stay as they are.
    bare = np.flatnonzero(~known)
    called[bare] = words.strings(buffer, begin[bare], length[bare])
    return Texts(
        call_id if rows.is_plain else _as_csv(call_id),
        words.strings(buffer, *field("account")),
        _callers(buffer, *field("from"), plan.of_callers),
        called,
    )


def _as_csv(texts: Strings) -> Strings:
    """Texts as CSV fields, in quotes where needed."""
    if not len(texts):
        return texts
    each = texts.view(np.uint8).reshape(len(texts), -1)
    special = np.flatnonzero(((each == ord(",")) | (each == ord('"'))).any(axis=1))
    return _put(texts, special, [quoted(text.decode()) for text in texts[special].tolist()])


def _put(texts: Strings, places: Ints, others: list[str]) -> Strings:
    """The texts with ``others`` at some places."""
    if not len(places):
        return texts
    new = np.array([other.encode() for other in others], np.bytes_)
    found = texts.astype(np.promote_types(texts.dtype, new.dtype))
    found[places] = new
    return found


def _callers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, plan: DialPlan) -> Strings:
    """Callers as CSV fields: numbers normalised, other text unchanged."""
    callers, known = _numbers(buffer, begin, length, plan)
    odd = np.flatnonzero(~known)
    found = words.strings(buffer, begin[odd], length[odd])
    firsts, which = words.distinct(found)
    shown = [quoted(call.caller(each.decode(), plan)) for each in found[firsts].tolist()]
    return _put(callers, odd, [shown[each] for each in which.tolist()])


def _numbers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, plan: DialPlan) -> tuple[Strings, NDArray[np.bool_]]:
    """``+`` and the digits of each number, and which fields are numbers."""
    skip, _, ten, known = fields.spelling(buffer, begin, length, plan)
    got, _, plain = words.digits(buffer, begin + skip, length - skip)
    first, last = np.ascontiguousarray(got.T)
    # The digits are moved by the bytes put before them: ``+``, and a 1 for a number without calling code.
    one = ten.astype(np.uint64)
    shift = (one << np.uint64(3)) + np.uint64(8)
    moved = np.empty((len(begin), 2), np.uint64)
    moved[:, 0] = first << shift | one * _ONE | _PLUS
    moved[:, 1] = last << shift | first >> np.uint64(64) - shift
    return moved.view("S16")[:, 0], known & plain
