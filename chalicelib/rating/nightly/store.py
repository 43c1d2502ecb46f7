"""Items of the nightly functions: how far each of them is."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Key
from chalicelib.aws.transactions import Item


class SweepPlace(Item):
    """``SWEEP`` / ``PLACE``: the object key after which the next sweep continues, ``""`` for the beginning"""

    after = UnicodeAttribute()

    @staticmethod
    def key() -> Key:
        return Key("SWEEP", "PLACE")


class Verified(Item):
    """``R#<reseller_id>`` / ``VERIFIED``: segments written before ``upto`` have been read and found right"""

    upto = IntegerAttribute()

    @staticmethod
    def key(reseller_id: str) -> Key:
        return Key(f"R#{reseller_id}", "VERIFIED")
