"""What resellers sell below the cost of a deck, from their stored packages and custom rates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib import periods
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import packages, term_versions
from chalicelib.money import div_half_up
from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.losses import Lines, losses

PAGE = 200
"""A page of losses ends after the reseller with which it has so many."""


def of_reseller(reseller_id: str, route: str, day: str, lines: Iterable[DeckLine], now: int) -> list[dict[str, Any]]:
    """What the packages of a reseller that are not deleted sell below the cost of a deck for a route.

    By the terms in force on the deck's first day, or now if that is past. Costs and prices in 1e-8.
    """
    at = max(now, periods.calendar("UTC").day_start(day))
    terms = loading.terms(reseller_id, term_versions.head_of(reseller_id).version)
    package_ids = sorted(set(packages.ids(reseller_id)) & set(terms.package_ids()))
    if not package_ids:
        return []
    own = Lines(lines, posting.get_reseller(reseller_id).home_country)
    return [
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
        for package_id in package_ids
        for loss in losses(terms.epoch(package_id, at), route, own)
    ]
