"""The report of calls: a selection in the reseller's own days, a page of it, and what all of it adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from chalicelib import money, numbers, periods
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import clients
from chalicelib.calls import search
from chalicelib.calls.format import RatedCall
from chalicelib.calls.search import Place, Selection
from chalicelib.calls.totals import Totals
from chalicelib.errors import Invalid, TooLarge
from chalicelib.principals import Principal

MAX_DAYS = 400
"""Days a selection may span: a year and a bit."""

COLUMNS = (
    "call_id", "start", "direction", "client_id", "account", "from", "to", "destination", "country", "disposition",
    "seconds", "billed_seconds", "free_seconds", "rule", "rate_per_minute", "amount", "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A page of calls; ``after`` is the place to go on from."""

    calls: Sequence[RatedCall]
    after: Place | None
    totals: Totals


def select(who: Principal, query: Any, now: int) -> Selection:
    """A report's filters, read in the reseller's zone; a client's key sees its own calls only.

    ``NotFound`` for another tenant's client; ``Invalid`` for dates that make no span.
    """
    zone = periods.zone(posting.get_reseller(who.reseller_id).time_zone)
    first, last = periods.month_days(periods.local_month(now, zone))
    first, last = query.date_from or first, query.date_to or last
    if first > last:
        raise Invalid.field("date_to", "must not be before date_from")
    if len(periods.days_between(first, last)) > MAX_DAYS:
        raise Invalid.field("date_to", f"must be at most {MAX_DAYS} days after date_from")
    if query.client_id:
        clients.get(who, query.client_id)
    return Selection(
        start=periods.day_start(first, zone),
        end=periods.day_start(periods.next_day(last), zone),
        client_id=who.client_id or query.client_id,
        account=query.account,
        did=_number(query.did),
        direction=query.direction,
        disposition=query.disposition,
        country=query.country,
        number_prefix=query.number_prefix.lstrip("+") if query.number_prefix else None,
        billing=query.billing,
    )


def report(reseller_id: str, selection: Selection, place: Any, limit: int) -> Report:
    """One page, newest first. ``place`` is what the page before gave: its last call, and the totals it had summed."""
    after = Place(*place["after"]) if place else None
    found = search.page(reseller_id, selection, after, limit + 1)
    totals = Totals(**place["totals"]) if place else search.totals(reseller_id, selection)
    return Report(found[:limit], search.place_of(found[limit - 1]) if len(found) > limit else None, totals)


def next_place(made: Report, *, for_client: bool) -> dict[str, Any] | None:
    """What the next page needs, for its cursor."""
    # A cursor is signed, not secret: what a client may not see must not lie in it.
    totals = replace(made.totals, cost_e8=0) if for_client else made.totals
    return {"after": list(made.after), "totals": asdict(totals)} if made.after else None


def rows(reseller_id: str, selection: Selection, most: int, *, for_client: bool) -> list[tuple[object, ...]]:
    """The whole selection as rows of ``COLUMNS``; ``TooLarge`` for more than ``most``."""
    found = search.page(reseller_id, selection, None, most + 1)
    if len(found) > most:
        raise TooLarge(f"The selection has more than {most} calls; narrow it, or use POST /v1/exports.")
    return [row(call, for_client=for_client) for call in found]


def row(call: RatedCall, *, for_client: bool) -> tuple[object, ...]:
    """One call as text, in the order of ``COLUMNS``."""
    return (
        call.call_id,
        periods.format_instant(call.start),
        call.direction,
        call.client_id,
        call.account,
        call.from_number,
        call.to_number,
        call.destination,
        call.country,
        call.disposition,
        call.seconds,
        call.billed_seconds,
        call.free_seconds,
        call.rule,
        money.format_rate(call.rate_e10),
        money.format_amount(call.amount_e8),
        *(() if for_client else (money.format_amount(call.cost_e8),)),
    )


def _number(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return numbers.path_number(text)
    except ValueError as problem:
        raise Invalid.field("did", str(problem)) from None
