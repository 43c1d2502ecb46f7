"""Costs in another currency -> costs in the currency of the deployment, converted once."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.money import MAX_FEE, MAX_RATE, RATE_PLACES, div_half_up
from chalicelib.rating.decks.deck import DeckLine

ONE = 10**RATE_PLACES
"""The rate of exchange 1, as ``fx_e10``."""
MAX_FX = 10**6 * ONE


def convert(lines: Iterable[DeckLine], fx_e10: int) -> list[DeckLine]:
    """Lines with their costs in the deployment's currency, in the same order: rates half-up to 1e-10, fees to 1e-8.

    ``fx_e10``: units of that currency for one of the deck's, in 1e-10. Raises ``ValueError`` if a cost passes 1000.
    """
    rates: dict[int, int] = {}
    converted = []
    for line in lines:
        rate = rates.get(line.rate_e10)
        if rate is None:
            rate = rates[line.rate_e10] = div_half_up(line.rate_e10 * fx_e10, ONE)
        fee = div_half_up(line.fee_e8 * fx_e10, ONE) if line.fee_e8 else 0
        if rate > MAX_RATE or fee > MAX_FEE:
            raise ValueError(f"makes the cost of {line.prefix} more than 1000")
        converted.append(line._replace(rate_e10=rate, fee_e8=fee))
    return converted
