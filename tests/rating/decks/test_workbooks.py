"""Workbooks as decks: alone and in gzip, and those that would take all memory."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import xlsxwriter

from chalicelib.errors import Refused
from chalicelib.rating.decks.reading import read_file

SHEET = "xl/worksheets/sheet1.xml"
ROWS = (("Code", "Rate", "Billing"), (44, 0.0123, "60/60"), (4479, 0.02, "30/6"))


def workbook(*rows: tuple[Any, ...]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows or ROWS):
            sheet.write_row(number, 0, row)
    return stream.getvalue()


def changed(data: bytes, change: Callable[[bytes], bytes], name: str = SHEET) -> bytes:
    """A workbook with another text of its sheet, or of another file in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, change(old.read(member)) if member == name else old.read(member))
    return stream.getvalue()


def read(data: bytes, step: int = 1 << 16) -> Any:
    blocks = [data[at : at + step] for at in range(0, len(data), step)]
    return read_file(blocks, "acme.xlsx.gz", "2026-12-01", None)


@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_a_workbook_in_gzip_is_read_as_it_is_alone(step: int) -> None:
    alone = read(workbook(), step).read
    assert [(line.prefix, line.rate_e10, line.initial) for line in alone.lines] == [
        ("44", 123_000_000, 60), ("4479", 200_000_000, 30),
    ]  # fmt: skip
    packed = read(gzip.compress(workbook()), step)
    assert (packed.how, packed.read) == ("guessed", alone)


def test_a_workbook_in_a_gzip_that_is_cut_short_is_refused() -> None:
    packed = gzip.compress(workbook())
    for end in (12, len(packed) // 2, len(packed) - 1):
        with pytest.raises(Refused, match="send the whole file again"):
            read(packed[:end])


def test_what_begins_as_a_workbook_in_gzip_and_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be read as a workbook; save it as"):
        read(gzip.compress(b"PK\x03\x04 and no more"))


def test_a_gzip_or_a_workbook_that_unpacks_to_many_times_its_size_is_refused() -> None:
    blank = bytes(20 << 20)
    inflated = changed(workbook(), lambda text: text.replace(b"<sheetData>", b"<sheetData>" + b" " * len(blank)))
    assert len(inflated) < 100_000
    for data in (gzip.compress(workbook() + blank), gzip.compress(inflated), inflated, gzip.compress(blank)):
        with pytest.raises(Refused, match="more than 250 times its size"):
            read(data)


def test_a_workbook_that_declares_a_size_too_small_is_refused() -> None:
    data = changed(workbook(), lambda text: text.replace(b"<sheetData>", b"<sheetData>" + b" " * (20 << 20)))
    at = data.rindex(SHEET.encode()) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    lying = data[: at + 24] + (1000).to_bytes(4, "little") + data[at + 28 :]
    with pytest.raises(Refused, match="cannot be read as a workbook"):
        read(gzip.compress(lying))


@pytest.mark.parametrize("cell", [b"XFD200000", b"A99999999", b"ZZ100000"])
def test_cells_far_apart_are_refused_before_memory_is_taken_for_all_between_them(cell: bytes) -> None:
    far = changed(workbook(), lambda text: text.replace(b'r="A3"', b'r="%s"' % cell))
    with pytest.raises(Refused, match="delete those far from the prices"):
        read(far)


def test_a_workbook_with_a_byte_that_is_damaged_is_refused_or_read() -> None:
    data = workbook()
    for at in range(0, len(data), 97):
        damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        with suppress(Refused):
            read(damaged)


def test_a_stray_cell_on_the_right_of_a_short_list_is_no_harm() -> None:
    stray = changed(workbook(), lambda text: text.replace(b'r="C3"', b'r="AZ3"'))
    assert read(stray).read.rows == 2


def test_a_workbook_of_another_kind_is_refused() -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as book:
        book.writestr("content.xml", "<office:spreadsheet/>")
    with pytest.raises(Refused, match=r"save it as \.xlsx or \.csv"):
        read(other.getvalue())
