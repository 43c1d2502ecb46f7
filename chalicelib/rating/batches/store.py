"""The items and objects of this room.

``R#<reseller>`` / ``BATCH#<id>``                    a batch, with everything that its price depends on pinned
``RB#<reseller>`` / ``<place>``                      the list of batches, in order of their making
``R#<reseller>`` / ``CDRSOURCE#<source>``            what a reseller declared about its files

"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class Batch(Item):
    """``R#<reseller_id>`` / ``BATCH#<batch_id>``

    A ``generation`` pins what prices it at its first try; ``latest_generation`` is the highest ever begun, ``standing``
    what the earlier one came to. ``place``: order of making. ``seen_at``, ``announced_at``: see ``rescan``.
    """

    batch_id = UnicodeAttribute()
    place = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    key = UnicodeAttribute()
    version_id = UnicodeAttribute()
    status = UnicodeAttribute()
    generation = IntegerAttribute(default=0)
    latest_generation = IntegerAttribute(default=0)
    standing: Any = JSONAttribute(null=True)
    terms_version = IntegerAttribute()
    deck_version = IntegerAttribute()
    time_zone = UnicodeAttribute()
    home_country = UnicodeAttribute()
    cost_source = UnicodeAttribute()
    declared = JSONAttribute(null=True)
    lines = IntegerAttribute(default=0)
    rated = IntegerAttribute(default=0)
    rejected = IntegerAttribute(default=0)
    duplicates = IntegerAttribute(default=0)
    cost_e8 = IntegerAttribute(default=0)
    revenue_e8 = IntegerAttribute(default=0)
    has_rejects = BooleanAttribute(default=False)
    created_at = IntegerAttribute()
    started_at = IntegerAttribute(null=True)
    seen_at = IntegerAttribute(null=True)
    announced_at = IntegerAttribute(null=True)
    finished_at = IntegerAttribute(null=True)
    reason = UnicodeAttribute(null=True)

    @property
    def rejects_key(self) -> str | None:
        """The key of the object that holds the refused lines; ``None``: no line was refused."""
        return rejects_key(self.batch_id) if self.has_rejects else None


def rejects_key(batch_id: str) -> str:
    """Where the refused lines of a batch are written."""
    return f"rejected/cdr/{batch_id}.csv"


class BatchPointer(Item):
    """``RB#<reseller_id>`` / ``<place>``"""

    batch_id = UnicodeAttribute()


class CdrSource(Item):
    """``R#<reseller_id>`` / ``CDRSOURCE#<source_id>``: see ``aliases``"""

    source_id = UnicodeAttribute()
    pattern = UnicodeAttribute()
    time_zone = UnicodeAttribute(null=True)
    columns: Any = JSONAttribute(default=dict)
    words: Any = JSONAttribute(default=dict)
    defaults: Any = JSONAttribute(default=dict)

    @property
    def id(self) -> str:
        return self.source_id


def batch(reseller_id: str, batch_id: str) -> Batch | None:
    return Batch.find(f"R#{reseller_id}", f"BATCH#{batch_id}")
