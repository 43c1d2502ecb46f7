"""Columns in a temporary file; memory holds only where they are."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.errors import Refused


class Column(NamedTuple):
    """One column in the file: its first byte, and the type of its values."""

    at: int
    kind: np.dtype[Any]


class Extent(NamedTuple):
    """Rows ``first`` to ``last`` of some columns; ``last`` is not included."""

    columns: tuple[Column, ...]
    first: int
    last: int

    def between(self, first: int, last: int) -> Extent:
        """Rows ``first`` to ``last`` of this extent, counted from its first row."""
        return Extent(self.columns, self.first + first, self.first + last)


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """Raise ``Refused`` if the disk is full."""
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise Refused("The file has more calls than fit on the disk. Split it and drop the parts.") from problem
        raise


class ColumnFile:
    """``append`` columns of any types, and ``read`` any extent of their rows. ``Refused`` when the disk is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def append(self, columns: Sequence[NDArray[Any]]) -> tuple[Column, ...]:
        return tuple(map(self._append, columns))

    def read(self, extent: Extent) -> list[NDArray[Any]]:
        """The columns of an extent. They must not be written to."""
        return [self._read(column, extent) for column in extent.columns]

    @contextmanager
    def temporarily(self) -> Iterator[None]:
        """What is appended inside is removed at the end."""
        end = self._file.seek(0, 2)
        try:
            yield
        finally:
            self._file.truncate(end)

    def _append(self, column: NDArray[Any]) -> Column:
        with full_disk_refused():
            at = self._file.seek(0, 2)
            self._file.write(column.tobytes())
            # Now, so that a full disk is noticed here and not by a later read.
            self._file.flush()
        return Column(at, column.dtype)

    def _read(self, column: Column, extent: Extent) -> NDArray[Any]:
        size = column.kind.itemsize
        self._file.seek(column.at + extent.first * size)
        return np.frombuffer(self._file.read((extent.last - extent.first) * size), column.kind)
