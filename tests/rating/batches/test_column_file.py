"""Columns are read from the disk as they were written, any rows of them; a full disk refuses the file."""

from __future__ import annotations

import errno
import io

import numpy as np
import pytest

from chalicelib.errors import Refused
from chalicelib.rating.batches.column_file import ColumnFile, Extent


def test_any_rows_are_read_back_in_every_column():
    file = ColumnFile(io.BytesIO())
    file.append([np.arange(5)])
    numbers, words = np.arange(100), np.array([b"%d" % n for n in range(100)])
    rows = Extent(file.append([numbers, words]), 10, 90)
    for extent, first, last in ((rows, 10, 90), (rows.between(5, 7), 15, 17), (rows.between(3, 3), 13, 13)):
        found = file.read(extent)
        assert [column.tolist() for column in found] == [numbers[first:last].tolist(), words[first:last].tolist()]


class Full(io.BytesIO):
    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_does_not_fit_on_the_disk_is_refused_with_a_reason():
    with pytest.raises(Refused, match="Split it"):
        ColumnFile(Full()).append([np.arange(3)])


class FullBehind(io.RawIOBase):
    """A file on a full disk, which its buffer hides until it is written out."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return 0

    def tell(self) -> int:
        return 0

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_behind_a_buffer_is_noticed_when_columns_are_appended():
    with pytest.raises(Refused, match="Split it"):
        ColumnFile(io.BufferedRandom(FullBehind())).append([np.arange(3)])
