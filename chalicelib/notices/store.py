"""The items of this room in the table.

``N#<reseller>``  deliveries: what was told to whom, and how it went
``DUE``           deliveries that are to be tried, by the instant when; whoever sends looks here
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item
from chalicelib.notices import kinds

KEPT_SECONDS = 30 * 86_400
"""How long it can be seen what came of a delivery."""


class Webhook(Item):
    """``R#<reseller_id>`` / ``WEBHOOK#<webhook_id>``; ``events`` null is all. Until ``old_until`` both secrets sign."""

    webhook_id = UnicodeAttribute()
    url = UnicodeAttribute()
    events: Any = JSONAttribute(null=True)
    secret = UnicodeAttribute()
    old_secret = UnicodeAttribute(null=True)
    old_until = IntegerAttribute(null=True)
    version = IntegerAttribute(default=0)
    created_at = IntegerAttribute()


class Wishes(Item):
    """``R#<reseller_id>`` / ``NOTICES``: which kinds go out by e-mail, to clients and to the reseller"""

    clients: Any = JSONAttribute(default=lambda: list(kinds.CLIENT_KINDS))
    reseller: Any = JSONAttribute(default=lambda: list(kinds.KINDS))


class Delivery(Item):
    """``N#<reseller_id>`` / ``<key of the event>#<target>``

    ``target`` is ``reseller``, ``client`` or a webhook's id. ``leased_until``: somebody is at it until then. No address
    is kept here: it is looked up when the letter is sent.
    """

    event_id = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    target = UnicodeAttribute()
    at = IntegerAttribute()
    data: Any = JSONAttribute()
    status = UnicodeAttribute(default="pending")
    attempts = IntegerAttribute(default=0)
    next_attempt_at = IntegerAttribute(null=True)
    leased_until = IntegerAttribute(default=0)
    last_status = IntegerAttribute(null=True)
    last_error = UnicodeAttribute(default="")
    created_at = IntegerAttribute()
    ended_at = IntegerAttribute(null=True)

    @property
    def channel(self) -> str:
        return "email" if self.target in ("reseller", "client") else "webhook"

    @property
    def webhook_id(self) -> str | None:
        return str(self.target) if self.channel == "webhook" else None


class Due(Item):
    """``DUE`` / ``<instant, 12 digits>#<event id>#<target>``: try that delivery from then on"""

    delivery_pk = UnicodeAttribute()
    delivery_sk = UnicodeAttribute()


def due(delivery: Delivery) -> Due:
    """The note that a delivery is to be tried at its ``next_attempt_at``."""
    place = f"{delivery.next_attempt_at:012d}#{delivery.event_id}#{delivery.target}"
    return Due("DUE", place, delivery_pk=delivery.pk, delivery_sk=delivery.sk)


def webhooks(reseller_id: str) -> list[Webhook]:
    return Webhook.under(f"R#{reseller_id}", "WEBHOOK#")


def wishes(reseller_id: str) -> Wishes:
    """What a reseller wants told; everything, until it says otherwise."""
    return Wishes.find(f"R#{reseller_id}", "NOTICES") or Wishes(f"R#{reseller_id}", "NOTICES")
