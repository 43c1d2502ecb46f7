"""What many calls share in a segment's row, by the numbers of their terms (``columns.ROW``), as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls.format import quoted
from chalicelib.rating.engine.columns import Ints, Strings
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.rate_book import DECK_BITS, VECTORISED, RateBook


@dataclass(frozen=True)
class Shared:
    """Texts as CSV; ``covered``: free minutes may pay."""

    package: Strings
    destination: Strings
    country: Strings
    rule: Strings
    rate_e10: Ints
    covered: NDArray[np.bool_]

    def at(self, places: Ints | slice) -> Shared:
        """Some rows of each."""
        return Shared(*(column[places] for column in vars(self).values()))


def shared(book: RateBook, terms: Ints) -> Shared:
    """Per row what its terms say."""
    if not len(terms):
        return _listed([])
    kinds = np.where(terms >= VECTORISED, terms >> DECK_BITS, -1)
    if (kinds == kinds[0]).all():
        return _alike(book, terms)
    groups = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    parts = [_alike(book, terms[group]) for group in groups]
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Shared(*(_put_back(column, groups) for column in columns))


def _put_back(parts: tuple[NDArray[Any], ...], groups: list[Ints]) -> NDArray[Any]:
    """One column of groups of rows, each row at its place again."""
    whole = np.empty(sum(map(len, parts)), np.result_type(*parts))
    for part, group in zip(parts, groups, strict=True):
        whole[group] = part
    return whole


def _alike(book: RateBook, terms: Ints) -> Shared:
    """Terms of one deck of the vectorised engine, or of the reference."""
    if terms[0] >= VECTORISED:
        found: Shared = book.vectorised.shared(terms)
        return found
    numbers, which = np.unique(terms, return_inverse=True)
    listed = _listed([book.call_terms(number) for number in numbers.tolist()])
    return listed.at(which)


def _listed(terms: list[CallTerms]) -> Shared:
    return Shared(
        package=texts([each.package_id for each in terms]),
        destination=texts([each.destination for each in terms]),
        country=texts([each.country or "" for each in terms]),
        rule=texts([each.rule for each in terms]),
        rate_e10=np.array([each.rate_e10 for each in terms], np.int64),
        covered=np.array([each.covered for each in terms], bool),
    )


def texts(values: list[str]) -> Strings:
    """Texts as they stand in a row."""
    return np.array([quoted(value).encode() for value in values], np.bytes_)
