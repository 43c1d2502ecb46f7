"""Entries of a ledger, the payments and charges that are entered by hand, and statements from day to day."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.fields import AmountOut, Day, InstantOut, Line, Paging, Positive, Shape


class PostingIn(Shape):
    """``amount`` is positive; whether it adds or takes away is the route's business."""

    amount: Positive
    description: Line = ""


class LedgerQuery(Paging):
    """Days are the reseller's, both included, and those on which an entry was posted."""

    date_from: Annotated[Day | None, Field(description="first day; from the beginning when left out")] = None
    date_to: Annotated[Day | None, Field(description="last day; until now when left out")] = None
    format: Literal["json", "csv"] = "json"


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


class StatementTotals(Shape):
    """Of the whole selection: the balance before its first entry and after its last, and how many there are."""

    opening_balance: AmountOut
    closing_balance: AmountOut
    entries: int


class LedgerOut(Shape):
    items: list[EntryOut]
    next: str | None
    totals: StatementTotals
