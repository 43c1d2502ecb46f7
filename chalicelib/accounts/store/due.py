"""What falls due: the index of billing dates, what a reseller pays for each number, and how far its months are closed.

Every item with a ``next_billing_date`` (``SUB#``, ``DID#``, ``NUMBERFEE#`` under ``R#<reseller>``) is in ``due_index``
by that date, so that an hour in which nothing is due costs one query however many items there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class NumberFee(Item):
    """``R#<reseller_id>`` / ``NUMBERFEE#<number>``: when the reseller pays the next month of a number it ordered"""

    number = UnicodeAttribute()
    anchor_day = IntegerAttribute()
    version = IntegerAttribute(default=0)


class Closed(Item):
    """``R#<reseller_id>`` / ``CLOSED``: every ledger of the reseller is closed ``through`` this month"""

    through = UnicodeAttribute()


def anchor_of(date: str | None) -> int | None:
    """The day of the month that a billing date asks for: later months have it, or their last day."""
    return int(date[8:]) if date else None


def fee_key(what: str, date: str) -> str:
    """``sk`` of the note in a payer's ledger that a date is charged; ``what`` is a sub-account's id or a number."""
    return f"ONCE#fee:{what}:{date}"


def due_keys(reseller_id: str, today: str) -> Iterator[str]:
    """``sk`` of all that is due today or was before, oldest date first. The index may lag a moment behind.

    Read page by page while it is being worked off: what was billed moves behind ``today`` and is not met again.
    """
    found = Item.due_index.query(f"R#{reseller_id}", Item.next_billing_date <= today)
    return (str(row.sk) for row in found)
