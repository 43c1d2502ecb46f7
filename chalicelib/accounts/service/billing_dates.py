"""Billing dates: days of the reseller's calendar on which a monthly fee is due."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.errors import Invalid


def today(reseller_id: str, now: int) -> str:
    """The reseller's day of an instant."""
    return get_reseller(reseller_id).calendar.day_of(now)


def refuse_past(reseller_id: str, now: int, day: str | None) -> None:
    """422 for a next billing date before today: a typing error in the year would bill every month since then."""
    if day is not None and day < (first := today(reseller_id, now)):
        raise Invalid.field("next_billing_date", f"must not be in the past; today is {first}")
