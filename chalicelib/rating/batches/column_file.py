"""Columns put by in a temporary file; memory holds no more than where they lie."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.errors import Refused


class Column(NamedTuple):
    """One column in the file: where it begins, and the type of its values."""

    at: int
    kind: np.dtype[Any]


class Rows(NamedTuple):
    """Rows ``first`` to ``last`` of some columns."""

    columns: tuple[Column, ...]
    first: int
    last: int

    def part(self, first: int, last: int) -> Rows:
        """Rows ``first`` to ``last`` of these."""
        return Rows(self.columns, self.first + first, self.first + last)


@contextmanager
def full_disk_refused() -> Iterator[None]:
    """``Refused`` for a file of which not everything can be put by."""
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise Refused("The file has more calls than fit on the disk. Split it and drop the parts.") from problem
        raise


class Shelf:
    """``put`` columns of any types, and ``get`` any stretch of their rows. ``Refused`` when the disk is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def put(self, columns: Sequence[NDArray[Any]]) -> tuple[Column, ...]:
        return tuple(map(self._put, columns))

    def get(self, rows: Rows) -> list[NDArray[Any]]:
        """The columns, which must not be written to."""
        return [self._get(column, rows) for column in rows.columns]

    @contextmanager
    def for_now(self) -> Iterator[None]:
        """What is put meanwhile is gone afterwards."""
        end = self._file.seek(0, 2)
        try:
            yield
        finally:
            self._file.truncate(end)

    def _put(self, column: NDArray[Any]) -> Column:
        with full_disk_refused():
            at = self._file.seek(0, 2)
            self._file.write(column.tobytes())
            # Here and not when something else is read: nobody expects a full disk there.
            self._file.flush()
        return Column(at, column.dtype)

    def _get(self, column: Column, rows: Rows) -> NDArray[Any]:
        size = column.kind.itemsize
        self._file.seek(column.at + rows.first * size)
        return np.frombuffer(self._file.read((rows.last - rows.first) * size), column.kind)
