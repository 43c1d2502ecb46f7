"""The items of this room in the table. ``pk`` and ``sk`` of each model stand in its docstring.

``R#<reseller>``  what a reseller has: its record, clients, packages, sub-accounts, DIDs
``T#<reseller>``  its terms: everything dated that prices a call
``L#<owner>``     a ledger: entries, months, markers of what was already applied

Every write into a ledger partition goes together with a change of its owner's ``version``, which fences it: whoever
read an older version decides again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.accounts.ledger import Account
from chalicelib.accounts.store_keys import ApiKey as ApiKey
from chalicelib.accounts.store_keys import KeyPointer as KeyPointer
from chalicelib.accounts.store_numbers import Did as Did
from chalicelib.accounts.store_numbers import Number as Number
from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class Owner(Item):
    """Whoever has a ledger: the fields that entries change. ``version`` counts every change of the item."""

    version = IntegerAttribute(default=0)
    balance_e8 = IntegerAttribute(default=0)
    entries = IntegerAttribute(default=0)
    closed_through = UnicodeAttribute(default="")
    posted_at = IntegerAttribute(default=0)
    created_at = IntegerAttribute()

    @property
    def owner_id(self) -> str:
        raise AttributeError("an owner knows its id")

    def account(self) -> Account:
        return Account(
            balance_e8=self.balance_e8,
            entries=self.entries,
            limited=False,
            closed_through=self.closed_through,
            posted_at=self.posted_at,
        )


class Reseller(Owner):
    """``R#<reseller_id>`` / ``RESELLER``"""

    reseller_id = UnicodeAttribute()
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    currency = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    home_country = UnicodeAttribute()
    cost_source = UnicodeAttribute(default="deck")
    status = UnicodeAttribute()
    signup_token = UnicodeAttribute(null=True)
    language = UnicodeAttribute(default="en")
    threshold_e8 = IntegerAttribute(null=True)
    low = BooleanAttribute(default=False)

    @property
    def owner_id(self) -> str:
        return str(self.reseller_id)

    def account(self) -> Account:
        threshold_e8 = None if self.threshold_e8 is None else self.threshold_e8
        return replace(super().account(), threshold_e8=threshold_e8, low=bool(self.low))

    @property
    def signup_path(self) -> str | None:
        return f"/v1/signup/{self.signup_token}" if self.signup_token else None


class ResellerPointer(Item):
    """``RESELLERS`` / ``<reseller_id>``: the operator's list"""


class Client(Owner):
    """``R#<reseller_id>`` / ``CLIENT#<client_id>``

    ``spent``: what its rated calls of the last few days of the reseller's zone cost it, ``_e8`` by ``YYYY-MM-DD``.
    """

    reseller_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    status = UnicodeAttribute()
    service = UnicodeAttribute()
    balance_mode = UnicodeAttribute()
    credit_limit_e8 = IntegerAttribute(null=True)
    threshold_e8 = IntegerAttribute(null=True)
    low = BooleanAttribute(default=False)
    profile = JSONAttribute()
    blocked_countries: Any = JSONAttribute(default=list)
    max_rate_e10 = IntegerAttribute(null=True)
    daily_limit_e8 = IntegerAttribute(null=True)
    spent: Any = JSONAttribute(default=dict)
    created_at = IntegerAttribute()

    @property
    def owner_id(self) -> str:
        return str(self.client_id)

    def account(self) -> Account:
        return Account(
            balance_e8=self.balance_e8,
            entries=self.entries,
            strict=self.balance_mode == "strict",
            credit_limit_e8=None if self.credit_limit_e8 is None else self.credit_limit_e8,
            threshold_e8=None if self.threshold_e8 is None else self.threshold_e8,
            service=self.service,
            low=bool(self.low),
            closed_through=self.closed_through,
            posted_at=self.posted_at,
        )


class Entry(Item):
    """``L#<owner_id>`` / ``ENTRY#<sequence, 12 digits>``; never edited"""

    entry_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    amount_e8 = IntegerAttribute()
    balance_after_e8 = IntegerAttribute()
    description = UnicodeAttribute()
    period = UnicodeAttribute()
    usage_month = UnicodeAttribute()
    source = UnicodeAttribute()
    posted_at = IntegerAttribute()
    actor = UnicodeAttribute()
    reversal_of = UnicodeAttribute(null=True)


class Month(Item):
    """``L#<owner_id>`` / ``MONTH#<YYYY-MM>``

    ``posted``: sums ``_e8`` by kind of the entries whose ``period`` this is. ``usage``: calls, seconds, revenue and
    cost of the calls whose local month this is. ``closing``: how the ledger stood when the month was closed (see
    ``service.months``); its ``posted`` never changes afterwards, its ``usage`` may, by late calls.
    """

    posted: Any = JSONAttribute(default=dict)
    usage: Any = JSONAttribute(default=dict)
    state = UnicodeAttribute(default="open")
    closing: Any = JSONAttribute(null=True)


