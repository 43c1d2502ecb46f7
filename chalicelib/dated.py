"""Dated records of one thing: what is recorded later wins, from its ``effective_from`` on.

So a record overrules whatever was recorded before it and starts at the same instant or later, and leaves alone what
held before. Packages, custom rates and assignments all follow this one rule, in the API and in both engines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

BEGINNING, END = -(2**63), 2**63
"""Before and after all instants."""

FIRST = -(2**62)
"""``effective_from`` of the first version of anything dated: it reaches back without limit."""


class Dated(Protocol):
    """``version`` counts in the order of recording; ``effective_from`` is an instant."""

    @property
    def version(self) -> Any: ...

    @property
    def effective_from(self) -> Any: ...


T = TypeVar("T", bound=Dated)


def standing(records: Iterable[T]) -> list[T]:
    """The records that hold at some time, in order of their start; each holds until the next one's."""
    kept: list[T] = []
    for record in sorted(records, key=lambda each: each.version):
        while kept and kept[-1].effective_from >= record.effective_from:
            kept.pop()
        kept.append(record)
    return kept


def in_force(records: Iterable[T], at: int) -> T | None:
    """The record that holds at an instant; None before the first of them."""
    return next((each for each in reversed(standing(records)) if each.effective_from <= at), None)


def stretch(changes: Sequence[int], at: int) -> tuple[int, int, int]:
    """Which stretch between ``changes`` (in order) an instant falls in: number, first instant, next one's."""
    number = bisect_right(changes, at)
    return number, changes[number - 1] if number else BEGINNING, changes[number] if number < len(changes) else END
