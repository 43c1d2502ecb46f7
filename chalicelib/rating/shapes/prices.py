"""Custom rates, quotes, price lists."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from chalicelib import dated
from chalicelib.fields import (
    AmountOut,
    CallFee,
    Instant,
    InstantOut,
    NumberPrefix,
    Paging,
    Pulse,
    Query,
    Rate,
    RateOut,
    Shape,
)
from chalicelib.rating.shapes.calls import NullForEmpty

NullForFirst = BeforeValidator(lambda instant: None if instant == dated.FIRST else instant)
"""For an instant of an answer: null for ``FIRST``, which means always."""


class RateIn(Shape):
    rate_per_minute: Rate
    pulse: Pulse | None = None
    connection_fee: CallFee | None = None
    minimum_charge: CallFee | None = None
    grace_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    effective_from: Instant | None = None

    def stored(self) -> dict[str, Any]:
        """The fields of the price, as the item of a version has them."""
        return {
            "rate_e10": self.rate_per_minute,
            "initial": self.pulse.initial if self.pulse else 0,
            "increment": self.pulse.increment if self.pulse else 0,
            "connection_fee_e8": self.connection_fee,
            "minimum_charge_e8": self.minimum_charge,
            "grace_seconds": self.grace_seconds,
        }


class RateShown(Shape):
    """``effective_from`` null: the rate has always been in force."""

    scope: str
    code: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    pulse: Pulse | None
    connection_fee: Annotated[AmountOut | None, Field(validation_alias="connection_fee_e8")]
    minimum_charge: Annotated[AmountOut | None, Field(validation_alias="minimum_charge_e8")]
    grace_seconds: int
    effective_from: Annotated[InstantOut | None, NullForFirst]


class QuoteQuery(Query):
    number: Annotated[str, Field(min_length=1, max_length=40)]
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    at: Annotated[Instant | None, Field(description="start of the call; now when left out")] = None


class QuoteCost(Shape):
    prefix: str
    destination: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    billed_seconds: int
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]


class QuotePrice(Shape):
    """``rule`` for a client's key: ``package``, ``custom``, ``internal`` or ``emergency``."""

    rule: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    billed_seconds: int
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]


class QuoteOut(Shape):
    """``cost`` is null for a client's key, and if only the CDR of the call will state it."""

    number: str
    country: str | None
    cost: QuoteCost | None
    price: QuotePrice
    steps: list[str]


class PriceListQuery(Paging):
    at: Annotated[Instant | None, Field(description="the prices of this instant; now when left out")] = None
    prefix: Annotated[NumberPrefix, Field(description="only numbers that begin so")] = ""
    format: Literal["json", "csv"] = "json"


class PriceOut(Shape):
    """What calls to numbers that begin with ``prefix`` are sold for, unless a longer prefix matches. With the rule
    ``no_rate`` they cannot be called. To a client's key other rules are ``package`` and ``custom``. With the ``match``
    ``number`` the row is the price of this number alone: up to 6 digits as they are dialled, or E.164 without ``+``."""

    prefix: str
    destination: str
    country: str | None
    rate_per_minute: Annotated[RateOut | None, Field(validation_alias="rate_e10")]
    pulse: Pulse | None
    connection_fee: Annotated[AmountOut, Field(validation_alias="fee_e8")]
    minimum_charge: Annotated[AmountOut | None, NullForEmpty, Field(validation_alias="minimum_e8")]
    grace_seconds: int
    rule: str
    match: Literal["prefix", "number"]
