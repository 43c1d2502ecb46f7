"""Clients, and which packages they have.

A client's ``version`` fences all that is attached to it: whatever attaches or detaches a package, a sub-account or a
DID bumps it, and whoever closes or detaches requires it unchanged since it looked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.update import Action

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import get_client, owner_change, plan, told
from chalicelib.accounts.service import import_lock, packages
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.clients import PROFILE, ClientIn, ClientPatch
from chalicelib.accounts.store.holdings import ClientPackage, Did, SubAccount
from chalicelib.accounts.store.owners import Client
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit, event, new_id, settled
from chalicelib.errors import Conflict, FieldError, NotFound
from chalicelib.principals import Principal

_STORED = {
    "credit_limit": "credit_limit_e8",
    "low_balance_threshold": "threshold_e8",
    "max_rate_per_minute": "max_rate_e10",
    "daily_spend_limit": "daily_limit_e8",
}
"""Fields whose stored name has their unit."""


@settled
def create(scope: Scope, reseller_id: str, body: ClientIn) -> Client:
    """An active client with an empty ledger; a strict one starts suspended, because its balance is 0."""
    item = new_client(scope, reseller_id, new_id(), body)
    commit(scope, [Put(item), event(scope, reseller_id, "client.created", item.client_id, began_with(item))], item)
    return item


def new_client(scope: Scope, reseller_id: str, client_id: str, body: ClientIn, status: str = "active") -> Client:
    """A client that is not stored yet."""
    item = Client(
        *Client.key(reseller_id, client_id),
        reseller_id=reseller_id,
        client_id=client_id,
        status=status,
        service="active",
        balance_mode=body.balance_mode,
        credit_limit_e8=body.credit_limit,
        threshold_e8=body.low_balance_threshold,
        blocked_countries=body.blocked_countries,
        max_rate_e10=body.max_rate_per_minute,
        daily_limit_e8=body.daily_spend_limit,
        profile={name: getattr(body, name) for name in PROFILE},
        created_at=scope.now,
    )
    settled, _ = rules.settle_service(item.account())
    item.service, item.low = settled.service, settled.low
    return item


def began_with(item: Client) -> dict[str, Any]:
    """What the audit trail tells of a new client: all that was said of it."""
    names = ("balance_mode", *_STORED.values(), "blocked_countries")
    said = {**{name: getattr(item, name) for name in names}, **item.profile}
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def get(who: Principal, client_id: str) -> Client:
    """A client; 404 for a stranger's, and for a client's key that asks for another client."""
    refuse_others(who, client_id)
    return get_client(who.reseller_id, client_id)


def refuse_others(who: Principal, client_id: str) -> None:
    """404 when a client's key asks for another client."""
    if who.client_id and who.client_id != client_id:
        raise NotFound()


def only(who: Principal, client_id: str | None) -> Callable[[Any], bool] | None:
    """The filter of a list of what clients hold: one client's when asked (404 for a stranger's), or a client key's."""
    if client_id:
        get(who, client_id)
    wanted = who.client_id or client_id
    return (lambda row: row.client_id == wanted) if wanted else None


def open_client(reseller_id: str, client_id: str) -> Client:
    """A client that something may be attached to; 404 for an unknown one, 409 for one that is closed or waiting."""
    client = get_client(reseller_id, client_id)
    if client.status == "closed":
        raise Conflict("This client is closed; nothing can be attached to it.")
    if client.status == "waiting":
        raise Conflict("This client waits to be let in; set its status to active first.")
    return client


def listed(who: Principal, status: str | None, request: paging.PageRequest) -> paging.Page[Client]:
    """The reseller's clients, oldest first, those in one state if asked; a client's key sees itself."""
    keep = (lambda row: row.status == status) if status else None
    return paging.page(Client, Client.key(who.reseller_id, who.client_id), request, keep=keep)


@settled
def patch(scope: Scope, reseller_id: str, client_id: str, body: ClientPatch) -> Client:
    """Change a client; another balance mode, limit or threshold settles its service at once."""
    client, changes = get_client(reseller_id, client_id), given(body)
    if "status" in changes and client.status == "closed":
        raise Conflict("A closed client cannot be opened again.")
    stored = _stored(client, changes)
    changed, before = _flat(stored, changes), _flat(client.attribute_values, changes)
    if changed == before:
        return client
    for name, value in stored.items():
        setattr(client, name, value)
    after, crossings = rules.settle_service(client.account())
    actions = [set_or_remove(getattr(Client, name), value) for name, value in stored.items()]
    writes = [
        owner_change(client, after, *actions),
        *told(scope, client, after, crossings),
        event(scope, reseller_id, "client.changed", client_id, changed, before),
    ]
    client.service, client.low = after.service, after.low
    commit(scope, writes, client)
    return client


