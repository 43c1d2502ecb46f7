"""Detects the format of a CDR file, and reads its records as calls.

A format is recognised by the names in the header or, without a header, by the shape of the first line; never by the
name of the file. The mapping of a CDR source (``ColumnMapping``) is tried first. Every record becomes exactly one
``Call`` or one ``Rejection``, except header lines: they are skipped wherever they are, because files may be joined with
``cat``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import call, voipms
from chalicelib.rating.cdr.call import REASONS, BadField, Call, CallReader, Rejection
from chalicelib.rating.cdr.declaration import NOTHING, Declaration
from chalicelib.rating.cdr.detection import DELIMITERS, SAMPLED, detect, is_separator
from chalicelib.rating.cdr.mapping import EVIDENCE, ColumnMapping
from chalicelib.rating.cdr.records import Chunk, Cut, records
from chalicelib.rating.cdr.row_formats import ROW_FORMATS, UNKNOWN, Layout, Pick, RowFormat

__all__ = [
    "REASONS",
    "UNKNOWN",
    "Call",
    "ColumnMapping",
    "Layout",
    "Rejection",
    "Source",
    "detect",
    "laid_out",
    "parse",
    "rejection_of",
]


class Source(NamedTuple):
    """How the fields of a file are read: how its numbers are dialled, and the time zone of its clocks.

    ``zone``: the IANA zone of starts without an offset, or the reseller's calendar as ``periods.calendar`` reads it:
    then each is read in the zone of its own month. For VoIP.ms rows it is used only when a CDR source ``declared`` it;
    otherwise they are in Eastern time.
    """

    plan: DialPlan
    zone: str
    declared: bool = False
    mapping: ColumnMapping | None = None
    declares: Declaration = NOTHING


def laid_out(found: Iterable[Chunk | Cut], source: Source) -> Iterator[tuple[Layout, Chunk | Cut]]:
    """The chunks of a file, each with the layout of the file; without the lines that ``source`` declares to skip.

    The first ``detection.SAMPLED`` records decide whatever the sizes of the chunks, so as many chunks are held back.
    """
    ahead, seen, stream = list[Chunk | Cut](), 0, _without_skipped(iter(found), source.declares.skip_lines)
    for chunk in stream:
        ahead.append(chunk)
        if isinstance(chunk, Chunk):
            seen += sum(1 for _ in islice(records(chunk, DELIMITERS[0]), SAMPLED - seen))
        if seen >= SAMPLED:
            break
    layout = detect([chunk for chunk in ahead if isinstance(chunk, Chunk)], source.mapping, source.declares)
    for chunk in chain(ahead, stream):
        yield layout, chunk


def _without_skipped(found: Iterator[Chunk | Cut], lines: int) -> Iterator[Chunk | Cut]:
    """The chunks without the first ``lines`` lines of the file."""
    for chunk in found:
        if isinstance(chunk, Chunk) and chunk.first_line <= lines:
            skipped = lines + 1 - chunk.first_line
            rest = chunk.data.split(b"\n", skipped)[skipped:]
            chunk = Chunk(lines + 1, rest[0] if rest else b"")
            if not chunk.data.strip():
                continue
        yield chunk


def parse(chunk: Chunk, layout: Layout, source: Source) -> Iterator[Call | Rejection]:
    """The calls and refused lines of one chunk, in order; chunks do not depend on each other.

    ``layout`` must have been detected with the mapping of ``source``. Raises nothing for any content of the file, and
    ``ValueError`` for an unknown zone.
    """
    if layout.name == "unknown":
        for line, raw, _, problem in records(chunk, layout.delimiter):
            # Without a format the delimiter is unknown, and so is where a quote may be.
            unknown = problem in ("", "unclosed_quote")
            yield _rejection(line, "unknown_format" if unknown else problem, raw)
        return
    read = call.call_reader(zone_of(layout, source), source.plan)
    yield from _calls(chunk, layout, _row_format(layout, source), read)


def zone_of(layout: Layout, source: Source) -> str:
    """The IANA zone of starts without an offset, or the calendar by which they are read (``Source``)."""
    fixed = voipms.ZONE if layout.name == "voipms" else ""
    return fixed if fixed and not source.declared else source.zone


def rejection_of(cut: Cut) -> Rejection:
    """The refused line for the place where a broken file stops."""
    return Rejection(cut.line, "truncated", cut.message, cut.raw)


def words_of(layout: Layout, source: Source) -> ColumnMapping:
    """The words and defaults for a file: those of a source whose columns it has, or that names no columns."""
    mapping = source.mapping or ColumnMapping()
    return mapping if layout.name == "aliased" or not mapping.columns else ColumnMapping()


def _row_format(layout: Layout, source: Source) -> RowFormat:
    mapping = words_of(layout, source)
    if layout.name == "aliased":
        columns = mapping.columns_of(layout.columns)
        names = {ours: str(theirs) for ours, theirs in mapping.columns.items()}
        rows = RowFormat(columns, mapping.texts, names, {name: name for name in EVIDENCE})
    else:
        rows = ROW_FORMATS[layout.name]
    return rows._replace(texts=mapping.translated(rows)) if mapping.words or mapping.defaults else rows


def _calls(chunk: Chunk, layout: Layout, rows: RowFormat, read: CallReader) -> Iterator[Call | Rejection]:
    texts, width, widest = rows.texts, layout.width, max(layout.width, layout.widest)
    # A column that the file does not have is read from an empty field that is added after the last.
    places = [layout.columns.get(name, widest) for name in rows.columns]
    pick: Pick = itemgetter(*places)
    is_ours = not texts and width == widest and places == list(range(width))
    furthest = max(places)
    for line, raw, fields, problem in records(chunk, layout.delimiter):
        if problem:
            yield _rejection(line, problem, raw)
        elif len(fields) != width and not width < len(fields) <= widest:
            if is_separator(raw):
                continue
            yield _rejection(line, "bad_columns", raw, _wrong_width(len(fields), width, widest))
        else:
            try:
                if is_ours:
                    yield read(line, fields, fields)
                    continue
                padded = fields if len(fields) > furthest else [*fields, *[""] * (widest + 1 - len(fields))]
                yield read(line, texts(pick, padded) if texts else pick(padded), fields)
            except BadField as bad:
                if not layout.is_header(fields):
                    yield _rejection(line, bad.reason, raw, call.renamed(bad.message, rows.names))


def _wrong_width(found: int, width: int, widest: int) -> str:
    return f"the line has {found} columns, not {width}" + (f" to {widest}" if widest > width else "")


def _rejection(line: int, reason: str, raw: str, message: str = "") -> Rejection:
    return Rejection(line, reason, message or REASONS[reason], raw)
