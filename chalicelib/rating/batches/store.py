"""The items of batches: the batch itself, the list of a reseller's batches, and the CDR sources it declared."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import declaration


class Status(StrEnum):
    """The status of a batch, as it is stored; ``lifecycle`` changes it."""

    RATING = "rating"
    DONE = "done"
    FAILED = "failed"


class Batch(Item):
    """``R#<reseller_id>`` / ``BATCH#<batch_id>``: one version of one object in S3 that is a CDR file

    ``object_key``, ``version_id``: the object. ``generation`` counts complete ratings from 0; ``latest_generation`` is
    the highest that was ever begun. ``previous``: the counts and sums of the previous generation while the next one is
    being rated. ``place``: a ULID, the order in which batches were created. ``terms_version`` to ``declared``: the pins
    of the generation. ``internal``: how many of the ``rated`` calls were to internal numbers. ``seen_at``: when a try
    last showed that it runs; ``announced_at``: when the batch was put on the queue again because no try did.
    ``bytes_read`` of ``size``: the bytes of the object. ``zones``: the reseller's calendar, as ``periods.calendar``
    reads it.
    """

    batch_id = UnicodeAttribute()
    place = UnicodeAttribute()
    reseller_id = UnicodeAttribute()
    object_key = UnicodeAttribute(attr_name="key")
    version_id = UnicodeAttribute()
    status = UnicodeAttribute()
    generation = IntegerAttribute(default=0)
    latest_generation = IntegerAttribute(default=0)
    previous: Any = JSONAttribute(attr_name="standing", null=True)
    terms_version = IntegerAttribute()
    deck_version = IntegerAttribute()
    zones = UnicodeAttribute()
    home_country = UnicodeAttribute()
    internal_digits = IntegerAttribute(null=True)
    cost_source = UnicodeAttribute()
    declared = JSONAttribute(null=True)
    lines = IntegerAttribute(default=0)
    rated = IntegerAttribute(default=0)
    internal = IntegerAttribute(default=0)
    rejected = IntegerAttribute(default=0)
    duplicates = IntegerAttribute(default=0)
    skipped = IntegerAttribute(default=0)
    conflicting = IntegerAttribute(default=0)
    cost_e8 = IntegerAttribute(default=0)
    revenue_e8 = IntegerAttribute(default=0)
    has_rejects = BooleanAttribute(default=False)
    size = IntegerAttribute(default=0)
    bytes_read = IntegerAttribute(default=0)
    created_at = IntegerAttribute()
    started_at = IntegerAttribute(null=True)
    seen_at = IntegerAttribute(null=True)
    announced_at = IntegerAttribute(null=True)
    finished_at = IntegerAttribute(null=True)
    reason = UnicodeAttribute(null=True)

    key = KeyOf("R#<reseller_id>", "BATCH#<batch_id>")
    of_reseller = KeyOf("R#<reseller_id>", "BATCH#")

    @property
    def dial_plan(self) -> DialPlan:
        """How the numbers of the file are dialled, without codes and accounts."""
        return DialPlan(self.home_country, self.internal_digits)

    @property
    def cost_currency(self) -> str | None:
        """The currency of the costs in the file; ``None``: that of the deployment."""
        return declaration.read(self.declared).cost_currency

    @property
    def fx(self) -> dict[str, str] | None:
        """The ``rate`` by which these costs were converted, and its ``date``."""
        fx = declaration.read(self.declared).fx
        return {"rate": fx[0], "date": fx[1]} if fx else None

    @property
    def rejects_key(self) -> str | None:
        """The key of the object that holds the refused lines; ``None``: no line was refused."""
        return rejects_key(self.batch_id) if self.has_rejects else None

    @property
    def conflicts_key(self) -> str | None:
        """The key of the object that lists the conflicting duplicates; ``None``: there are none."""
        return conflicts_key(self.batch_id) if self.conflicting else None


def conflicts_key(batch_id: str) -> str:
    """Where the conflicting duplicates of a batch are written."""
    return f"rejected/cdr/{batch_id}.conflicts.csv"


def rejects_key(batch_id: str) -> str:
    """Where the refused lines of a batch are written."""
    return f"rejected/cdr/{batch_id}.csv"


class BatchPointer(Item):
    """``RB#<reseller_id>`` / ``<place>``: the list of a reseller's batches, in the order in which they were created"""

    batch_id = UnicodeAttribute()

    key = KeyOf("RB#<reseller_id>", "<place>")
    of_reseller = KeyOf("RB#<reseller_id>", "")


class CdrSource(Item):
    """``R#<reseller_id>`` / ``CDRSOURCE#<source_id>``: what a reseller declared about its files.

    ``declares``: see ``cdr.declaration.read``.
    """

    source_id = UnicodeAttribute()
    pattern = UnicodeAttribute()
    declares: Any = JSONAttribute()

    key = KeyOf("R#<reseller_id>", "CDRSOURCE#<source_id>")
    of_reseller = KeyOf("R#<reseller_id>", "CDRSOURCE#")

    @property
    def id(self) -> str:
        return self.source_id


def batch(reseller_id: str, batch_id: str) -> Batch | None:
    return Batch.find(*Batch.key(reseller_id, batch_id))
