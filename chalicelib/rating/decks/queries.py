"""Reads decks for the operator: the list, one deck, its lines, and the difference between two."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from chalicelib import periods
from chalicelib.errors import Conflict, existing
from chalicelib.rating.decks import called, holding
from chalicelib.rating.decks.bulk import uncollected
from chalicelib.rating.decks.deck import ROUTES, Deck, DeckLine
from chalicelib.rating.decks.difference import difference
from chalicelib.rating.decks.given import line_like
from chalicelib.rating.decks.store import DeckDrop, Status, counting, drop_of, head_and_version


@dataclass(frozen=True)
class Standing:
    """A dropped deck and its place among the published ones.

    ``in_force``: it prices calls of the present UTC day. ``superseded_by``: the deck of the same date that counts.
    For who shows one deck: ``rated_before``, the batches that were begun between its first day and its publication,
    and ``below_cost``, how much of it is sold below cost.
    """

    drop: DeckDrop
    in_force: bool
    superseded_by: str | None
    rated_before: Sequence[Any] = ()
    below_cost: dict[str, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.drop, name)


@dataclass(frozen=True)
class Line:
    """A line as the API has it; ``given``: the line before its costs were converted, or ``None``."""

    place: int
    line: DeckLine
    given: DeckLine | None

    @property
    def home(self) -> list[str]:
        return list(self.line.homes)

    @property
    def given_rate_e10(self) -> int | None:
        return self.given.rate_e10 if self.given else None

    @property
    def given_fee_e8(self) -> int | None:
        return self.given.fee_e8 if self.given else None


def listed(after: str | None, limit: int, now: int) -> list[Standing]:
    """Up to ``limit`` dropped decks, the latest ``effective_from`` first; ``after`` is the ``sk`` to go on behind."""
    return _standing(DeckDrop.under(*DeckDrop.of_every_deck(), after=after, limit=limit, newest_first=True), now)


def one(deck_id: str, now: int) -> Standing:
    """One deck; ``NotFound``."""
    return _standing([existing(drop_of(deck_id))], now)[0]


def _standing(drops: list[DeckDrop], now: int) -> list[Standing]:
    today, (_, version) = periods.utc_day(now), head_and_version()
    rows = [row for route in ROUTES for row in counting(route, version)]
    counts = {(row.route, row.effective_from): row.deck_id for row in rows}
    in_force = {row.route: row.deck_id for row in rows if row.effective_from <= today}
    return [
        Standing(
            drop,
            in_force.get(drop.route) == drop.deck_id,
            None if drop.status != Status.PUBLISHED or counting_id == drop.deck_id else counting_id,
        )
        for drop in drops
        for counting_id in [counts.get((drop.route, drop.effective_from))]
    ]


def lines(deck_id: str, prefix: str, after: int | None, limit: int) -> list[Line]:
    """Up to ``limit`` lines of a deck whose digits begin with ``prefix``: prefixes as sorted text, then numbers.

    ``after``: the ``place`` of the line to go on behind. ``Conflict`` for a deck that could not be read.
    """
    drop, deck = _deck(deck_id)
    given = _opened(drop.given_key) if drop.given_key else None
    found = islice(_places(deck, prefix, -1 if after is None else after), limit)
    return [Line(at, line, line_like(given, line) if given else None) for at in found for line in [deck.line(at)]]


@uncollected()
def every_line(deck_id: str) -> list[DeckLine]:
    """All lines of a deck."""
    return list(_deck(deck_id)[1].lines())


@uncollected()
def compared(deck_id: str, to: str | None, now: int) -> tuple[str | None, dict[str, Any]]:
    """The id of another deck (by default the one in force on the first day), and what changes from that to this one."""
    drop, deck = _deck(deck_id)
    if to is None:
        row = holding.in_force_on(drop.route, drop.effective_from)
        to = row.deck_id if row else None
    other = _deck(to)[1].lines() if to else ()
    return to, holding.shown(difference(other, deck.lines(), called.seconds_called(called.parts(now))))


def _deck(deck_id: str) -> tuple[DeckDrop, Deck]:
    drop = existing(drop_of(deck_id))
    if drop.object_key is None:
        raise Conflict(f"This deck is {drop.status}; it has no lines.")
    return drop, _opened(drop.object_key)


@lru_cache(maxsize=4)
def _opened(object_key: str) -> Deck:
    """A compiled deck; the bytes under a key never change."""
    return holding.opened(object_key)


def _places(deck: Deck, prefix: str, after: int) -> Iterator[int]:
    first = bisect_left(range(deck.prefix_count), prefix, key=deck.prefix)
    for place in range(max(first, after + 1), deck.prefix_count):
        if not deck.prefix(place).startswith(prefix):
            break
        yield place
    numbers = range(max(deck.prefix_count, after + 1), len(deck))
    yield from (place for place in numbers if deck.prefix(place).startswith(prefix))
