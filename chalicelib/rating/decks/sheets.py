"""Workbooks (.xlsx) of one sheet -> rows of text."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chalicelib.errors import Refused
from chalicelib.rating.cdr.compression import check_unpacked

MAGIC = b"PK\x03\x04"
"""The first bytes of a workbook, which is a zip file."""
MOST_CELLS = 16_000_000
"""Cells of the rectangle around all filled ones: the reader of workbooks takes memory for blank ones, too."""
_FEW_ROWS = b"99999"
_LETTERS = re.compile(rb"""r(?<=\sr)\s*=\s*["']([A-Za-z]{1,3})[0-9]""")
"""Of the attribute ``r="B7"`` of a cell. It begins with ``r``, not with a blank, because that is twice as fast."""
_TALL = re.compile(rb"""r(?<=\sr)\s*=\s*["'][A-Za-z]{0,3}([0-9]{6,})""")
_STEP_BYTES, _OVERLAP = 1 << 20, 64
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
"""What ``zipfile`` raises for a file that it cannot read; ``RuntimeError`` for one with a password."""
_OTHER_BOOKS = {"content.xml", "xl/workbook.bin"}
"""Files in a workbook of another kind (.ods, .xlsb), whose size cannot be seen before it is read."""


def rows(data: bytes, name: str, max_bytes: int) -> Iterator[tuple[int, Sequence[str]]]:
    """The bytes of a workbook -> ``(number, cells)`` of each row that is not blank.

    ``Refused`` for what is no workbook, has several sheets, unpacks to more than ``max_bytes`` (or than a workbook of
    its size does), or has cells too far apart.
    """
    # Here and not above: only who reads a workbook needs it.
    import python_calamine

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            # A size that is declared too small is an error of the reader.
            check_unpacked(sum(each.file_size for each in packed.infolist()), len(data), name, max_bytes)
            if _OTHER_BOOKS & set(packed.namelist()):
                raise Refused(f"{name} is no .xlsx workbook; save it as .xlsx or .csv")
            _check_extent(packed, name)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        if len(book.sheet_names) != 1:
            raise Refused(f"{name} has {len(book.sheet_names)} sheets; save the sheet of prices as a file of its own")
        sheet = book.get_sheet_by_index(0)
        first = sheet.start[0] if sheet.start else 0
        found = sheet.to_python(skip_empty_area=True)
    except (*_DAMAGED, python_calamine.CalamineError) as problem:
        raise Refused(f"{name} cannot be read as a workbook; save it as .xlsx or .csv") from problem
    for number, cells in enumerate(found, first + 1):
        texts = [text_of(cell) for cell in cells]
        if any(texts):
            yield number, texts


def _check_extent(packed: zipfile.ZipFile, name: str) -> None:
    """Raise ``Refused`` if the rectangle of a sheet's cells is too large: a cell may stand in row 1,048,576."""
    letters, heights = {b"A"}, {_FEW_ROWS}
    for member in packed.infolist():
        with packed.open(member) as stream:
            seen = b""
            while block := stream.read(_STEP_BYTES):
                seen = seen[-_OVERLAP:] + block
                letters.update(_LETTERS.findall(seen))
                heights.update(_TALL.findall(seen))
    width, height = max(map(_column, letters)), max(map(int, heights))
    if width * height > MOST_CELLS:
        raise Refused(
            f"{name} has cells in {width} columns and up to row {height}; delete those far from the prices, "
            "or save it as .csv"
        )


def _column(letters: bytes) -> int:
    """``A`` -> 1, ``AA`` -> 27."""
    place = 0
    for letter in letters.upper():
        place = place * 26 + letter - 64
    return place


def text_of(cell: Any) -> str:
    """A cell as a CSV would have it. Numbers of workbooks are doubles: the shortest decimal that gives one back."""
    if isinstance(cell, float):
        text = format(Decimal(repr(cell)), "f")
        return text.removesuffix(".0")
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
