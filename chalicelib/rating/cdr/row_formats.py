"""The formats of CDR files: which of their columns are read, and the layout of one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from chalicelib.rating.cdr import asterisk, call, freeswitch, fusionpbx, voipms
from chalicelib.rating.cdr.mapping import EVIDENCE, plain

Pick = Callable[[list[str]], tuple[str, ...]]
"""Fields of a row -> those of some columns."""
Texts = Callable[[Pick, list[str]], tuple[str, ...]]
"""A pick of a format's columns, and the fields of a row -> the texts of a call in the order of ``call.COLUMNS``."""


class Layout(NamedTuple):
    """The format of a file and the order of its columns.

    ``name`` is one of ``ROW_FORMATS``, ``aliased`` (by a column mapping) or ``unknown``. ``columns``: name of a column
    -> its index from 0. A line has ``width`` columns or, where ``widest`` is larger, from ``width`` to ``widest``.
    ``titles`` are the fields of the header in small letters, empty without one.
    """

    name: str
    delimiter: str
    columns: dict[str, int]
    width: int
    header: bool
    widest: int = 0
    titles: tuple[str, ...] = ()

    def is_header(self, fields: list[str]) -> bool:
        """Whether a row is the header of this file again, as in files joined into one."""
        return self.header and tuple(map(plain, fields)) == self.titles


UNKNOWN = Layout("unknown", ",", {}, 0, False)


class RowFormat(NamedTuple):
    """How the rows of a format become rows of Forfait's own CSV.

    ``columns`` are the ones needed; ``texts``, a function of the module of the format, makes the texts of a call from
    them (None: they are these texts). ``names``: Forfait's columns -> the format's, for messages, words and defaults.
    ``evidence``: the names of ``mapping.EVIDENCE`` -> the format's columns, those that it has; ``Layout.columns`` has
    their positions.
    """

    columns: tuple[str, ...]
    texts: Texts | None
    names: Mapping[str, str]
    evidence: Mapping[str, str]


ROW_FORMATS = {
    "forfait": RowFormat(call.COLUMNS, None, {}, {name: name for name in EVIDENCE}),
    "voipms": RowFormat(voipms.COLUMNS, voipms.texts, voipms.NAMES, {}),
    "asterisk": RowFormat(asterisk.COLUMNS, asterisk.texts, asterisk.NAMES, asterisk.EVIDENCE),
    "fusionpbx": RowFormat(fusionpbx.COLUMNS, partial(fusionpbx.texts, ()), fusionpbx.NAMES, fusionpbx.EVIDENCE),
    "freeswitch": RowFormat(freeswitch.COLUMNS, freeswitch.texts, freeswitch.NAMES, freeswitch.EVIDENCE),
}
