"""Items of the owners of ledgers: resellers and clients.

``R#<reseller>`` is the partition of what a reseller has. Every write into a ledger bumps its owner's ``version``: a
transaction that was decided on an older version fails and is decided again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from chalicelib import periods
from chalicelib.accounts.rules import Account
from chalicelib.accounts.store.reseller_items import ResellerItem
from chalicelib.aws.bases import ClientItem
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item
from chalicelib.aws.versions import Versioned


class Owner(Versioned):
    """A reseller or a client, with the fields that entries change (``rules.Account``).

    ``last_asked_at``: when a switch last asked whether a call of the owner may start, exact to ten minutes.
    """

    balance_e8 = IntegerAttribute(default=0)
    entries = IntegerAttribute(default=0)
    closed_through = UnicodeAttribute(default="")
    posted_at = IntegerAttribute(default=0)
    last_asked_at = IntegerAttribute(null=True)
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
    """``R#<reseller_id>`` / ``RESELLER``

    ``zones``: its calendar, as ``periods.calendar`` reads it.
    """

    reseller_id = UnicodeAttribute()
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    currency = UnicodeAttribute()
    zones = UnicodeAttribute()
    home_country = UnicodeAttribute()
    cost_source = UnicodeAttribute(default="deck")
    status = UnicodeAttribute()
    signup_token = UnicodeAttribute(null=True)
    language = UnicodeAttribute(default="en")
    threshold_e8 = IntegerAttribute(null=True)
    low = BooleanAttribute(default=False)

    key = KeyOf("R#<reseller_id>", "RESELLER")

    @property
    def owner_id(self) -> str:
        return str(self.reseller_id)

    @property
    def calendar(self) -> periods.Calendar:
        """Its days and months."""
        return periods.calendar(self.zones)

    def account(self) -> Account:
        return replace(super().account(), threshold_e8=self.threshold_e8, low=bool(self.low))

    @property
    def signup_path(self) -> str | None:
        return f"/v1/signup/{self.signup_token}" if self.signup_token else None


class ResellerPointer(Item):
    """``RESELLERS`` / ``<reseller_id>``: the operator's list of resellers"""

    key = KeyOf("RESELLERS", "<reseller_id>")
    every = KeyOf("RESELLERS", "")

    @property
    def reseller_id(self) -> str:
        return str(self.sk)


class Client(ResellerItem, ClientItem, Owner):
    """``R#<reseller_id>`` / ``CLIENT#<client_id>``

    ``spent``: the price of its rated calls by local day, ``_e8``, of the last few days.
    """

    PREFIX = "CLIENT#"

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
            credit_limit_e8=self.credit_limit_e8,
            threshold_e8=self.threshold_e8,
            service=self.service,
            low=bool(self.low),
            closed_through=self.closed_through,
            posted_at=self.posted_at,
        )
