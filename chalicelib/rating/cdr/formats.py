"""Which kind of CDR file it is, and its records as calls.

A format is told by the header's names or, without a header, by the shape of the first line; never by the file's name.
What a reseller declared about its own files (``ColumnMapping``) comes first where it fits the header.
Bad lines are values (``Rejection``), so one pass gives every line's fate: each record is exactly one ``Call`` or one
``Rejection``, except header lines, which are neither wherever they stand (files are joined with ``cat``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import NamedTuple

from chalicelib.calls.format import DIRECTIONS
from chalicelib.rating.cdr import asterisk, call, freeswitch, voipms
from chalicelib.rating.cdr.call import REASONS, BadField, Call, CallReader, Rejection
from chalicelib.rating.cdr.mapping import ColumnMapping, plain
from chalicelib.rating.cdr.records import Chunk, Cut, records

__all__ = ["REASONS", "Call", "ColumnMapping", "Layout", "Rejection", "Source", "detect", "parse", "rejection_of"]

DELIMITERS = (",", ";", "\t")
_REQUIRED = frozenset(call.COLUMNS) - {"cost"}
_DIRECTION_AT = call.COLUMNS.index("direction")

Pick = Callable[[list[str]], tuple[str, ...]]
Texts = Callable[[Pick, list[str]], tuple[str, ...]]


class Source(NamedTuple):
    """Where a file comes from: how its numbers are dialled, and the IANA zone of starts without an offset.

    VoIP.ms rows are in Eastern time, unless the zone was ``declared`` for this very source.
    """

    home_country: str
    zone: str
    declared: bool = False
    mapping: ColumnMapping | None = None


class Layout(NamedTuple):
    """How a file is laid out.

    ``name`` is ``forfait``, ``voipms``, ``asterisk``, ``freeswitch``, ``aliased`` or ``unknown``; ``columns`` name ->
    index from 0. A line has ``width`` columns; where ``widest`` is more, it has at least ``width`` and at most that.
    """

    name: str
    delimiter: str
    columns: dict[str, int]
    width: int
    header: bool
    widest: int = 0


UNKNOWN = Layout("unknown", ",", {}, 0, False)


class _RowFormat(NamedTuple):
    """How the rows of a format are spelled in the columns of Forfait's own CSV."""

    columns: tuple[str, ...]
    texts: Texts | None
    renamed: Callable[[str], str]


_ROW_FORMATS = {
    "forfait": _RowFormat(call.COLUMNS, None, str),
    "voipms": _RowFormat(voipms.COLUMNS, voipms.texts, voipms.renamed),
    "asterisk": _RowFormat(asterisk.COLUMNS, asterisk.texts, asterisk.renamed),
    "freeswitch": _RowFormat(freeswitch.COLUMNS, freeswitch.texts, freeswitch.renamed),
}


def detect(first: Chunk, mapping: ColumnMapping | None = None) -> Layout:
    """The layout of a file whose first chunk this is; only the first record decides, so chunk sizes do not matter."""
    for delimiter in DELIMITERS:
        record = next(records(first, delimiter), None)
        if record is None:
            break
        # Of a first line with a stray quote or byte, the columns are still clear enough to know the format.
        fields = record.fields or record.raw.split("\n", 1)[0].split(delimiter)
        layout = _by_header(fields, delimiter, mapping) or _by_shape(fields, delimiter)
        if layout:
            return layout
    return UNKNOWN


def parse(chunk: Chunk, layout: Layout, source: Source) -> Iterator[Call | Rejection]:
    """The calls and refused lines of one chunk, in order. Chunks may be parsed in any order, or apart.

    ``layout`` was detected with the mapping of ``source``. Never raises for what is in the file; ``ValueError`` for a
    zone that does not exist.
    """
    if layout.name == "unknown":
        for line, raw, _, problem in records(chunk, layout.delimiter):
            yield _rejection(line, problem or "unknown_format", raw)
        return
    read = call.call_reader(zone_of(layout, source), source.home_country)
    yield from _calls(chunk, layout, _row_format(layout, source), read, source.mapping)


