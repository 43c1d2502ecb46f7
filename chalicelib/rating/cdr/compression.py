"""The bytes of an uploaded file -> unpacked bytes, block by block; gzip is recognised by its first bytes, not by name.

zlib is used directly for two reasons: the ``gzip`` module does not return what it unpacked before an error, and the
output of one step must have a limit, because a kilobyte of gzip can contain a megabyte.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from chalicelib.calls.format import GZIP
from chalicelib.errors import Refused

STEP_BYTES = 1 << 16
"""Packed bytes per step."""
YIELD_BYTES = 1 << 20
"""Unpacked bytes per block, at most."""
MOST_RATIO = 250
"""A file may unpack to so many times its size. CDR files reach 10 to 50; deflate can reach 1,032."""
ANY_RATIO_BYTES = 16 << 20
"""Up to so many unpacked bytes the ratio does not matter."""

_MAGIC = b"\x1f\x8b"
_ENDED = "the gzip data stops before its end; send the whole file again"
_DAMAGED = "the gzip data is damaged from here on; pack and send the file again"


class Truncated(Exception):
    """The file is cut or damaged; the message says how. Raised after all readable bytes have been returned."""


def plain_blocks(raw: Iterable[bytes], name: str, max_bytes: int) -> Iterator[bytes]:
    """The bytes of a file, unpacked if it is gzip (with any number of members).

    Raises ``Refused`` when the unpacked bytes are more than ``max_bytes`` or, beyond ``ANY_RATIO_BYTES``, more than
    ``MOST_RATIO`` times the packed ones, and ``Truncated`` after the last readable
    byte of a gzip file that is cut or damaged. ``name`` is used in the message only.
    """
    total = packed = 0

    def counted() -> Iterator[bytes]:
        nonlocal packed
        for block in raw:
            packed += len(block)
            yield block

    for block in _unpacked(counted()):
        total += len(block)
        check_unpacked(total, packed, name, max_bytes)
        yield block


def check_unpacked(unpacked: int, packed: int, name: str, max_bytes: int) -> None:
    """Raise ``Refused`` if so many bytes are too many, at all or for a file of ``packed`` bytes."""
    if unpacked > max(ANY_RATIO_BYTES, packed * MOST_RATIO):
        raise Refused(f"{name} unpacks to more than {MOST_RATIO} times its size; no file of calls or prices does")
    if unpacked > max_bytes:
        raise Refused(f"{name} has more than {max_bytes} bytes unpacked; split it into smaller files")


def _unpacked(raw: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for block in raw:
        head += block
        if len(head) >= len(_MAGIC):
            break
    blocks = chain((head,), raw)
    return _gunzip(blocks) if head.startswith(_MAGIC) else blocks


def _gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    member = None
    for block in (whole[n : n + STEP_BYTES] for whole in blocks for n in range(0, len(whole), STEP_BYTES)):
        rest, out = block, b""
        while rest or len(out) == YIELD_BYTES:
            if member is None:
                rest = rest.lstrip(b"\0")  # padding between members, as tape tools write it
                if not rest:
                    break
                member = zlib.decompressobj(GZIP)
            before = member.copy()
            try:
                out = member.decompress(rest, YIELD_BYTES)
            except zlib.error:
                yield from _readable(before, rest)
                raise Truncated(_DAMAGED) from None
            yield out
            rest = member.unconsumed_tail
            if member.eof:
                rest, member, out = member.unused_data, None, b""
    if member is not None:
        raise Truncated(_ENDED)


def _readable(member: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """What ``packed`` unpacks to before its error, byte by byte: zlib drops the output of a step that fails."""
    try:
        for n in range(len(packed)):
            yield member.decompress(packed[n : n + 1])
    except zlib.error:
        return
