"""Items of the nightly functions: how far each has come."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class SweepPlace(Item):
    """``SWEEP`` / ``PLACE``: the key after which the next sweep goes on, ``""`` to begin anew"""

    after = UnicodeAttribute()


class Verified(Item):
    """``R#<reseller_id>`` / ``VERIFIED``: segments written before ``upto`` have been read and found right"""

    upto = IntegerAttribute()
