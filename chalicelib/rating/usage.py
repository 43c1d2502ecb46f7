"""What one batch changes for one client and day, decided purely: duplicates out, free minutes spent, sums made.

The answer depends on what other batches committed before, so it is decided afresh whenever a commit loses a race.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating import pricing, segments
from chalicelib.rating.columns import CODE_KEYS, CODE_TEXTS
from chalicelib.rating.tables import Shared, Tables


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
    """The calls of a client-day that stand: rows of a segment sorted by start, and what they add up to."""

    rows: Sequence[str]
    starts: Sequence[int]
    duplicates: int
    seconds: int
    billed_seconds: int
    amount_e8: int
    cost_e8: int
    latest: Mapping[str, int]


def decide(rows: NDArray[Any], texts: Sequence[str], known: Collection[str], free: Free, batch_id: str) -> Day:
    """One client-day. ``rows`` and ``texts`` as rated, in the order of the input; ``known``: calls already billed.
    Every row names ``batch_id``, so that a batch can be taken out of a segment that holds several.

    Of copies the first line stands. Free minutes go by start, then call id.
    """
    tables = free.tables
    fresh = _fresh(rows["code"].tolist(), texts, known)
    duplicates = len(texts) - len(fresh)
    if duplicates:
        rows, texts = rows[fresh], [texts[n] for n in fresh]
    shared = {number: tables.shared(number) for number in np.unique(rows["terms"]).tolist()}
    covered = [number for number, each in shared.items() if each.covered]
    if covered:
        starts = rows["start"].tolist()
        order = sorted(range(len(texts)), key=lambda n: (starts[n], segments.first_field(texts[n])))
    else:
        order = np.argsort(rows["start"], kind="stable").tolist()
    rows, texts = rows[order], [texts[n] for n in order]
    amounts, given = _with_free_minutes(rows, covered, free)
    return Day(
        rows=_rows(rows, texts, amounts, given, shared, tables, batch_id),
        starts=rows["start"].tolist(),
        duplicates=duplicates,
        seconds=int(rows["seconds"].sum()),
        billed_seconds=int(rows["billed"].sum()),
        amount_e8=sum(amounts),
        cost_e8=int(rows["cost_e8"].sum()),
        latest=_latest(rows, tables),
    )


def _fresh(codes: Sequence[int], texts: Sequence[str], known: Collection[str]) -> Sequence[int]:
    """Places of the calls that are neither known nor copies of an earlier line."""
    first, kinds = segments.first_field, CODE_KEYS
    keys = [
        kinds[code] + (first(text) if text[0] == '"' else text.partition(",")[0])
        for code, text in zip(codes, texts, strict=True)
    ]
    seen = set(keys)
    if len(seen) == len(keys) and seen.isdisjoint(known):
        return range(len(keys))
    seen, fresh = set(known), []
    for place, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            fresh.append(place)
    return fresh


def _with_free_minutes(rows: NDArray[Any], covered: Sequence[int], free: Free) -> tuple[list[int], list[int]]:
    """Amounts and free seconds of each call; a call that costs nothing anyway uses none."""
    amounts: list[int] = rows["amount_e8"].tolist()
    given = [0] * len(amounts)
    for place in np.flatnonzero(np.isin(rows["terms"], covered)).tolist() if covered else ():
        term = free.tables.call_terms(int(rows["terms"][place]))
        left = free.left(term.package_id, int(rows["start"][place]))
        if left > 0 and amounts[place]:
            price = pricing.price(term, int(rows["seconds"][place]), left)
            amounts[place], given[place] = price.amount_e8, price.free_seconds
            free.spend(term.package_id, price.free_seconds)
    return amounts, given


def _rows(
    rows: NDArray[Any],
    texts: Sequence[str],
    amounts: Sequence[int],
    given: Sequence[int],
    shared: Mapping[int, Shared],
    tables: Tables,
    batch_id: str,
) -> list[str]:
    """The rows of a segment (``segments.COLUMNS``)."""
    client = tables.holders.values[int(rows["holder"][0])].client_id if len(rows) else ""
    tails = {number: f"{client},{each.tail},{batch_id}" for number, each in shared.items()}
    kinds = [CODE_TEXTS[code] for code in rows["code"].tolist()]
    starts, seconds, billed, costs, lines, numbers = (
        rows[name].tolist() for name in ("start", "seconds", "billed", "cost_e8", "line", "terms")
    )
    ends = map(tails.__getitem__, numbers)
    return segments.rows_of(starts, kinds, texts, seconds, billed, given, amounts, costs, lines, ends)


def _latest(rows: NDArray[Any], tables: Tables) -> dict[str, int]:
    """The last start per holder; rows come sorted by start."""
    holders, places = np.unique(rows["holder"][::-1], return_index=True)
    starts = rows["start"][::-1][places]
    return {
        tables.holders.values[holder].name: start
        for holder, start in zip(holders.tolist(), starts.tolist(), strict=True)
    }
