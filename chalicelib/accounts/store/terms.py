"""Items of terms, ``T#<reseller>``: the dated facts that price calls; and packages."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.accounts.public_names import GIVES_MARKUP_AWAY, Advice, gives_markup_away
from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.bases import TermsItem
from chalicelib.aws.items import IntegerAttribute, Key, KeyOf, KeyPart
from chalicelib.aws.transactions import Item
from chalicelib.aws.versions import Versioned


class Package(ResellerItem, Versioned):
    """``R#<reseller_id>`` / ``PACKAGE#<package_id>``

    ``price``: the price fields in force when the item was written. ``upcoming``: the later ones at that moment, each
    with its ``effective_from``. The calls are priced by ``PackageTerms``. ``public_name`` None: clients see ``name``.
    """

    PREFIX = "PACKAGE#"

    package_id = UnicodeAttribute()
    name = UnicodeAttribute()
    public_name = UnicodeAttribute(null=True)
    monthly_fee_e8 = IntegerAttribute()
    setup_fee_e8 = IntegerAttribute()
    price: Any = JSONAttribute()
    upcoming: Any = JSONAttribute(default=list)
    created_at = IntegerAttribute()

    @property
    def shown_name(self) -> str:
        """The only name of the package that clients see."""
        return self.public_name or self.name

    @property
    def warnings(self) -> list[Advice]:
        """What the reseller may not have meant: a name that gives clients the markup."""
        prices = [self.price, *(later["price"] for later in self.upcoming)]
        return [GIVES_MARKUP_AWAY] if gives_markup_away(self.shown_name, prices) else []


class PackageTerms(TermsItem):
    """``T#<reseller_id>`` / ``PACKAGE#<package_id>#<terms version, 12 digits>``: its price fields from an instant on"""

    package_id = UnicodeAttribute()
    price: Any = JSONAttribute()

    key = KeyOf("T#<reseller_id>", "PACKAGE#<package_id>#<version:012d>")
    of_package = KeyOf("T#<reseller_id>", "PACKAGE#<package_id>#")
    of_reseller = KeyOf("T#<reseller_id>", "PACKAGE#")


class Assignment(TermsItem):
    """``T#<reseller_id>`` / ``<holder>#<terms version, 12 digits>``: which client has a sub-account or DID, from when

    ``holder`` is ``SUB#<username>`` or ``DID#<number>``. ``client_id`` is empty if no client has it from then on.
    """

    holder = UnicodeAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    package_id = UnicodeAttribute(default="")
    rate_e10 = IntegerAttribute(default=0)
    initial = IntegerAttribute(default=6)
    increment = IntegerAttribute(default=6)
    cost_e10 = IntegerAttribute(default=0)

    @staticmethod
    def holder_of_account(username: str) -> str:
        """The ``holder`` of a sub-account."""
        return f"SUB#{username}"

    @staticmethod
    def holder_of_number(number: str) -> str:
        """The ``holder`` of a DID."""
        return f"DID#{number}"

    key = KeyOf("T#<reseller_id>", "<holder>#<version:012d>")
    of_holder = KeyOf("T#<reseller_id>", "<holder>#")

    @classmethod
    def of_accounts(cls, reseller_id: str) -> Key:
        return Key(f"T#{reseller_id}", cls.holder_of_account(""))

    @classmethod
    def of_numbers(cls, reseller_id: str) -> Key:
        return Key(f"T#{reseller_id}", cls.holder_of_number(""))

    @property
    def is_account(self) -> bool:
        """Whether the holder is a sub-account; else it is a DID."""
        return self.holder.startswith("SUB#")

    @property
    def name(self) -> str:
        """The user name of the sub-account, or the number of the DID."""
        return self.holder.partition("#")[2]


class TermsHead(Item):
    """``T#<reseller_id>`` / ``HEAD``: the newest terms version, and the batches that are being rated

    ``begun``: how many generations of batches ever began.
    """

    version = IntegerAttribute(default=0)
    begun = IntegerAttribute(default=0)
    open_batches = UnicodeSetAttribute(null=True)

    key = KeyOf("T#<reseller_id>", "HEAD")
    reseller_id = KeyPart(1, str, of="pk")


def calls_holder(holder: str) -> str:
    """The ``holder`` of an assignment as rated calls name it: ``sub:<username>`` or ``did:<number>``."""
    kind, _, name = holder.partition("#")
    return f"{kind.lower()}:{name}"


def assigned_holder(holder: str) -> str:
    """The inverse of ``calls_holder``."""
    kind, _, name = holder.partition(":")
    return f"{kind.upper()}#{name}"
