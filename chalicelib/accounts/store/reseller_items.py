"""The keys of what a reseller has: ``R#<reseller_id>`` / ``<prefix of the model><id of the item>``."""

from __future__ import annotations

from typing import ClassVar

from chalicelib.aws.items import Key


class ResellerItem:
    """For models of such items, beside ``Item``."""

    PREFIX: ClassVar[str]

    @classmethod
    def key(cls, reseller_id: str, item_id: str) -> Key:
        """The key of one item."""
        return Key(f"R#{reseller_id}", f"{cls.PREFIX}{item_id}")

    @classmethod
    def of_reseller(cls, reseller_id: str) -> Key:
        """The items of a reseller."""
        return cls.key(reseller_id, "")
