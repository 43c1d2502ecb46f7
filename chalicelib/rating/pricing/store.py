"""Items of custom rates."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item
from chalicelib.rating.pricing.price import Pulse


class CustomRateItem(Item):
    """``T#<reseller_id>`` / ``RATE#<package_id>#<scope>#<code>#<terms version, 12 digits>``; rate null: withdrawn"""

    package_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    code = UnicodeAttribute()
    version = IntegerAttribute()
    effective_from = IntegerAttribute()
    rate_e10 = IntegerAttribute(null=True)
    initial = IntegerAttribute(default=0)
    increment = IntegerAttribute(default=0)
    connection_fee_e8 = IntegerAttribute(null=True)
    minimum_charge_e8 = IntegerAttribute(null=True)
    grace_seconds = IntegerAttribute(default=0)

    @property
    def pulse(self) -> Pulse | None:
        """``None``: the package's."""
        return Pulse.of(self.initial, self.increment)


def rates_upto(reseller_id: str, version: int, package_id: str = "") -> list[CustomRateItem]:
    """Custom rates that terms version ``version`` knows, of one package or of all."""
    prefix = f"RATE#{package_id}#" if package_id else "RATE#"
    return [row for row in CustomRateItem.under(f"T#{reseller_id}", prefix) if row.version <= version]
