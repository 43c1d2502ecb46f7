"""Items of API keys."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, Key
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

    @staticmethod
    def key(key_id: str) -> Key:
        return Key(f"KEY#{key_id}", "KEY")


class KeyPointer(Item):
    """``R#<reseller_id>`` / ``KEY#<key_id>``: the reseller's list of keys"""

    @staticmethod
    def key(reseller_id: str, key_id: str) -> Key:
        return Key(f"R#{reseller_id}", f"KEY#{key_id}")

    @classmethod
    def of_reseller(cls, reseller_id: str) -> Key:
        return cls.key(reseller_id, "")

    @property
    def key_id(self) -> str:
        return self.sk.removeprefix("KEY#")
