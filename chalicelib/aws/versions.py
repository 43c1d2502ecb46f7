"""Items with a version, which counts their changes: a write fails if the item was changed since it was read."""

from __future__ import annotations

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Change, Item


class Versioned(Item):
    """An item that is changed only through ``bump``."""

    version = IntegerAttribute(default=0)

    def unchanged(self) -> Condition:
        """The condition that the stored item has the version that was read."""
        return type(self).version == self.version

    def bump(self, *actions: Action) -> Change:
        """The write that makes these changes and takes the next version, if the item is unchanged."""
        return Change(self, [type(self).version.set(self.version + 1), *actions], self.unchanged())
