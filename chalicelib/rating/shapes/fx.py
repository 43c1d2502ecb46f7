"""Costs in another currency, and the rate of exchange by which they are converted."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from chalicelib import money
from chalicelib.fields import Day, Shape
from chalicelib.rating.decks import currency

CostCurrency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"], description="the currency of the costs")]


def _rate(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError('must be a string such as "1.0834", not a JSON number')
    fx = money.parse_decimal(value, money.RATE_PLACES)
    if not 0 < fx <= currency.MAX_FX:
        raise ValueError("must be more than 0 and at most 1000000")
    return fx


FxRateOut = Annotated[int, PlainSerializer(money.format_rate, return_type=str)]
"""A rate of exchange in 1e-10, as text in an answer."""
FxRate = Annotated[
    FxRateOut,
    BeforeValidator(_rate),
    Field(
        json_schema_extra={"type": "string", "examples": ["1.0834"]},
        description="what one unit of cost_currency costs in the deployment's currency, up to 10 decimals",
    ),
]
"""Text of a rate of exchange -> the rate in 1e-10."""


class Fx(Shape):
    """One unit of ``cost_currency`` is ``rate`` units of the deployment's currency, as published for ``date``."""

    rate: FxRate
    date: Annotated[Day, Field(examples=["2026-11-30"])]
