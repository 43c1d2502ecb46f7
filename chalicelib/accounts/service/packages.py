"""Packages, and the dated versions of what in them prices a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib import dated
from chalicelib.accounts.service import import_lock, term_versions
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.packages import PackageIn, PackagePatch, Routes
from chalicelib.accounts.store.holdings import ClientPackage
from chalicelib.accounts.store.terms import Package, PackageTerms
from chalicelib.aws import paging
from chalicelib.aws.transactions import Change, Put, Remove, Scope, Write, commit, event, new_id, settle, settled
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.fields import Pulse

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
MOST_LATER = 50
"""Versions that start later and are recorded anew by a change before them, in one transaction."""

Price = tuple[int, dict[str, Any]]
"""Price fields as they are stored, and the instant from which they hold."""


@settled
def create(scope: Scope, reseller_id: str, body: PackageIn) -> Package:
    """A package; its first version prices calls however old."""
    package_id = new_id()
    item = Package(
        *Package.key(reseller_id, package_id),
        package_id=package_id,
        name=body.name,
        monthly_fee_e8=body.monthly_fee,
        setup_fee_e8=body.setup_fee,
        price=_stored({name: value for name, value in body if name not in UNDATED}),
        created_at=scope.now,
    )
    prices = [(term_versions.effective(True, None, scope.now), item.price)]
    version, writes = _next_terms(reseller_id, package_id, prices)
    told = {**_stored(dict(body)), "terms_version": version}
    recorded = event(scope, reseller_id, "package.created", package_id, told)
    commit(scope, [Put(item), *writes, recorded], item)
    return item


def get(reseller_id: str, package_id: str) -> Package:
    """A package as it was last written; 404 for an unknown one."""
    found = Package.find(*Package.key(reseller_id, package_id))
    if found is None:
        raise NotFound(f"There is no package {package_id}.")
    return found


def at(item: Package, now: int) -> Package:
    """A package with the price in force at an instant, and those still to come."""
    past = [each for each in item.upcoming if each["effective_from"] <= now]
    if past:
        item.price, item.upcoming = past[-1]["price"], item.upcoming[len(past) :]
    return item


def listed(reseller_id: str, now: int, request: paging.PageRequest) -> paging.Page[Package]:
    found = paging.page(Package, Package.of_reseller(reseller_id), request)
    return paging.Page([at(item, now) for item in found.items], found.place)


def patch(scope: Scope, reseller_id: str, package_id: str, body: PackagePatch) -> Package:
    """Change a package. Price fields hold from their date on, also in the versions that were to start later.

    409 when so many start later that they do not fit one transaction.
    """
    changes = given(body)
    asked = changes.pop("effective_from", None)
    priced = {name: value for name, value in changes.items() if name not in UNDATED}
    if asked is not None and not priced:
        raise Invalid.field("effective_from", "dates price fields only, and this request has none")

    new = _stored(priced)

    def decide() -> Package:
        item = at(get(reseller_id, package_id), scope.now)
        told, writes = _stored(changes), list[Write]()
        at_once = {name: value for name, value in told.items() if name not in new}
        old = {name: getattr(item, name) for name in at_once}
        if old == told:
            return item
        if priced:
            since = term_versions.effective(False, asked, scope.now)
            before, base, later = _prices_around(reseller_id, package_id, since)
            changed = [(start, {**price, **new}) for start, price in ((since, base), *later)]
            old |= {name: base.get(name) for name in new} | {"later": _told(later, new)}
            told["later"] = _told(changed[1:], new)
            told["terms_version"], writes = _next_terms(reseller_id, package_id, changed)
            told["effective_from"] = since
            at_once |= _timeline([*before, *changed], scope.now)
        for name, value in at_once.items():
            setattr(item, name, value)
        recorded = event(scope, reseller_id, "package.changed", package_id, told, old)
        actions = [getattr(Package, name).set(value) for name, value in at_once.items()]
        commit(scope, [bump(item, *actions), *writes, recorded], item)
        return item

    return settle(decide)


@settled
def delete(scope: Scope, reseller_id: str, package_id: str) -> None:
    """Delete a package that no client has (409 otherwise). Its versions stay: they price the calls of its time."""
    item = get(reseller_id, package_id)
    everyone = ClientPackage.under(*ClientPackage.of_reseller(reseller_id))
    holders = [row.client_id for row in everyone if row.package_id == package_id]
    if holders:
        raise Conflict(f"Clients have this package: {', '.join(holders[:20])}{' ...' * (len(holders) > 20)}")
    gone = Remove(item, Package.version == item.version)
    recorded = event(scope, reseller_id, "package.deleted", package_id, None, {"name": item.name})
    commit(scope, [gone, import_lock.absent(scope, reseller_id), recorded])


def bump(item: Package, *actions: Any) -> Write:
    """Require a package as it was read, change it, and take its next version."""
    version = item.version
    return Change(item, [Package.version.set(version + 1), *actions], Package.version == version)


def _prices_around(reseller_id: str, package_id: str, since: int) -> tuple[list[Price], dict[str, Any], list[Price]]:
    """The prices that begin before ``since``, those in force then, and those that begin later; 409 when these are too
    many to change together."""
    stored = PackageTerms.under(*PackageTerms.of_package(reseller_id, package_id))
    prices = [(row.effective_from, dict(row.price)) for row in dated.standing(stored)]
    before = [each for each in prices if each[0] < since]
    base = next(price for start, price in reversed(prices) if start <= since)
    later = [each for each in prices if each[0] > since]
    if len(later) >= MOST_LATER:
        raise Conflict(f"{len(later)} later versions of this package would change too; take a later effective_from.")
    return before, base, later


def _told(prices: Sequence[Price], names: Iterable[str]) -> list[dict[str, Any]]:
    """What the audit trail says of versions in which these fields change."""
    return [{"effective_from": start, **{name: price.get(name) for name in names}} for start, price in prices]


def _timeline(prices: Sequence[Price], now: int) -> dict[str, Any]:
    """Prices in order of their start -> what a package shows: the one in force, and those still to come."""
    price = next(price for start, price in reversed(prices) if start <= now)
    upcoming = [{"effective_from": start, "price": price} for start, price in prices if start > now]
    return {"price": price, "upcoming": upcoming}


def _next_terms(reseller_id: str, package_id: str, prices: Sequence[Price]) -> tuple[int, list[Write]]:
    """Prices as the reseller's next terms versions; the first of these, and the writes."""
    first, taken = term_versions.next_version(term_versions.head_of(reseller_id), count=len(prices))
    rows = [
        PackageTerms(
            *PackageTerms.key(reseller_id, package_id, version),
            package_id=package_id,
            version=version,
            effective_from=since,
            price=price,
        )
        for version, (since, price) in enumerate(prices, first)
    ]
    return first, [taken, *(Put(row) for row in rows)]


def _stored(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as they are stored: JSON, units in the names; ``rating`` reads its package versions from ``price``."""
    return {
        STORED.get(name, name): dict(value) if isinstance(value, Pulse | Routes) else value
        for name, value in fields.items()
    }
