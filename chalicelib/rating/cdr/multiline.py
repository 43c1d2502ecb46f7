"""Records over several lines: where a record ends whose quote is not closed on its first line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_RECORD_BYTES = 1 << 16
"""The longest record that is read, whether on one line or on several with quoted newlines."""
MAX_RECORD_LINES = 50
"""A quote that is not closed within so many lines is taken for a stray quote."""
# Lines are taken as one record only when every quote in them opens or closes a field. All delimiters count: chunks are
# cut before the delimiter of the file is known.
_FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",;\t\n]*+)'
_WELL_QUOTED = re.compile(_FIELD + rb"(?:[,;\t]" + _FIELD + rb")*+\r?", re.DOTALL)


def span_of(lines: list[bytes], at: int) -> int:
    """The number of lines of the record that begins at ``lines[at]``.

    0 when the lines end before this is certain; at the end of a file that means 1. A record goes on only from a line
    with an odd count of quotes to the next such line, and only when both and the lines between are well quoted. So a
    stray quote damages no other line.
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
    """The records that begin with one of the ``odd`` lines, as (first line, count of lines as ``span_of`` returns it).

    ``odd`` are the indexes of the lines with an odd count of quotes, in order.
    """
    at = 0
    for first in odd:
        if first >= at:
            span = span_of(lines, first)
            yield first, span
            at = first + span
