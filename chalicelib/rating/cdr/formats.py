"""Detects the format of a CDR file, and reads its records as calls.

A format is recognised by the names in the header or, without a header, by the shape of the first line; never by the
name of the file. The mapping of a CDR source (``ColumnMapping``) is tried first. Every record becomes exactly one
``Call`` or one ``Rejection``, except header lines: they are skipped wherever they are, because files may be joined with
``cat``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import NamedTuple

from chalicelib.calls.format import DIRECTIONS, INBOUND
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import asterisk, call, freeswitch, voipms
from chalicelib.rating.cdr.call import REASONS, BadField, Call, CallReader, Rejection
from chalicelib.rating.cdr.declaration import NOTHING, Declaration
from chalicelib.rating.cdr.mapping import EVIDENCE, ColumnMapping, plain
from chalicelib.rating.cdr.owning import NOBODY, Known, Owning, refusal, stem_of
from chalicelib.rating.cdr.records import Chunk, Cut, records

__all__ = ["REASONS", "Call", "ColumnMapping", "Layout", "Rejection", "Source", "detect", "parse", "rejection_of"]

DELIMITERS = (",", ";", "\t")
_REQUIRED = frozenset(call.COLUMNS) - {"cost"}
_DIRECTION_AT = call.COLUMNS.index("direction")
_STATED = ("forfait", "voipms")
"""Formats whose rows state direction and account themselves."""

Pick = Callable[[list[str]], tuple[str, ...]]
"""Fields of a row -> those of some columns."""
Texts = Callable[[Pick, list[str]], tuple[str, ...]]
"""A pick of a format's columns, and the fields of a row -> the texts of a call in the order of ``call.COLUMNS``."""
_Owned = Callable[[tuple[str, ...], list[str], list[str]], tuple[str, ...]]
"""The texts of a call, the fields of its row filled up, and the row -> the texts with direction and account."""


class Source(NamedTuple):
    """How the fields of a file are read: how its numbers are dialled, and the time zone of its clocks.

    ``zone``: the IANA zone of starts without an offset, or the reseller's calendar as ``periods.calendar`` reads it:
    then each is read in the zone of its own month. For VoIP.ms rows it is used only when a CDR source ``declared`` it;
    otherwise they are in Eastern time. ``known``: what the reseller has, by which owners of rows are found.
    """

    plan: DialPlan
    zone: str
    declared: bool = False
    mapping: ColumnMapping | None = None
    declares: Declaration = NOTHING
    known: Known = NOBODY


class Layout(NamedTuple):
    """The format of a file and the order of its columns.

    ``name`` is ``forfait``, ``voipms``, ``asterisk``, ``freeswitch``, ``aliased`` (by a column mapping) or ``unknown``.
    ``columns``: name of a column -> its index from 0. A line has ``width`` columns or, where ``widest`` is larger, from
    ``width`` to ``widest``.
    """

    name: str
    delimiter: str
    columns: dict[str, int]
    width: int
    header: bool
    widest: int = 0


UNKNOWN = Layout("unknown", ",", {}, 0, False)


class _RowFormat(NamedTuple):
    """How the rows of a format become rows of Forfait's own CSV.

    ``columns`` are the ones needed; ``texts``, a function of the module of the format, makes the texts of a call from
    them (None: they are these texts). ``names``: Forfait's columns -> the format's, for messages. ``evidence``: the
    names of ``mapping.EVIDENCE`` -> the format's columns, those that it has; ``Layout.columns`` has their positions.
    """

    columns: tuple[str, ...]
    texts: Texts | None
    names: Mapping[str, str]
    evidence: Mapping[str, str]


_ROW_FORMATS = {
    "forfait": _RowFormat(call.COLUMNS, None, {}, {name: name for name in EVIDENCE}),
    "voipms": _RowFormat(voipms.COLUMNS, voipms.texts, voipms.NAMES, {}),
    "asterisk": _RowFormat(asterisk.COLUMNS, asterisk.texts, asterisk.NAMES, asterisk.EVIDENCE),
    "freeswitch": _RowFormat(freeswitch.COLUMNS, freeswitch.texts, freeswitch.NAMES, freeswitch.EVIDENCE),
}


