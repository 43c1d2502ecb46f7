"""The bytes of a CDR file -> its records: unpacked (``compression``), converted to UTF-8 (``encoding``), cut into
chunks of whole records, split into fields.

This module does not know what a call is. Three promises hold for any bytes:

- **Line numbers are physical.** A record's ``line`` is one more than the count of line feeds before it in the unpacked
  file, as in an editor; quoted newlines, blank lines and lines that are too long all count.
- **The records do not depend on the sizes of blocks and chunks.** The bytes of a record alone decide where it ends, and
  the delimiter need not be known.
- **Memory is flat.** At most a chunk and one record are held; bytes beyond ``MAX_RECORD_BYTES`` are dropped unread.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, count
from typing import NamedTuple

from chalicelib.rating.cdr.compression import Truncated, plain_blocks
from chalicelib.rating.cdr.encoding import utf8_blocks
from chalicelib.rating.cdr.multiline import MAX_RECORD_BYTES, MAX_RECORD_LINES, span_of, spans

__all__ = ["Chunk", "Cut", "Record", "Truncated", "chunks", "plain_blocks", "records"]

SHOWN_CHARACTERS = 1000
"""How much of a line that is too long is shown in the refused lines."""

_READ_AT_ONCE = 500  # Lines: few enough for the garbage collector, and for those read again for a stray quote.
_END = ("",)
"""An empty line after others: a field that is left open would swallow it."""
_BLANK, _BLANK_BYTES = " \t\r", b" \t\r"
_SHORT_LINE = 20  # Bytes; no line of a CDR is as short, so the lines of a chunk with such a mean are mostly blank.
_LONG_LINE = 200  # Bytes; lines of Asterisk have about 300.
_BLANK_RUN = re.compile(rb"(?:^|\n)((?:[ \t\r]*+\n){%d,}+)" % MAX_RECORD_LINES)
_LONG_BLANK = re.compile(rb"\A(?:[ \t\r]{0,%d}+\n)*+[ \t\r]{%d}" % (MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1))
"""Blank lines, then one that is too long to be left out."""
_CONTROLS = bytes(n for n in (*range(32), 127) if n not in b"\t\n\r")
_HIGH_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")


class Chunk(NamedTuple):
    """Whole records; ``data`` ends with a line feed or is the file's end, ``first_line`` is its first line's number.

    The first chunk of a file starts with its first line that is not blank.
    """

    first_line: int
    data: bytes


class Cut(NamedTuple):
    """The last item of a broken file: ``raw`` is the part of a line that is left (may be empty); it is never a call."""

    line: int
    raw: str
    message: str


class Record(NamedTuple):
    """One record: ``raw`` is its text without line end; ``problem`` is "", or a reason code and ``fields`` is empty."""

    line: int
    raw: str
    fields: list[str]
    problem: str


def chunks(
    blocks: Iterable[bytes], size: int = 1 << 20, count: Callable[[bytes], int] | None = None
) -> Iterator[Chunk | Cut]:
    """Blocks of any sizes -> chunks of about ``size`` bytes; the last item is a ``Cut`` when ``blocks`` was truncated.

    Chunks of long lines, except the first, have twice that size: with few lines in each, rating is slower.
    UTF-16 is converted to UTF-8. Byte order marks and blank lines at the start are left out (these lines are counted).
    ``count`` counts the line feeds of bytes: ``vector.words.line_feeds``, for callers that have numpy, is four times as
    fast as the default. Errors of ``blocks`` other than ``Truncated`` are passed on.
    """
    pending, line, started, wanted = bytearray(), 1, False, size
    stream = _pieces(utf8_blocks(blocks), size)
    piece: bytes | None = b""
    message = None
    while piece is not None:
        try:
            piece = next(stream, None)
        except Truncated as problem:
            piece, message = None, str(problem)
        pending += piece or b""
        if not started:
            blank = _blank_bytes(pending)
            line += pending.count(b"\n", 0, blank)
            del pending[:blank]
        if piece is not None and len(pending) < wanted:
            continue
        # At the end of a file all its lines are whole; only the last line of a broken file is not.
        end = _whole(pending) if piece is not None else len(pending) if message is None else pending.rfind(b"\n") + 1
        data = bytes(memoryview(pending)[:end])
        del pending[:end]
        if data and (started or data.strip(_BLANK_BYTES) or len(data) > MAX_RECORD_BYTES):
            started = True
            feeds = count(data) if count else data.count(b"\n")
            if len(data) < feeds * _SHORT_LINE:
                yield from _without_blank_runs(line, data)
            else:
                yield Chunk(line, data)
            line += feeds
            wanted = 2 * size if len(data) > feeds * _LONG_LINE else size
        _shorten(pending)
    if message is not None:
        yield Cut(line, _shown(bytes(pending)), message)


def _without_blank_runs(line: int, data: bytes) -> Iterator[Chunk]:
    """The parts of a chunk between long runs of blank lines, which no record contains."""
    at = 0
    for run in _BLANK_RUN.finditer(data):
        end = run.start(1)
        if data[at:end].strip(_BLANK_BYTES + b"\n"):
            yield Chunk(line, data[at:end])
        line += data.count(b"\n", at, run.end())
        at = run.end()
    if data[at:].strip(_BLANK_BYTES + b"\n"):
        yield Chunk(line, data[at:])


def records(chunk: Chunk, delimiter: str) -> Iterator[Record]:
    """The records of a chunk in order, without blank lines; raises nothing for any bytes."""
    dirty = has_control(chunk.data)
    lines = None if dirty else _plain_lines(chunk.data)
    if lines is None:
        yield from _careful(chunk, delimiter, dirty)
        return
    if b'"' in chunk.data:
        yield from _quoted(lines, chunk.first_line, delimiter)
        return
    for line, raw in enumerate(lines, chunk.first_line):
        if raw.strip(_BLANK):
            # Not Record(...): its constructor is written in Python, and this is the hot path.
            yield tuple.__new__(Record, (line, raw, raw.split(delimiter), ""))


def _quoted(lines: list[str], first_line: int, delimiter: str) -> Iterator[Record]:
    """The records of lines with quotes in pairs."""
    split = _Splitter(delimiter)
    for first in range(0, len(lines), _READ_AT_ONCE):
        some = lines[first : first + _READ_AT_ONCE]
        rows: list[list[str] | None] = []
        with suppress(csv.Error):
            rows += csv.reader(chain(some, _END), delimiter=delimiter)
        if len(rows) <= len(some):
            # A quote is left open in one of these lines; each is read alone, so that it affects no other line.
            rows = [*map(split, some)]
        for line, raw, fields in zip(count(first_line + first), some, rows, strict=False):
            if raw.strip(_BLANK):
                yield Record(line, raw, [], "unclosed_quote") if fields is None else Record(line, raw, fields, "")


def _plain_lines(data: bytes) -> list[str] | None:
    """The lines of a chunk whose lines are all records (valid UTF-8, none long, quotes in pairs), or None."""
    try:
        lines = data.decode().replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return None
    if b'"' in data and any(raw.count('"') & 1 for raw in lines):
        return None
    # A character is at most four bytes of UTF-8.
    return lines if max(map(len, lines)) < MAX_RECORD_BYTES // 4 else None


def _careful(chunk: Chunk, delimiter: str, dirty: bool) -> Iterator[Record]:
    lines = chunk.data.split(b"\n")
    split, strict = _Splitter(delimiter), _Splitter(delimiter, strict=True)
    at = 0
    while at < len(lines):
        span = span_of(lines, at) or 1
        first = chunk.first_line + at
        data = b"\n".join(lines[at : at + span]) if span > 1 else lines[at]
        record = _record(first, data, strict if span > 1 else split, dirty)
        if span > 1 and record is not None and record.problem == "unclosed_quote":
            # Well quoted only with another delimiter than the file's: each line is a record.
            singles = (_record(first + n, raw, split, dirty) for n, raw in enumerate(lines[at : at + span]))
            yield from (single for single in singles if single is not None)
        elif record is not None:
            yield record
        at += span


def _record(line: int, data: bytes, split: _Splitter, dirty: bool) -> Record | None:
    """The bytes of one record -> the record, or None for a blank line."""
    if len(data) > MAX_RECORD_BYTES:
        return Record(line, _shown(data), [], "line_too_long")
    text = _text(data)
    if text is None:
        return Record(line, _shown(data), [], "bad_encoding")
    raw = text.removesuffix("\r")
    if not raw.strip(_BLANK):
        return None
    if dirty and _CONTROL.search(raw):
        return Record(line, raw, [], "control_character")
    if '"' not in raw:
        return Record(line, raw, raw.split(split.delimiter), "")
    fields = split(raw)
    return Record(line, raw, [], "unclosed_quote") if fields is None else Record(line, raw, fields, "")


def _text(data: bytes) -> str | None:
    """The bytes of a record as text: UTF-8, or else Windows-1252; None when they are neither.

    Each record is decoded alone, so the result does not depend on the records around it. Windows-1252 text is almost
    never valid UTF-8 by accident: after every accented letter it would need a character such as ``©``.
    """
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


class _Splitter:
    """The csv module for one record at a time: to make a new reader for each record takes longer than to read it."""

    def __init__(self, delimiter: str, strict: bool = False) -> None:
        self.delimiter = delimiter
        self._raw: str | None = None
        self._is_open = False
        self._reader = csv.reader(self, delimiter=delimiter, strict=strict)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw, self._raw = self._raw, None
        if raw is None:
            # The reader asks for another line when a quote is open at the end of this one.
            self._is_open = True
            raise StopIteration
        return raw

    def __call__(self, raw: str) -> list[str] | None:
        """The fields, or None when a field that begins with a quote is never closed or, if ``strict``, too early."""
        self._raw, self._is_open = raw, False
        try:
            fields = next(self._reader)
        except (csv.Error, StopIteration):
            return None
        return None if self._is_open else fields


def _whole(pending: bytearray) -> int:
    """How many bytes at the start of ``pending`` are certainly complete records."""
    end = pending.rfind(b"\n") + 1
    if pending.find(b'"', 0, end) < 0:
        return end
    # A record that may not be whole begins in one of the last lines; mostly none of them leaves a quote open.
    tail = end
    for _ in range(MAX_RECORD_LINES + 1):
        tail = max(pending.rfind(b"\n", 0, tail), 0)
    if not any(line.count(b'"') & 1 for line in pending[tail:end].split(b"\n")):
        return end
    lines = bytes(pending[:end]).split(b"\n")[:-1]
    for odd, span in spans(lines, [n for n, line in enumerate(lines) if line.count(b'"') & 1]):
        if not span:
            return sum(len(line) + 1 for line in lines[:odd])
    return end


def _blank_bytes(pending: bytearray) -> int:
    """The length in bytes of the blank lines at the start; only lines that have ended count."""
    found = _LONG_BLANK.search(pending)
    blank = found.end() - MAX_RECORD_BYTES - 1 if found else len(pending) - len(pending.lstrip(_BLANK_BYTES + b"\n"))
    return pending.rfind(b"\n", 0, blank) + 1


def _shorten(pending: bytearray) -> None:
    """Drops the bytes beyond the limit of a line that has not ended: it will be refused, and may be the whole file."""
    start = pending.rfind(b"\n") + 1
    if len(pending) - start > MAX_RECORD_BYTES + 1:
        del pending[start + MAX_RECORD_BYTES + 1 :]


def has_control(data: bytes) -> bool:
    """Whether ``data`` has control characters other than tabs and line ends (ten times as fast as a regex)."""
    return (
        len(data.translate(None, _CONTROLS)) < len(data)
        or data.count(b"\r") != data.count(b"\r\n")
        or (b"\xc2" in data and _HIGH_CONTROL.search(data) is not None)
    )


def _shown(data: bytes) -> str:
    """Bytes as text for people: unreadable ones are replaced; a record that is too long is cut."""
    if len(data) > MAX_RECORD_BYTES:
        return data[: 4 * SHOWN_CHARACTERS].decode(errors="replace")[:SHOWN_CHARACTERS]
    return data.decode(errors="replace").removesuffix("\r")


def _pieces(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    for block in blocks:
        for start in range(0, len(block), size):
            yield block[start : start + size]
