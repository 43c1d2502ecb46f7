"""Holds in the table. They lie beside the ledger, because writing them must not disturb the client's other writes.

``H#<client_id>`` / ``HEAD``          their sums; its ``version`` fences the whole partition
``H#<client_id>`` / ``HOLD#<name>``   one call
``H#<client_id>`` / ``DONE#<name>``   a record that has put an end to a hold
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item, Put, Write, find_each
from chalicelib.rating.authorizations import holds
from chalicelib.rating.authorizations.holds import Called, Open, Sums


class HoldsHead(Item):
    """``H#<client_id>`` / ``HEAD``: see ``holds.Sums``; every write to a hold bumps its version"""

    version = IntegerAttribute(default=0)
    by_expiry: Any = JSONAttribute(default=dict)
    by_day: Any = JSONAttribute(default=dict)

    def sums(self) -> Sums:
        return Sums({int(end): held for end, held in self.by_expiry.items()}, self.by_day)


class Hold(Item):
    """``H#<client_id>`` / ``HOLD#<name>``

    ``terms``: what prices the call, so that ``finish`` needs nothing else. ``amount_e8``: what is held now.
    ``seconds``: how long the call was, once it has finished.
    """

    reseller_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    account = UnicodeAttribute()
    number = UnicodeAttribute()
    call_id = UnicodeAttribute(default="")
    made_at = IntegerAttribute()
    day = UnicodeAttribute()
    terms: Any = JSONAttribute()
    held_seconds = IntegerAttribute()
    amount_e8 = IntegerAttribute()
    seconds = IntegerAttribute(null=True)

    @property
    def id(self) -> str:
        return f"{self.client_id}_{self.sk.removeprefix('HOLD#')}"

    @property
    def finished(self) -> bool:
        return self.seconds is not None

    def open(self) -> Open:
        seconds = self.seconds if self.finished else -1
        return Open(self.sk, self.account, self.number, self.call_id, self.made_at, seconds)


class Done(Item):
    """``H#<client_id>`` / ``DONE#<name>``: this record of a call has ended its hold, and ends no other"""


def done_of(pk: str, call: Called) -> Done:
    """The note that a record has ended a hold, kept for as long as it could be near another one."""
    words = "\0".join((call.account, call.call_id, call.number, str(call.start)))
    name = hashlib.sha256(words.encode()).hexdigest()[:26]
    return Done(pk, f"DONE#{name}", expires_at=holds.expiry(call.start + holds.NEAR_SECONDS))


def key_of(hold_id: str) -> tuple[str, str]:
    """Where the hold of an id lies; an id that is none leads nowhere."""
    client_id, _, name = hold_id.rpartition("_")
    return f"H#{client_id}", f"HOLD#{name}"


def head_of(pk: str) -> HoldsHead:
    """The head of a partition, new where no call was ever held. Whatever depends on it is read after it."""
    return HoldsHead.find(pk, "HEAD") or HoldsHead(pk, "HEAD")


def heads_of(pks: Sequence[str]) -> list[HoldsHead]:
    """The same of several partitions."""
    found = find_each(*((HoldsHead, pk, "HEAD") for pk in pks))
    return [head or HoldsHead(pk, "HEAD") for pk, head in zip(pks, found, strict=True)]


def open_holds(pk: str, now: int) -> list[Hold]:
    return [hold for hold in Hold.under(pk, "HOLD#") if int(hold.expires_at or 0) > now]


def next_head(head: HoldsHead, now: int, changes: Sequence[tuple[Hold, int]]) -> Write:
    """The head after holds grew or shrank by some ``_e8``, if nobody wrote to the partition since it was read."""
    sums, version = head.sums(), head.version
    for hold, by_e8 in changes:
        sums = sums.changed(now, int(hold.expires_at or 0), hold.day, by_e8)
    after = HoldsHead(head.pk, "HEAD", version=version + 1, by_expiry=dict(sums.by_expiry), by_day=dict(sums.by_day))
    return Put(after, HoldsHead.version == version if version else None)
