"""Items of how clients are added in numbers: links at which people sign up, and imports."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Key
from chalicelib.aws.transactions import Item


class SignupLink(Item):
    """``SIGNUP#<token>`` / ``LINK``: the reseller whose clients sign up there; it has one link at a time"""

    reseller_id = UnicodeAttribute()

    @staticmethod
    def key(token: str) -> Key:
        return Key(f"SIGNUP#{token}", "LINK")


class SignupDay(Item):
    """``R#<reseller_id>`` / ``SIGNUPS#<YYYY-MM-DD, UTC>``: how many people signed up on that day"""

    asked = IntegerAttribute()

    @staticmethod
    def key(reseller_id: str, day: str) -> Key:
        return Key(f"R#{reseller_id}", f"SIGNUPS#{day}")


class Import(Item):
    """``R#<reseller_id>`` / ``IMPORT#<SHA-256 of its files, 32 digits>``: an import whose rows are all valid

    Its ``rows`` are stored as ``ImportRows``; the first ``done`` of them are applied.
    """

    import_id = UnicodeAttribute()
    status = UnicodeAttribute()
    rows = IntegerAttribute()
    done = IntegerAttribute(default=0)
    counts: Any = JSONAttribute()
    created_at = IntegerAttribute()
    finished_at = IntegerAttribute(null=True)

    @staticmethod
    def key(reseller_id: str, import_id: str) -> Key:
        return Key(f"R#{reseller_id}", f"IMPORT#{import_id}")


class ImportRows(Item):
    """``IMPORT#<reseller_id>#<import_id>`` / ``<number of the first one, 6 digits>``: rows of an import"""

    kept: Any = JSONAttribute()

    @staticmethod
    def key(reseller_id: str, import_id: str, first: int) -> Key:
        return Key(f"IMPORT#{reseller_id}#{import_id}", f"{first:06d}")

    @staticmethod
    def of_import(reseller_id: str, import_id: str) -> Key:
        return Key(f"IMPORT#{reseller_id}#{import_id}", "")


class ImportLock(Item):
    """``R#<reseller_id>`` / ``IMPORTING``: an import is being read or applied (``service.import_lock``)"""

    import_id = UnicodeAttribute()
    taken_at = IntegerAttribute()

    @staticmethod
    def key(reseller_id: str) -> Key:
        return Key(f"R#{reseller_id}", "IMPORTING")
