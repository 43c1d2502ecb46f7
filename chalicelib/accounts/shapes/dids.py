"""The operator's inventory of numbers, and the DIDs that resellers ordered from it."""

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
    """``reseller_id`` is null if no reseller has the number."""

    reseller_id: OptionalId


class AssignIn(Shape):
    """What the client pays. ``next_billing_date``: in a month if left out, never if null. ``pulse`` null: 6/6.

    With ``will_rerate``, ``effective_from`` may be before calls that are rated already: see ``SubAccountPatch``.
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
    """``effective_from``: from when on no client has the number (default now). ``will_rerate``: as in ``AssignIn``."""

    effective_from: Instant | None = None
    will_rerate: bool = False


class DidOut(Shape):
    """``client_id`` is null if the number is in the reseller's stock. The prices are those that the client pays."""

    number: str
    client_id: OptionalId
    subaccount_id: OptionalId
    monthly: AmountOut = Field(validation_alias="monthly_e8")
    setup: AmountOut = Field(validation_alias="setup_e8")
    per_minute: RateOut = Field(validation_alias="per_minute_e10")
    pulse: Pulse | None
    next_billing_date: str | None
    ordered_at: InstantOut
