"""A reseller whose clients have monthly fees, made by the services themselves at an instant of one's choice."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from chalicelib import periods

_numbers = itertools.count(int(uuid.uuid4().hex[:7], 16) % 10_000_000 * 1000)


def new_number() -> str:
    return f"+1514{next(_numbers) % 10_000_000_000:010d}"[:15]


@dataclass
class FeeWorld:
    """One reseller in a zone; ``now`` is the clock that everything made here is told."""

    zone: str
    now: int
    reseller_id: str = ""
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from chalicelib.accounts.service import resellers
        from chalicelib.accounts.shapes.resellers import ResellerIn

        body = {"name": "Voix", "email": "a@voix.example", "currency": "USD", "home_country": "CA"}
        made = resellers.create(self.scope, ResellerIn(**body, time_zone=self.zone))
        self.reseller_id = made.id

    @property
    def scope(self) -> Any:
        from chalicelib.aws.transactions import Scope

        return Scope("system:test", self.now)

    @property
    def who(self) -> Any:
        from chalicelib.principals import Principal

        return Principal("reseller", "test", self.reseller_id)

    @property
    def today(self) -> str:
        return periods.calendar(self.zone).day_of(self.now)

    def package(self, name: str, fee: str = "10") -> str:
        from chalicelib.accounts.service import packages
        from chalicelib.accounts.shapes.packages import PackageIn

        made = packages.create(self.scope, self.reseller_id, PackageIn(name=name, monthly_fee=fee))
        return self._keep(name, made.package_id)

    def client(self, name: str, **fields: Any) -> str:
        from chalicelib.accounts.service import clients
        from chalicelib.accounts.shapes.clients import ClientIn

        made = clients.create(self.scope, self.reseller_id, ClientIn(company=name, **fields))
        return self._keep(name, made.client_id)

    def subaccount(self, username: str, client: str, package: str, date: str | None) -> str:
        from chalicelib.accounts.service import subaccounts
        from chalicelib.accounts.shapes.subaccounts import SubAccountIn

        named = {"client_id": self.ids[client], "package_id": self.ids[package]}
        body = SubAccountIn(username=username, next_billing_date=date, **named)
        return self._keep(username, subaccounts.create(self.scope, self.reseller_id, body).subaccount_id)

    def patch(self, username: str, **changes: Any) -> Any:
        from chalicelib.accounts.service import subaccounts
        from chalicelib.accounts.shapes.subaccounts import SubAccountPatch

        return subaccounts.patch(self.scope, self.who, self.ids[username], SubAccountPatch(**changes))

    def order(self, monthly: str = "2") -> str:
        """A number that the reseller orders now."""
        from chalicelib.accounts.service import dids
        from chalicelib.accounts.shapes.dids import InventoryIn

        number = new_number()
        dids.add_to_inventory(self.scope, InventoryIn(number=number, monthly=monthly))
        dids.order(self.scope, self.reseller_id, number)
        return number

    def assign(self, number: str, client: str, **fields: Any) -> Any:
        from chalicelib.accounts.service import dids
        from chalicelib.accounts.shapes.dids import AssignIn

        fields = {"monthly": "4", "charge_monthly": False, **fields}
        return dids.assign(self.scope, self.reseller_id, number, AssignIn(client_id=self.ids[client], **fields))

    def release(self, number: str) -> None:
        from chalicelib.accounts.service import dids
        from chalicelib.accounts.shapes.dids import ReleaseIn

        dids.release(self.scope, self.reseller_id, number, ReleaseIn())

    def bill(self, at: int | None = None) -> Any:
        """What the schedule does at an instant, by default now."""
        from chalicelib.accounts.service import fees
        from chalicelib.aws.transactions import Scope

        return fees.bill_due(Scope("system:fees", self.now if at is None else at), self.reseller_id)

    def entries(self, owner: str = "") -> list[Any]:
        """The entries of a client, or of the reseller itself."""
        from chalicelib.accounts.store.ledger import Entry

        return Entry.under(f"L#{self.ids[owner] if owner else self.reseller_id}", "ENTRY#")

    def billed(self, owner: str = "") -> list[tuple[str, int]]:
        """Due dates and amounts (hundredths, as debits) of the recurring fees of an owner, in order of posting."""
        posted = [entry for entry in self.entries(owner) if ", due " in entry.description]
        assert all(entry.usage_month == entry.description[-10:-3] for entry in posted)
        return [(entry.description[-10:], -int(entry.amount_e8) // 10**6) for entry in posted]

    def next_date(self, username: str) -> str | None:
        from chalicelib.accounts.service import subaccounts

        found: str | None = subaccounts.get(self.who, self.ids[username]).next_billing_date
        return found

    def reconciled(self) -> list[Any]:
        from chalicelib.rating.nightly.reconcile import reconcile

        return reconcile(self.reseller_id, 1)

    def _keep(self, name: str, made: str) -> str:
        self.ids[name] = str(made)
        return self.ids[name]
