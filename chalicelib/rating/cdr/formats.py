"""Detects the format of a CDR file, and reads its records as calls.

A format is recognised by the names in the header or, without a header, by the shape of the first line; never by the
name of the file. The mapping of a CDR source (``ColumnMapping``) is tried first. Every record becomes exactly one
``Call`` or one ``Rejection``, except header lines: they are skipped wherever they are, because files may be joined with
``cat``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple

from chalicelib.calls.format import INBOUND, OUTBOUND
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import call, fusionpbx, voipms
from chalicelib.rating.cdr.call import REASONS, BadField, Call, CallReader, Rejection, Skipped
from chalicelib.rating.cdr.declaration import ACCOUNT_RULES, NOTHING, Declaration
from chalicelib.rating.cdr.detection import DELIMITERS, SAMPLED, detect, is_separator
from chalicelib.rating.cdr.mapping import EVIDENCE, NO_MAPPING, ColumnMapping
from chalicelib.rating.cdr.owning import NOTHING_KNOWN, Known, Owning, Skipping, refusal, stem_of
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

_CALLED = {
    "voipms": "destination",
    "asterisk": "dst",
    "freeswitch": "destination_number",
    "fusionpbx": "destination_number",
}
"""The column of the number called where it is not ``to``."""
_STATED = ("forfait", "voipms", "aliased")
"""Formats whose rows state direction and account themselves, unless a source declares rules for them."""
_FOUND = ("asterisk", "freeswitch")
"""Formats whose rows do not say what direction they have."""
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
    known: Known = NOTHING_KNOWN


def laid_out(found: Iterable[Chunk | Cut], source: Source) -> Iterator[tuple[Layout, Chunk | Cut]]:
    """The chunks of a file, each with the layout of the file; without the lines that ``source`` declares to skip.

    The first ``detection.SAMPLED`` records decide, so the chunks that have them are held back. The sizes of the chunks
    do not matter.
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


def parse(chunk: Chunk, layout: Layout, source: Source) -> Iterator[Call | Rejection | Skipped]:
    """The calls, refused and skipped lines of one chunk, in order; chunks do not depend on each other.

    ``layout`` must have been detected with the mapping of ``source``. Raises nothing for any content of the file, and
    ``ValueError`` for an unknown zone.
    """
    if layout.name == "unknown":
        for line, raw, _, problem in records(chunk, layout.delimiter):
            # Without a format the delimiter is unknown, and so is where a quote may be.
            unknown = problem in ("", "unclosed_quote")
            yield _rejection(line, "unknown_format" if unknown else problem, raw)
        return
    declares = source.declares
    read = call.call_reader(
        zone_of(layout, source), source.plan, declares.date_format, declares.fx_e10, declares.seconds_format
    )
    rows, owning = _row_format(layout, source), owning_of(layout, source)
    owned = _owned(owning, layout, rows, read) if owning else None
    yield from _calls(chunk, layout, rows, read, owned, _skip(layout, source))


def owning_of(layout: Layout, source: Source) -> Owning | None:
    """The rules that say whose the rows of a file are; None: its rows state direction and account themselves."""
    declares = source.declares
    has_did = layout.name == "aliased" and "did" in layout.columns
    if layout.name in _STATED and not declares.has_owners and not has_did:
        return None
    rules = ACCOUNT_RULES if declares.has_owners or layout.name in _FOUND else ("column",)
    return Owning(declares, source.known, source.plan, rules, _mapping_of(layout, source))


def skipping_of(layout: Layout, source: Source) -> tuple[Skipping, tuple[str, str, str]] | None:
    """The rows that are no calls, and the columns of context, application and number called; None: all are calls."""
    if not source.declares.skip:
        return None
    evidence = evidence_of(layout, source)
    return Skipping(source.declares.skip), (
        evidence.get("context", ""),
        evidence.get("application", ""),
        _CALLED.get(layout.name, "to"),
    )


def _skip(layout: Layout, source: Source) -> Callable[[list[str]], str] | None:
    """A function (fields of a row, filled up) -> why it is no call, or ""."""
    found = skipping_of(layout, source)
    if found is None:
        return None
    skipping, columns = found
    pick: Pick = itemgetter(*(layout.columns.get(name, max(layout.width, layout.widest)) for name in columns))
    return lambda padded: skipping.why(*pick(padded))


