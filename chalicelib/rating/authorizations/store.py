"""Holds in the table: a partition per client, apart from its ledger, so that a hold makes no other write lose a race.

``H#<client_id>`` / ``HEAD``          the sums; its ``version`` fences the whole partition
``H#<client_id>`` / ``HOLD#<name>``   the hold of one call
``H#<client_id>`` / ``DONE#<name>``   a record that has ended a hold
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.aws.bases import ClientItem
from chalicelib.aws.items import IntegerAttribute, Key, KeyOf, KeyPart
from chalicelib.aws.transactions import Item, Put, Write, find_each
from chalicelib.rating.authorizations import holds
from chalicelib.rating.authorizations.holds import Called, Open, Sums


class HoldsHead(Item):
    """``H#<client_id>`` / ``HEAD``: see ``holds.Sums``; every write to a hold bumps its version"""

    version = IntegerAttribute(default=0)
    by_expiry: Any = JSONAttribute(default=dict)
    by_day: Any = JSONAttribute(default=dict)
    free: Any = JSONAttribute(default=dict)

    key = KeyOf("H#<client_id>", "HEAD")

    def sums(self) -> Sums:
        free = {
            (package_id, month, int(end)): held
            for package_id, months in self.free.items()
            for month, ends in months.items()
            for end, held in ends.items()
        }
        return Sums({int(end): held for end, held in self.by_expiry.items()}, self.by_day, free)


class Hold(ClientItem):
    """``H#<client_id>`` / ``HOLD#<name>``

    ``holder``: ``sub:<username>`` or, inbound, ``did:<number>``. ``terms``: what prices the call, so that ``finish``
    needs nothing else. ``amount_e8`` and ``free_seconds`` (of ``package_id`` and the month of ``day``): what is held
    now. ``seconds``: how long the call was, once it has finished.
    """

    holder = UnicodeAttribute()
    number = UnicodeAttribute()
    call_id = UnicodeAttribute(default="")
    made_at = IntegerAttribute()
    day = UnicodeAttribute()
    terms: Any = JSONAttribute()
    held_seconds = IntegerAttribute()
    amount_e8 = IntegerAttribute()
    package_id = UnicodeAttribute(default="")
    free_seconds = IntegerAttribute(default=0)
    seconds = IntegerAttribute(null=True)

    key = KeyOf("H#<client_id>", "HOLD#<name>")
    of_client = KeyOf("H#<client_id>", "HOLD#")
    name = KeyPart(1, str)

    @property
    def id(self) -> str:
        """What the API calls it; read by ``hold_of``."""
        return f"{self.client_id}_{self.name}"

    @property
    def finished(self) -> bool:
        return self.seconds is not None

    def is_open(self, now: int) -> bool:
        """Whether it has not expired. DynamoDB deletes expired items late."""
        return self.expires_at > now

    def unchanged(self) -> Condition:
        """The condition that what is held is as it was read."""
        held: Condition = (Hold.amount_e8 == self.amount_e8) & (Hold.free_seconds == self.free_seconds)
        return held

    def open(self) -> Open:
        seconds = self.seconds if self.finished else -1
        return Open(self.name, self.holder, self.number, self.call_id, self.made_at, seconds)


class Done(Item):
    """``H#<client_id>`` / ``DONE#<name>``: this record of a call has ended its hold, and ends no other"""

    @staticmethod
    def key(client_id: str, call: Called) -> Key:
        words = "\0".join((call.holder, call.call_id, call.number, str(call.start)))
        return Key(f"H#{client_id}", f"DONE#{hashlib.sha256(words.encode()).hexdigest()[:26]}")


def done_of(client_id: str, call: Called) -> Done:
    """The note that a record has ended a hold. It expires once no other hold can be near the record in time."""
    return Done(*Done.key(client_id, call), expires_at=holds.expiry(call.start + holds.NEAR_SECONDS))


def hold_of(hold_id: str) -> tuple[HoldsHead, Hold | None]:
    """The hold of an id, and the head that was read before it; no hold for an id that does not exist."""
    client_id, _, name = hold_id.rpartition("_")
    head = head_of(client_id)
    return head, Hold.find(*Hold.key(client_id, name))


def head_of(client_id: str) -> HoldsHead:
    """The head of a client's holds, new where no call was ever held. Read it before anything that depends on it."""
    key = HoldsHead.key(client_id)
    return HoldsHead.find(*key) or HoldsHead(*key)


def heads_of(client_ids: Sequence[str]) -> list[HoldsHead]:
    """The same of several clients, in their order."""
    keys = [HoldsHead.key(client_id) for client_id in client_ids]
    heads = find_each(*((HoldsHead, *key) for key in keys))
    return [head or HoldsHead(*key) for key, head in zip(keys, heads, strict=True)]


def open_holds(client_id: str, now: int) -> list[Hold]:
    return [hold for hold in Hold.under(*Hold.of_client(client_id)) if hold.is_open(now)]


def next_head(head: HoldsHead, now: int, changes: Sequence[tuple[Hold, int, int]]) -> Write:
    """The write of a head after holds grew or shrank; it requires the head to be as it was read.

    ``changes``: each hold, and by how much it changed: ``_e8``, and free seconds.
    """
    sums, version = head.sums(), head.version
    for hold, by_e8, by_seconds in changes:
        sums = sums.changed(now, hold.expires_at, hold.day, by_e8, hold.package_id, by_seconds)
    free: dict[str, dict[str, dict[int, int]]] = {}
    for (package_id, month, end), held in sums.free.items():
        free.setdefault(package_id, {}).setdefault(month, {})[end] = held
    after = HoldsHead(
        head.pk, head.sk, version=version + 1, by_expiry=dict(sums.by_expiry), by_day=dict(sums.by_day), free=free
    )
    return Put(after, HoldsHead.version == version if version else None)
