"""Attributes that mean the same on models of several rooms."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Item


class ClientItem(Item):
    """An item that names its client, and the client's reseller."""

    reseller_id = UnicodeAttribute()
    client_id = UnicodeAttribute()


class TermsItem(Item):
    """A dated fact of terms: recorded as the terms version ``version``, in force from ``effective_from`` on."""

    version = IntegerAttribute()
    effective_from = IntegerAttribute()
