"""Items of how clients are added in numbers: links at which people sign up, and imports."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.items import IntegerAttribute, KeyOf, KeyPart
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

    Its ``rows`` are stored as ``ImportRows``; the first ``done`` of them are applied. ``background``: an event function
    applies them.
    """

    PREFIX = "IMPORT#"

    import_id = UnicodeAttribute()
    status = UnicodeAttribute()
    rows = IntegerAttribute()
    done = IntegerAttribute(default=0)
    background = BooleanAttribute(default=False)
    counts: Any = JSONAttribute()
    created_at = IntegerAttribute()
    finished_at = IntegerAttribute(null=True)


class ImportRows(Item):
    """``IMPORT#<reseller_id>#<import_id>`` / ``<number of the first one, 6 digits>``: rows of an import

    ``packed``: the rows as JSON, compressed by zlib.
    """

    packed = BinaryAttribute(legacy_encoding=False)

    key = KeyOf("IMPORT#<reseller_id>#<import_id>", "<first:06d>")
    first = KeyPart(0, int)
    of_import = KeyOf("IMPORT#<reseller_id>#<import_id>", "")


class ImportLock(Item):
    """``R#<reseller_id>`` / ``IMPORTING``: an import is being read or applied (``service.import_lock``)

    ``import_id`` is empty while there is no such import.
    """

    import_id = UnicodeAttribute()
    taken_at = IntegerAttribute()

    key = KeyOf("R#<reseller_id>", "IMPORTING")
