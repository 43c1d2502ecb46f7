"""Reading the audit trail: newest first, filtered, in pages."""

from __future__ import annotations

from typing import Any

from chalicelib import money, periods
from chalicelib.accounts.ledger.posting import get_reseller
from chalicelib.accounts.shapes.audit import AuditOut, AuditQuery, ChangeOut
from chalicelib.aws import paging
from chalicelib.aws.transactions import Event
from chalicelib.errors import Invalid, NotFound
from chalicelib.principals import Principal

READ_AT_MOST = 2000
"""Events that one request reads. So a filter that few events pass gives short pages instead of a long wait."""
_API_NAMES = {
    "threshold": "low_balance_threshold",
    "max_rate": "max_rate_per_minute",
    "daily_limit": "daily_spend_limit",
    "rate": "rate_per_minute",
}
"""Names in requests of those fields that are stored under other names."""
_LAST = f"{10**12 - 1}"
"""A key behind those of all events."""


def listed(who: Principal, query: AuditQuery, request: paging.PageRequest) -> paging.Page[Any]:
    """A page of the caller's trail, newest first; 404 if a reseller asks for the trail of another one."""
    trail, first, last = _span(who, query)
    rows: list[Event] = []
    place, read = request.place, 0
    while len(rows) <= request.limit and read < READ_AT_MOST:
        older = _older(Event.of_owner(trail).pk, first, place or last, max(request.limit + 1, paging.SCANNED))
        rows += [row for row in older if _matches(row, query)]
        read += len(older)
        if not older:
            place = None
            break
        place = older[-1].sk
    if len(rows) > request.limit:
        place = rows[request.limit - 1].sk
    return paging.Page([_to_out(row) for row in rows[: request.limit]], place)


def _span(who: Principal, query: AuditQuery) -> tuple[str, str, str]:
    """The owner of the trail, and the keys between which it is read."""
    trail = query.reseller_id or who.reseller_id or "operator"
    if who.reseller_id and trail != who.reseller_id:
        raise NotFound()
    calendar = periods.calendar("UTC") if trail == "operator" else get_reseller(trail).calendar
    if query.date_from and query.date_to and query.date_from > query.date_to:
        raise Invalid.field("date_to", "must not be before date_from")
    first = calendar.day_start(query.date_from) if query.date_from else 0
    end = calendar.day_start(periods.next_day(query.date_to)) if query.date_to else None
    # A key is an instant and an id, so it sorts behind the instant alone: the day after is not read.
    return trail, f"{max(first, 0):012d}", _LAST if end is None else f"{max(end, 0):012d}"


def _older(pk: str, first: str, before: str, limit: int) -> list[Event]:
    """Events from the key ``first`` up to the key ``before``, which is left out, newest first."""
    rows = Event.query(pk, Event.sk.between(first, before), consistent_read=True, scan_index_forward=False, limit=limit)
    return [row for row in rows if row.sk != before]


def _matches(row: Event, query: AuditQuery) -> bool:
    kind = query.kind is None or row.kind == query.kind or row.kind.startswith(f"{query.kind}.")
    subject = query.subject is None or query.subject in (row.subject, *row.subject.split("/"))
    return kind and subject and query.actor in (None, row.actor)


def _to_out(row: Event) -> AuditOut:
    new, old = row.changes or {}, row.before or {}
    kept = {name: getattr(row, name) for name in ("at", "kind", "subject", "actor", "role", "label")}
    changes = [_change(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return AuditOut(id=row.event_id, **kept, changes=changes)


def _change(name: str, old: Any, new: Any) -> ChangeOut:
    readable = money.readable(name, None)[0]
    return ChangeOut(field=_API_NAMES.get(readable, readable), old=_readable(name, old), new=_readable(name, new))


def _readable(name: str, value: Any) -> Any:
    """A stored value as people read it; ``None`` for the instant that stands for "without a beginning"."""
    if isinstance(value, list):
        return [_readable(name, item) for item in value]
    if isinstance(value, dict):
        return {money.readable(inner, None)[0]: _readable(inner, item) for inner, item in value.items()}
    if isinstance(value, int) and (name.endswith("_at") or name == "effective_from"):
        return periods.format_instant(value) if value >= periods.EARLIEST else None
    return money.readable(name, value)[1]
