"""What a reseller declares about files of its own making: whose names stand for which of Forfait's columns.

A declaration (a *source*) says for which files it holds, in which zone their clocks run, what their columns and words
are called, and what to take where a column is missing. Forfait's own CSV is the language that it translates into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from chalicelib.rating.cdr.call import COLUMNS, renamed

_NEEDED = ("start", "direction", "to", "disposition", "seconds")
"""A call cannot be read without these; the file has them, or the declaration says what they are."""
_UPLOADED = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}-")


class Declared(Protocol):
    """A declaration as far as choosing it goes."""

    source_id: str
    pattern: str


_D = TypeVar("_D", bound=Declared)


@dataclass(frozen=True)
class ColumnMapping:
    """``columns``: Forfait's column -> the file's; ``words``: column -> the file's word -> Forfait's; ``defaults``:
    column -> the text to take where the file has no such column, or nothing in it. Names match in any case.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.columns or self.words or self.defaults)

    def header(self, names: list[str]) -> dict[str, int] | None:
        """Forfait's columns by place, if this header (in small letters) is of the files that were declared."""
        places = {}
        for column in COLUMNS:
            name = plain(self.columns.get(column, column))
            if names.count(name) == 1:
                places[column] = names.index(name)
            elif name in names or column in self.columns:
                return None
        return places if all(column in places or column in self.defaults for column in _NEEDED) else None

    def reader(self) -> Callable[[Callable[[list[str]], tuple[str, ...]], list[str]], tuple[str, ...]]:
        """A function from a row's texts, picked by ``call_fields.COLUMNS``, to the same in Forfait's words."""
        rules = {COLUMNS.index(column): self.rule(column) for column in {*self.words, *self.defaults}}

        def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
            found = list(pick(fields))
            for place, rule in rules.items():
                found[place] = rule(found[place])
            return tuple(found)

        return texts

    def rule(self, column: str) -> Callable[[str], str]:
        """A function from what the file says in one of Forfait's columns to what Forfait says."""
        known = {plain(theirs): ours for theirs, ours in self.words.get(column, {}).items()}
        default = self.defaults.get(column)

        def said(text: str) -> str:
            text = known.get(plain(text), text)
            return text if default is None or text.strip() else default

        return said

    def renamed(self, message: str) -> str:
        """A message about a column of Forfait's, about the column of the file that it came from."""
        return renamed(message, self.columns)


def plain(name: str) -> str:
    """A name or word as it is compared: without blanks around it, in small letters."""
    return name.strip().lower()


def chosen(sources: Iterable[_D], path: str) -> _D | None:
    """The source that holds for a file; ``path`` is its name below the reseller's prefix, folders included.

    A pattern that ends with ``/`` is a folder, with all below it. Of several that fit the longest pattern wins, of
    equally long ones the first by id. Patterns need not reckon with the id that an upload puts before a file's name.
    """
    folder, _, name = path.rpartition("/")
    uploaded = _UPLOADED.sub("", name, count=1) if _UPLOADED.match(name) else name
    paths = {path, f"{folder}/{uploaded}" if folder else uploaded}
    fitting = [source for source in sources if any(_fits(source.pattern, one) for one in paths)]
    return min(fitting, key=lambda source: (-len(source.pattern), source.source_id), default=None)


def _fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern) if pattern.endswith("/") else fnmatchcase(path, pattern)
