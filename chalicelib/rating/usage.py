"""What one batch changes for one client and day, decided purely: duplicates out, free minutes spent, sums made.

The answer depends on what other batches committed before, so it is decided afresh whenever a commit loses a race.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating import call_keys, pricing
from chalicelib.rating.call_keys import Billed
from chalicelib.rating.columns import Ints, Texts
from chalicelib.rating.rendering import Rows
from chalicelib.rating.shared import shared
from chalicelib.rating.tables import Tables

_BLOCK = 100_000


@dataclass
class Free:
    """Free seconds of a client and month by package: what was used before, and is used now. The day's order spends."""

    tables: Tables
    used: dict[str, int] = field(default_factory=dict)

    def left(self, package_id: str, at: int) -> int:
        """What the package in force at that instant still grants."""
        version = self.tables.terms.package(package_id, at)
        return (version.free_minutes * 60 if version else 0) - self.used.get(package_id, 0)

    def spend(self, package_id: str, seconds: int) -> None:
        self.used[package_id] = self.used.get(package_id, 0) + seconds


@dataclass(frozen=True)
class Day:
    """The calls of a client-day that stand, sorted by start, and what they add up to."""

    rows: Rows
    duplicates: int
    seconds: int
    billed_seconds: int
    amount_e8: int
    cost_e8: int
    amounts: Ints


def decide(rows: NDArray[Any], texts: Texts, billed: Billed, free: Free, batch_id: str) -> Day:
    """One client-day. ``rows`` and ``texts`` as rated, in the order of the input; ``billed``: calls already billed.
    Every row names ``batch_id``, so that a batch can be taken out of a segment that holds several.

    Of copies the first line stands. Free minutes go by start, then call id.
    """
    stay = call_keys.fresh(rows["code"].astype(np.int64), texts.call_id, billed)
    duplicates = len(rows) - len(stay)
    if duplicates:
        rows, texts = rows[stay], texts.at(stay)
    covered = _covered(rows["terms"], free.tables)
    # By start alone a file is nearly in order already.
    order = np.argsort(rows["start"], kind="stable")
    if covered.any():
        order = np.lexsort((texts.call_id, rows["start"]))
    rows, texts, covered = rows[order], texts.at(order), covered[order]
    amounts, given = _with_free_minutes(rows, np.flatnonzero(covered), free)
    client = free.tables.holders.values[int(rows["holder"][0])].client_id if len(rows) else ""
    start, code, seconds, billed_seconds, cost, line = (
        rows[name] for name in ("start", "code", "seconds", "billed", "cost_e8", "line")
    )
    terms, tables = rows["terms"], free.tables
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
            lambda some: shared(tables, terms[some]),
            *around,
        ),
        duplicates=duplicates,
        seconds=int(rows["seconds"].sum()),
        billed_seconds=int(rows["billed"].sum()),
        amount_e8=int(amounts.sum()),
        cost_e8=int(rows["cost_e8"].sum()),
        amounts=amounts,
    )


def _covered(terms: Ints, tables: Tables) -> NDArray[np.bool_]:
    """Which calls free minutes may pay for."""
    if not tables.terms.grant_minutes():
        return np.zeros(len(terms), bool)
    blocks = [terms[at : at + _BLOCK] for at in range(0, len(terms), _BLOCK)]
    return np.concatenate([shared(tables, block).covered for block in blocks] or [np.zeros(0, bool)])


def _with_free_minutes(rows: NDArray[Any], covered: Ints, free: Free) -> tuple[Ints, Ints]:
    """Amounts and free seconds of each call; a call that costs nothing anyway uses none."""
    amounts = rows["amount_e8"].copy()
    given = np.zeros(len(rows), np.int64)
    for place in covered[amounts[covered] != 0].tolist():
        term = free.tables.call_terms(int(rows["terms"][place]))
        left = free.left(term.package_id, int(rows["start"][place]))
        if left > 0:
            price = pricing.price(term, int(rows["seconds"][place]), left)
            amounts[place], given[place] = price.amount_e8, price.free_seconds
            free.spend(term.package_id, price.free_seconds)
    return amounts, given
