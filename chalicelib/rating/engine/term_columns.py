"""The columns of a rated call that come from its terms, not from the call: package, destination, rule, rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls.format import quoted
from chalicelib.rating.engine.columns import Ints, Strings
from chalicelib.rating.pricing.price import CallTerms


@dataclass(frozen=True)
class TermColumns:
    """One value per call. Texts are CSV fields; ``covered``: whether free minutes may pay for the call."""

    package: Strings
    destination: Strings
    country: Strings
    rule: Strings
    rate_e10: Ints
    covered: NDArray[np.bool_]

    @classmethod
    def of(cls, terms: Sequence[CallTerms]) -> TermColumns:
        """The columns of calls that have these terms."""
        return cls(
            package=texts([each.package_id for each in terms]),
            destination=texts([each.destination for each in terms]),
            country=texts([each.country or "" for each in terms]),
            rule=texts([each.rule for each in terms]),
            rate_e10=np.array([each.rate_e10 for each in terms], np.int64),
            covered=np.array([each.covered for each in terms], bool),
        )

    def at(self, places: Ints | slice) -> TermColumns:
        """The columns of some of the calls."""
        return TermColumns(*(column[places] for column in vars(self).values()))


def texts(values: Sequence[str]) -> Strings:
    """Texts as CSV fields, in quotes where needed."""
    return np.array([quoted(value).encode() for value in values], np.bytes_)