def detect(first: Chunk, mapping: ColumnMapping | None = None) -> Layout:
    """The layout of a file, from its first chunk; only the first record decides, so chunk sizes do not matter."""
    for delimiter in DELIMITERS:
        record = next(records(first, delimiter), None)
        if record is None:
            break
        # A first line with a stray quote or byte still shows its columns well enough to recognise the format.
        fields = record.fields or record.raw.split("\n", 1)[0].split(delimiter)
        layout = _by_header(fields, delimiter, mapping) or _by_shape(fields, delimiter)
        if layout:
            return layout
    return UNKNOWN


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
    read = call.call_reader(zone_of(layout, source), source.plan, source.declares.date_format)
    rows, owning = _row_format(layout, source), owning_of(layout, source)
    owned = _owned(owning, layout, rows, read) if owning else None
    yield from _calls(chunk, layout, rows, read, source.mapping, owned)


def owning_of(layout: Layout, source: Source) -> Owning | None:
    """The rules that say whose the rows of a file are; None: its rows state direction and account themselves."""
    declares = source.declares
    if layout.name in _STATED or (
        layout.name == "aliased" and not (declares.account or declares.inside or declares.trunks)
    ):
        return None
    return Owning(declares, source.known, source.plan)


def zone_of(layout: Layout, source: Source) -> str:
    """The IANA zone of starts without an offset, or the calendar by which they are read (``Source``)."""
    fixed = voipms.ZONE if layout.name == "voipms" else ""
    return fixed if fixed and not source.declared else source.zone


def rejection_of(cut: Cut) -> Rejection:
    """The refused line for the place where a broken file stops."""
    return Rejection(cut.line, "truncated", cut.message, cut.raw)


def _row_format(layout: Layout, source: Source) -> _RowFormat:
    if layout.name == "aliased" and source.mapping:
        return _RowFormat(
            call.COLUMNS,
            source.mapping.reader(),
            {ours: str(theirs) for ours, theirs in source.mapping.columns.items()},
            {name: name for name in EVIDENCE},
        )
    return _ROW_FORMATS[layout.name]


def _calls(
    chunk: Chunk,
    layout: Layout,
    rows: _RowFormat,
    read: CallReader,
    mapping: ColumnMapping | None,
    owned: _Owned | None,
) -> Iterator[Call | Rejection]:
    texts, width, widest = rows.texts, layout.width, max(layout.width, layout.widest)
    # A column that the file does not have is read from an empty field that is added after the last.
    places = [layout.columns.get(name, widest) for name in rows.columns]
    pick: Pick = itemgetter(*places)
    is_ours = not texts and width == widest and places == list(range(width))
    # The rules about owners look at other columns, too; one of them may be that empty field.
    furthest = widest if owned else max(places)
    for line, raw, fields, problem in records(chunk, layout.delimiter):
        if problem:
            yield _rejection(line, problem, raw)
        elif len(fields) != width and not width < len(fields) <= widest:
            yield _rejection(line, "bad_columns", raw, _wrong_width(len(fields), width, widest))
        else:
            try:
                if is_ours:
                    yield read(line, fields, fields)
                    continue
                padded = fields if len(fields) > furthest else [*fields, *[""] * (widest + 1 - len(fields))]
                spelled = texts(pick, padded) if texts else pick(padded)
                yield read(line, owned(spelled, padded, fields) if owned else spelled, fields)
            except BadField as bad:
                if not (layout.header and _by_header(fields, layout.delimiter, mapping) == layout):
                    yield _rejection(line, bad.reason, raw, call.renamed(bad.message, rows.names))


def _owned(owning: Owning, layout: Layout, rows: _RowFormat, read: CallReader) -> _Owned:
    """A function that puts the direction and account that the rules find into the texts of a call.

    It raises ``BadField``: for the other fields of the row first, because they are wrong whoever the owner is.
    """
    nowhere = max(layout.width, layout.widest)
    evidence: Pick = itemgetter(
        *(layout.columns.get(rows.evidence.get(name, ""), nowhere) for name in ("channel", "context"))
    )

    def owned(texts: tuple[str, ...], padded: list[str], fields: list[str]) -> tuple[str, ...]:
        call_id, start, direction, account, caller, called, *rest = texts
        channel, context = evidence(padded)
        found = owning.settled(owning.found(direction, account, stem_of(channel), context), caller, called)
        if found is None:
            read(0, (call_id, start, INBOUND, "", caller, called, *rest), fields)
            raise refusal(channel, context, caller, called)
        return (call_id, start, *found, caller, called, *rest)

    return owned


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
        rows, present = _ROW_FORMATS[layout], set(names)
        known = (*rows.columns, *(column for column in rows.evidence.values() if column not in rows.columns))
        # With a name that occurs twice it is not clear which column is meant, so such a line is not a header.
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
