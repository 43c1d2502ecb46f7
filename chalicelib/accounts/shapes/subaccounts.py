"""Sub-accounts: each makes calls, which its package prices and its client pays."""

from typing import Annotated

from pydantic import Field

from chalicelib.accounts.shapes import left_out
from chalicelib.fields import Day, Id, Instant, InstantOut, Paging, Shape, Username


class SubAccountIn(Shape):
    """``next_billing_date`` null: the monthly fee is never due."""

    username: Username
    client_id: Id
    package_id: Id
    next_billing_date: Day | None = None
    charge_setup_fee_now: bool = False


class SubAccountPatch(Shape):
    """``effective_from`` (default now): when client or package change.

    With ``will_rerate`` it may be before calls that are rated already; they keep their client and price until their
    batches are rated again.
    """

    client_id: Id = left_out()
    package_id: Id = left_out()
    next_billing_date: Day | None = left_out()
    effective_from: Instant | None = None
    will_rerate: bool = False


class SubAccountOut(Shape):
    id: str = Field(validation_alias="subaccount_id")
    username: str
    client_id: str
    package_id: str
    next_billing_date: str | None
    created_at: InstantOut


class OfClient(Paging):
    """A list that can be narrowed to one client."""

    client_id: Annotated[str | None, Field(max_length=64, description="only this client's")] = None