class Marker(Item):
    """``L#<client_id>`` / ``MARK#<batch>#<generation>#<month>``: this part of a batch has been applied

    It keeps what a re-rating has to take back: ``entry``, the sequence of its entry (none when it came to 0); ``free``,
    the seconds given for free by package; ``spent``, the amount by recent local day. ``emptied``: the earlier
    generation is taken back already, and this one not posted yet (only where both do not fit one transaction).
    """

    rated = IntegerAttribute()
    duplicates = IntegerAttribute()
    seconds = IntegerAttribute(default=0)
    amount_e8 = IntegerAttribute()
    cost_e8 = IntegerAttribute()
    entry = IntegerAttribute(null=True)
    free: Any = JSONAttribute(null=True)
    spent: Any = JSONAttribute(null=True)
    emptied = BooleanAttribute(null=True)

    def place(self) -> tuple[str, int, str]:
        """Batch, generation and month."""
        _, batch_id, generation, month = str(self.sk).split("#")
        return batch_id, int(generation), month


class Once(Item):
    """``L#<owner_id>`` / ``ONCE#<key>``: the entry that this key has already posted"""

    sequence = IntegerAttribute()


class FreeMinutes(Item):
    """``L#<client_id>`` / ``FREE#<package_id>#<YYYY-MM>``: billed seconds already given for free"""

    used_seconds = IntegerAttribute()


class Package(Item):
    """``R#<reseller_id>`` / ``PACKAGE#<package_id>``

    ``price``: what priced a call when this was written; ``upcoming``: the prices that were to follow, each with its
    ``effective_from``.
    """

    package_id = UnicodeAttribute()
    name = UnicodeAttribute()
    monthly_fee_e8 = IntegerAttribute()
    setup_fee_e8 = IntegerAttribute()
    price: Any = JSONAttribute()
    upcoming: Any = JSONAttribute(default=list)
    version = IntegerAttribute(default=0)
    created_at = IntegerAttribute()


class PackageTerms(Item):
    """``T#<reseller_id>`` / ``PACKAGE#<package_id>#<terms version, 12 digits>``: price fields from an instant on"""

    package_id = UnicodeAttribute()
    version = IntegerAttribute()
    effective_from = IntegerAttribute()
    price: Any = JSONAttribute()


class ClientPackage(Item):
    """``R#<reseller_id>`` / ``HOLDS#<client_id>#<package_id>``"""

    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    attached_at = IntegerAttribute()


class SubAccount(Item):
    """``R#<reseller_id>`` / ``SUB#<subaccount_id>``; ``anchor_day``: the day of the month its fee is meant for"""

    subaccount_id = UnicodeAttribute()
    username = UnicodeAttribute()
    client_id = UnicodeAttribute()
    package_id = UnicodeAttribute()
    anchor_day = IntegerAttribute(null=True)
    version = IntegerAttribute(default=0)
    created_at = IntegerAttribute()


class Username(Item):
    """``R#<reseller_id>`` / ``USERNAME#<username>``: taken for good"""

    subaccount_id = UnicodeAttribute()


class Assignment(Item):
    """``T#<reseller_id>`` / ``SUB#<username>#<version>`` or ``DID#<number>#<version>``: who holds it, from when"""

    holder = UnicodeAttribute()
    version = IntegerAttribute()
    effective_from = IntegerAttribute()
    client_id = UnicodeAttribute(default="")
    subaccount_id = UnicodeAttribute(default="")
    package_id = UnicodeAttribute(default="")
    rate_e10 = IntegerAttribute(default=0)
    initial = IntegerAttribute(default=6)
    increment = IntegerAttribute(default=6)
    cost_e10 = IntegerAttribute(default=0)


class TermsHead(Item):
    """``T#<reseller_id>`` / ``HEAD``: the terms version, and the batches that are being rated by an earlier one"""

    version = IntegerAttribute(default=0)
    open_batches = UnicodeSetAttribute(null=True)


FIRST = -(2**62)
"""``effective_from`` of the first version of anything dated: it reaches back without limit."""


def reseller(reseller_id: str) -> Reseller | None:
    return Reseller.find(f"R#{reseller_id}", "RESELLER")


def client_key(reseller_id: str, client_id: str) -> tuple[str, str]:
    return f"R#{reseller_id}", f"CLIENT#{client_id}"


def client(reseller_id: str, client_id: str) -> Client | None:
    return Client.find(*client_key(reseller_id, client_id))


def month(owner_id: str, name: str) -> Month:
    """A month of a ledger, empty where nothing was posted yet."""
    return Month.find(f"L#{owner_id}", f"MONTH#{name}") or Month(f"L#{owner_id}", f"MONTH#{name}")


def terms_head(reseller_id: str) -> TermsHead:
    head = TermsHead.find(f"T#{reseller_id}", "HEAD")
    if head is None:
        raise LookupError(f"reseller {reseller_id} has no terms")
    return head