def evidence_of(layout: Layout, source: Source) -> Mapping[str, str]:
    """The names of ``mapping.EVIDENCE`` -> the columns of a format that is not ``unknown``."""
    return _row_format(layout, source).evidence


def zone_of(layout: Layout, source: Source) -> str:
    """The IANA zone of starts without an offset, or the calendar by which they are read (``Source``)."""
    fixed = voipms.ZONE if layout.name == "voipms" else ""
    return fixed if fixed and not source.declared else source.zone


def rejection_of(cut: Cut) -> Rejection:
    """The refused line for the place where a broken file stops."""
    return Rejection(cut.line, "truncated", cut.message, cut.raw)


def words_of(layout: Layout, source: Source) -> ColumnMapping:
    """The words and defaults that are put into the rows of a file before rules look at them."""
    mapping = _mapping_of(layout, source)
    if owning_of(layout, source) is not None:
        return mapping.without_defaults("direction", "account")
    # Every row of VoIP.ms says its direction, although perhaps not in the column that has words for it.
    return mapping.without_defaults("direction") if layout.name == "voipms" else mapping


def _mapping_of(layout: Layout, source: Source) -> ColumnMapping:
    """The mapping for a file: that of a source whose columns it has, or that names no columns."""
    mapping = source.mapping or NO_MAPPING
    return mapping if layout.name == "aliased" or not mapping.columns else NO_MAPPING


def _row_format(layout: Layout, source: Source) -> RowFormat:
    mapping = words_of(layout, source)
    if layout.name == "aliased":
        columns = mapping.columns_of(layout.columns)
        names = {ours: str(theirs) for ours, theirs in mapping.columns.items()}
        rows = RowFormat(columns, mapping.texts, names, {name: name for name in EVIDENCE})
    else:
        rows = ROW_FORMATS[layout.name]
        if layout.name == "fusionpbx":
            rows = rows._replace(texts=partial(fusionpbx.texts, source.known.accounts))
    return rows._replace(texts=mapping.translated(rows)) if mapping.words or mapping.defaults else rows


def _calls(
    chunk: Chunk,
    layout: Layout,
    rows: RowFormat,
    read: CallReader,
    owned: _Owned | None,
    skip: Callable[[list[str]], str] | None,
) -> Iterator[Call | Rejection | Skipped]:
    texts, width, widest = rows.texts, layout.width, max(layout.width, layout.widest)
    # A column that the file does not have is read from an empty field that is added after the last.
    places = [layout.columns.get(name, widest) for name in rows.columns]
    pick: Pick = itemgetter(*places)
    is_ours = not skip and not texts and width == widest and places == list(range(width))
    # The rules about owners look at other columns, too; one of them may be that empty field.
    furthest = widest if owned or skip else max(places)
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
                if skip and (why := skip(padded)):
                    yield Skipped(line, why, raw)
                    continue
                spelled = texts(pick, padded) if texts else pick(padded)
                yield read(line, owned(spelled, padded, fields) if owned else spelled, fields)
            except BadField as bad:
                if not layout.is_header(fields):
                    yield _rejection(line, bad.reason, raw, call.renamed(bad.message, rows.names))


def _owned(owning: Owning, layout: Layout, rows: RowFormat, read: CallReader) -> _Owned:
    """A function that puts the direction and account that the rules find into the texts of a call.

    It raises ``BadField``: for the other fields of the row first, because they are wrong with any owner.
    """
    nowhere = max(layout.width, layout.widest)
    evidence: Pick = itemgetter(
        *(layout.columns.get(rows.evidence.get(name, ""), nowhere) for name in ("channel", "context", "did"))
    )

    def owned(texts: tuple[str, ...], padded: list[str], fields: list[str]) -> tuple[str, ...]:
        call_id, start, direction, account, caller, called, *rest = texts
        channel, context, did = evidence(padded)
        did = did.strip()
        said = owning.found(direction, account, stem_of(channel), context, did)
        found = owning.settled(said, caller, did or called)
        if found is None:
            read(0, (call_id, start, INBOUND, "", caller, called, *rest), fields)
            raise refusal(channel, context, caller, did or called)
        return (call_id, start, *found, caller, did if did and found[0] != OUTBOUND else called, *rest)

    return owned


def _wrong_width(found: int, width: int, widest: int) -> str:
    return f"the line has {found} columns, not {width}" + (f" to {widest}" if widest > width else "")


def _rejection(line: int, reason: str, raw: str, message: str = "") -> Rejection:
    return Rejection(line, reason, message or REASONS[reason], raw)
