"""Items of phone numbers: the operator's stock, and what a reseller has ordered."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class Number(Item):
    """``INVENTORY`` / ``<number>``: the operator's stock; ``reseller_id`` is empty while nobody has ordered it"""

    number = UnicodeAttribute()
    monthly_e8 = IntegerAttribute()
    setup_e8 = IntegerAttribute()
    per_minute_e10 = IntegerAttribute()
    reseller_id = UnicodeAttribute(default="")
    version = IntegerAttribute(default=0)


class Did(Item):
    """``R#<reseller_id>`` / ``DID#<number>``: ordered; ``client_id`` is empty while it is in stock"""

    number = UnicodeAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    monthly_e8 = IntegerAttribute(default=0)
    setup_e8 = IntegerAttribute(default=0)
    per_minute_e10 = IntegerAttribute(default=0)
    pulse: Any = JSONAttribute(null=True)
    anchor_day = IntegerAttribute(null=True)
    version = IntegerAttribute(default=0)
    ordered_at = IntegerAttribute()
