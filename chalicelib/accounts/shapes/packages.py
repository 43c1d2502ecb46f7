"""Packages: what a client buys. Price fields are dated; fees and names are not."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasPath, Field

from chalicelib import numbers
from chalicelib.accounts.shapes import left_out, nothing
from chalicelib.fields import (
    AmountOut,
    CallFee,
    Fee,
    Instant,
    InstantOut,
    Name,
    Percent,
    PercentOut,
    Pulse,
    RateOut,
    Shape,
    SignedRate,
    of_defaults,
)

RouteName = Literal["value", "premium"]
MOST_FREE_MINUTES = 1_000_000


def _scope(codes: list[str]) -> list[str]:
    for code in codes:
        if code not in ("us", "canada") and code not in numbers.home_countries():
            raise ValueError(f'takes "us", "canada" and ISO 3166 alpha-2 codes, not "{code[:20]}"')
    return list(dict.fromkeys(codes))


Scope = Annotated[list[str], Field(max_length=300), AfterValidator(_scope)]
FreeMinutes = Annotated[int, Field(ge=0, le=MOST_FREE_MINUTES)]
Decimals = Annotated[int, Field(ge=2, le=8)]
RateDecimals = Annotated[int, Field(ge=4, le=10)]


class Routes(Shape):
    """The deck whose costs count, by destination."""

    us: RouteName = "value"
    canada: RouteName = "value"
    international: RouteName = "value"


class PackageIn(Shape):
    """``pulse`` null: the deck's. ``connection_fee`` null: the deck's, marked up. ``minimum_charge`` null: none.
    ``rate_decimals``: where a rate that the markup makes is rounded, before billing. ``public_name``: the only name
    that clients see; null: ``name``."""

    name: Name
    public_name: Name | None = None
    markup_fixed: SignedRate = nothing()
    markup_percent: Percent = nothing()
    rate_decimals: RateDecimals = 10
    pulse: Pulse | None = None
    monthly_fee: Fee = nothing()
    setup_fee: Fee = nothing()
    free_minutes: FreeMinutes = 0
    free_minutes_scope: Scope = ["us", "canada"]
    connection_fee: CallFee | None = None
    minimum_charge: CallFee | None = None
    call_decimals: Decimals = 8
    routes: Routes = of_defaults()


class PackagePatch(Shape):
    """``effective_from`` (default now): when price fields change; the others change at once."""

    name: Name = left_out()
    public_name: Name | None = left_out()
    markup_fixed: SignedRate = left_out()
    markup_percent: Percent = left_out()
    rate_decimals: RateDecimals = left_out()
    pulse: Pulse | None = left_out()
    monthly_fee: Fee = left_out()
    setup_fee: Fee = left_out()
    free_minutes: FreeMinutes = left_out()
    free_minutes_scope: Scope = left_out()
    connection_fee: CallFee | None = left_out()
    minimum_charge: CallFee | None = left_out()
    call_decimals: Decimals = left_out()
    routes: Routes = left_out()
    effective_from: Instant | None = None


def _price(name: str) -> Any:
    return Field(validation_alias=AliasPath("price", name))


class PriceFields(Shape):
    """The fields that price a call."""

    markup_fixed: RateOut = _price("markup_fixed_e10")
    markup_percent: PercentOut = _price("markup_percent_e4")
    rate_decimals: int = _price("rate_decimals")
    pulse: Pulse | None = _price("pulse")
    free_minutes: int = _price("free_minutes")
    free_minutes_scope: list[str] = _price("free_minutes_scope")
    connection_fee: AmountOut | None = _price("connection_fee_e8")
    minimum_charge: AmountOut | None = _price("minimum_charge_e8")
    call_decimals: int = _price("call_decimals")
    routes: Routes = _price("routes")


class UpcomingPrice(PriceFields):
    """A price that is not in force yet."""

    effective_from: InstantOut


class WarningOut(Shape):
    """What may not be meant in a field that was accepted. ``code``: ``gives_markup_away``."""

    field: str
    code: str
    message: str


class PackageOut(PriceFields):
    """The price fields are those in force now."""

    id: str = Field(validation_alias="package_id")
    name: str
    public_name: str = Field(validation_alias="shown_name")
    warnings: list[WarningOut]
    monthly_fee: AmountOut = Field(validation_alias="monthly_fee_e8")
    setup_fee: AmountOut = Field(validation_alias="setup_fee_e8")
    upcoming: list[UpcomingPrice]
    created_at: InstantOut
