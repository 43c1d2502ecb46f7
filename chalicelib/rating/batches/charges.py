"""What one batch changes for one client and day, decided purely: calls put in order, free minutes spent, sums made.

The answer depends on what other batches committed before, so it is decided afresh whenever a commit loses a race.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.batches.rated_csv import Rows
from chalicelib.rating.engine.columns import Ints, Texts
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing.price import price_call

_BLOCK = 100_000
_STRETCH = 5_000
"""Calls after which it is looked anew whose free minutes are spent."""


@dataclass
class Free:
    """Free seconds of a client and month by package: what was used before, and is used now. The day's order spends."""

    table: TermTable
    used: dict[str, int] = field(default_factory=dict)

    def left(self, package_id: str, at: int) -> int:
        """What the package in force at that instant still grants."""
        version = self.table.book.terms.package(package_id, at)
        return (version.free_minutes * 60 if version else 0) - self.used.get(package_id, 0)

    def may_be_left(self, package_id: str) -> bool:
        """Whether any version of the package grants more than is spent."""
        return self.table.book.terms.most_minutes(package_id) * 60 > self.used.get(package_id, 0)

    def spend(self, package_id: str, seconds: int) -> None:
        self.used[package_id] = self.used.get(package_id, 0) + seconds


@dataclass(frozen=True)
class Day:
    """Calls of a client-day, or of a slice of one, sorted by start; ``sums`` by the names of ``store.Segment``."""

    rows: Rows
    sums: dict[str, int]


def decide(rows: NDArray[Any], texts: Texts, by_id: bool, free: Free, batch_id: str) -> Day:
    """One slice of a client-day (``slices``): ``rows`` and ``texts`` as rated, without copies.
    Every row names ``batch_id``, so that a batch can be taken out of a segment that holds several.

    Free minutes go by start, then (``by_id``) call id; what is equal keeps its order.
    """
    # By start a day is mostly in order already: ``spill`` has seen to it.
    if by_id or (np.diff(rows["start"]) < 0).any():
        order = np.lexsort((texts.call_id, rows["start"])) if by_id else np.argsort(rows["start"], kind="stable")
        rows, texts = rows[order], texts.at(order)
    amounts, given = _with_free_minutes(rows, np.flatnonzero(covered(rows["terms"], free.table)), free)
    client = free.table.book.holders.values[int(rows["holder"][0])].client_id if len(rows) else ""
    start, code, seconds, billed_seconds, cost, line = (
        rows[name] for name in ("start", "code", "seconds", "billed", "cost_e8", "line")
    )
    terms, table = rows["terms"], free.table
    around = f",{client},".encode(), f",{batch_id}\r\n".encode()
    return Day(
        rows=Rows(
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
            *around,
        ),
        sums={
            "rows": len(rows),
            "seconds": int(seconds.sum()),
            "billed_seconds": int(billed_seconds.sum()),
            "amount_e8": int(amounts.sum()),
            "cost_e8": int(cost.sum()),
        },
    )


def covered(terms: Ints, table: TermTable) -> NDArray[np.bool_]:
    """Which calls free minutes may pay for."""
    if not table.book.terms.grant_minutes():
        return np.zeros(len(terms), bool)
    blocks = [terms[at : at + _BLOCK] for at in range(0, len(terms), _BLOCK)]
    return np.concatenate([table.columns(block).covered for block in blocks] or [np.zeros(0, bool)])


def _with_free_minutes(rows: NDArray[Any], payable: Ints, free: Free) -> tuple[Ints, Ints]:
    """Amounts and free seconds of each call; a call that costs nothing anyway uses none."""
    amounts = rows["amount_e8"].copy()
    given = np.zeros(len(rows), np.int64)
    for place in _in_question(rows, payable[amounts[payable] != 0], free):
        term = free.table.call_terms(int(rows["terms"][place]))
        left = free.left(term.package_id, int(rows["start"][place]))
        if left > 0:
            price = price_call(term, int(rows["seconds"][place]), left)
            amounts[place], given[place] = price.amount_e8, price.free_seconds
            free.spend(term.package_id, price.free_seconds)
    return amounts, given


def _in_question(rows: NDArray[Any], payable: Ints, free: Free) -> Iterator[int]:
    """Where calls stand whose package may have free minutes left: most of a large client's come after they are spent.

    Each of these calls is priced by itself, which takes longer than all the rest of rating it.
    """
    holders = rows["holder"][payable]
    for at in range(0, len(payable), _STRETCH):
        here = holders[at : at + _STRETCH]
        packages = ((number, free.table.book.holders.values[number].package_id) for number in np.unique(here).tolist())
        left = [number for number, package_id in packages if free.may_be_left(package_id)]
        yield from payable[at : at + _STRETCH][np.isin(here, left)].tolist()
