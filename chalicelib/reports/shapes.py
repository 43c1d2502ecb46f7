"""The request and the answer of the report of calls."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.accounts.shapes import HomeCountry
from chalicelib.fields import AmountOut, Day, Id, NumberPrefix, Paging, RateOut, Shape, Username
from chalicelib.rating.shapes.calls import Direction, Disposition, PricedCall


class CallsQuery(Paging):
    """Filters of the report of calls. Dates are days of the reseller's time zone, both included."""

    date_from: Annotated[Day | None, Field(description="first day; the current month's first when left out")] = None
    date_to: Annotated[Day | None, Field(description="last day; the current month's last when left out")] = None
    client_id: Id | None = None
    account: Username | None = None
    did: Annotated[str | None, Field(max_length=20)] = None
    direction: Direction | None = None
    disposition: Disposition | None = None
    country: HomeCountry | None = None
    number_prefix: NumberPrefix | None = None
    billing: Literal["free", "billed"] | None = None
    format: Literal["json", "csv"] = "json"


class CallOut(PricedCall):
    """A rated call. For a client's key ``cost`` is null, and ``rule`` is ``package``, ``custom``, ``did:<number>``,
    ``internal`` or ``emergency``."""

    free_seconds: int
    rule: str
    rate_per_minute: Annotated[RateOut, Field(validation_alias="rate_e10")]
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]
    cost: Annotated[AmountOut | None, Field(validation_alias="cost_e8")]


class TotalsOut(Shape):
    """Sums of the whole selection, not only of this page."""

    calls: int
    seconds: int
    billed_seconds: int
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]
    cost: Annotated[AmountOut | None, Field(validation_alias="cost_e8")]


class CallsOut(Shape):
    items: list[CallOut]
    next: str | None
    totals: TotalsOut
