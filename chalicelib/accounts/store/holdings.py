"""Items of what clients and resellers have: attached packages, sub-accounts, phone numbers."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item
from chalicelib.aws.versions import Versioned


class Number(Versioned):
    """``INVENTORY`` / ``<number>``: a number and what it costs; ``reseller_id`` is empty if no reseller has it"""

    number = UnicodeAttribute()
    monthly_e8 = IntegerAttribute()
    setup_e8 = IntegerAttribute()
    per_minute_e10 = IntegerAttribute()
    reseller_id = UnicodeAttribute(default="")

    key = KeyOf("INVENTORY", "<number>")
    every = KeyOf("INVENTORY", "")


class Did(ResellerItem, Versioned):
    """``R#<reseller_id>`` / ``DID#<number>``: a number that a reseller ordered; ``client_id`` is empty in its stock

    The prices are those that the client pays. ``anchor_day``: day of the month of its billing dates.
    """

    PREFIX = "DID#"

    number = UnicodeAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    monthly_e8 = IntegerAttribute(default=0)
    setup_e8 = IntegerAttribute(default=0)
    per_minute_e10 = IntegerAttribute(default=0)
    pulse: Any = JSONAttribute(null=True)
    anchor_day = IntegerAttribute(null=True)
    ordered_at = IntegerAttribute()


class ClientPackage(Item):
    """``R#<reseller_id>`` / ``HOLDS#<client_id>#<package_id>``: a client has a package"""

    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    attached_at = IntegerAttribute()

    key = KeyOf("R#<reseller_id>", "HOLDS#<client_id>#<package_id>")
    of_client = KeyOf("R#<reseller_id>", "HOLDS#<client_id>#")
    of_reseller = KeyOf("R#<reseller_id>", "HOLDS#")


class SubAccount(ResellerItem, Versioned):
    """``R#<reseller_id>`` / ``SUB#<subaccount_id>``; ``anchor_day``: day of the month of its billing dates"""

    PREFIX = "SUB#"

    subaccount_id = UnicodeAttribute()
    username = UnicodeAttribute()
    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    anchor_day = IntegerAttribute(null=True)
    created_at = IntegerAttribute()


class Username(ResellerItem, Item):
    """``R#<reseller_id>`` / ``USERNAME#<username>``: a user name that was ever taken; it is never free again"""

    PREFIX = "USERNAME#"

    subaccount_id = UnicodeAttribute()
