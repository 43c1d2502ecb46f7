"""Clients, and which packages they have.

A client's ``version`` protects what is attached to it. A transaction that attaches or detaches a package, sub-account
or DID bumps the version; one that closes the client or detaches something requires the version that was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import get_client, settled_change
from chalicelib.accounts.service import creating, import_lock
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.clients import PROFILE, ClientIn, ClientPatch
from chalicelib.accounts.store.holdings import ClientPackage, Did, SubAccount
from chalicelib.accounts.store.owners import Client
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Remove, Scope, commit, event, new_id, settled
from chalicelib.errors import Conflict, FieldError, NotFound, existing
from chalicelib.principals import Principal

_STORED = {
    "credit_limit": "credit_limit_e8",
    "low_balance_threshold": "threshold_e8",
    "max_rate_per_minute": "max_rate_e10",
    "daily_spend_limit": "daily_limit_e8",
}
"""Stored names of those fields of a request whose stored name has their unit."""


@settled
def create(scope: Scope, reseller_id: str, body: ClientIn) -> Client:
    """An active client with an empty ledger. A strict one starts suspended, because its balance is 0."""
    item = new_client(scope, reseller_id, new_id(), body)
    commit(
        scope,
        [Put(item), event(scope, reseller_id, "client.created", item.client_id, creating.client_fields(item))],
        item,
    )
    return item


def new_client(scope: Scope, reseller_id: str, client_id: str, body: ClientIn, status: str = "active") -> Client:
    """The item of a new client; nothing is written."""
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
    account, _ = rules.settle_service(item.account())
    item.service, item.low = account.service, account.low
    return item


def get(who: Principal, client_id: str) -> Client:
    """A client; 404 for a client of another reseller, and for the key of another client."""
    refuse_others(who, client_id)
    return get_client(who.reseller_id, client_id)


def refuse_others(who: Principal, client_id: str) -> None:
    """404 if the caller has a client's key, and that of another client."""
    if who.client_id and who.client_id != client_id:
        raise NotFound()


def filter_of(who: Principal, client_id: str | None) -> Callable[[Any], bool] | None:
    """The filter of a list by ``client_id``: the client of the caller's key, else the one asked for, else no filter.

    404 for a client that the caller may not see.
    """
    if client_id:
        get(who, client_id)
    only = who.client_id or client_id
    return (lambda row: row.client_id == only) if only else None


def open_client(reseller_id: str, client_id: str) -> Client:
    """A client to attach something to; 404 for an unknown one, 409 for one that is closed or waiting."""
    client = get_client(reseller_id, client_id)
    if client.status == "closed":
        raise Conflict("This client is closed; nothing can be attached to it.")
    if client.status == "waiting":
        raise Conflict("This client waits to be let in; set its status to active first.")
    return client


def listed(who: Principal, status: str | None, request: paging.PageRequest) -> paging.Page[Client]:
    """A page of the reseller's clients, oldest first, of one status if given; for a client's key itself only."""
    keep = (lambda row: row.status == status) if status else None
    return paging.page(Client, Client.key(who.reseller_id, who.client_id), request, keep=keep)


@settled
def patch(scope: Scope, reseller_id: str, client_id: str, body: ClientPatch) -> Client:
    """Change a client. Its service follows another balance mode, limit or threshold at once.

    404 for an unknown client, 409 for the status of a closed one.
    """
    client, changes = get_client(reseller_id, client_id), given(body)
    if "status" in changes and client.status == "closed":
        raise Conflict("A closed client cannot be opened again.")
    values = _stored(client, changes)
    changed, before = _named(values, changes), _named(client.attribute_values, changes)
    if changed == before:
        return client
    writes = settled_change(scope, client, values)
    commit(scope, [*writes, event(scope, reseller_id, "client.changed", client_id, changed, before)], client)
    return client


@settled
def close(scope: Scope, reseller_id: str, client_id: str) -> None:
    """Close a client with any balance; nothing to do if it is closed. 409 lists what is still attached."""
    client = get_client(reseller_id, client_id)
    if client.status == "closed":
        return
    attached = _attached(reseller_id, client_id)
    if attached:
        listing = "; ".join(f"{error.field}: {error.message}" for error in attached)
        raise Conflict(f"Still attached to this client: {listing}.", tuple(attached))
    closing = client.bump(Client.status.set("closed"))
    recorded = event(scope, reseller_id, "client.closed", client_id, {"balance_e8": client.balance_e8})
    commit(scope, [closing, import_lock.require_free(scope, reseller_id), recorded])


@settled
def attach(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> ClientPackage:
    """Give a client a package. 404 for an unknown client or package, 409 if the client has it, or is not active."""
    client = open_client(reseller_id, client_id)
    if creating.holds(reseller_id, client_id, package_id):
        raise Conflict("The client already has this package.")
    item, writes = creating.attach_writes(scope, reseller_id, client_id, package_id)
    commit(scope, [client.bump(), *writes], item)
    return item


def attached_packages(reseller_id: str, client_id: str, request: paging.PageRequest) -> paging.Page[ClientPackage]:
    """A page of a client's packages; 404 for an unknown client."""
    get_client(reseller_id, client_id)
    return paging.page(ClientPackage, ClientPackage.of_client(reseller_id, client_id), request)


@settled
def detach(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> None:
    """Take a package away. 404 if the client does not have it, 409 lists the sub-accounts that use it."""
    client = get_client(reseller_id, client_id)
    held = existing(creating.holds(reseller_id, client_id, package_id))
    users = [sub.username for sub in _subaccounts(reseller_id, client_id) if sub.package_id == package_id]
    if users:
        raise Conflict(f"Sub-accounts use this package: {_first(users)}.")
    recorded = event(scope, reseller_id, "client.package_detached", client_id, {"package_id": package_id})
    commit(scope, [client.bump(), Remove(held, ClientPackage.pk.exists()), recorded])


def _stored(client: Client, changes: dict[str, Any]) -> dict[str, Any]:
    """The fields of a patch as attributes of the item."""
    values = {_STORED.get(name, name): value for name, value in changes.items() if name not in PROFILE}
    profile = {name: value for name, value in changes.items() if name in PROFILE}
    return {**values, "profile": {**client.profile, **profile}} if profile else values


def _named(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Of attributes, those of the fields of a patch, without the level ``profile``: the fields of an audit event."""
    names = [_STORED.get(name, name) for name in changes]
    return {name: (values["profile"] if name in PROFILE else values).get(name) for name in names}


def _subaccounts(reseller_id: str, client_id: str) -> list[SubAccount]:
    return [row for row in SubAccount.under(*SubAccount.of_reseller(reseller_id)) if row.client_id == client_id]


def _attached(reseller_id: str, client_id: str) -> list[FieldError]:
    """What is attached to a client: one error per kind that is attached."""
    held = [row.package_id for row in ClientPackage.under(*ClientPackage.of_client(reseller_id, client_id))]
    subs = [row.username for row in _subaccounts(reseller_id, client_id)]
    dids = [row.number for row in Did.under(*Did.of_reseller(reseller_id)) if row.client_id == client_id]
    kinds = (("packages", held), ("subaccounts", subs), ("dids", dids))
    return [FieldError(kind, _first(names)) for kind, names in kinds if names]


def _first(names: list[str]) -> str:
    """The first 20 names as text, and how many more there are."""
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