@settled
def close(scope: Scope, reseller_id: str, client_id: str) -> None:
    """Close a client, whatever its balance; 409 naming what is still attached. A closed one stays closed."""
    client = get_client(reseller_id, client_id)
    if client.status == "closed":
        return
    attached = _attached(reseller_id, client_id)
    if attached:
        listing = "; ".join(f"{found.field}: {found.message}" for found in attached)
        raise Conflict(f"Still attached to this client: {listing}.", tuple(attached))
    closing = Client.status.set("closed")
    recorded = event(scope, reseller_id, "client.closed", client_id, {"balance_e8": client.balance_e8})
    commit(scope, [owner_change(client, client.account(), closing), import_lock.absent(scope, reseller_id), recorded])


@settled
def attach(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> ClientPackage:
    """Give a client a package; 404 for an unknown package, 409 when the client has it, or is closed."""
    client = open_client(reseller_id, client_id)
    if holds(reseller_id, client_id, package_id):
        raise Conflict("The client already has this package.")
    item, writes = attaching(scope, reseller_id, client_id, package_id)
    _, bump = plan(scope, client, [])
    commit(scope, [*bump, *writes], item)
    return item


def holds(reseller_id: str, client_id: str, package_id: str) -> ClientPackage | None:
    return ClientPackage.find(*ClientPackage.key(reseller_id, client_id, package_id))


def attaching(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> tuple[ClientPackage, list[Write]]:
    """The writes that attach a package, beside those that bump the client. The package's version is bumped too, so
    that deleting it at the same moment loses."""
    item = ClientPackage(
        *ClientPackage.key(reseller_id, client_id, package_id),
        client_id=client_id,
        package_id=package_id,
        attached_at=scope.now,
    )
    taken = packages.bump(packages.get(reseller_id, package_id))
    recorded = event(scope, reseller_id, "client.package_attached", client_id, {"package_id": package_id})
    return item, [Put(item), taken, recorded]


def attached_packages(reseller_id: str, client_id: str, request: paging.PageRequest) -> paging.Page[ClientPackage]:
    """A client's packages."""
    get_client(reseller_id, client_id)
    return paging.page(ClientPackage, ClientPackage.of_client(reseller_id, client_id), request)


@settled
def detach(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> None:
    """Take a package away; 404 when the client does not have it, 409 naming the sub-accounts that use it."""
    client = get_client(reseller_id, client_id)
    held = holds(reseller_id, client_id, package_id)
    if held is None:
        raise NotFound()
    users = [sub.username for sub in _subaccounts(reseller_id, client_id) if sub.package_id == package_id]
    if users:
        raise Conflict(f"Sub-accounts use this package: {_some(users)}.")
    _, bump = plan(scope, client, [])
    recorded = event(scope, reseller_id, "client.package_detached", client_id, {"package_id": package_id})
    commit(scope, [*bump, Remove(held, ClientPackage.pk.exists()), recorded])


def set_or_remove(attribute: Attribute[Any], value: Any) -> Action:
    """The action that stores a value, or takes the attribute away for ``None``."""
    action: Action = attribute.remove() if value is None else attribute.set(value)
    return action


def _stored(client: Client, changes: dict[str, Any]) -> dict[str, Any]:
    """A patch's fields as attributes of the item."""
    stored = {_STORED.get(name, name): value for name, value in changes.items() if name not in PROFILE}
    profile = {name: value for name, value in changes.items() if name in PROFILE}
    return {**stored, "profile": {**client.profile, **profile}} if profile else stored


def _flat(stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """What the audit trail tells of the fields of a patch, each by its stored name."""
    names = [_STORED.get(name, name) for name in changes]
    return {name: (stored["profile"] if name in PROFILE else stored).get(name) for name in names}


def _subaccounts(reseller_id: str, client_id: str) -> list[SubAccount]:
    return [row for row in SubAccount.under(*SubAccount.of_reseller(reseller_id)) if row.client_id == client_id]


def _attached(reseller_id: str, client_id: str) -> list[FieldError]:
    held = [row.package_id for row in ClientPackage.under(*ClientPackage.of_client(reseller_id, client_id))]
    subs = [row.username for row in _subaccounts(reseller_id, client_id)]
    dids = [row.number for row in Did.under(*Did.of_reseller(reseller_id)) if row.client_id == client_id]
    found = (("packages", held), ("subaccounts", subs), ("dids", dids))
    return [FieldError(what, _some(names)) for what, names in found if names]


def _some(names: list[str]) -> str:
    """The first names of a list that may be long."""
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
