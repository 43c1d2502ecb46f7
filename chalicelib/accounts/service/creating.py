"""The writes that store a new client, a new sub-account, or a number's new client, decided from stored attributes.

No shapes of the API here: the event function that applies imports uses these writes, too.
"""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.service import holders
from chalicelib.accounts.store.holdings import ClientPackage, Did, Number, SubAccount, Username
from chalicelib.accounts.store.owners import Client
from chalicelib.accounts.store.terms import Assignment, Package
from chalicelib.aws.transactions import Put, Scope, Write, event
from chalicelib.errors import existing

DEFAULT_PULSE = (6, 6)
"""Seconds of the first and of each further increment of a number."""
_CLIENT_FIELDS = (
    "balance_mode", "credit_limit_e8", "threshold_e8", "max_rate_e10", "daily_limit_e8", "blocked_countries",
)  # fmt: skip
_SUBACCOUNT_FIELDS = ("username", "client_id", "package_id", "next_billing_date")


def client_fields(item: Client) -> dict[str, Any]:
    """The fields of a new client in the audit trail: those that are not empty."""
    fields = {**{name: getattr(item, name) for name in _CLIENT_FIELDS}, **item.profile}
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def subaccount_fields(item: SubAccount) -> dict[str, Any]:
    """The fields of a sub-account in the audit trail when it begins or ends: those that are not empty."""
    return {name: getattr(item, name) for name in _SUBACCOUNT_FIELDS if getattr(item, name)}


def holds(reseller_id: str, client_id: str, package_id: str) -> ClientPackage | None:
    """The item that says that a client has a package; ``None`` if it has not."""
    return ClientPackage.find(*ClientPackage.key(reseller_id, client_id, package_id))


def package_of(reseller_id: str, package_id: str) -> Package:
    """A package as it is stored; 404 for an unknown one."""
    return existing(Package.find(*Package.key(reseller_id, package_id)), f"There is no package {package_id}.")


def attach_writes(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> tuple[ClientPackage, list[Write]]:
    """The writes that attach a package, without the bump of the client; 404 for an unknown package.

    They bump the package, so a transaction that deletes it at the same moment fails.
    """
    item = ClientPackage(
        *ClientPackage.key(reseller_id, client_id, package_id),
        client_id=client_id,
        package_id=package_id,
        attached_at=scope.now,
    )
    bumped = package_of(reseller_id, package_id).bump()
    recorded = event(scope, reseller_id, "client.package_attached", client_id, {"package_id": package_id})
    return item, [Put(item), bumped, recorded]


def attach_if_needed(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> list[Write]:
    """The writes that attach the package, none if the client has it."""
    if holds(reseller_id, client_id, package_id):
        return []
    return attach_writes(scope, reseller_id, client_id, package_id)[1]


def subaccount_writes(scope: Scope, reseller_id: str, item: SubAccount) -> list[Write]:
    """The writes that create a sub-account and attach its package, without the bump of its client."""
    name = Username(*Username.key(reseller_id, item.username), subaccount_id=item.subaccount_id)
    writes = attach_if_needed(scope, reseller_id, item.client_id, item.package_id)
    more = {"required": (item.client_id,), **assigned_account(item)}
    holder = Assignment.holder_of_account(item.username)
    writes += holders.assign(reseller_id, holder, None, scope.now, **more)
    recorded = event(scope, reseller_id, "subaccount.created", item.subaccount_id, subaccount_fields(item))
    return [*writes, Put(item), Put(name), recorded]


def assigned_account(item: SubAccount) -> dict[str, Any]:
    """The fields of the ``Assignment`` of a sub-account."""
    return {"client_id": item.client_id, "subaccount_id": item.subaccount_id, "package_id": item.package_id}


def did_writes(
    scope: Scope,
    reseller_id: str,
    did: Did,
    values: dict[str, Any],
    since: int | None = None,
    *,
    will_rerate: bool = False,
) -> list[Write]:
    """The writes that give a number to a client, without the bump of the client; ``did`` is changed.

    ``values``: attributes of the DID; ``since`` and ``will_rerate``: as in ``holders.assign``.
    """
    before = {name: getattr(did, name) for name in values}
    bumped = did.bump(*did.set_values(values))
    more = {"required": (did.client_id,), **_assigned_number(did, in_inventory(did.number))}
    holder = Assignment.holder_of_number(did.number)
    writes = holders.assign(reseller_id, holder, since, scope.now, will_rerate=will_rerate, **more)
    return [*writes, bumped, event(scope, reseller_id, "did.assigned", did.number, values, before)]


def in_inventory(number: str) -> Number:
    """A number of the operator's inventory; 404 for one that is not in it."""
    return existing(Number.find(*Number.key(number)), f"{number} is not in the inventory.")


def _assigned_number(did: Did, item: Number) -> dict[str, Any]:
    """The fields of the ``Assignment`` of a number: the client's price and pulse, and the cost in the inventory."""
    initial, increment = (did.pulse["initial"], did.pulse["increment"]) if did.pulse else DEFAULT_PULSE
    return {
        "client_id": did.client_id,
        "subaccount_id": did.subaccount_id,
        "rate_e10": did.per_minute_e10,
        "initial": initial,
        "increment": increment,
        "cost_e10": item.per_minute_e10,
    }
