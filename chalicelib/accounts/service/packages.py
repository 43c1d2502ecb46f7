"""Packages, and the dated versions of those fields that price calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib import dated
from chalicelib.accounts.service import creating, import_lock, term_versions
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.packages import PackageIn, PackagePatch, Routes
from chalicelib.accounts.store.holdings import ClientPackage
from chalicelib.accounts.store.terms import Package, PackageTerms
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit, event, new_id, settled
from chalicelib.errors import Conflict, Invalid
from chalicelib.fields import Pulse

STORED = {
    "markup_fixed": "markup_fixed_e10",
    "markup_percent": "markup_percent_e4",
    "connection_fee": "connection_fee_e8",
    "minimum_charge": "minimum_charge_e8",
    "monthly_fee": "monthly_fee_e8",
    "setup_fee": "setup_fee_e8",
}
"""Stored names of those fields of a request whose stored name has their unit."""
UNDATED = ("name", "public_name", "monthly_fee", "setup_fee")
"""Fields that price no call: they change at once."""
MOST_LATER = 50
"""Most versions with a later start: a change before them records each again, in one transaction."""

Price = tuple[int, dict[str, Any]]
"""The instant from which price fields hold, and the fields as they are stored."""


@settled
def create(scope: Scope, reseller_id: str, body: PackageIn) -> Package:
    """A package; its first version has no beginning, so it prices calls of any age."""
    package_id = new_id()
    item = Package(
        *Package.key(reseller_id, package_id),
        package_id=package_id,
        name=body.name,
        public_name=body.public_name,
        monthly_fee_e8=body.monthly_fee,
        setup_fee_e8=body.setup_fee,
        price=_stored({name: value for name, value in body if name not in UNDATED}),
        created_at=scope.now,
    )
    prices = [(term_versions.effective(True, None, scope.now), item.price)]
    version, writes = _next_terms(reseller_id, package_id, prices)
    fields = {**_stored(dict(body)), "terms_version": version}
    recorded = event(scope, reseller_id, "package.created", package_id, fields)
    commit(scope, [Put(item), *writes, recorded], item)
    return item


def get(reseller_id: str, package_id: str) -> Package:
    """A package as it is stored; 404 for an unknown one."""
    return creating.package_of(reseller_id, package_id)


def ids(reseller_id: str) -> list[str]:
    """The ids of all packages of a reseller that are not deleted."""
    return [item.package_id for item in Package.under(*Package.of_reseller(reseller_id))]


def at(item: Package, now: int) -> Package:
    """The package, changed: with the price in force at an instant, and as upcoming only the prices after it."""
    begun = [price for price in item.upcoming if price["effective_from"] <= now]
    if begun:
        item.price, item.upcoming = begun[-1]["price"], item.upcoming[len(begun) :]
    return item


def listed(reseller_id: str, now: int, request: paging.PageRequest) -> paging.Page[Package]:
    """A page of packages, oldest first, with the prices in force."""
    page = paging.page(Package, Package.of_reseller(reseller_id), request)
    return paging.Page([at(item, now) for item in page.items], page.place)


@settled
def patch(scope: Scope, reseller_id: str, package_id: str, body: PackagePatch) -> Package:
    """Change a package. Price fields hold from ``effective_from`` on, also in the versions that start later.

    404 for an unknown package, 409 if so many versions start later that they do not fit one transaction, 422 for
    ``effective_from`` without a price field.
    """
    changes = given(body)
    effective_from = changes.pop("effective_from", None)
    new = _stored({name: value for name, value in changes.items() if name not in UNDATED})
    if effective_from is not None and not new:
        raise Invalid.field("effective_from", "dates price fields only, and this request has none")
    item = at(get(reseller_id, package_id), scope.now)
    fields, writes = _stored(changes), list[Write]()
    values = {name: value for name, value in fields.items() if name not in new}
    before = {name: getattr(item, name) for name in values}
    if before == fields:
        return item
    if new:
        since = term_versions.effective(False, effective_from, scope.now)
        earlier, base, later = _prices_around(reseller_id, package_id, since)
        changed = [(start, {**price, **new}) for start, price in ((since, base), *later)]
        before |= {name: base.get(name) for name in new} | {"later": _audit_versions(later, new)}
        fields["later"] = _audit_versions(changed[1:], new)
        fields["terms_version"], writes = _next_terms(reseller_id, package_id, changed)
        fields["effective_from"] = since
        values |= _timeline([*earlier, *changed], scope.now)
    bumped = item.bump(*item.set_values(values))
    recorded = event(scope, reseller_id, "package.changed", package_id, fields, before)
    commit(scope, [bumped, *writes, recorded], item)
    return item


@settled
def delete(scope: Scope, reseller_id: str, package_id: str) -> None:
    """Delete a package; 409 if a client has it. Its versions stay, because they price earlier calls."""
    item = get(reseller_id, package_id)
    attached = ClientPackage.under(*ClientPackage.of_reseller(reseller_id))
    holders = [row.client_id for row in attached if row.package_id == package_id]
    if holders:
        raise Conflict(f"Clients have this package: {', '.join(holders[:20])}{' ...' * (len(holders) > 20)}")
    recorded = event(scope, reseller_id, "package.deleted", package_id, None, {"name": item.name})
    commit(scope, [Remove(item, item.unchanged()), import_lock.require_free(scope, reseller_id), recorded])


def _prices_around(reseller_id: str, package_id: str, since: int) -> tuple[list[Price], dict[str, Any], list[Price]]:
    """The prices that start before ``since``, the price fields in force then, and the prices that start later.

    409 if the later ones are too many to change in one transaction.
    """
    stored = PackageTerms.under(*PackageTerms.of_package(reseller_id, package_id))
    prices = [(row.effective_from, dict(row.price)) for row in dated.standing(stored)]
    earlier = [price for price in prices if price[0] < since]
    base = next(price for start, price in reversed(prices) if start <= since)
    later = [price for price in prices if price[0] > since]
    if len(later) >= MOST_LATER:
        raise Conflict(f"{len(later)} later versions of this package would change too; take a later effective_from.")
    return earlier, base, later


def _audit_versions(prices: Sequence[Price], names: Iterable[str]) -> list[dict[str, Any]]:
    """Versions in the audit trail: start, and those fields that the request changes."""
    return [{"effective_from": start, **{name: price.get(name) for name in names}} for start, price in prices]


def _timeline(prices: Sequence[Price], now: int) -> dict[str, Any]:
    """Prices in order of their start -> the attributes ``price`` (in force now) and ``upcoming`` of a package."""
    price = next(price for start, price in reversed(prices) if start <= now)
    upcoming = [{"effective_from": start, "price": price} for start, price in prices if start > now]
    return {"price": price, "upcoming": upcoming}


def _next_terms(reseller_id: str, package_id: str, prices: Sequence[Price]) -> tuple[int, list[Write]]:
    """Prices as the reseller's next terms versions: the first of these, and the writes."""
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
    """Fields of a request as they are stored: JSON, with units in the names."""
    return {
        STORED.get(name, name): dict(value) if isinstance(value, Pulse | Routes) else value
        for name, value in fields.items()
    }
