"""The operator's inventory of numbers, and the DIDs that resellers ordered out of it."""

from pydantic import Field

from chalicelib.accounts.shapes import OptionalId, PhoneNumber, left_out, nothing
from chalicelib.fields import (
    AmountOut,
    Day,
    Fee,
    Id,
    Instant,
    InstantOut,
    Pulse,
    Rate,
    RateOut,
    Shape,
)


class InventoryIn(Shape):
    """A number and what it costs the reseller: per month, once, and per minute of inbound calls."""

    number: PhoneNumber
    monthly: Fee = nothing()
    setup: Fee = nothing()
    per_minute: Rate = nothing()


class AvailableOut(Shape):
    number: str
    monthly: AmountOut = Field(validation_alias="monthly_e8")
    setup: AmountOut = Field(validation_alias="setup_e8")
    per_minute: RateOut = Field(validation_alias="per_minute_e10")


class InventoryOut(AvailableOut):
    """``reseller_id`` is null while nobody has ordered the number."""

    reseller_id: OptionalId


class AssignIn(Shape):
    """What the client pays. ``next_billing_date``: left out, one month on; null, never. ``pulse`` null: 6/6.

    ``will_rerate`` lets ``effective_from`` lie before calls that are rated already: see ``SubAccountPatch``.
    """

    client_id: Id
    subaccount_id: Id | None = None
    monthly: Fee = nothing()
    setup: Fee = nothing()
    per_minute: Rate = nothing()
    pulse: Pulse | None = None
    next_billing_date: Day | None = left_out()
    charge_setup: bool = True
    charge_monthly: bool = True
    effective_from: Instant | None = None
    will_rerate: bool = False


class ReleaseIn(Shape):
    """From when on the number is nobody's (default now); ``will_rerate`` as in ``AssignIn``."""

    effective_from: Instant | None = None
    will_rerate: bool = False


class DidOut(Shape):
    """``client_id`` is null while the number is in the reseller's stock; the prices are the client's."""

    number: str
    client_id: OptionalId
    subaccount_id: OptionalId
    monthly: AmountOut = Field(validation_alias="monthly_e8")
    setup: AmountOut = Field(validation_alias="setup_e8")
    per_minute: RateOut = Field(validation_alias="per_minute_e10")
    pulse: Pulse | None
    next_billing_date: str | None
    ordered_at: InstantOut
