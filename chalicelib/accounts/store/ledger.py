"""Items of a ledger, ``L#<owner>``: entries, months, and markers of what is billed."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, KeyOf, KeyPart
from chalicelib.aws.transactions import Item


class Entry(Item):
    """``L#<owner_id>`` / ``ENTRY#<sequence, 12 digits>``: an entry, which never changes

    ``period``: the month that it counts in. ``usage_month``: the month it belongs to by date.
    """

    entry_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    amount_e8 = IntegerAttribute()
    balance_after_e8 = IntegerAttribute()
    description = UnicodeAttribute()
    period = UnicodeAttribute()
    usage_month = UnicodeAttribute()
    source = UnicodeAttribute()
    posted_at = IntegerAttribute()
    actor = UnicodeAttribute()
    reversal_of = UnicodeAttribute(null=True)

    key = KeyOf("L#<owner_id>", "ENTRY#<sequence:012d>")
    of_owner = KeyOf("L#<owner_id>", "ENTRY#")
    sequence = KeyPart(1, int)


class Month(Item):
    """``L#<owner_id>`` / ``MONTH#<YYYY-MM>``

    ``posted``: sums ``_e8`` by kind of the entries whose ``period`` this is. ``usage``: calls, seconds, revenue and
    cost of the calls whose local month this is. ``closing``: the ledger's figures when the month was closed
    (``ledger.months``). ``posted`` of a closed month never changes; its ``usage`` may, by late calls.
    """

    posted: Any = JSONAttribute(default=dict)
    usage: Any = JSONAttribute(default=dict)
    state = UnicodeAttribute(default="open")
    closing: Any = JSONAttribute(null=True)

    key = KeyOf("L#<owner_id>", "MONTH#<month>")
    of_owner = KeyOf("L#<owner_id>", "MONTH#")
    month = KeyPart(1, str)

    @classmethod
    def find_or_new(cls, owner_id: str, month: str) -> Month:
        """A month of a ledger; a new one, not stored yet, if nothing is posted in it."""
        key = cls.key(owner_id, month)
        return cls.find(*key) or cls(*key)


class Marker(Item):
    """``L#<client_id>`` / ``MARK#<batch>#<generation>#<month>``: a client and month of a batch is billed

    It keeps what a re-rating takes back. ``entry``: sequence of its entry, none if the amount is 0. ``free``: free
    seconds by package. ``spent``: amount by recent local day, ``_e8``. ``emptied``: the earlier generation is taken
    back, and this one is not billed yet, because both do not fit one transaction. ``conflicts_key``: the object with
    those of the duplicates that are ``conflicting``, none if there are none.
    """

    rated = IntegerAttribute()
    duplicates = IntegerAttribute()
    conflicting = IntegerAttribute(default=0)
    conflicts_key = UnicodeAttribute(null=True)
    seconds = IntegerAttribute(default=0)
    amount_e8 = IntegerAttribute()
    cost_e8 = IntegerAttribute()
    entry = IntegerAttribute(null=True)
    free: Any = JSONAttribute(null=True)
    spent: Any = JSONAttribute(null=True)
    emptied = BooleanAttribute(null=True)

    key = KeyOf("L#<client_id>", "MARK#<batch_id>#<generation>#<month>")
    of_batch = KeyOf("L#<client_id>", "MARK#<batch_id>#")
    of_client = KeyOf("L#<client_id>", "MARK#")
    batch_id = KeyPart(1, str)
    generation = KeyPart(2, int)
    month = KeyPart(3, str)


class Once(Item):
    """``L#<owner_id>`` / ``ONCE#<name>``: the sequence of the entry that was posted under a name, which is used once"""

    sequence = IntegerAttribute()

    key = KeyOf("L#<owner_id>", "ONCE#<name>")

    @staticmethod
    def fee(item_id: str, date: str) -> str:
        """The name of a recurring fee: of a sub-account's id or a number, on its billing date."""
        return f"fee:{item_id}:{date}"

    @staticmethod
    def reversal(entry_id: str) -> str:
        """The name of the reversal of an entry."""
        return f"reverse:{entry_id}"

    @staticmethod
    def cost(batch_id: str, generation: int, month: str) -> str:
        """The name of what a generation of a batch costs the reseller in a month."""
        return f"cost:{batch_id}:{generation}:{month}"

    costs_of = KeyOf("L#<owner_id>", "ONCE#cost:<batch_id>:")

    @property
    def generation_and_month(self) -> tuple[int, str]:
        """Of the name of a cost: its generation and month."""
        generation, month = self.sk.rsplit(":", 2)[1:]
        return int(generation), month


class FreeMinutes(Item):
    """``L#<client_id>`` / ``FREE#<package_id>#<YYYY-MM>``: billed seconds of the month that were free"""

    used_seconds = IntegerAttribute()

    key = KeyOf("L#<client_id>", "FREE#<package_id>#<month>")
