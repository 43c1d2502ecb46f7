"""Items of terms, ``T#<reseller>``: everything dated that prices a call; and packages."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class Package(Item):
    """``R#<reseller_id>`` / ``PACKAGE#<package_id>``

    ``price``: what priced a call when this was written; ``upcoming``: the prices that were to follow, each with its
    ``effective_from``.
    """

    package_id = UnicodeAttribute()
    name = UnicodeAttribute()
    monthly_fee_e8 = IntegerAttribute()
    setup_fee_e8 = IntegerAttribute()
    price: Any = JSONAttribute()
    upcoming: Any = JSONAttribute(default=list)
    version = IntegerAttribute(default=0)
    created_at = IntegerAttribute()


class PackageTerms(Item):
    """``T#<reseller_id>`` / ``PACKAGE#<package_id>#<terms version, 12 digits>``: price fields from an instant on"""

    package_id = UnicodeAttribute()
    version = IntegerAttribute()
    effective_from = IntegerAttribute()
    price: Any = JSONAttribute()


class Assignment(Item):
    """``T#<reseller_id>`` / ``SUB#<username>#<version>`` or ``DID#<number>#<version>``: who holds it, from when"""

    holder = UnicodeAttribute()
    version = IntegerAttribute()
    effective_from = IntegerAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    package_id = UnicodeAttribute(default="")
    rate_e10 = IntegerAttribute(default=0)
    initial = IntegerAttribute(default=6)
    increment = IntegerAttribute(default=6)
    cost_e10 = IntegerAttribute(default=0)


class TermsHead(Item):
    """``T#<reseller_id>`` / ``HEAD``: the terms version, and the batches that are being rated by an earlier one"""

    version = IntegerAttribute(default=0)
    open_batches = UnicodeSetAttribute(null=True)


def terms_head(reseller_id: str) -> TermsHead:
    head = TermsHead.find(f"T#{reseller_id}", "HEAD")
    if head is None:
        raise LookupError(f"reseller {reseller_id} has no terms")
    return head
