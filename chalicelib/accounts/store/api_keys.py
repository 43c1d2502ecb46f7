"""Items of API keys."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item


class ApiKey(Item):
    """``KEY#<key_id>`` / ``KEY``: an API key, with its SHA-256 instead of its secret

    ``scopes`` limit what the role may do; null: no limit. From ``expires_at`` on the key is refused; DynamoDB deletes
    it some time later. ``last_used_at`` is exact to an hour.
    """

    key_id = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    role = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    client_id = UnicodeAttribute(null=True)
    label = UnicodeAttribute(default="")
    scopes: Any = JSONAttribute(null=True)
    last_used_at = IntegerAttribute(null=True)
    created_at = IntegerAttribute()

    key = KeyOf("KEY#<key_id>", "KEY")


class KeyPointer(ResellerItem, Item):
    """``R#<reseller_id>`` / ``KEY#<key_id>``: the reseller's list of keys"""

    PREFIX = "KEY#"

    @property
    def key_id(self) -> str:
        return self.sk.removeprefix(self.PREFIX)
