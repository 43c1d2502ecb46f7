"""What somebody must be told of, put down in the transaction that made it happen.

Whoever changes something worth telling commits an item here together with its event. The room ``notices`` takes the
items later and finds out who is to be told, and how; so nothing is told that did not happen, nothing is forgotten, and
no call to the outside world stands inside a transaction.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib import money
from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Event, Item, Put, Write

PARTITION = "OUTBOX"
_SUBJECTS = {"client": "client_id", "account": "reseller_id", "batch": "batch_id"}
"""What the subject of an event is, by the first word of its kind."""


class Notice(Item):
    """``OUTBOX`` / ``<key of the event>#<reseller_id>``: not yet handed to those it is for; ``data`` is readable"""

    event_id = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    at = IntegerAttribute()
    data: Any = JSONAttribute()


def announce(recorded: Put, **more: Any) -> list[Write]:
    """An event, and the note that it is to be told; ``more`` goes to those who are told, not into the trail."""
    event = recorded.item
    assert isinstance(event, Event)
    reseller_id = event.pk.removeprefix("E#")
    fields = {_SUBJECTS[event.kind.partition(".")[0]]: event.subject, **(event.changes or {}), **more}
    notice = Notice(
        PARTITION,
        f"{event.sk}#{reseller_id}",
        event_id=event.sk.rpartition("#")[2],
        reseller_id=reseller_id,
        kind=event.kind,
        at=event.at,
        data=dict(money.readable(name, value) for name, value in fields.items()),
    )
    return [recorded, Put(notice)]
