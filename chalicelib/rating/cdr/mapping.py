"""The column mapping of a CDR source: how a reseller's own files are translated into Forfait's own CSV.

A *CDR source* is what a reseller declares about some of its files: which files it applies to, the time zone of their
clocks, the names of their columns, their words for directions and dispositions, and defaults for missing columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from chalicelib.rating.cdr import durations, spans
from chalicelib.rating.cdr.call import COLUMNS

DURATION = "duration"
"""The seconds of a whole call, ringing included; the billable ones are compared with it where it is declared."""
TIME = "time"
"""The time of a start whose date is in the column ``start``."""
_START_AT = COLUMNS.index("start")

_NEEDED = ("start", "direction", "to", "disposition", "seconds")
"""Columns without which a call cannot be read; the file must have each, or the mapping a default for it."""
EVIDENCE = ("channel", "destination_channel", "context", "application", "did")
"""Columns by which rules find the account and the direction of a row, or that it is no call; no text of a call.
``did`` is the DID that a call from outside came in by, where the number called is what it was put through to."""
_UPLOADED = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}-")


Texts = Callable[[Callable[[list[str]], tuple[str, ...]], list[str]], tuple[str, ...]]


class Rows(Protocol):
    """The part of a ``row_formats.RowFormat`` that words and defaults need."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def texts(self) -> Texts | None: ...
    @property
    def names(self) -> Mapping[str, str]: ...


class Declared(Protocol):
    """The part of a CDR source by which it is chosen for a file."""

    source_id: str
    pattern: str


_D = TypeVar("_D", bound=Declared)


@dataclass(frozen=True)
class ColumnMapping:
    """Names and words of a file by Forfait's columns; they match in any case. False when it maps nothing.

    ``columns``: Forfait's column, ``duration``, ``time`` or one of ``EVIDENCE`` -> the title of the file's, or its
    place from 1 on.
    ``words``: Forfait's column -> the file's word -> Forfait's.
    ``defaults``: Forfait's column -> the text used where the file has no such column or an empty field.
    ``seconds_format``: how two numbers with a colon are read in the columns of seconds (``spans``).
    ``finds_owners``: rules find the direction of a row, so that a file needs no column for it.
    """

    columns: Mapping[str, str | int] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    finds_owners: bool = False
    seconds_format: str = spans.AUTO

    def __bool__(self) -> bool:
        return bool(self.columns or self.words or self.defaults)

    @property
    def has_titles(self) -> bool:
        """Whether its columns are found by the titles in a header, not by position alone."""
        return not self.columns or any(isinstance(column, str) for column in self.columns.values())

    def header(self, names: list[str]) -> dict[str, int] | None:
        """Forfait's columns -> their positions; None when this header (in small letters) does not fit the mapping."""
        places = {}
        for column in (*COLUMNS, *EVIDENCE, *self._more()):
            declared = self.columns.get(column, column)
            if isinstance(declared, int):
                places[column] = declared - 1
                continue
            name = plain(declared)
            if names.count(name) == 1:
                places[column] = names.index(name)
            elif column in self.columns or (name in names and column in COLUMNS):
                return None
        return places if self._is_enough(places, len(names)) else None

    def placed(self, width: int) -> dict[str, int] | None:
        """Forfait's columns -> their positions in rows of so many columns without titles; None where one is missing."""
        if any(isinstance(column, str) for column in self.columns.values()):
            return None
        places = {ours: int(theirs) - 1 for ours, theirs in self.columns.items()}
        return places if places and self._is_enough(places, width) else None

    def _is_enough(self, places: Mapping[str, int], width: int) -> bool:
        given = {*places, *self.defaults, *(("direction",) if self.finds_owners else ())}
        return given.issuperset(_NEEDED) and all(place < width for place in places.values())

    def _more(self) -> tuple[str, ...]:
        return tuple(column for column in (DURATION, TIME) if column in self.columns)

    def without_defaults(self, *columns: str) -> ColumnMapping:
        """The same without the defaults for some of Forfait's columns."""
        kept = {ours: text for ours, text in self.defaults.items() if ours not in columns}
        return self if len(kept) == len(self.defaults) else replace(self, defaults=kept)

    def columns_of(self, places: Mapping[str, int]) -> tuple[str, ...]:
        """The columns whose fields ``texts`` takes."""
        return (*COLUMNS, *(column for column in (DURATION, TIME) if column in places))

    def texts(self, pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
        """The fields of ``columns_of`` -> the texts of a call as ordered in ``call.COLUMNS``; raises ``BadField``."""
        found = pick(fields)
        if len(found) == len(COLUMNS):
            return found
        if TIME in self.columns:
            *before, time = found
            before[_START_AT] = f"{before[_START_AT].strip()} {time.strip()}"
            found = tuple(before)
        if len(found) > len(COLUMNS):
            durations.check(found[COLUMNS.index("seconds")], found[-1], ("seconds", DURATION), self.seconds_format)
        return found[: len(COLUMNS)]

    def translated(self, rows: Rows) -> Texts:
        """The function ``rows.texts``, but words and defaults are read before it as if the file had Forfait's words."""
        places = {
            rows.columns.index(rows.names.get(column, column) if rows.texts != self.texts else column): self.rule(
                column
            )
            for column in {*self.words, *self.defaults}
            if (rows.names.get(column, column) if rows.texts != self.texts else column) in rows.columns
        }
        texts = rows.texts

        def read(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
            found = list(pick(fields))
            for place, rule in places.items():
                found[place] = rule(found[place])
            row = tuple(found)
            return texts(lambda _: row, fields) if texts else row

        return read

    def rule(self, column: str) -> Callable[[str], str]:
        """A function from the file's text in one of Forfait's columns to Forfait's text."""
        known = {plain(theirs): ours for theirs, ours in self.words.get(column, {}).items()}
        default = self.defaults.get(column)

        def translated(text: str) -> str:
            text = known.get(plain(text), text)
            return text if default is None or text.strip() else default

        return translated


NO_MAPPING = ColumnMapping()


def plain(name: str) -> str:
    """A name or word in the form in which it is compared: without blanks around it, in small letters."""
    return name.strip().lower()


def chosen(sources: Iterable[_D], path: str) -> _D | None:
    """The CDR source for a file, or None; ``path`` is its key below the reseller's prefix, folders included.

    A pattern that ends with ``/`` matches everything in a folder. Of several patterns that match, the longest decides,
    and of equally long ones the source with the first id. The id that an upload puts before the file's name is ignored.
    """
    folder, _, name = path.rpartition("/")
    uploaded = _UPLOADED.sub("", name, count=1) if _UPLOADED.match(name) else name
    paths = {path, f"{folder}/{uploaded}" if folder else uploaded}
    fitting = [source for source in sources if any(_fits(source.pattern, one) for one in paths)]
    return min(fitting, key=lambda source: (-len(source.pattern), source.source_id), default=None)


def _fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern) if pattern.endswith("/") else fnmatchcase(path, pattern)
