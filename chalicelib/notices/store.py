"""The items of notices in the table.

``N#<reseller>``  deliveries: an event to one receiver, with its tries
``DUE``           pointers to the deliveries that wait for a try, in order of its instant
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Key, KeyOf
from chalicelib.aws.transactions import Item
from chalicelib.notices import kinds

KEPT_SECONDS = 30 * 86_400
"""How long a delivery is kept after it ended."""


class Webhook(Item):
    """``R#<reseller_id>`` / ``WEBHOOK#<webhook_id>``

    ``events``: kinds that are sent, null for all. Both secrets sign until ``old_until``.
    """

    webhook_id = UnicodeAttribute()
    url = UnicodeAttribute()
    events: Any = JSONAttribute(null=True)
    secret = UnicodeAttribute()
    old_secret = UnicodeAttribute(null=True)
    old_until = IntegerAttribute(null=True)
    version = IntegerAttribute(default=0)
    created_at = IntegerAttribute()

    key = KeyOf("R#<reseller_id>", "WEBHOOK#<webhook_id>")
    of_reseller = KeyOf("R#<reseller_id>", "WEBHOOK#")


class Wishes(Item):
    """``R#<reseller_id>`` / ``NOTICES``: kinds that go out by e-mail, to clients and to the reseller"""

    clients: Any = JSONAttribute(default=lambda: list(kinds.CLIENT_KINDS))
    reseller: Any = JSONAttribute(default=lambda: list(kinds.KINDS))

    key = KeyOf("R#<reseller_id>", "NOTICES")


class Delivery(Item):
    """``N#<reseller_id>`` / ``<sk of the event>#<target>``: an event to one receiver

    ``target``: ``reseller``, ``client`` or a webhook's id. An e-mail address is not stored but looked up at each try.
    ``leased_until``: until then only the try that holds the lease may write.
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

    key = KeyOf("N#<reseller_id>", "<at:012d>#<event_id>#<target>")
    of_reseller = KeyOf("N#<reseller_id>", "")

    @property
    def channel(self) -> str:
        return "email" if self.target in ("reseller", "client") else "webhook"

    @property
    def webhook_id(self) -> str | None:
        return self.target if self.channel == "webhook" else None


class Due(Item):
    """``DUE`` / ``<instant, 12 digits>#<event id>#<target>``: a delivery that is tried from that instant on"""

    delivery_pk = UnicodeAttribute()
    delivery_sk = UnicodeAttribute()

    key = KeyOf("DUE", "<next_attempt_at:012d>#<event_id>#<target>")

    by_instant = KeyOf("DUE", "")


def due_key(delivery: Delivery) -> Key:
    """The key of the ``Due`` item of a delivery."""
    return Due.key(delivery.next_attempt_at, delivery.event_id, delivery.target)


def due(delivery: Delivery) -> Due:
    """The pointer to a delivery, by its ``next_attempt_at``."""
    return Due(*due_key(delivery), delivery_pk=delivery.pk, delivery_sk=delivery.sk)


def due_until(now: int, *, after: str | None, limit: int) -> list[Due]:
    """Pointers that are due at ``now``, the earliest first; ``after`` (an ``sk``) resumes behind that one."""
    return Due.under(*Due.by_instant(), after=after, last=f"{now:012d}~", limit=limit)


def webhooks(reseller_id: str) -> list[Webhook]:
    return Webhook.under(*Webhook.of_reseller(reseller_id))


def wishes(reseller_id: str) -> Wishes:
    """The kinds that a reseller wants by e-mail; all, until it chooses."""
    key = Wishes.key(reseller_id)
    return Wishes.find(*key) or Wishes(*key)
