"""The bytes of a file -> UTF-8 bytes, as a stream, so that the modules after this one know one encoding only.

UTF-16 is recognised by its byte order mark or, without one, by NUL bytes: in mostly ASCII text, as in CDRs, every
second byte is NUL. The first ``SNIFFED`` bytes decide, also if several blocks bring them. Windows-1252 is not
recognised here: no mark announces it, and the first byte that shows it may be the last of the file. ``records``
decides per line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from chalicelib.rating.cdr.compression import Truncated

SNIFFED = 64
"""Bytes at the start of a file by which its encoding is recognised."""
UNREADABLE = b"\x81"
"""Replaces what is not valid UTF-16. It is not text in UTF-8 or Windows-1252 either, so its line will be refused."""

_LINE_END = re.compile(rb"\r?\n|\r")
_MARK = b"\xef\xbb\xbf"
_MARKS = re.compile(rb"\n(?:\xef\xbb\xbf)+")
_LONE_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_LEAST_PAIRS = 4


def sniff(head: bytes) -> str:
    """``utf-16-le``, ``utf-16-be`` or ``utf-8``, from the first ``SNIFFED`` bytes of a file; others are ignored."""
    head = head[:SNIFFED]
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    pairs = len(head) // 2
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if pairs >= _LEAST_PAIRS and 4 * max(even, odd) >= 3 * pairs and not min(even, odd):
        return "utf-16-le" if odd else "utf-16-be"
    return "utf-8"


def utf8_blocks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks of UTF-8 or UTF-16 of any sizes -> blocks of UTF-8; bytes that are neither are returned unchanged.

    Byte order marks are removed at the start of every line, because files may be joined with ``cat``. ``Truncated`` is
    raised again after the last bytes.
    """
    head, rest = _head(iter(blocks))
    encoding = sniff(head)
    stream = chain((head,), rest)
    yield from _without_marks(_line_feeds(stream if encoding == "utf-8" else _recoded(stream, encoding)))


def _line_feeds(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Carriage returns become line feeds in a file whose first line ends with one alone; other files stay as they are.

    In other files a lone carriage return is a control character within its line.
    """
    decided, alone, held = False, False, b""
    try:
        for block in blocks:
            data = held + block
            held = b""
            if (alone or not decided) and data.endswith(b"\r"):
                # The block after this one tells whether a line feed follows.
                data, held = data[:-1], b"\r"
            if not decided:
                found = _LINE_END.search(data)
                decided, alone = found is not None, found is not None and found[0] == b"\r"
            if data:
                yield data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if alone else data
    except Truncated:
        yield held.replace(b"\r", b"\n") if alone or not decided else held
        raise
    # At the end of the file, no line feed follows: a first line that ends so ends with a carriage return alone.
    yield held.replace(b"\r", b"\n") if alone or not decided else held


def _head(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    head = b""
    try:
        for block in blocks:
            head += block
            if len(head) >= SNIFFED:
                break
    except Truncated as problem:
        return head, _raising(problem)
    return head, blocks


def _raising(problem: Truncated) -> Iterator[bytes]:
    yield b""
    raise problem


def _recoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for block in blocks:
        yield _utf8(decoder.decode(block))
    if decoder.getstate()[0]:
        # The file ends with half a character.
        yield UNREADABLE


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(UNREADABLE, text.encode(errors="surrogatepass"))


def _without_marks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Removes byte order marks at the starts of lines. ``held`` begins with a line feed that is not in the file."""
    held, before = b"\n", 1
    try:
        for block in blocks:
            data = held + block
            # To search one byte is much faster than to search three, and most files contain neither.
            if _MARK[:1] in data and _MARK in data:
                data = _MARKS.sub(b"\n", data)
            kept = _may_begin(data)
            held = data[len(data) - kept :]
            if len(data) - kept > before:
                yield data[before : len(data) - kept]
            before = max(0, before - (len(data) - kept))
    except Truncated:
        yield held[before:]
        raise
    yield held[before:]


def _may_begin(data: bytes) -> int:
    """How many bytes at the end may be the beginning of a line feed with a byte order mark."""
    mark = b"\n" + _MARK
    return next((n for n in (3, 2, 1) if data.endswith(mark[:n])), 0)
