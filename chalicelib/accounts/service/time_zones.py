"""The time zone of a reseller: which one holds, and from when another one may.

Months that have money or calls keep their zone, so that the days of a report and the months of the ledger agree. A
change is planned for a month to come; only while the reseller has no entry and no rated call it holds at once, for all
months. ``docs/time-zones.md`` has the rules.
"""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.ledger import queries
from chalicelib.accounts.service import term_versions
from chalicelib.accounts.store.owners import Client, Reseller
from chalicelib.aws.transactions import Write
from chalicelib.errors import Conflict, FieldError, Invalid
from chalicelib.periods import Calendar

CLIENTS_AT_ONCE = 100
"""Clients that are read at a time; nearly always the first of them have entries."""


def shown(calendar: Calendar, now: int) -> dict[str, Any]:
    """The fields ``time_zone`` and ``time_zone_next`` of a reseller at an instant."""
    planned = calendar.next_change(now)
    return {
        "time_zone": calendar.zone_name(calendar.month_of(now)),
        "time_zone_next": {"time_zone": planned[1], "from": f"{planned[0]}-01"} if planned else None,
    }


def changed(reseller: Reseller, now: int, name: str, first_day: str | None) -> tuple[Calendar, list[Write]]:
    """The calendar of a reseller with another zone, and the writes that it requires beside the reseller's own.

    ``first_day``: the day from which the zone is asked to hold; ``None``: as soon as it can. The present zone takes
    back a change that is planned. 409 for a day that is too early, and names the first one that is possible; 422 if it
    is not the first of a month.
    """
    if first_day and first_day[8:] != "01":
        raise Invalid.field(
            "time_zone_from", "must be the first day of a month, because a zone belongs to whole months"
        )
    calendar = reseller.calendar
    present, first = calendar.month_of(now), calendar.first_change(now, name)
    month = first_day[:7] if first_day else ""
    if month <= present:
        writes = _unused(reseller)
        if writes is not None:
            return Calendar((("", name),)), writes
    if name == calendar.zone_name(present):
        month = first
    if month and month < first:
        detail = (
            f"There are entries or rated calls in the present time zone, so another one can hold from {first}-01 on."
        )
        raise Conflict(detail, (FieldError("time_zone_from", f"must be {first}-01 or later"),))
    return calendar.changed(now, month or first, name), []


def refuse_day_alone() -> None:
    """422 for a day without the zone that is to hold from it."""
    raise Invalid.field("time_zone_from", "is the day from which a time_zone holds; give both")


def _unused(reseller: Reseller) -> list[Write] | None:
    """The writes that require that no batch begins meanwhile; ``None`` if there are entries or rated calls."""
    # The head of the terms first: a batch that begins after it was read makes the transaction fail.
    head = term_versions.head_of(reseller.reseller_id)
    if reseller.entries or head.open_batches:
        return None
    after: str | None = None
    while clients := Client.under(*Client.of_reseller(reseller.reseller_id), after=after, limit=CLIENTS_AT_ONCE):
        if any(client.entries for client in clients):
            return None
        # Calls of the amount 0 make no entry.
        if head.begun and any(mark.calls for client in clients for mark in queries.marked(client.client_id)):
            return None
        after = clients[-1].sk
    return [term_versions.no_batch_since(head)]
