"""Items of phone numbers: the operator's stock, and what a reseller has ordered."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.tables import Item


class Number(Item):
    """``INVENTORY`` / ``<number>``: the operator's stock; ``reseller_id`` is empty while nobody has ordered it"""

    number = UnicodeAttribute()
    monthly_e8 = NumberAttribute()
    setup_e8 = NumberAttribute()
    per_minute_e10 = NumberAttribute()
    reseller_id = UnicodeAttribute(default="")
    version = NumberAttribute(default=0)


class Did(Item):
    """``R#<reseller_id>`` / ``DID#<number>``: ordered; ``client_id`` is empty while it is in stock"""

    number = UnicodeAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    monthly_e8 = NumberAttribute(default=0)
    setup_e8 = NumberAttribute(default=0)
    per_minute_e10 = NumberAttribute(default=0)
    pulse: Any = JSONAttribute(null=True)
    anchor_day = NumberAttribute(null=True)
    version = NumberAttribute(default=0)
    ordered_at = NumberAttribute()
