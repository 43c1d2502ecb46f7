"""Entries of a ledger, payments and charges that people post, and lists from one day to another."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.fields import AmountOut, Day, InstantOut, Line, Paging, Positive, Shape


class PostingIn(Shape):
    """``amount`` is positive; the route says whether it is a credit or a debit."""

    amount: Positive
    description: Line = ""


class LedgerQuery(Paging):
    """First and last day on which an entry was posted, both included, in the reseller's time zone."""

    date_from: Annotated[Day | None, Field(description="first day; without it from the first entry")] = None
    date_to: Annotated[Day | None, Field(description="last day; without it to the last entry")] = None
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
    """Of all entries of the list: balance before the first and after the last one, and how many there are."""

    opening_balance: AmountOut
    closing_balance: AmountOut
    entries: int


class LedgerOut(Shape):
    items: list[EntryOut]
    next: str | None
    totals: StatementTotals
