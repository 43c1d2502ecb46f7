"""Items of how clients are added in numbers: links at which people sign up, and imports."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item


class SignupLink(Item):
    """``SIGNUP#<token>`` / ``LINK``: the reseller whose clients sign up there; it has one link at a time"""

    reseller_id = UnicodeAttribute()

    key = KeyOf("SIGNUP#<token>", "LINK")


class SignupDay(ResellerItem, Item):
    """``R#<reseller_id>`` / ``SIGNUPS#<YYYY-MM-DD, UTC>``: how many people signed up on that day"""

    PREFIX = "SIGNUPS#"

    asked = IntegerAttribute()


class Import(ResellerItem, Item):
    """``R#<reseller_id>`` / ``IMPORT#<SHA-256 of its files, 32 digits>``: an import whose rows are all valid

    Its ``rows`` are stored as ``ImportRows``; the first ``done`` of them are applied.
    """

    PREFIX = "IMPORT#"

    import_id = UnicodeAttribute()
    status = UnicodeAttribute()
    rows = IntegerAttribute()
    done = IntegerAttribute(default=0)
    counts: Any = JSONAttribute()
    created_at = IntegerAttribute()
    finished_at = IntegerAttribute(null=True)


class ImportRows(Item):
    """``IMPORT#<reseller_id>#<import_id>`` / ``<number of the first one, 6 digits>``: rows of an import"""

    kept: Any = JSONAttribute()

    key = KeyOf("IMPORT#<reseller_id>#<import_id>", "<first:06d>")
    of_import = KeyOf("IMPORT#<reseller_id>#<import_id>", "")


class ImportLock(Item):
    """``R#<reseller_id>`` / ``IMPORTING``: an import is being read or applied (``service.import_lock``)"""

    import_id = UnicodeAttribute()
    taken_at = IntegerAttribute()

    key = KeyOf("R#<reseller_id>", "IMPORTING")
