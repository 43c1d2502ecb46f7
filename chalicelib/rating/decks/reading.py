"""The bytes of a deck file -> deck lines: by the format declared for it, by Forfait's own header, or by a guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from chalicelib.errors import Refused
from chalicelib.rating.cdr.records import Chunk, Cut, Truncated, chunks, plain_blocks, records
from chalicelib.rating.decks import sheets
from chalicelib.rating.decks.bulk import uncollected
from chalicelib.rating.decks.formats import DeckFormat
from chalicelib.rating.decks.guess import DELIMITERS, Guess, guess
from chalicelib.rating.decks.mapping import Read, read_deck
from chalicelib.rating.decks.parse import REQUIRED, BadLine, parse_deck

MAX_DECK_BYTES = 256 << 20
"""The most bytes of an unpacked deck file; 200,000 prefixes have about 10 MB."""
SAMPLE = 2000
"""Rows from which a format is guessed."""
DECLARED, OWN, GUESSED, UNKNOWN = "declared", "own", "guessed", "unknown"


@dataclass
class Reading:
    """``how`` the file was read, and by what; ``guess`` is there for ``guessed`` and may have questions."""

    how: str
    read: Read = field(default_factory=Read)
    guess: Guess | None = None


@uncollected()
def read_file(
    blocks: Iterable[bytes], name: str, day: str, declared: DeckFormat | None, *, assume: bool = False
) -> Reading:
    """A file and the first day of its deck -> its lines, and all that is wrong with it.

    Where a guess has questions nothing is read, and each question is an error; with ``assume`` the file is read with
    the first choice of each. ``Refused``: the file is cut short or too large.
    """
    source = _source(plain_blocks(blocks, name, MAX_DECK_BYTES), name)
    if declared:
        return Reading(DECLARED, read_deck(source.rows(declared.delimiter), declared, day))
    own = source.delimiter()
    samples = {delimiter: source.sample(delimiter) for delimiter in DELIMITERS}
    titles = [title.strip().lower() for title in samples[own][0][1]] if samples[own] else []
    if not titles or len(set(REQUIRED) & set(titles)) >= len(REQUIRED) - 1:
        counted = _Counted(source.rows(own))
        lines, bad = parse_deck(counted)
        return Reading(OWN, Read(lines, bad, rows=max(0, counted.rows - 1)))
    first = samples[own][0][0]
    guessed = guess(samples)
    if guessed is None:
        message = "is in no format that is known: it has no prefixes or no prices; declare a deck format"
        return Reading(UNKNOWN, Read(bad=[BadLine(first, "file", message, "unknown_format")]))
    form = guessed.answered()
    if form is None or (guessed.questions and not assume):
        bad = [BadLine(first, "file", f"cannot be read: {each.message}", each.code) for each in guessed.questions]
        return Reading(GUESSED, Read(bad=bad), guessed)
    return Reading(GUESSED, read_deck(source.rows(form.delimiter), form, day), guessed)


def _source(stream: Iterator[bytes], name: str) -> _Text | _Workbook:
    """The unpacked blocks of a file -> what has its rows; ``Refused`` for a workbook in a gzip that is cut short."""
    head = b""
    try:
        for block in stream:
            head += block
            if len(head) >= len(sheets.MAGIC):
                break
        if head.startswith(sheets.MAGIC):
            return _Workbook(chain([head], stream), name)
    except Truncated as problem:
        raise Refused(f"{name}: {problem}") from None
    return _Text(chain([head], stream))


class _Text:
    """A CSV file; its rows can be taken once."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._pieces = _pieces(blocks)
        self._first = next(self._pieces, None)

    def delimiter(self) -> str:
        """The delimiter that the first line has most."""
        line = self._first.data.split(b"\n", 1)[0].decode(errors="replace") if self._first else ""
        return max(",;\t", key=line.count)

    def sample(self, delimiter: str) -> list[tuple[int, Sequence[str]]]:
        """The first rows, split by a delimiter."""
        found = islice(records(self._first, delimiter), SAMPLE) if self._first else ()
        return [(record.line, record.fields) for record in found if record.fields]

    def rows(self, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
        """Line number and fields of each line; a line that cannot be read has no fields, so it is listed as bad."""
        for chunk in chain([self._first] if self._first else [], self._pieces):
            for record in records(chunk, delimiter or self.delimiter()):
                yield record.line, record.fields


class _Workbook:
    """The sheet of a workbook, whose cells need no delimiter."""

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self._rows = list(sheets.rows(b"".join(blocks), name, MAX_DECK_BYTES))

    def delimiter(self) -> str:
        """A workbook has cells and no delimiter; the answer is not used."""
        return ","

    def sample(self, delimiter: str) -> list[tuple[int, Sequence[str]]]:
        """The first rows; for one delimiter only, so that they are guessed from once."""
        return self._rows[:SAMPLE] if delimiter == self.delimiter() else []

    def rows(self, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
        """All rows."""
        del delimiter
        return iter(self._rows)


class _Counted:
    """Rows, and how many were taken."""

    def __init__(self, rows: Iterator[tuple[int, Sequence[str]]]) -> None:
        self._given, self.rows = rows, 0

    def __iter__(self) -> Iterator[tuple[int, Sequence[str]]]:
        for row in self._given:
            self.rows += 1
            yield row


def _pieces(blocks: Iterable[bytes]) -> Iterator[Chunk]:
    for chunk in chunks(blocks):
        if isinstance(chunk, Cut):
            raise Refused(f"line {chunk.line}: {chunk.message}")
        yield chunk
