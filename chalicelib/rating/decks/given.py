"""The lines of a deck as they were given, before their costs were converted from another currency."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from chalicelib.rating.decks.deck import PREFIX, Deck, DeckLine


class GivenCost(NamedTuple):
    """What a deck line cost in ``currency`` before ``fx_e10`` converted it: per minute, and per connection."""

    currency: str
    fx_e10: int
    rate_e10: int
    fee_e8: int


def line_like(given: Deck, line: DeckLine) -> DeckLine:
    """The line of the deck as it was given; number lines for several homes may be in another order there."""
    if line.match == PREFIX:
        return given.line(bisect_left(range(given.prefix_count), line.prefix, key=given.prefix))
    numbers = map(given.line, range(given.prefix_count, len(given)))
    return next(each for each in numbers if (each.prefix, each.homes) == (line.prefix, line.homes))
