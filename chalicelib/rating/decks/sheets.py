"""Workbooks (.xlsx) of one sheet -> rows of text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chalicelib.errors import Refused

MAGIC = b"PK\x03\x04"
"""The first bytes of a workbook, which is a zip file."""


def rows(data: bytes, name: str, max_bytes: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The bytes of a workbook -> ``(number, cells)`` of each row that is not blank.

    ``Refused`` for what is no workbook, has several sheets, or unpacks to more than ``max_bytes``.
    """
    # Here and not above: only who reads a workbook needs it.
    import python_calamine

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(each.file_size for each in packed.infolist()) > max_bytes:
                raise Refused(f"{name} has more than {max_bytes} bytes unpacked; split it into smaller files")
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        if len(book.sheet_names) != 1:
            raise Refused(f"{name} has {len(book.sheet_names)} sheets; save the sheet of prices as a file of its own")
        sheet = book.get_sheet_by_index(0)
        first = sheet.start[0] if sheet.start else 0
        found = sheet.to_python(skip_empty_area=True)
    except (zipfile.BadZipFile, python_calamine.CalamineError) as problem:
        raise Refused(f"{name} cannot be read as a workbook; save it as .xlsx or .csv") from problem
    for number, cells in enumerate(found, first + 1):
        texts = [text_of(cell) for cell in cells]
        if any(texts):
            yield number, texts


def text_of(cell: Any) -> str:
    """A cell as a CSV would have it. Numbers of workbooks are doubles: the shortest decimal that gives one back."""
    if isinstance(cell, float):
        text = format(Decimal(repr(cell)), "f")
        return text.removesuffix(".0")
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
