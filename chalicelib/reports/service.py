"""The report of calls: a selection by days of the reseller's time zone, its pages, and its totals."""

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
from chalicelib.rating.pricing.price import rule_for_client

NARROW = "select fewer days or one client, or read it as JSON, page by page"
MAX_DAYS = 400
"""The most days of a selection: more than a year."""

COLUMNS = (
    "call_id", "start", "direction", "client_id", "account", "from", "to", "destination", "country", "disposition",
    "seconds", "billed_seconds", "free_seconds", "rule", "rate_per_minute", "amount", "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A page of calls; the next one goes on behind ``after``, ``None``: this is the last page."""

    calls: Sequence[RatedCall]
    after: Place | None
    totals: Totals


def select(who: Principal, query: Any, now: int) -> Selection:
    """The filters of a request (``CallsQuery``) -> a selection; a client's key selects its own calls only.

    Raises ``NotFound`` for a client of another reseller, ``Invalid`` for a last day before the first or too many days.
    """
    calendar = posting.get_reseller(who.reseller_id).calendar
    first, last = periods.month_days(calendar.month_of(now))
    first, last = query.date_from or first, query.date_to or last
    if first > last:
        raise Invalid.field("date_to", "must not be before date_from")
    if len(periods.days_between(first, last)) > MAX_DAYS:
        raise Invalid.field("date_to", f"must be at most {MAX_DAYS} days after date_from")
    if query.client_id:
        clients.get(who, query.client_id)
    start, end = calendar.span(first, last)
    return Selection(
        start=start,
        end=end,
        client_id=who.client_id or query.client_id,
        account=query.account,
        did=_number(query.did),
        direction=query.direction,
        disposition=query.disposition,
        country=query.country,
        number_prefix=query.number_prefix,
        billing=query.billing,
    )


def cost(selection: Selection) -> int:
    """As how many more requests the first page of a selection counts: one for each 30 days, whose index is read, and
    with a filter one for each day, whose calls are read."""
    days = (selection.end - selection.start) // periods.DAY_SECONDS
    return days // 30 if selection.is_whole else days


def report(reseller_id: str, selection: Selection, place: Any, limit: int) -> Report:
    """A page of calls, newest first, and the totals of the selection.

    ``place``: the ``next_place`` of the page before, which has its last call and the totals; ``None`` for the first.
    """
    after = Place(*place["after"]) if place else None
    calls = search.page(reseller_id, selection, after, limit + 1)
    totals = Totals(**place["totals"]) if place else search.totals(reseller_id, selection)
    return Report(calls[:limit], search.place_of(calls[limit - 1]) if len(calls) > limit else None, totals)


def next_place(page: Report, *, for_client: bool) -> dict[str, Any] | None:
    """What the cursor of the next page holds; ``None`` after the last page."""
    # A cursor is signed but readable, and a client may not see costs.
    totals = replace(page.totals, cost_e8=0) if for_client else page.totals
    return {"after": list(page.after), "totals": asdict(totals)} if page.after else None


def rows(reseller_id: str, selection: Selection, most: int, *, for_client: bool) -> list[tuple[object, ...]]:
    """All calls of a selection as rows of ``COLUMNS``; raises ``TooLarge`` for more than ``most``."""
    calls = search.page(reseller_id, selection, None, most + 1)
    if len(calls) > most:
        raise TooLarge(f"The selection has more than {most} calls; {NARROW}.")
    return [row(call, for_client=for_client) for call in calls]


def row(call: RatedCall, *, for_client: bool) -> tuple[object, ...]:
    """The cells of one call, in the order of ``COLUMNS``; ``for_client`` leaves out the cost, and which rule it was."""
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
        rule_for_client(call.rule) if for_client else call.rule,
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
