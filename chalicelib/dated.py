"""Dated records of one thing: from its ``effective_from`` on, the record that was made last is in force.

A new record replaces the earlier records that start at the same instant or later; before its start nothing changes.
Packages, custom rates and assignments all follow this rule, in the API and in both engines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

BEGINNING, END = -(2**63), 2**63
"""Bounds that lie before and after all instants."""

FIRST = -(2**62)
"""``effective_from`` of the first version of anything dated: it reaches back without limit."""


class Dated(Protocol):
    """``version``: rises with each record that is made. ``effective_from``: instant from which a record is in force."""

    @property
    def version(self) -> Any: ...

    @property
    def effective_from(self) -> Any: ...


T = TypeVar("T", bound=Dated)


def standing(records: Iterable[T]) -> list[T]:
    """The records that are in force at some time, in order of their start; each ends where the next one starts."""
    kept: list[T] = []
    for record in sorted(records, key=lambda record: record.version):
        while kept and kept[-1].effective_from >= record.effective_from:
            kept.pop()
        kept.append(record)
    return kept


def in_force(records: Iterable[T], at: int) -> T | None:
    """The record that is in force at an instant; ``None`` before the first one."""
    return next((record for record in reversed(standing(records)) if record.effective_from <= at), None)


def stretch(changes: Sequence[int], at: int) -> tuple[int, int, int]:
    """The stretch between two ``changes`` (sorted) that an instant is in: its number, first instant, and end."""
    number = bisect_right(changes, at)
    return number, changes[number - 1] if number else BEGINNING, changes[number] if number < len(changes) else END
