"""Reading the audit trail: newest first, filtered, in pages."""

from __future__ import annotations

from typing import Any

from chalicelib import money, periods
from chalicelib.accounts.ledger.posting import reseller_of
from chalicelib.accounts.shapes.audit import AuditOut, AuditQuery, ChangeOut
from chalicelib.aws import paging
from chalicelib.aws.transactions import Event
from chalicelib.errors import Invalid, NotFound
from chalicelib.principals import Principal

READ_AT_MOST = 2000
"""Events that one request looks at: a filter that lets few through gives short pages instead of a long wait."""
_ASKED = {
    "threshold": "low_balance_threshold",
    "max_rate": "max_rate_per_minute",
    "daily_limit": "daily_spend_limit",
    "rate": "rate_per_minute",
}
"""Fields that requests call otherwise than the store."""
_EVER = f"{10**12 - 1}"


def listed(who: Principal, query: AuditQuery, asked: paging.Asked) -> paging.Rows[Any]:
    """A page of the caller's trail; 404 when a reseller asks for another's."""
    trail, first, last = _span(who, query)
    rows: list[Event] = []
    place, read = asked.place, 0
    while len(rows) <= asked.limit and read < READ_AT_MOST:
        found = _behind(Event.of_owner(trail).pk, first, place or last, max(asked.limit + 1, paging.SCANNED))
        rows += [row for row in found if _wanted(row, query)]
        read += len(found)
        if not found:
            place = None
            break
        place = found[-1].sk
    if len(rows) > asked.limit:
        place = rows[asked.limit - 1].sk
    return paging.Rows([_told(row) for row in rows[: asked.limit]], place)


def _span(who: Principal, query: AuditQuery) -> tuple[str, str, str]:
    """Whose trail, and the keys it is read between."""
    trail = query.reseller_id or who.reseller_id or "operator"
    if who.reseller_id and trail != who.reseller_id:
        raise NotFound()
    zone = periods.zone("UTC" if trail == "operator" else reseller_of(trail)().time_zone)
    if query.date_from and query.date_to and query.date_from > query.date_to:
        raise Invalid.field("date_to", "must not be before date_from")
    first = periods.day_start(query.date_from, zone) if query.date_from else 0
    end = periods.day_start(periods.next_day(query.date_to), zone) if query.date_to else None
    # Keys go on behind the instant, so those of the day after are beyond its bare number.
    return trail, f"{max(first, 0):012d}", _EVER if end is None else f"{max(end, 0):012d}"


def _behind(pk: str, first: str, before: str, limit: int) -> list[Event]:
    """Events older than the key ``before``, newest first."""
    rows = Event.query(pk, Event.sk.between(first, before), consistent_read=True, scan_index_forward=False, limit=limit)
    return [row for row in rows if row.sk != before]


def _wanted(row: Event, query: AuditQuery) -> bool:
    kind = query.kind is None or row.kind == query.kind or row.kind.startswith(f"{query.kind}.")
    subject = query.subject is None or query.subject in (row.subject, *row.subject.split("/"))
    return kind and subject and query.actor in (None, row.actor)


def _told(row: Event) -> AuditOut:
    new, old = row.changes or {}, row.before or {}
    return AuditOut(
        id=row.event_id,
        at=row.at,
        kind=row.kind,
        subject=row.subject,
        actor=row.actor,
        role=row.role,
        label=row.label,
        changes=[_change(name, old.get(name), new.get(name)) for name in {**old, **new}],
    )


def _change(name: str, old: Any, new: Any) -> ChangeOut:
    said = money.readable(name, None)[0]
    return ChangeOut(field=_ASKED.get(said, said), old=_said(name, old), new=_said(name, new))


def _said(name: str, value: Any) -> Any:
    """A stored value as people read it; an instant from which something always held is null."""
    if isinstance(value, list):
        return [_said(name, each) for each in value]
    if isinstance(value, dict):
        return {money.readable(inner, None)[0]: _said(inner, each) for inner, each in value.items()}
    if isinstance(value, int) and (name.endswith("_at") or name == "effective_from"):
        return periods.format_instant(value) if value >= periods.EARLIEST else None
    return money.readable(name, value)[1]
