"""Items of clients that come in: links at which strangers sign up, and imports."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class SignupLink(Item):
    """``SIGNUP#<token>`` / ``LINK``: whose clients ask to join there; one per reseller at a time"""

    reseller_id = UnicodeAttribute()


class SignupDay(Item):
    """``R#<reseller_id>`` / ``SIGNUPS#<YYYY-MM-DD, UTC>``: how many asked to join on that day"""

    asked = IntegerAttribute()


class Import(Item):
    """``R#<reseller_id>`` / ``IMPORT#<hash of what is imported>``

    Its rows lie in ``ImportRows``, as they were found good; the first ``done`` of them are applied.
    """

    import_id = UnicodeAttribute()
    status = UnicodeAttribute()
    rows = IntegerAttribute()
    done = IntegerAttribute(default=0)
    counts: Any = JSONAttribute()
    created_at = IntegerAttribute()
    finished_at = IntegerAttribute(null=True)


class ImportRows(Item):
    """``IMPORT#<reseller_id>#<import_id>`` / ``<number of the first, 6 digits>``: rows of an import"""

    kept: Any = JSONAttribute()


class ImportLock(Item):
    """``R#<reseller_id>`` / ``IMPORTING``: an import is being read or applied, and what it counts on stays as it is"""

    import_id = UnicodeAttribute()
    taken_at = IntegerAttribute()
