"""Items of what clients and resellers have: attached packages, sub-accounts, phone numbers."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Key
from chalicelib.aws.transactions import Item
from chalicelib.aws.versions import Versioned


class Number(Versioned):
    """``INVENTORY`` / ``<number>``: a number and what it costs; ``reseller_id`` is empty if no reseller has it"""

    number = UnicodeAttribute()
    monthly_e8 = IntegerAttribute()
    setup_e8 = IntegerAttribute()
    per_minute_e10 = IntegerAttribute()
    reseller_id = UnicodeAttribute(default="")

    @staticmethod
    def key(number: str) -> Key:
        return Key("INVENTORY", number)

    @staticmethod
    def every() -> Key:
        return Key("INVENTORY", "")


class Did(Versioned):
    """``R#<reseller_id>`` / ``DID#<number>``: a number that a reseller ordered; ``client_id`` is empty in its stock

    The prices are those that the client pays. ``anchor_day``: day of the month of its billing dates.
    """

    number = UnicodeAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    monthly_e8 = IntegerAttribute(default=0)
    setup_e8 = IntegerAttribute(default=0)
    per_minute_e10 = IntegerAttribute(default=0)
    pulse: Any = JSONAttribute(null=True)
    anchor_day = IntegerAttribute(null=True)
    ordered_at = IntegerAttribute()

    @staticmethod
    def key(reseller_id: str, number: str) -> Key:
        return Key(f"R#{reseller_id}", f"DID#{number}")

    @classmethod
    def of_reseller(cls, reseller_id: str) -> Key:
        return cls.key(reseller_id, "")


class ClientPackage(Item):
    """``R#<reseller_id>`` / ``HOLDS#<client_id>#<package_id>``: a client has a package"""

    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    attached_at = IntegerAttribute()

    @staticmethod
    def key(reseller_id: str, client_id: str, package_id: str) -> Key:
        return Key(f"R#{reseller_id}", f"HOLDS#{client_id}#{package_id}")

    @classmethod
    def of_client(cls, reseller_id: str, client_id: str) -> Key:
        return cls.key(reseller_id, client_id, "")

    @staticmethod
    def of_reseller(reseller_id: str) -> Key:
        return Key(f"R#{reseller_id}", "HOLDS#")


class SubAccount(Versioned):
    """``R#<reseller_id>`` / ``SUB#<subaccount_id>``; ``anchor_day``: day of the month of its billing dates"""

    subaccount_id = UnicodeAttribute()
    username = UnicodeAttribute()
    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    anchor_day = IntegerAttribute(null=True)
    created_at = IntegerAttribute()

    @staticmethod
    def key(reseller_id: str, subaccount_id: str) -> Key:
        return Key(f"R#{reseller_id}", f"SUB#{subaccount_id}")

    @classmethod
    def of_reseller(cls, reseller_id: str) -> Key:
        return cls.key(reseller_id, "")


class Username(Item):
    """``R#<reseller_id>`` / ``USERNAME#<username>``: a user name that was ever taken; it is never free again"""

    subaccount_id = UnicodeAttribute()

    @staticmethod
    def key(reseller_id: str, username: str) -> Key:
        return Key(f"R#{reseller_id}", f"USERNAME#{username}")
