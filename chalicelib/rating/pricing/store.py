"""Items of custom rates."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aws.bases import TermsItem
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.rating.pricing.price import Pulse


class CustomRateItem(TermsItem):
    """``T#<reseller_id>`` / ``RATE#<package_id>#<scope>#<code>#<terms version, 12 digits>``

    One version of a custom rate, from ``effective_from`` on; ``rate_e10`` null: the rate is withdrawn.
    """

    package_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    code = UnicodeAttribute()
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

    @property
    def place(self) -> str:
        """``<scope>#<code>``: the order of a package's rates in lists."""
        return f"{self.scope}#{self.code}"

    @property
    def pulse(self) -> Pulse | None:
        """``None``: the package's."""
        return Pulse.of(self.initial, self.increment)


def rates_upto(reseller_id: str, version: int) -> list[CustomRateItem]:
    """The custom rates of all packages that were recorded up to terms version ``version``."""
    return [row for row in CustomRateItem.under(*CustomRateItem.of_reseller(reseller_id)) if row.version <= version]
