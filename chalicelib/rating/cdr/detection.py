"""Finds the layout of a CDR file: the one that reads most of its first records.

A layout comes from a header, from the shape of a row, or from the positions that a CDR source declares. No single row
decides, so a torn, titled or odd row harms only itself, wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from chalicelib.calls.format import DIRECTIONS, DISPOSITIONS
from chalicelib.rating.cdr import asterisk, call, freeswitch, fusionpbx, voipms
from chalicelib.rating.cdr.declaration import NOTHING, Declaration
from chalicelib.rating.cdr.mapping import TIME, ColumnMapping, plain
from chalicelib.rating.cdr.records import Chunk, Record, records
from chalicelib.rating.cdr.row_formats import ROW_FORMATS, UNKNOWN, Layout
from chalicelib.rating.cdr.starts import looks_like_start

DELIMITERS = (",", ";", "\t")
SAMPLED = 50
"""So many of the first records decide."""
_REQUIRED = frozenset(call.COLUMNS) - {"cost"}
_DIRECTION_AT = call.COLUMNS.index("direction")
_HEADERS = (
    ("forfait", _REQUIRED),
    ("voipms", voipms.REQUIRED),
    ("asterisk", asterisk.REQUIRED),
    ("fusionpbx", fusionpbx.REQUIRED),
    ("freeswitch", freeswitch.REQUIRED),
)
_LENGTH = re.compile(r"\d{1,9}(?:[.:]\d+)*")
_SEPARATOR = re.compile(r"\W?sep=.\s*", re.IGNORECASE)


def detect(
    some: Chunk | Iterable[Chunk], mapping: ColumnMapping | None = None, declares: Declaration = NOTHING
) -> Layout:
    """The layout of a file, from its first chunk or chunks, and from the mapping and header that a source declares."""
    chunks = [some] if isinstance(some, Chunk) else list(some)
    # A header alone is a file without calls; a shape that reads no row is none.
    best, most = UNKNOWN, (0, False)
    for delimiter in DELIMITERS:
        every = chain.from_iterable(records(chunk, delimiter) for chunk in chunks)
        rows = [_fields(record, delimiter) for record in islice(every, SAMPLED)]
        for layout in _candidates(rows, delimiter, mapping, declares.header):
            # Of layouts that read as many rows, a header says more than the shape of rows.
            score = sum(_reads(layout, fields, mapping) for fields in rows), layout.header
            if score > most:
                best, most = layout, score
    return best


def is_separator(raw: str) -> bool:
    """Whether a line tells a spreadsheet the delimiter (``sep=;``)."""
    return _SEPARATOR.fullmatch(raw) is not None


def _fields(record: Record, delimiter: str) -> list[str]:
    # A row with a stray quote or byte still shows its columns well enough.
    return record.fields or record.raw.split("\n", 1)[0].split(delimiter)


def _candidates(rows: list[list[str]], delimiter: str, mapping: ColumnMapping | None, header: str) -> Iterator[Layout]:
    """The layouts that one of the rows shows, each once, those of declared columns first."""
    seen: list[Layout] = []
    # Under titles of others, the columns in the order of Forfait's own may mean something else.
    is_titled = any("direction" in map(plain, fields) for fields in rows)
    for fields in rows:
        found = []
        if header != "absent":
            found.append(_by_header(fields, delimiter, mapping))
        if header != "present":
            found.append(_by_position(fields, delimiter, mapping))
            found.append(_by_shape(fields, delimiter, mapping))
        seen += [
            layout
            for layout in found
            if layout and layout not in seen and (layout.name != "forfait" or layout.header or not is_titled)
        ]
    if header == "present" and mapping and rows and not seen:
        # Columns by position say nothing about titles: the first row is the header.
        seen += [layout for layout in [_by_position(rows[0], delimiter, mapping, True)] if layout]
    yield from sorted(seen, key=lambda layout: layout.name != "aliased")


def _reads(layout: Layout, fields: list[str], mapping: ColumnMapping | None) -> bool:
    """Whether a row has the count of columns of a layout, and in them what may be a start and seconds."""
    if len(fields) != layout.width and not layout.width < len(fields) <= layout.widest:
        return False
    names = {} if layout.name == "aliased" else ROW_FORMATS[layout.name].names
    if layout.name == "asterisk" and not _ends(asterisk.is_disposition, "disposition", layout, fields, mapping):
        return False
    if layout.name == "freeswitch" and not _ends(freeswitch.is_cause, "hangup_cause", layout, fields, mapping):
        return False
    start, seconds = (layout.columns.get(names.get(name, name)) for name in ("start", "seconds"))
    if seconds is None:
        seconds = layout.columns.get("duration")
    return (
        start is not None
        and looks_like_start(
            " ".join(fields[place] for place in (start, layout.columns.get(TIME)) if place is not None)
        )
        and (seconds is None or _LENGTH.fullmatch(fields[seconds].strip(' "')) is not None)
    )


def _ends(
    known: Callable[[str], bool], column: str, layout: Layout, fields: list[str], mapping: ColumnMapping | None
) -> bool:
    """Whether a field is a word of the format for how a call ended, or a declared one."""
    text = fields[layout.columns[column]]
    word = mapping.rule("disposition")(text) if mapping and not mapping.columns else text
    return known(word) or (word != text and word in DISPOSITIONS)


def _by_header(fields: list[str], delimiter: str, mapping: ColumnMapping | None) -> Layout | None:
    names = [plain(field) for field in fields]
    titles = tuple(names)
    if mapping and mapping.has_titles and (columns := mapping.header(names)):
        return Layout("aliased", delimiter, columns, len(names), True, titles=titles)
    for layout, required in _HEADERS:
        rows, others = ROW_FORMATS[layout], _OTHER_NAMES.get(layout, {})
        ours = [others.get(name, name) for name in names]
        present = set(ours)
        known = (*rows.columns, *(column for column in rows.evidence.values() if column not in rows.columns))
        # With a name that occurs twice it is not clear which column is meant, so such a line is not a header.
        if not required <= present or any(ours.count(name) > 1 for name in known):
            continue
        if layout == "voipms" and not (voipms.DIRECTION & present and voipms.LENGTH & present):
            continue
        columns = {name: ours.index(name) for name in known if name in present}
        return Layout(layout, delimiter, columns, len(names), True, titles=titles)
    return None


_OTHER_NAMES = {"asterisk": asterisk.OTHER_NAMES, "voipms": voipms.OTHER_NAMES}


def _by_position(
    fields: list[str], delimiter: str, mapping: ColumnMapping | None, header: bool = False
) -> Layout | None:
    columns = mapping.placed(len(fields)) if mapping else None
    if not columns:
        return None
    titles = tuple(map(plain, fields)) if header else ()
    layout = Layout("aliased", delimiter, columns, len(fields), header, titles=titles)
    return layout if header or _reads(layout, fields, mapping) else None


def _by_shape(fields: list[str], delimiter: str, mapping: ColumnMapping | None) -> Layout | None:
    full, width = len(call.COLUMNS), len(fields)
    if width in (full - 1, full) and plain(fields[_DIRECTION_AT]) in DIRECTIONS:
        columns = {name: n for n, name in enumerate(call.COLUMNS[:width])}
        return Layout("forfait", delimiter, columns, width, False)
    layouts = [
        Layout("asterisk", delimiter, asterisk.SHAPED, asterisk.LEAST, False, asterisk.MOST),
        Layout("asterisk", delimiter, asterisk.CUSTOM, width, False),
        Layout("freeswitch", delimiter, freeswitch.SHAPED, width, False),
        Layout("freeswitch", delimiter, freeswitch.LIKE_ASTERISK, width, False),
    ]
    least = (asterisk.LEAST, asterisk.LEAST_CUSTOM, len(freeswitch.ORDER), len(freeswitch.ORDER_LIKE_ASTERISK))
    for layout, fewest in zip(layouts, least, strict=True):
        if fewest <= width <= freeswitch.MOST and _reads(layout, fields, mapping):
            return layout
    return None
