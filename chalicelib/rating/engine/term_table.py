"""A rate book together with what the vector engine compiles of it: gives the terms of each number in a rated line.

A rated line has the number of its terms (``columns.ROW``). The reference engine takes these numbers from the rate book
(``RateBook.priced``). The vector engine composes numbers of its own, from ``COMPILED`` on, and knows what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.engine.columns import Ints
from chalicelib.rating.engine.term_columns import TermColumns
from chalicelib.rating.pricing.price import INTERNAL, CallTerms
from chalicelib.rating.pricing.rate_book import RateBook

COMPILED = 1 << 62
"""The first number of terms that the vector engine composes."""
DECK_BITS = 44
"""Such a number holds the number of its deck from this bit on."""


class CompiledTerms(Protocol):
    """The vector engine's form of a rate book, as far as terms are looked up in it."""

    def call_terms(self, number: int) -> CallTerms:
        """The terms of a number from ``COMPILED`` on."""

    def columns(self, numbers: Ints) -> TermColumns:
        """The columns of several such numbers, all of one deck."""


@dataclass
class TermTable:
    """``compiled`` is None until the vector engine has rated a chunk with this rate book."""

    book: RateBook
    compiled: CompiledTerms | None = None
    _internal: list[int] = field(default_factory=list)
    _searched: int = 0

    def internal(self, numbers: Ints) -> int:
        """How many of these calls were to internal numbers; both engines take the numbers of their terms from the
        rate book."""
        values, first = self.book.priced.values, self._searched
        # A batch may have very many terms, so each is looked at once.
        self._internal += [number for number in range(first, len(values)) if values[number].rule == INTERNAL]
        self._searched = len(values)
        return int(np.isin(numbers, self._internal).sum()) if self._internal else 0

    def call_terms(self, number: int) -> CallTerms:
        """The terms of a rated line; ``number`` is the line's ``terms``."""
        if self.compiled is not None and number >= COMPILED:
            return self.compiled.call_terms(number)
        return self.book.call_terms(number)

    def columns(self, numbers: Ints) -> TermColumns:
        """The terms of many rated lines, in their order."""
        if not len(numbers):
            return TermColumns.of([])
        kinds = np.where(numbers >= COMPILED, numbers >> DECK_BITS, -1)
        if (kinds == kinds[0]).all():
            return self._of_one_kind(numbers)
        groups = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
        parts = [self._of_one_kind(numbers[group]) for group in groups]
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return TermColumns(*(_scattered(column, groups) for column in columns))

    def _of_one_kind(self, numbers: Ints) -> TermColumns:
        """Numbers that are all the reference's, or all of one compiled deck."""
        if self.compiled is not None and numbers[0] >= COMPILED:
            return self.compiled.columns(numbers)
        distinct, which = np.unique(numbers, return_inverse=True)
        return TermColumns.of([self.book.call_terms(number) for number in distinct.tolist()]).at(which)


def _scattered(parts: tuple[NDArray[Any], ...], groups: list[Ints]) -> NDArray[Any]:
    """One column of all rows: ``parts`` are the values of each group of rows, ``groups`` the places of these rows."""
    whole = np.empty(sum(map(len, parts)), np.result_type(*parts))
    for part, group in zip(parts, groups, strict=True):
        whole[group] = part
    return whole
