"""Items of custom rates: one item for each rate that was set alone, a few for all rates of an imported file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.aws.bases import TermsItem
from chalicelib.aws.items import IntegerAttribute, Key, KeyOf
from chalicelib.rating.pricing.precedence import CustomRate

SHEET = "sheet"
"""The ``scope`` of an item that holds many rates."""
RATES_PER_SHEET = 4_000
"""At most 90 bytes each before they are compressed; an item holds 400 KB."""
_RATE_FIELDS = attrgetter(*(field.name for field in fields(CustomRate)))
"""Items have attributes with the names of these fields."""
_SHEET_FIELDS = attrgetter(*(field.name for field in fields(CustomRate) if field.name not in ("package_id", "version")))


class CustomRateItem(TermsItem):
    """``T#<reseller_id>`` / ``RATE#<package_id>#<scope>#<code>#<terms version, 12 digits>``

    One version of a custom rate, from ``effective_from`` on; ``rate_e10`` null: the rate is withdrawn.

    With the scope ``sheet`` it is a part of an imported file: ``sheet`` holds versions of many rates, which all have
    this terms version. ``code`` is the number of the part, three digits.
    """

    package_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    code = UnicodeAttribute()
    sheet = BinaryAttribute(legacy_encoding=False, null=True)
    rate_e10 = IntegerAttribute(null=True)
    initial = IntegerAttribute(default=0)
    increment = IntegerAttribute(default=0)
    connection_fee_e8 = IntegerAttribute(null=True)
    minimum_charge_e8 = IntegerAttribute(null=True)
    grace_seconds = IntegerAttribute(default=0)

    key = KeyOf("T#<reseller_id>", "RATE#<package_id>#<scope>#<code>#<version:012d>")
    of_rate = KeyOf("T#<reseller_id>", "RATE#<package_id>#<scope>#<code>#")
    of_package = KeyOf("T#<reseller_id>", "RATE#<package_id>#")
    of_reseller = KeyOf("T#<reseller_id>", "RATE#")

    @classmethod
    def of_sheets(cls, reseller_id: str, package_id: str) -> Key:
        return cls.of_package(reseller_id, f"{package_id}#{SHEET}")

    def rates(self) -> list[CustomRate]:
        """The one version of a rate that the item is, or those of its sheet."""
        if self.scope != SHEET:
            return [CustomRate(*_RATE_FIELDS(self))]
        rows = json.loads(zlib.decompress(self.sheet))
        return [CustomRate(self.package_id, row[0], row[1], self.version, *row[2:]) for row in rows]


def sheets(reseller_id: str, package_id: str, version: int, rates: Sequence[CustomRate]) -> list[CustomRateItem]:
    """The items that hold rates of a package, all recorded as one terms version."""
    parts = [rates[first : first + RATES_PER_SHEET] for first in range(0, len(rates), RATES_PER_SHEET)]
    return [
        CustomRateItem(
            *CustomRateItem.key(reseller_id, package_id, SHEET, f"{number:03d}", version),
            package_id=package_id,
            scope=SHEET,
            code=f"{number:03d}",
            version=version,
            effective_from=min(rate.effective_from for rate in part),
            sheet=zlib.compress(json.dumps([_SHEET_FIELDS(rate) for rate in part], separators=(",", ":")).encode()),
        )
        for number, part in enumerate(parts)
    ]


def rates_of(items: Iterable[CustomRateItem]) -> list[CustomRate]:
    """The versions of rates that items hold."""
    return [rate for item in items for rate in item.rates()]


def rates_upto(reseller_id: str, version: int) -> list[CustomRate]:
    """The custom rates of all packages that were recorded up to terms version ``version``."""
    items = CustomRateItem.under(*CustomRateItem.of_reseller(reseller_id))
    return rates_of(item for item in items if item.version <= version)
