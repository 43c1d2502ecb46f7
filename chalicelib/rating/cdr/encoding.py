"""A file's bytes -> UTF-8 bytes, as a stream: whatever cuts it into lines afterwards knows one encoding only.

UTF-16 is told by its byte order mark or, without one, by the NULs that half of its bytes are where text is mostly
ASCII, as CDRs are. The first ``SNIFFED`` bytes decide, never the size of a block. Windows-1252 is not told here: a file
does not announce it, and one odd byte far down would mean reading everything first. ``records`` reads line by line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from chalicelib.rating.cdr.compression import Truncated

SNIFFED = 64
"""Bytes at the start of a file that tell its encoding."""
UNREADABLE = b"\x81"
"""Stands for what is no UTF-16. It is text neither in UTF-8 nor in Windows-1252, so its line will be refused."""

_MARK = b"\xef\xbb\xbf"
_MARKS = re.compile(rb"\n(?:\xef\xbb\xbf)+")
_LONE_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_LEAST_PAIRS = 4


def sniff(head: bytes) -> str:
    """``utf-16-le``, ``utf-16-be`` or ``utf-8``, from a file's first bytes (only ``SNIFFED`` of them are looked at)."""
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
    """Blocks of UTF-8 or UTF-16 of any sizes -> blocks of UTF-8; other bytes pass as they are.

    Byte order marks are left out at the start of every line: files are joined with ``cat``. ``Truncated`` goes through.
    """
    head, rest = _head(iter(blocks))
    encoding = sniff(head)
    stream = chain((head,), rest)
    yield from _without_marks(stream if encoding == "utf-8" else _recoded(stream, encoding))


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
        # Half a character at the file's end.
        yield UNREADABLE


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(UNREADABLE, text.encode(errors="surrogatepass"))


def _without_marks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The start of the file counts as the start of a line: it is read as if a line feed stood before it."""
    held, before = b"\n", 1
    try:
        for block in blocks:
            data = held + block
            # One byte is looked for much faster than three, and most files have neither.
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
    """How many bytes at the end may be the beginning of a line feed and a mark."""
    mark = b"\n" + _MARK
    return next((n for n in (3, 2, 1) if data.endswith(mark[:n])), 0)
