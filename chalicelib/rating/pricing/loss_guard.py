"""What resellers sell below the cost of a deck, from their stored packages and custom rates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from chalicelib import periods
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import packages, term_versions
from chalicelib.money import div_half_up
from chalicelib.rating.decks.bulk import uncollected
from chalicelib.rating.decks.deck import NUMBER, PREFIX, DeckLine
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.losses import Lines, losses
from chalicelib.rating.pricing.terms import Epoch

PAGE = 200
"""A page of losses ends after the reseller with which it has so many."""
MOST_LINES = 800_000
"""It also ends after the reseller with which so many lines were looked at, so that a request has an end."""
LINES_OF_A_RESELLER = 10_000
"""Reading the terms of a reseller counts as so many lines."""


class Page(NamedTuple):
    """Losses of some resellers, and how many lines of the deck they are about; ``last``: the last reseller that was
    looked at, or ``None`` if there is no other behind it."""

    items: list[dict[str, Any]]
    prefixes: int
    last: str | None


@uncollected()
def page(reseller_ids: Sequence[str], route: str, day: str, lines: Sequence[DeckLine], now: int) -> Page:
    """What the packages of resellers that are not deleted sell below the cost of a deck for a route.

    By the terms in force on the deck's first day, or now if that is past. Costs and prices in 1e-8.
    """
    at = max(now, periods.calendar("UTC").day_start(day))
    lines_of = cache(lambda home: Lines(lines, home))
    items: list[dict[str, Any]] = []
    below: dict[str, set[str]] = {PREFIX: set(), NUMBER: set()}
    looked = 0
    for place, reseller_id in enumerate(reseller_ids, 1):
        epochs = _epochs(reseller_id, at)
        own = lines_of(posting.get_reseller(reseller_id).home_country) if epochs else Lines((), "")
        looked += LINES_OF_A_RESELLER + len(lines) * len(epochs)
        items += (
            {
                "reseller_id": reseller_id,
                "package_id": package_id,
                "rule": loss.rule,
                "lines": loss.lines,
                "prefix": loss.prefix,
                "seconds": loss.seconds,
                "cost_e8": div_half_up(loss.cost, 6000),
                "sold_e8": div_half_up(loss.sold, 6000),
                "loss_e4": loss.loss_e4,
            }
            for package_id, epoch in epochs
            for loss in losses(epoch, route, own, below)
        )
        if place < len(reseller_ids) and (len(items) >= PAGE or looked >= MOST_LINES):
            return Page(items, sum(map(len, below.values())), reseller_id)
    return Page(items, sum(map(len, below.values())), None)


def _epochs(reseller_id: str, at: int) -> list[tuple[str, Epoch]]:
    """The packages of a reseller that are not deleted, each with its terms at an instant."""
    terms = loading.terms(reseller_id, term_versions.head_of(reseller_id).version)
    package_ids = sorted(set(packages.ids(reseller_id)) & set(terms.package_ids()))
    return [(package_id, terms.epoch(package_id, at)) for package_id in package_ids]
