"""Items of a ledger, ``L#<owner>``: entries, months, and markers of what was applied."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class Entry(Item):
    """``L#<owner_id>`` / ``ENTRY#<sequence, 12 digits>``; never edited"""

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


class Month(Item):
    """``L#<owner_id>`` / ``MONTH#<YYYY-MM>``

    ``posted``: sums ``_e8`` by kind of the entries whose ``period`` this is. ``usage``: calls, seconds, revenue and
    cost of the calls whose local month this is. ``closing``: how the ledger stood when the month was closed (see
    ``service.months``); its ``posted`` never changes afterwards, its ``usage`` may, by late calls.
    """

    posted: Any = JSONAttribute(default=dict)
    usage: Any = JSONAttribute(default=dict)
    state = UnicodeAttribute(default="open")
    closing: Any = JSONAttribute(null=True)


class Marker(Item):
    """``L#<client_id>`` / ``MARK#<batch>#<generation>#<month>``: this part of a batch has been applied

    It keeps what a re-rating has to take back: ``entry``, the sequence of its entry (none when it came to 0); ``free``,
    the seconds given for free by package; ``spent``, the amount by recent local day. ``emptied``: the earlier
    generation is taken back already, and this one not posted yet (only where both do not fit one transaction).
    """

    rated = IntegerAttribute()
    duplicates = IntegerAttribute()
    seconds = IntegerAttribute(default=0)
    amount_e8 = IntegerAttribute()
    cost_e8 = IntegerAttribute()
    entry = IntegerAttribute(null=True)
    free: Any = JSONAttribute(null=True)
    spent: Any = JSONAttribute(null=True)
    emptied = BooleanAttribute(null=True)

    def place(self) -> tuple[str, int, str]:
        """Batch, generation and month."""
        _, batch_id, generation, month = str(self.sk).split("#")
        return batch_id, int(generation), month


class Once(Item):
    """``L#<owner_id>`` / ``ONCE#<key>``: the entry that this key has already posted"""

    sequence = IntegerAttribute()


class FreeMinutes(Item):
    """``L#<client_id>`` / ``FREE#<package_id>#<YYYY-MM>``: billed seconds already given for free"""

    used_seconds = IntegerAttribute()


def month(owner_id: str, name: str) -> Month:
    """A month of a ledger, empty where nothing was posted yet."""
    return Month.find(f"L#{owner_id}", f"MONTH#{name}") or Month(f"L#{owner_id}", f"MONTH#{name}")
