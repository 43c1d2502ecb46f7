"""Items of what clients and resellers hold: attached packages, sub-accounts, phone numbers."""

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


class ClientPackage(Item):
    """``R#<reseller_id>`` / ``HOLDS#<client_id>#<package_id>``"""

    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    attached_at = IntegerAttribute()


class SubAccount(Item):
    """``R#<reseller_id>`` / ``SUB#<subaccount_id>``; ``anchor_day``: the day of the month its fee is meant for"""

    subaccount_id = UnicodeAttribute()
    username = UnicodeAttribute()
    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    anchor_day = IntegerAttribute(null=True)
    version = IntegerAttribute(default=0)
    created_at = IntegerAttribute()


class Username(Item):
    """``R#<reseller_id>`` / ``USERNAME#<username>``: taken for good"""

    subaccount_id = UnicodeAttribute()
