"""The rows of an import as they are stored from its beginning until they are applied, and after.

A row is a good line of a file: ``file``; ``values``, the attributes that its item gets; and per file ``ref`` and
``balance`` (``_e8``) of a client, and ``number``. The function that applies it needs no shapes of the API.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

from chalicelib.accounts.store.intake import ImportRows
from chalicelib.aws.transactions import MAX_WRITES
from chalicelib.errors import Invalid

Row = dict[str, Any]
ROWS_PER_ITEM = 400
"""Most rows in one item."""
MOST_ITEM_BYTES = 380_000
"""Most bytes of the rows in one item, compressed: an item of DynamoDB holds 400 KB."""
MOST_BYTES = 3_500_000
"""Most bytes of all rows of an import, compressed: a transaction of DynamoDB holds 4 MB."""
_OTHER_WRITES = 6
"""Writes of the transaction that begins an import which store no rows, and a reserve."""


def pack(reseller_id: str, import_id: str, rows: list[Row]) -> list[ImportRows]:
    """The items that store rows, which fit one transaction; 422 if they are too many bytes for that."""
    items = [
        ImportRows(*ImportRows.key(reseller_id, import_id, first), packed=packed)
        for start in range(0, len(rows), ROWS_PER_ITEM)
        for first, packed in _packed(rows[start : start + ROWS_PER_ITEM], start)
    ]
    if sum(len(item.packed) for item in items) > MOST_BYTES or len(items) > MAX_WRITES - _OTHER_WRITES:
        raise Invalid.field("clients", "these files hold more text than an import can store: split it")
    return items


def _packed(rows: list[Row], first: int) -> Iterator[tuple[int, bytes]]:
    """Rows as bytes that each fit an item, with the number of their first row."""
    packed = zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode())
    if len(packed) <= MOST_ITEM_BYTES or len(rows) == 1:
        yield first, packed
    else:
        middle = len(rows) // 2
        yield from _packed(rows[:middle], first)
        yield from _packed(rows[middle:], first + middle)


class StoredRows:
    """Reads the stored rows of one import, which never change, an item at a time."""

    def __init__(self, reseller_id: str, import_id: str) -> None:
        self._reseller_id, self._import_id = reseller_id, import_id
        self._first, self._rows = 0, list[Row]()

    def from_row(self, number: int) -> list[Row]:
        """Row ``number``, counted from 0, and those behind it in the same item; none behind the last row."""
        if not self._first <= number < self._first + len(self._rows):
            self._read(number)
        return self._rows[number - self._first :]

    def _read(self, number: int) -> None:
        pk, last = ImportRows.key(self._reseller_id, self._import_id, number)
        for item in ImportRows.under(pk, "", last=last, newest_first=True, limit=1):
            self._first, self._rows = item.first, json.loads(zlib.decompress(item.packed))
