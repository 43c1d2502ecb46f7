"""The outbox: events that people or programs must be told of, written in the transaction that caused them.

The room ``notices`` reads the items later, decides who gets them, and sends them. So no notice goes out about a change
that was rolled back, every committed one is sent, and no transaction waits for another server.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib import money
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Event, Item, Put, Write

_SUBJECT_FIELDS = {"client": "client_id", "account": "reseller_id", "batch": "batch_id"}
"""Name of the field that holds an event's subject, by the first word of the event's kind."""


class OutboxItem(Item):
    """``OUTBOX`` / ``<sk of the event>#<reseller_id>``: an event that was not handed to its receivers yet

    ``data``: the fields of the event as people read them: amounts are decimal strings, without the unit in the name.
    """

    event_id = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    at = IntegerAttribute()
    data: Any = JSONAttribute()

    key = KeyOf("OUTBOX", "<event_sk>#<reseller_id>")
    waiting = KeyOf("OUTBOX", "")


def enqueue(recorded: Put, **more: Any) -> list[Write]:
    """The writes of an event and of its outbox item. ``more``: fields for the receivers only, not for the event."""
    event = recorded.item
    assert isinstance(event, Event)
    subject_field = _SUBJECT_FIELDS[event.kind.partition(".")[0]]
    fields = {subject_field: event.subject, **(event.changes or {}), **more}
    item = OutboxItem(
        *OutboxItem.key(event.sk, event.owner_id),
        event_id=event.event_id,
        reseller_id=event.owner_id,
        kind=event.kind,
        at=event.at,
        data=dict(money.readable(name, value) for name, value in fields.items()),
    )
    return [recorded, Put(item)]
