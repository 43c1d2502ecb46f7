"""Requests and answers about calls that a switch is about to make."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chalicelib.fields import AmountOut, InstantOut, Printable, Query, RateOut, Shape
from chalicelib.rating.cdr import call

CallId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=call.MAX_CALL_ID), Printable]


class AuthorizationIn(Shape):
    """A call that a switch is about to make. ``number`` as it was dialled; ``call_id`` as the call's record will have
    it; with ``reserve_seconds`` the price of so long a call is held back. An empty ``account`` is nobody's, and may
    call an emergency number all the same."""

    account: Annotated[str, Field(max_length=64), Printable]
    number: Annotated[str, Field(min_length=1, max_length=40), Printable]
    call_id: CallId | None = None
    reserve_seconds: Annotated[int | None, Field(ge=1, le=86_400)] = None


class AuthorizationQuery(Query):
    format: Annotated[
        Literal["json", "text"], Field(description="`text`: the same as `allowed=1&reason=ok&...`, for dialplans")
    ] = "json"


class AuthorizationOut(Shape):
    """``max_seconds``: what the available balance pays for; null: no limit. ``hangup_after``: when to end the call,
    the smaller of that and what is held. ``id`` and ``expires_at`` are those of the hold, null without one."""

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
    """``seconds`` as the call's record will have them."""

    seconds: Annotated[int, Field(ge=0, le=86_400)]


class HoldOut(Shape):
    """What is held for a finished call until its record is rated, or ``expires_at``."""

    id: str
    seconds: int
    amount: Annotated[AmountOut, Field(validation_alias="amount_e8")]
    expires_at: InstantOut
