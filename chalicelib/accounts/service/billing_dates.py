"""Billing dates: days on which a monthly fee is due, in the reseller's time zone."""

from __future__ import annotations

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.errors import Invalid


def today(reseller_id: str, now: int) -> str:
    """The day of an instant in the reseller's zone."""
    return periods.local_day(now, periods.zone(get_reseller(reseller_id).time_zone))


def refuse_past(reseller_id: str, now: int, day: str | None) -> None:
    """422 for a next billing date before today: a typing error in the year would bill every month since then."""
    if day is not None and day < (first := today(reseller_id, now)):
        raise Invalid.field("next_billing_date", f"must not be in the past; today is {first}")
