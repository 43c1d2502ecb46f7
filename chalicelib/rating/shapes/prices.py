"""Requests and answers of this room."""

from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, WithJsonSchema

from chalicelib import money
from chalicelib.fields import (
    AmountOut,
    CallFee,
    Instant,
    InstantOut,
    Paging,
    Pulse,
    Query,
    Rate,
    RateOut,
    Shape,
)
from chalicelib.rating.pricing.price import FEE_PLACES

ExactFee = Annotated[
    int,
    PlainSerializer(lambda fee_e14: money.format_decimal(fee_e14, FEE_PLACES), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,15}\.[0-9]{2,14}$"}),
]
"""A connection fee in 1e-14."""


class DeckError(Shape):
    line: int
    field: str
    message: str


class DeckOut(Shape):
    route: str
    effective_from: str
    status: Annotated[str, Field(json_schema_extra={"enum": ["publishing", "published", "refused"]})]
    prefixes: int
    errors: list[DeckError]
    errors_url: str | None


class RateIn(Shape):
    rate_per_minute: Rate
    pulse: Pulse | None = None
    connection_fee: CallFee | None = None
    minimum_charge: CallFee | None = None
    grace_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    effective_from: Instant | None = None


class RateShown(Shape):
    """``effective_from`` null: it always held."""

    scope: str
    code: str
    rate_per_minute: RateOut
    pulse: Pulse | None
    connection_fee: AmountOut | None
    minimum_charge: AmountOut | None
    grace_seconds: int
    effective_from: InstantOut | None


class QuoteQuery(Query):
    number: Annotated[str, Field(min_length=1, max_length=40)]
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    at: Annotated[Instant | None, Field(description="start of the call; now when left out")] = None


class QuoteCost(Shape):
    prefix: str
    destination: str
    rate_per_minute: RateOut
    billed_seconds: int
    amount: AmountOut


class QuotePrice(Shape):
    rule: str
    rate_per_minute: RateOut
    billed_seconds: int
    amount: AmountOut


class QuoteOut(Shape):
    """``cost`` is null for a client's key, and where only the call's own record will tell it."""

    number: str
    country: str | None
    cost: QuoteCost | None
    price: QuotePrice
    steps: list[str]


class PriceListQuery(Paging):
    at: Annotated[Instant | None, Field(description="the prices of this instant; now when left out")] = None
    prefix: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,14}$", description="only numbers that begin so")] = ""
    format: Literal["json", "csv"] = "json"


class PriceOut(Shape):
    """What numbers under ``prefix`` are sold for, unless a row with a longer prefix has them. With the rule ``no_rate``
    they cannot be called. The fee is exact, which can take more decimals than an amount has."""

    prefix: str
    destination: str
    country: str | None
    rate_per_minute: RateOut | None
    pulse: Pulse | None
    connection_fee: ExactFee
    minimum_charge: AmountOut | None
    grace_seconds: int
    rule: str
