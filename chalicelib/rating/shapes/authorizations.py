"""Authorizations: calls that a switch is about to make, and what is held for them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from chalicelib.fields import AmountOut, InstantOut, Printable, Query, RateOut, Shape
from chalicelib.rating.cdr import call

CallId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=call.MAX_CALL_ID), Printable]


class AuthorizationIn(Shape):
    """A call that a switch is about to make or to take. ``number``: as dialled; inbound, the DID. ``account``: the
    sub-account that calls; inbound it is ignored and may be left out. ``call_id``: as in the CDR to come. With
    ``reserve_seconds`` the price of a call of so many seconds is held."""

    # Which fields are required depends on the direction, so the page of the API cannot make up an example.
    model_config = ConfigDict(json_schema_extra={"examples": [{"account": "acme-office", "number": "+442079460123"}]})

    direction: Literal["outbound", "inbound"] = "outbound"
    account: Annotated[str, Field(max_length=64), Printable] | None = None
    number: Annotated[str, Field(min_length=1, max_length=call.MAX_DIALLED), Printable]
    call_id: CallId | None = None
    reserve_seconds: Annotated[int | None, Field(ge=1, le=86_400)] = None


class AuthorizationQuery(Query):
    format: Annotated[
        Literal["json", "text"], Field(description="`text`: the same as `allowed=1&reason=ok&...`, for dialplans")
    ] = "json"


class AuthorizationOut(Shape):
    """``max_seconds``: the longest call that the available balance or free minutes pay for; null: no limit.
    ``hangup_after``: when to end the call, the smaller of that and the seconds that are held. ``id``, ``expires_at``:
    of the hold, or null."""

    allowed: bool
    reason: Annotated[
        str,
        Field(
            json_schema_extra={
                "enum": ["ok", "suspended", "waiting", "closed", "no_rate", "unknown_account", "blocked"]
            }
        ),
    ]
    max_seconds: int | None
    hangup_after: int | None
    rate: Annotated[RateOut | None, Field(validation_alias="rate_e10")]
    id: str | None
    expires_at: InstantOut | None


class FinishIn(Shape):
    """``seconds``: as in the CDR to come."""

    seconds: Annotated[int, Field(ge=0, le=86_400)]


class HoldOut(Shape):
    """The amount and the free seconds that are held for a call that has ended, until its CDR is rated or
    ``expires_at``."""

    id: str
    seconds: int
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]
    free_seconds: int
    expires_at: InstantOut
