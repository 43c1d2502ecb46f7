"""When a monthly fee may first be due: days are the reseller's."""

from __future__ import annotations

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.errors import Invalid


def today(reseller_id: str, now: int) -> str:
    """The reseller's day at an instant."""
    return periods.local_day(now, periods.zone(get_reseller(reseller_id).time_zone))


def refuse_past(reseller_id: str, now: int, day: str | None) -> None:
    """422 for a next billing date before today: a slip in the year would bill a client for every month since."""
    if day is not None and day < (first := today(reseller_id, now)):
        raise Invalid.field("next_billing_date", f"must not be in the past; today is {first}")
