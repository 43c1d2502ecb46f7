"""What the calls of one client and day cost the client: puts calls in order, spends free minutes, adds up. No I/O.

The answer depends on what other batches have committed, so it is computed again whenever a commit loses a race.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.calls.totals import Totals
from chalicelib.rating.batches.rated_csv import RatedRows
from chalicelib.rating.engine.columns import Ints, Texts, exact_sum
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing.price import price_call

_BLOCK = 100_000
_CALLS_PER_CHECK = 5_000
"""After so many calls the packages that still have free minutes are looked up again."""


@dataclass
class FreeSeconds:
    """The free seconds of a client and month. ``used``: by package id, what committed calls and these have spent."""

    table: TermTable
    used: dict[str, int] = field(default_factory=dict)

    def left(self, package_id: str, at: int) -> int:
        """What the version of the package that holds at that instant still grants."""
        version = self.table.book.terms.package(package_id, at)
        return (version.free_minutes * 60 if version else 0) - self.used.get(package_id, 0)

    def may_be_left(self, package_id: str) -> bool:
        """Whether any version of the package grants more than is spent."""
        return self.table.book.terms.most_minutes(package_id) * 60 > self.used.get(package_id, 0)

    def spend(self, package_id: str, seconds: int) -> None:
        self.used[package_id] = self.used.get(package_id, 0) + seconds


@dataclass(frozen=True)
class ChargedCalls:
    """Calls of a client-day, or of a slice of one, sorted by start, and what they add up to.

    ``internal``: how many of them were to internal numbers.
    """

    rows: RatedRows
    totals: Totals
    internal: int


def charge(rows: NDArray[Any], texts: Texts, by_id: bool, free: FreeSeconds, batch_id: str) -> ChargedCalls:
    """Charge one slice of a client-day (``client_day``); ``rows`` and ``texts`` as rated, without duplicates.

    Free seconds are spent in the order of start, then (with ``by_id``) of call id; else equal starts keep their order.
    Every row names ``batch_id``, so that the calls of a batch can be found in a segment that has several batches.
    """
    # Mostly in order already, because ``spill`` sorts by start.
    if by_id or (np.diff(rows["start"]) < 0).any():
        order = np.lexsort((texts.call_id, rows["start"])) if by_id else np.argsort(rows["start"], kind="stable")
        rows, texts = rows[order], texts.at(order)
    amounts, given = _with_free_seconds(rows, np.flatnonzero(covered(rows["terms"], free.table)), free)
    client = free.table.book.holders.values[int(rows["holder"][0])].client_id if len(rows) else ""
    start, code, seconds, billed_seconds, cost, line = (
        rows[name] for name in ("start", "code", "seconds", "billed", "cost_e8", "line")
    )
    terms, table = rows["terms"], free.table
    return ChargedCalls(
        rows=RatedRows(
            texts,
            start,
            code,
            seconds,
            billed_seconds,
            given,
            amounts,
            cost,
            line,
            lambda some: table.columns(terms[some]),
            before=f",{client},".encode(),
            after=f",{batch_id}\r\n".encode(),
        ),
        # A call has less than 2**17 seconds, so their sums need no care.
        totals=Totals(len(rows), int(seconds.sum()), int(billed_seconds.sum()), exact_sum(amounts), exact_sum(cost)),
        internal=table.internal(terms),
    )


def covered(terms: Ints, table: TermTable) -> NDArray[np.bool_]:
    """Which calls free minutes may pay for."""
    if not table.book.terms.grant_minutes():
        return np.zeros(len(terms), bool)
    blocks = [terms[at : at + _BLOCK] for at in range(0, len(terms), _BLOCK)]
    return np.concatenate([table.columns(block).covered for block in blocks] or [np.zeros(0, bool)])


def _with_free_seconds(rows: NDArray[Any], payable: Ints, free: FreeSeconds) -> tuple[Ints, Ints]:
    """Amounts and free seconds of each call. A call that costs nothing anyway uses none; ``payable``: see below."""
    amounts = rows["amount_e8"].copy()
    given = np.zeros(len(rows), np.int64)
    for place in _candidates(rows, payable[amounts[payable] != 0], free):
        term = free.table.call_terms(int(rows["terms"][place]))
        left = free.left(term.package_id, int(rows["start"][place]))
        if left > 0:
            price = price_call(term, int(rows["seconds"][place]), left)
            amounts[place], given[place] = price.amount_e8, price.free_seconds
            free.spend(term.package_id, price.free_seconds)
    return amounts, given


def _candidates(rows: NDArray[Any], payable: Ints, free: FreeSeconds) -> Iterator[int]:
    """Positions of calls whose package may have free minutes left. ``payable``: positions that these may pay for.

    Each of these calls is priced by itself, which takes longer than all the rest of rating it; most calls of a large
    client come after its free minutes are spent.
    """
    holders = rows["holder"][payable]
    for at in range(0, len(payable), _CALLS_PER_CHECK):
        here = holders[at : at + _CALLS_PER_CHECK]
        packages = ((number, free.table.book.holders.values[number].package_id) for number in np.unique(here).tolist())
        left = [number for number, package_id in packages if free.may_be_left(package_id)]
        yield from payable[at : at + _CALLS_PER_CHECK][np.isin(here, left)].tolist()
