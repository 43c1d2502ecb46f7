"""Billing dates: the index of what is due, what a reseller pays for each number, and how far its months are closed.

Every item with a ``next_billing_date`` (``SubAccount``, ``Did``, ``NumberFee``) is in ``due_index`` by that date, so an
hour in which nothing is due costs one query, however many items there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from chalicelib.accounts.store.holdings import Did, SubAccount
from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item
from chalicelib.aws.versions import Versioned


class NumberFee(ResellerItem, Versioned):
    """``R#<reseller_id>`` / ``NUMBERFEE#<number>``: when the reseller pays the next month of a number it ordered"""

    PREFIX = "NUMBERFEE#"

    number = UnicodeAttribute()
    anchor_day = IntegerAttribute()


class Closed(Item):
    """``R#<reseller_id>`` / ``CLOSED``: every ledger of the reseller is closed ``through`` this month"""

    through = UnicodeAttribute()

    key = KeyOf("R#<reseller_id>", "CLOSED")


Billed = SubAccount | Did | NumberFee
"""The models with a ``next_billing_date``."""
_MODELS: tuple[type[Billed], ...] = (SubAccount, Did, NumberFee)


def anchor_of(date: str | None) -> int | None:
    """Day of the month of a billing date. Later dates have the same day, or the last one of a shorter month."""
    return int(date[8:]) if date else None


def due_keys(reseller_id: str, today: str) -> Iterator[str]:
    """``sk`` of every item whose billing date is ``today`` or earlier, oldest date first. The index may lag a moment.

    It reads page by page while the caller bills: a billed item has a later date and does not come again.
    """
    rows = Item.due_index.query(f"R#{reseller_id}", Item.next_billing_date <= today)
    return (str(row.sk) for row in rows)


def due_item(reseller_id: str, sk: str) -> Billed | None:
    """The item of a key that ``due_keys`` found; ``None`` if it is gone meanwhile."""
    model = next(model for model in _MODELS if sk.startswith(model.PREFIX))
    return model.find(f"R#{reseller_id}", sk)
