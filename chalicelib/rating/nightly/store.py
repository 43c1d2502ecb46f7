"""Items of the nightly functions: how far each of them is."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item


class SweepPlace(Item):
    """``SWEEP`` / ``PLACE``: the object key after which the next sweep continues, ``""`` for the beginning"""

    after = UnicodeAttribute()

    key = KeyOf("SWEEP", "PLACE")


class Verified(Item):
    """``R#<reseller_id>`` / ``VERIFIED``: segments written before ``upto`` have been read and found right"""

    upto = IntegerAttribute()

    key = KeyOf("R#<reseller_id>", "VERIFIED")