def zone_of(layout: Layout, source: Source) -> str:
    """The zone of starts without an offset."""
    fixed = voipms.ZONE if layout.name == "voipms" else ""
    return fixed if fixed and not source.declared else source.zone


def rejection_of(cut: Cut) -> Rejection:
    """The refused line that stands for the rest of a broken file."""
    return Rejection(cut.line, "truncated", cut.message, cut.raw)


def _row_format(layout: Layout, source: Source) -> _RowFormat:
    if layout.name == "aliased" and source.mapping:
        return _RowFormat(call.COLUMNS, source.mapping.reader(), source.mapping.renamed)
    return _ROW_FORMATS[layout.name]


def _calls(
    chunk: Chunk, layout: Layout, rows: _RowFormat, read: CallReader, mapping: ColumnMapping | None
) -> Iterator[Call | Rejection]:
    texts, width, widest = rows.texts, layout.width, max(layout.width, layout.widest)
    # A column that the file leaves out is read from an empty field put after the last.
    places = [layout.columns.get(name, widest) for name in rows.columns]
    pick: Pick = itemgetter(*places)
    as_it_is = not texts and width == widest and places == list(range(width))
    furthest = max(places)
    for line, raw, fields, problem in records(chunk, layout.delimiter):
        if problem:
            yield _rejection(line, problem, raw)
        elif len(fields) != width and not width < len(fields) <= widest:
            yield _rejection(line, "bad_columns", raw, _wrong_width(len(fields), width, widest))
        else:
            try:
                if as_it_is:
                    yield read(line, fields, fields)
                    continue
                padded = fields if len(fields) > furthest else [*fields, *[""] * (widest + 1 - len(fields))]
                yield read(line, texts(pick, padded) if texts else pick(padded), fields)
            except BadField as bad:
                if not (layout.header and _by_header(fields, layout.delimiter, mapping) == layout):
                    yield _rejection(line, bad.reason, raw, rows.renamed(bad.message))


def _wrong_width(found: int, width: int, widest: int) -> str:
    return f"the line has {found} columns, not {width}" + (f" to {widest}" if widest > width else "")


def _rejection(line: int, reason: str, raw: str, message: str = "") -> Rejection:
    return Rejection(line, reason, message or REASONS[reason], raw)


def _by_header(fields: list[str], delimiter: str, mapping: ColumnMapping | None) -> Layout | None:
    names = [plain(field) for field in fields]
    if mapping and (columns := mapping.header(names)):
        return Layout("aliased", delimiter, columns, len(names), True)
    for layout, required in (
        ("forfait", _REQUIRED),
        ("voipms", voipms.REQUIRED),
        ("asterisk", asterisk.REQUIRED),
        ("freeswitch", freeswitch.REQUIRED),
    ):
        if layout == "asterisk":
            names = [asterisk.OTHER_NAMES.get(name, name) for name in names]
        known, present = _ROW_FORMATS[layout].columns, set(names)
        # A name that comes twice is no header: one could only guess which of the two is meant.
        if not required <= present or any(names.count(name) > 1 for name in known):
            continue
        if layout == "voipms" and not voipms.DIRECTION & present:
            continue
        columns = {name: names.index(name) for name in known if name in present}
        return Layout(layout, delimiter, columns, len(names), True)
    return None


def _by_shape(fields: list[str], delimiter: str) -> Layout | None:
    full, width = len(call.COLUMNS), len(fields)
    if width in (full - 1, full) and plain(fields[_DIRECTION_AT]) in DIRECTIONS:
        columns = {name: n for n, name in enumerate(call.COLUMNS[:width])}
        return Layout("forfait", delimiter, columns, width, False)
    if shape := asterisk.shaped(fields):
        return Layout("asterisk", delimiter, shape, asterisk.LEAST, False, asterisk.MOST)
    if shape := freeswitch.shaped(fields):
        return Layout("freeswitch", delimiter, shape, width, False)
    return None
