"""Which kind of CDR file it is, and its records as calls.

A format is told by the header's names or, without a header, by the shape of the first line; never by the file's name.
Bad lines are values (``Rejection``), so one pass gives every line's fate: each record is exactly one ``Call`` or one
``Rejection``, except header lines, which are neither wherever they stand (files are joined with ``cat``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import NamedTuple

from chalicelib.rating import call_fields, voipms_rows
from chalicelib.rating.call_fields import REASONS, BadField, Call, CallReader, Rejection
from chalicelib.rating.records import Chunk, Cut, records

__all__ = ["REASONS", "Call", "Layout", "Rejection", "Source", "detect", "parse", "rejection_of"]

DELIMITERS = (",", ";", "\t")
_REQUIRED = frozenset(call_fields.COLUMNS) - {"cost"}
_DIRECTION_AT = call_fields.COLUMNS.index("direction")

Pick = Callable[[list[str]], tuple[str, ...]]
Texts = Callable[[Pick, list[str]], tuple[str, ...]]


class Source(NamedTuple):
    """Where a file comes from: how its numbers are dialled, and the IANA zone of starts without an offset.

    The zone is for Forfait's own CSV; VoIP.ms rows are in Eastern time always.
    """

    home_country: str
    zone: str


class Layout(NamedTuple):
    """How a file is laid out: ``name`` is ``forfait``, ``voipms`` or ``unknown``; ``columns`` name -> index from 0."""

    name: str
    delimiter: str
    columns: dict[str, int]
    width: int
    header: bool


UNKNOWN = Layout("unknown", ",", {}, 0, False)


def detect(first: Chunk) -> Layout:
    """The layout of a file whose first chunk this is; only the first record decides, so chunk sizes do not matter."""
    for delimiter in DELIMITERS:
        record = next(records(first, delimiter), None)
        if record is None:
            break
        # Of a first line with a stray quote or byte, the columns are still clear enough to know the format.
        fields = record.fields or record.raw.split("\n", 1)[0].split(delimiter)
        layout = _by_header(fields, delimiter) or _by_shape(fields, delimiter)
        if layout:
            return layout
    return UNKNOWN


def parse(chunk: Chunk, layout: Layout, source: Source) -> Iterator[Call | Rejection]:
    """The calls and refused lines of one chunk, in order. Chunks may be parsed in any order, or apart.

    Never raises for what is in the file; ``ValueError`` for a zone that does not exist.
    """
    if layout.name == "unknown":
        for line, raw, _, problem in records(chunk, layout.delimiter):
            yield _rejection(line, problem or "unknown_format", raw)
        return
    voipms = layout.name == "voipms"
    read = call_fields.call_reader(voipms_rows.ZONE if voipms else source.zone, source.home_country)
    yield from _rows(chunk, layout, read, voipms_rows.texts if voipms else None)


def rejection_of(cut: Cut) -> Rejection:
    """The refused line that stands for the rest of a broken file."""
    return Rejection(cut.line, "truncated", cut.message, cut.raw)


def _rows(chunk: Chunk, layout: Layout, read: CallReader, texts: Texts | None) -> Iterator[Call | Rejection]:
    names = voipms_rows.COLUMNS if texts else call_fields.COLUMNS
    # A column that the file leaves out is read from an empty field put after the last.
    pick: Pick = itemgetter(*(layout.columns.get(name, layout.width) for name in names))
    width, complete = layout.width, len(layout.columns) == len(names)
    for line, raw, fields, problem in records(chunk, layout.delimiter):
        if problem:
            yield _rejection(line, problem, raw)
        elif len(fields) != width:
            yield _rejection(line, "bad_columns", raw, f"the line has {len(fields)} columns, not {width}")
        else:
            try:
                padded = fields if complete else [*fields, ""]
                yield read(line, texts(pick, padded) if texts else pick(padded), fields)
            except BadField as bad:
                if not (layout.header and _by_header(fields, layout.delimiter) == layout):
                    message = voipms_rows.renamed(bad.message) if texts else bad.message
                    yield _rejection(line, bad.reason, raw, message)


def _rejection(line: int, reason: str, raw: str, message: str = "") -> Rejection:
    return Rejection(line, reason, message or REASONS[reason], raw)


def _by_header(fields: list[str], delimiter: str) -> Layout | None:
    names = [field.strip().lower() for field in fields]
    present = set(names)
    for layout, known, required in (
        ("forfait", call_fields.COLUMNS, _REQUIRED),
        ("voipms", voipms_rows.COLUMNS, voipms_rows.REQUIRED),
    ):
        # A name that comes twice is no header: one could only guess which of the two is meant.
        if not required <= present or any(names.count(name) > 1 for name in known):
            continue
        if layout == "voipms" and not voipms_rows.DIRECTION & present:
            continue
        return Layout(
            layout, delimiter, {name: names.index(name) for name in known if name in present}, len(names), True
        )
    return None


def _by_shape(fields: list[str], delimiter: str) -> Layout | None:
    full = len(call_fields.COLUMNS)
    if len(fields) not in (full - 1, full) or fields[_DIRECTION_AT].strip().lower() not in ("outbound", "inbound"):
        return None
    columns = {name: n for n, name in enumerate(call_fields.COLUMNS[: len(fields)])}
    return Layout("forfait", delimiter, columns, len(fields), False)
