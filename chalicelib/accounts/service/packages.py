"""Packages, and the dated versions of what in them prices a call."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import import_lock, pages, terms
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.packages import PackageIn, PackagePatch, Routes
from chalicelib.accounts.store import ClientPackage, Package, PackageTerms
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.fields import Pulse
from chalicelib.tables import Change, Put, Remove, Scope, Write, commit, event, new_id, settle

STORED = {
    "markup_fixed": "markup_fixed_e10",
    "markup_percent": "markup_percent_e4",
    "connection_fee": "connection_fee_e8",
    "minimum_charge": "minimum_charge_e8",
    "monthly_fee": "monthly_fee_e8",
    "setup_fee": "setup_fee_e8",
}
"""Fields whose unit is part of their stored name; the others keep theirs."""
UNDATED = ("name", "monthly_fee", "setup_fee")
"""Fields that price no call: they change at once."""


def create(scope: Scope, reseller_id: str, body: PackageIn) -> Package:
    """A package; its first version prices calls however old."""

    def decide() -> Package:
        package_id = new_id()
        item = Package(
            f"R#{reseller_id}",
            f"PACKAGE#{package_id}",
            package_id=package_id,
            name=body.name,
            monthly_fee_e8=body.monthly_fee,
            setup_fee_e8=body.setup_fee,
            price=_stored({name: value for name, value in body if name not in UNDATED}),
            created_at=scope.now,
        )
        since = terms.effective(True, None, scope.now)
        version, writes = _next_terms(reseller_id, item, since)
        recorded = event(scope, reseller_id, "package.created", package_id, {"terms_version": version})
        commit(scope, [Put(item), *writes, recorded], item)
        return item

    return settle(decide)


def get(reseller_id: str, package_id: str) -> Package:
    """A package; 404 for an unknown one."""
    found = Package.find(f"R#{reseller_id}", f"PACKAGE#{package_id}")
    if found is None:
        raise NotFound(f"There is no package {package_id}.")
    return found


def listed(reseller_id: str, asked: pages.Asked) -> pages.Rows[Package]:
    return pages.page(Package, f"R#{reseller_id}", "PACKAGE#", asked)


def patch(scope: Scope, reseller_id: str, package_id: str, body: PackagePatch) -> Package:
    """Change a package. Price fields become a new dated version on top of the newest one."""
    changes = given(body)
    asked = changes.pop("effective_from", None)
    dated = {name: value for name, value in changes.items() if name not in UNDATED}
    if asked is not None and not dated:
        raise Invalid.field("effective_from", "dates price fields only, and this request has none")

    def decide() -> Package:
        item = get(reseller_id, package_id)
        told, writes = _stored(changes), list[Write]()
        at_once = {name: value for name, value in told.items() if name not in _stored(dated)}
        if dated:
            at_once["price"] = item.price = {**item.price, **_stored(dated)}
            since = terms.effective(False, asked, scope.now)
            told["terms_version"], writes = _next_terms(reseller_id, item, since)
            told["effective_from"] = since
        for name, value in at_once.items():
            setattr(item, name, value)
        recorded = event(scope, reseller_id, "package.changed", package_id, told)
        actions = [getattr(Package, name).set(value) for name, value in at_once.items()]
        commit(scope, [bump(item, *actions), *writes, recorded], item)
        return item

    return settle(decide)


def delete(scope: Scope, reseller_id: str, package_id: str) -> None:
    """Delete a package that no client has (409 otherwise). Its versions stay: they price the calls of its time."""

    def decide() -> None:
        item = get(reseller_id, package_id)
        everyone = ClientPackage.under(f"R#{reseller_id}", "HOLDS#")
        holders = [row.client_id for row in everyone if row.package_id == package_id]
        if holders:
            raise Conflict(f"Clients have this package: {', '.join(holders[:20])}{' ...' * (len(holders) > 20)}")
        gone = Remove(item, Package.version == int(item.version))
        recorded = event(scope, reseller_id, "package.deleted", package_id)
        commit(scope, [gone, import_lock.absent(scope, reseller_id), recorded])

    settle(decide)


def bump(item: Package, *actions: Any) -> Write:
    """Require a package as it was read, change it, and take its next version."""
    version = int(item.version)
    return Change(item, [Package.version.set(version + 1), *actions], Package.version == version)


def _next_terms(reseller_id: str, item: Package, effective_from: int) -> tuple[int, list[Write]]:
    """The package's price as the reseller's next terms version."""
    version, taken = terms.next_version(terms.head_of(reseller_id))
    dated = PackageTerms(
        f"T#{reseller_id}",
        f"PACKAGE#{item.package_id}#{version:012d}",
        package_id=item.package_id,
        version=version,
        effective_from=effective_from,
        price=item.price,
    )
    return version, [taken, Put(dated)]


def _stored(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as they are stored: JSON, units in the names; ``rating`` reads its package versions from ``price``."""
    return {
        STORED.get(name, name): dict(value) if isinstance(value, Pulse | Routes) else value
        for name, value in fields.items()
    }
