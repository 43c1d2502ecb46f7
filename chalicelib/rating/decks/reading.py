"""The bytes of a deck file -> deck lines: by the format declared for it, by Forfait's own header, or by a guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from chalicelib.errors import Refused
from chalicelib.rating.cdr.records import Chunk, Cut, chunks, plain_blocks, records
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


def read_file(
    blocks: Iterable[bytes], name: str, day: str, declared: DeckFormat | None, *, assume: bool = False
) -> Reading:
    """A file and the first day of its deck -> its lines, and all that is wrong with it.

    Where a guess has questions nothing is read, and each question is an error; with ``assume`` the file is read with
    the first choice of each. ``Refused``: the file is cut short or too large.
    """
    pieces = _pieces(blocks, name)
    first = next(pieces, None)
    if first is None:
        return Reading(DECLARED if declared else OWN, Read(bad=parse_deck([])[1]))
    if declared:
        return Reading(DECLARED, read_deck(_rows(chain([first], pieces), declared.delimiter), declared, day))
    samples = {delimiter: _sample(first, delimiter) for delimiter in DELIMITERS}
    own = max(DELIMITERS[::-1], key=first.data.split(b"\n", 1)[0].decode(errors="replace").count)
    titles = [title.strip().lower() for title in samples[own][0][1]] if samples[own] else []
    if len(set(REQUIRED) & set(titles)) >= len(REQUIRED) - 1:
        rows = _rows(chain([first], pieces), own)
        counted = _Counted(rows)
        lines, bad = parse_deck(counted)
        return Reading(OWN, Read(lines, bad, rows=max(0, counted.rows - 1)))
    guessed = guess(samples)
    if guessed is None:
        message = (
            "is in no format that is known; it needs a column of prefixes and one of prices: declare a deck format"
        )
        return Reading(UNKNOWN, Read(bad=[BadLine(first.first_line, "file", message, "unknown_format")]))
    form = guessed.answered()
    if form is None or (guessed.questions and not assume):
        bad = [BadLine(first.first_line, "file", f"cannot be read: {q.message}", q.code) for q in guessed.questions]
        return Reading(GUESSED, Read(bad=bad), guessed)
    return Reading(GUESSED, read_deck(_rows(chain([first], pieces), form.delimiter), form, day), guessed)


class _Counted:
    """Rows, and how many were taken."""

    def __init__(self, rows: Iterator[tuple[int, Sequence[str]]]) -> None:
        self._given, self.rows = rows, 0

    def __iter__(self) -> Iterator[tuple[int, Sequence[str]]]:
        for row in self._given:
            self.rows += 1
            yield row


def _pieces(blocks: Iterable[bytes], name: str) -> Iterator[Chunk]:
    for chunk in chunks(plain_blocks(blocks, name, MAX_DECK_BYTES)):
        if isinstance(chunk, Cut):
            raise Refused(f"line {chunk.line}: {chunk.message}")
        yield chunk


def _sample(chunk: Chunk, delimiter: str) -> list[tuple[int, Sequence[str]]]:
    return [(record.line, record.fields) for record in islice(records(chunk, delimiter), SAMPLE) if record.fields]


def _rows(pieces: Iterable[Chunk], delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number and fields of each line; a line that cannot be read has no fields, so it is listed as bad."""
    for chunk in pieces:
        delimiter = delimiter or max(",;\t", key=chunk.data.split(b"\n", 1)[0].decode(errors="replace").count)
        for record in records(chunk, delimiter):
            yield record.line, record.fields
