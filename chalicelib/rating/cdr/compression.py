"""An uploaded file's bytes -> plain bytes, block by block; gzip is known by its first bytes, whatever the file's name.

zlib is used directly, because the ``gzip`` module keeps to itself what it had unpacked before an error, and because
the output of one step must have a limit: a kilobyte of gzip can hold a megabyte.
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

_MAGIC = b"\x1f\x8b"
_ENDED = "the gzip data stops before its end; send the whole file again"
_DAMAGED = "the gzip data is damaged from here on; pack and send the file again"


class Truncated(Exception):
    """The bytes stop before the file does; the message says in what way. Raised after all that could be read."""


def plain_blocks(raw: Iterable[bytes], name: str, max_bytes: int) -> Iterator[bytes]:
    """The file's bytes, unpacked if it is gzip (of any number of members).

    Raises ``Refused`` once more than ``max_bytes`` have come out, and ``Truncated`` after the last readable byte of a
    gzip file that is cut or damaged. ``name`` is only for the message.
    """
    total = 0
    for block in _unpacked(iter(raw)):
        total += len(block)
        if total > max_bytes:
            raise Refused(f"{name} has more than {max_bytes} bytes unpacked; split it into smaller files")
        yield block


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
    """What comes out before the error that is known to be in ``packed``: zlib drops the output of a step that fails."""
    try:
        for n in range(len(packed)):
            yield member.decompress(packed[n : n + 1])
    except zlib.error:
        return
