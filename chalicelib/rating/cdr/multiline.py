"""Records over several lines: how far one goes whose quote is not closed on its first line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_RECORD_BYTES = 1 << 16
"""A line, or the lines of one record with quoted newlines, longer than this is no call."""
MAX_RECORD_LINES = 50
"""A quote that is not closed within so many lines was never meant to open a field."""
# A record over several lines is taken as one only when every quote in it opens or closes a field. Any delimiter
# counts here: chunks are cut before anybody knows which one the file uses.
_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",;\t\n]*+)'
_WELL_QUOTED = re.compile(_FIELD + rb"(?:[,;\t]" + _FIELD + rb")*+\r?", re.DOTALL)


def span_of(lines: list[bytes], at: int) -> int:
    """How many lines the record at ``lines[at]`` has; 0 when the lines end before that is certain (one, at the end).

    Only a line with an odd count of quotes can go on, up to the next such line, and only when together they are well
    quoted. So a stray quote spoils no other line.
    """
    total = len(lines[at])
    if not lines[at].count(b'"') & 1 or total > MAX_RECORD_BYTES:
        return 1
    for end in range(at + 1, at + MAX_RECORD_LINES):
        if end >= len(lines):
            return 0
        total += 1 + len(lines[end])
        if total > MAX_RECORD_BYTES:
            return 1
        if lines[end].count(b'"') & 1:
            together = b"\n".join(lines[at : end + 1])
            return end + 1 - at if _WELL_QUOTED.fullmatch(together) else 1
    return 1


def spans(lines: list[bytes], odd: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The records that begin with one of the ``odd`` lines (those with an odd count of quotes, in order): which line,
    and how many; 0 of them as ``span_of`` has it.
    """
    at = 0
    for first in odd:
        if first >= at:
            span = span_of(lines, first)
            yield first, span
            at = first + span
