"""Requests and answers of this room."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, StringConstraints, WithJsonSchema, model_validator

from chalicelib import money
from chalicelib.fields import (
    AmountOut,
    CallFee,
    Day,
    Instant,
    InstantOut,
    Paging,
    Pulse,
    Query,
    Rate,
    RateOut,
    Shape,
)
from chalicelib.numbers import path_number
from chalicelib.rating.pricing.price import FEE_PLACES

ExactFee = Annotated[
    int,
    PlainSerializer(lambda fee_e14: money.format_decimal(fee_e14, FEE_PLACES), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,15}\.[0-9]{2,14}$"}),
]
"""A connection fee in 1e-14."""
Filename = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_. -]{0,120}$"), Field(examples=["november.csv.gz"])
]


class UploadIn(Shape):
    """``cdr`` takes a file name; ``deck`` (operator) also its route and first day."""

    kind: Literal["cdr", "deck"]
    filename: Filename
    route: Literal["value", "premium"] | None = None
    effective_from: Day | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "deck" and not (self.route and self.effective_from):
            raise ValueError("a deck needs route and effective_from")
        if self.kind == "cdr" and (self.route or self.effective_from):
            raise ValueError("route and effective_from are for decks")
        return self


class UploadOut(Shape):
    """PUT the file's bytes to ``url`` with these headers within 15 minutes."""

    url: str
    method: str
    headers: dict[str, str]
    key: str


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


class BatchOut(Shape):
    id: str
    key: str
    status: Annotated[str, Field(json_schema_extra={"enum": ["queued", "rating", "done", "failed"]})]
    lines: int
    rated: int
    rejected: int
    duplicates: int
    cost: AmountOut
    revenue: AmountOut
    started_at: InstantOut | None
    finished_at: InstantOut | None
    rejected_url: str | None
    reason: str | None


class BatchQuery(Paging):
    """``account`` or ``did``: only batches that have billed calls of it, from ``calls_from`` on."""

    account: Annotated[str | None, Field(max_length=64, description="that have billed calls of this user name")] = None
    did: Annotated[str | None, Field(max_length=40, description="that have billed calls to this number")] = None
    calls_from: Annotated[Instant | None, Field(description="with account or did: calls that began then or later")] = (
        None
    )

    @model_validator(mode="after")
    def _one_holder(self) -> Self:
        if self.account is not None and self.did is not None:
            raise ValueError("take account or did, not both")
        if self.calls_from is not None and self.account is None and self.did is None:
            raise ValueError("calls_from needs account or did")
        return self

    @property
    def holder(self) -> str | None:
        """``sub:<username>``, ``did:<number>`` or none; a number that is none has no calls."""
        if self.did is not None:
            return f"did:{_number_of(self.did)}"
        return None if self.account is None else f"sub:{self.account}"


def _number_of(text: str) -> str:
    try:
        return path_number(text)
    except ValueError:
        return text


def number(value: Any) -> int | None:
    """A stored number, or ``None``."""
    return None if value is None else int(value)
