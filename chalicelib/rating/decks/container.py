"""The file format of a published rate deck: named arrays in one object.

A cold Lambda function must read 100,000 prefixes quickly. So the arrays are stored as they lie in memory, and reading
them casts bytes, without a loop over items. Integers are little-endian; the standard library reads them with
``memoryview.cast``, numpy with ``frombuffer`` from the same bytes. The layout::

    8 bytes   magic "FORFAIT\\0"
    4 bytes   version of this layout, unsigned
    4 bytes   length of the directory, unsigned
    ...       directory: JSON {name: [type, offset, items]}, padded with blanks to a multiple of 8
    ...       payload: every array starts at a multiple of 8 (offsets count from the payload's first byte)

The types are numpy's names: ``<i8``, ``<i4`` and ``|u1`` (bytes).
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from collections.abc import Mapping

MAGIC = b"FORFAIT\0"
VERSION = 1
_HEAD = struct.Struct("<8sII")
_TYPE_OF_CODE = {"q": "<i8", "i": "<i4"}
_CODE_OF_TYPE = {"<i8": "q", "<i4": "i", "|u1": "B"}
_BYTES_OF_TYPE = {"<i8": 8, "<i4": 4, "|u1": 1}


def pack(arrays: Mapping[str, array[int] | bytes]) -> bytes:
    """Arrays of type code ``q`` (64 bits) or ``i`` (32 bits) and byte strings, by name -> the bytes of the file."""
    _require_little_endian()
    directory: dict[str, tuple[str, int, int]] = {}
    payload = bytearray()
    for name, values in arrays.items():
        kind = "|u1" if isinstance(values, bytes) else _TYPE_OF_CODE[values.typecode]
        directory[name] = (kind, len(payload), len(values))
        payload += values if isinstance(values, bytes) else values.tobytes()
        payload += bytes(-len(payload) % 8)
    head = json.dumps(directory, separators=(",", ":")).encode("ascii")
    head += b" " * (-len(head) % 8)
    return _HEAD.pack(MAGIC, VERSION, len(head)) + head + bytes(payload)


def unpack(data: bytes) -> dict[str, memoryview[int]]:
    """The bytes of a file -> one view of ints per name; nothing is copied.

    Raises ``ValueError`` for another format or version, or a file that is cut short.
    """
    _require_little_endian()
    if len(data) < _HEAD.size:
        raise ValueError("is not a table file: too short")
    magic, version, head_length = _HEAD.unpack_from(data)
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"is not a table file of version {VERSION}")
    start = _HEAD.size + head_length
    if len(data) < start:
        raise ValueError("is a table file cut short")
    directory: dict[str, tuple[str, int, int]] = json.loads(data[_HEAD.size : start])
    payload = memoryview(data)[start:]
    return {name: _view(payload, *entry) for name, entry in directory.items()}


def _view(payload: memoryview[int], kind: str, offset: int, items: int) -> memoryview[int]:
    end = offset + items * _BYTES_OF_TYPE[kind]
    if end > len(payload):
        raise ValueError("is a table file cut short")
    code = _CODE_OF_TYPE[kind]
    part = payload[offset:end]
    # The type checker needs the code as a literal.
    if code == "q":
        return part.cast("q")
    return part.cast("i") if code == "i" else part


def _require_little_endian() -> None:
    if sys.byteorder != "little":
        raise RuntimeError("rate tables are little-endian and this machine is not")
