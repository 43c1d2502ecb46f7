"""The positions of lines and fields in the bytes of a chunk.

Lines that the reference engine might cut otherwise are left to it: lines with another count of fields, with a control
character, with bytes that may not be text or with misplaced quotes, and records over several lines. They do not affect
other lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.cdr.formats import Layout
from chalicelib.rating.cdr.multiline import MAX_RECORD_LINES
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.engine.vector import quoting
from chalicelib.rating.engine.vector.quoting import NONE, Marks
from chalicelib.rating.engine.vector.words import PAD, Bytes, Ints, Mask

MAX_LINE = 1 << 14
_APART = b"\n" * MAX_RECORD_LINES
"""Added after a line whose quote stays open, so that it is not continued: no record has so many lines."""
_CONTROLS, _UNDEFINED = np.zeros(256, bool), np.zeros(256, bool)
_CONTROLS[[*(n for n in range(32) if n not in b"\t\n\r"), 0x7F]] = True
_UNDEFINED[[0x81, 0x8D, 0x8F, 0x90, 0x9D]] = True
"""Bytes without a character in Windows-1252: where they are not UTF-8 either, they are not text."""


@dataclass
class Lines:
    """The lines of a chunk that are cut into fields, and the others.

    ``buffer`` is ``data`` with ``PAD`` zeros after it. ``line`` are the numbers of the cut lines, from 0, ``begins``
    their positions, and ``table`` has a row per column with the end of the field in each line. ``spots`` are positions
    where a byte is not the text it stands for (a doubled quote, a byte beyond ASCII); ``spotted`` marks the fields with
    spots, in the shape of ``table``, and is None without spots. ``others`` are the numbers of the lines that are not
    cut, ``bounds`` the begins and ends of all lines, and ``open_ones`` the lines that leave a quote open.
    ``is_simple``: there are no quotes, and all lines have the same columns. ``all_quoted``: every field has quotes
    around it, and all lines have the same columns.
    """

    buffer: Bytes
    data: bytes
    line: Ints
    begins: Ints
    table: NDArray[Any]
    spots: Ints
    spotted: Mask | None
    others: Ints
    bounds: tuple[Ints, Ints]
    open_ones: Ints
    is_simple: bool
    all_quoted: bool

    def field(self, place: int) -> tuple[Ints, Ints]:
        """The begins and lengths of the fields of a column, without quotes around them."""
        ends = self.table[place]
        begins = self.table[place - 1] + 1 if place else self.begins
        if self.is_simple:
            return begins, ends - begins
        if self.all_quoted:
            return begins + 1, ends - begins - 2
        # A column that a line does not have is an empty field at its end.
        begins = np.minimum(begins, ends)
        cut = self.buffer[begins] == ord('"')
        # Text may follow a closing quote: then only the opening one is cut off.
        closed = cut & (self.buffer[ends - 1] == ord('"'))
        return begins + cut, ends - begins - cut - closed

    def together(self, unread: Ints) -> tuple[Chunk, Ints]:
        """``others`` and ``unread`` lines as one chunk, and for each of its lines the number of the line it is from."""
        lines, (begins, ends) = np.sort(np.concatenate([self.others, unread])), self.bounds
        apart = np.isin(lines, self.open_ones)
        parts = zip(begins[lines].tolist(), ends[lines].tolist(), apart.tolist(), strict=True)
        text = b"".join([self.data[first : last + 1] + (_APART if alone else b"") for first, last, alone in parts])
        return Chunk(0, text), np.repeat(lines, np.where(apart, 1 + len(_APART), 1))


def lines_of(chunk: Chunk, layout: Layout) -> Lines | None:
    """A chunk cut into lines and fields, without blank lines; None when too many lines leave a quote open."""
    data = chunk.data if chunk.data.endswith(b"\n") else chunk.data + b"\n"
    buffer = np.frombuffer(data + bytes(PAD), np.uint8)
    body = buffer[: len(data)]
    found = quoting.marks(data, buffer, layout.delimiter) if b'"' in data else _plain_marks(body, layout.delimiter)
    if found is None:
        return None
    # To search one byte is much faster than to count it, or to search two.
    tabs, returns = (data.count(sign) if sign[:1] in data else 0 for sign in (b"\t", b"\r\n"))
    # Bytes beyond ASCII are negative as int8, so they are counted too.
    is_low = body.view(np.int8) < 32
    low = int(np.count_nonzero(is_low)) - tabs - returns
    ends, width = _line_ends(body, found.ends, layout, low)
    unsure, high = _odd_bytes(data, buffer, is_low) if low != len(ends) or b"\x7f" in data else (NONE, NONE)
    fields = _Fields(found.ends, ends, width, layout)
    begins = np.concatenate([[0], ends[:-1] + 1])
    bad = fields.bad | (ends - begins > MAX_LINE)
    bad[np.searchsorted(ends, np.concatenate([unsure, found.misplaced]))] = True
    after_return = buffer[ends - 1] == 13 if returns else np.zeros(len(ends), bool)
    others = bad & (ends - after_return > begins)
    others[found.longer] = True
    chosen = np.flatnonzero(~bad)
    # Stable: that one merges sorted runs, which takes a tenth of the time.
    spots = np.sort(np.concatenate([found.doubled, high]), kind="stable")
    return Lines(
        buffer,
        data,
        chosen,
        begins[chosen],
        fields.ends(chosen, after_return),
        spots,
        fields.with_any(chosen, found.doubled_in, high) if len(spots) else None,
        np.flatnonzero(others),
        (begins, ends),
        found.open_ones,
        not found.has_quotes and layout.widest <= layout.width,
        found.all_quoted and width > 0,
    )


def _plain_marks(body: Bytes, delimiter: str) -> Marks:
    return Marks(np.flatnonzero((body == ord(delimiter)) | (body == 10)))


def _line_ends(body: Bytes, marks: Ints, layout: Layout, low: int) -> tuple[Ints, int]:
    """The positions of line ends, and the count of fields per line; 0: they differ.

    ``low``: how many bytes are line feeds, control characters or beyond ASCII.
    """
    # In formats with lines of several widths, most lines have the width of the first.
    width = max(layout.width, int((body[marks[: layout.widest]] == 10).argmax()) + 1) if layout.widest else layout.width
    ends = marks[width - 1 :: width].copy()
    is_regular = len(marks) == len(ends) * width and bool((body[ends] == 10).all())
    if not is_regular or (low != len(ends) and np.count_nonzero(body == 10) != len(ends)):
        ends = np.flatnonzero(body == 10)
        is_regular &= len(ends) * width == len(marks)
    return ends, width if is_regular else 0


class _Fields:
    """The ends of the fields of all lines (``marks``), and which lines have a wrong count of fields (``bad``)."""

    def __init__(self, marks: Ints, line_ends: Ints, width: int, layout: Layout) -> None:
        self._marks, self._width, self._widest = marks, width, max(layout.width, layout.widest)
        if width:
            self._last = np.arange(width - 1, len(marks), width)
            self.bad: Mask = np.zeros(len(line_ends), bool)
        else:
            self._last = np.searchsorted(marks, line_ends)
            self._count = np.diff(self._last, prepend=-1)
            self.bad = (self._count < layout.width) | (self._count > self._widest)

    def ends(self, chosen: Ints, returns: Mask) -> NDArray[Any]:
        """Per column, the end of the field in each chosen line; the last field ends before the carriage return."""
        if returns.any():
            self._marks[self._last] -= returns
        return self._table(self._marks, chosen)

    def with_any(self, chosen: Ints, indexes: Ints, places: Ints) -> Mask:
        """Per column, whether the field of each chosen line is one of these, or has one of these positions in it."""
        found = np.zeros(len(self._marks), bool)
        found[indexes] = found[np.searchsorted(self._marks, places)] = True
        return self._table(found, chosen)

    def _table(self, values: NDArray[Any], chosen: Ints) -> NDArray[Any]:
        if self._width:
            table = values.reshape(-1, self._width)
            return np.ascontiguousarray((table if len(chosen) == len(table) else table[chosen]).T)
        # For a column that a line does not have, its last field is taken.
        places = (self._last - self._count + 1)[chosen] + np.arange(self._widest)[:, None]
        found: NDArray[Any] = values[np.minimum(places, self._last[chosen])]
        return found


def _odd_bytes(data: bytes, buffer: Bytes, is_low: Mask) -> tuple[Ints, Ints]:
    """The positions of bytes for which a line may be refused, and of the other bytes beyond ASCII.

    ``is_low`` marks the bytes that are below 32 or beyond ASCII.
    """
    body = buffer[: len(data)]
    places = np.flatnonzero(is_low | (body == 127) if b"\x7f" in data else is_low)
    kinds, behind = body[places], buffer[places + 1]
    unsure = _CONTROLS[kinds] | ((kinds == 13) & (behind != 10))
    # The UTF-8 encoding of control characters beyond ASCII begins like this.
    unsure |= (kinds == 0xC2) & (behind >= 0x80) & (behind < 0xA0)
    undefined = _UNDEFINED[kinds]
    if undefined.any() and not _is_utf8(data):
        unsure |= undefined
    return places[unsure], places[~unsure & (kinds > 127)]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
