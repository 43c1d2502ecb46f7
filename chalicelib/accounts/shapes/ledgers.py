"""Entries of a ledger, and the payments and charges that are entered by hand."""

from __future__ import annotations

from pydantic import Field

from chalicelib.fields import AmountOut, InstantOut, Line, Positive, Shape


class PostingIn(Shape):
    """``amount`` is positive; whether it adds or takes away is the route's business."""

    amount: Positive
    description: Line = ""


class EntryOut(Shape):
    """``amount`` is positive for a credit."""

    id: str = Field(validation_alias="entry_id")
    kind: str
    amount: AmountOut = Field(validation_alias="amount_e8")
    balance_after: AmountOut = Field(validation_alias="balance_after_e8")
    description: str
    period: str
    usage_month: str
    source: str
    posted_at: InstantOut
    actor: str
    reversal_of: str | None
