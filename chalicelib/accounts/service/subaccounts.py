"""Sub-accounts: who makes calls, and the package that prices them."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.ledger.posting import get_client, plan
from chalicelib.accounts.rules import Posting
from chalicelib.accounts.service import billing_dates, clients, holders, import_lock, packages
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.subaccounts import SubAccountIn, SubAccountPatch
from chalicelib.accounts.store.due import anchor_of
from chalicelib.accounts.store.holdings import Did, SubAccount, Username
from chalicelib.accounts.store.terms import Assignment
from chalicelib.aws import paging
from chalicelib.aws.transactions import Change, Put, Remove, Scope, Write, commit, event, new_id, settle, settled
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.principals import Principal


@settled
def create(scope: Scope, reseller_id: str, body: SubAccountIn) -> SubAccount:
    """A sub-account, its package attached to the client if needed, and, if asked, the set-up fee charged.

    All in one transaction. 404 for an unknown client or package, 409 for a closed client or a user name that was ever
    used before, 422 for a billing date in the past.
    """
    billing_dates.refuse_past(reseller_id, scope.now, body.next_billing_date)
    client = clients.open_client(reseller_id, body.client_id)
    package = packages.get(reseller_id, body.package_id)
    if Username.find(*Username.key(reseller_id, body.username)):
        raise Conflict(f"The user name {body.username} is taken; names are never used again.")
    item = new_item(scope, reseller_id, new_id(), body)
    fee = _setup_fee(scope, reseller_id, item, package.setup_fee_e8) if body.charge_setup_fee_now else []
    _, writes = plan(scope, client, fee)
    commit(scope, [*writes, *making(scope, reseller_id, item), import_lock.absent(scope, reseller_id)], item)
    return item


def get(who: Principal, subaccount_id: str) -> SubAccount:
    """A sub-account; 404 for a stranger's, for a client's key also another client's."""
    found = SubAccount.find(*SubAccount.key(who.reseller_id, subaccount_id))
    if found is None or (who.client_id and found.client_id != who.client_id):
        raise NotFound()
    return found


def listed(who: Principal, client_id: str | None, request: paging.PageRequest) -> paging.Page[SubAccount]:
    """Sub-accounts, oldest first, of one client if asked; a client's key sees its own."""
    return paging.page(SubAccount, SubAccount.of_reseller(who.reseller_id), request, keep=clients.only(who, client_id))


def patch(scope: Scope, who: Principal, subaccount_id: str, body: SubAccountPatch) -> SubAccount:
    """Change client, package or billing date. Client and package are dated: calls before keep their payer and price.

    409 when the sub-account changes client while it holds DIDs, when calls from ``effective_from`` on are rated
    already, and while a batch is being rated. With ``will_rerate``, rated calls are no hindrance, and a client or
    package that is named is dated also when it is the present one, so that its start can be moved.
    """
    reseller_id, changes = who.reseller_id, given(body)
    asked, again = changes.pop("effective_from", None), changes.pop("will_rerate", False)

    def decide() -> SubAccount:
        item = get(who, subaccount_id)
        moved = {name: value for name, value in changes.items() if getattr(item, name) != value}
        if "next_billing_date" in moved:
            moved["anchor_day"] = anchor_of(moved["next_billing_date"])
        dated = (changes if again else moved).keys() & {"client_id", "package_id"}
        if asked is not None and not dated:
            raise Invalid.field("effective_from", "dates a change of client or package, and this request has none")
        if not moved and not dated:
            return item
        before = {name: getattr(item, name) for name in moved}
        billing_dates.refuse_past(reseller_id, scope.now, moved.get("next_billing_date"))
        old_client = item.client_id
        for name, value in moved.items():
            setattr(item, name, value)
        writes: list[Write] = [_change(item, moved)]
        if dated:
            writes.append(import_lock.absent(scope, reseller_id))
            writes += _moving(scope, reseller_id, item, old_client)
            fenced = (old_client, item.client_id)
            held = {"fenced": fenced, "will_rerate": again, **_held(item)}
            writes += holders.assign(reseller_id, _holder(item), asked, scope.now, **held)
        told = {**moved, **({} if asked is None else {"effective_from": asked})}
        recorded = event(scope, reseller_id, "subaccount.changed", subaccount_id, told, before)
        commit(scope, [*writes, recorded], item)
        return item

    return settle(decide)


@settled
def delete(scope: Scope, who: Principal, subaccount_id: str) -> None:
    """End a sub-account from now on: its calls before stay its client's. 409 while it holds DIDs."""
    item = get(who, subaccount_id)
    _refuse_with_dids(who.reseller_id, item, "deleted")
    client = get_client(who.reseller_id, item.client_id)
    _, writes = plan(scope, client, [])
    writes += [Remove(item, SubAccount.version == item.version), import_lock.absent(scope, who.reseller_id)]
    fenced = (item.client_id,)
    writes += holders.assign(who.reseller_id, _holder(item), None, scope.now, fenced=fenced)
    recorded = event(scope, who.reseller_id, "subaccount.deleted", subaccount_id, None, _told(item))
    commit(scope, [*writes, recorded])


def new_item(scope: Scope, reseller_id: str, subaccount_id: str, body: SubAccountIn) -> SubAccount:
    """A sub-account that is not stored yet."""
    return SubAccount(
        *SubAccount.key(reseller_id, subaccount_id),
        subaccount_id=subaccount_id,
        username=body.username,
        client_id=body.client_id,
        package_id=body.package_id,
        next_billing_date=body.next_billing_date,
        anchor_day=anchor_of(body.next_billing_date),
        created_at=scope.now,
    )


def making(scope: Scope, reseller_id: str, item: SubAccount) -> list[Write]:
    """The writes that make a sub-account and attach its package, beside those that bump its client."""
    name = Username(*Username.key(reseller_id, item.username), subaccount_id=item.subaccount_id)
    writes = _attached(scope, reseller_id, item.client_id, item.package_id)
    writes += holders.assign(reseller_id, _holder(item), None, scope.now, fenced=(item.client_id,), **_held(item))
    recorded = event(scope, reseller_id, "subaccount.created", item.subaccount_id, _told(item))
    return [*writes, Put(item), Put(name), recorded]


def _told(item: SubAccount) -> dict[str, Any]:
    """What the audit trail says of a sub-account that begins or ends."""
    names = ("username", "client_id", "package_id", "next_billing_date")
    return {name: getattr(item, name) for name in names if getattr(item, name)}


def _holder(item: SubAccount) -> str:
    return Assignment.holder_of_account(item.username)


def _held(item: SubAccount) -> dict[str, Any]:
    return {"client_id": item.client_id, "subaccount_id": item.subaccount_id, "package_id": item.package_id}


def _setup_fee(scope: Scope, reseller_id: str, item: SubAccount, fee_e8: int) -> list[Posting]:
    if not fee_e8:
        return []
    month = billing_dates.today(reseller_id, scope.now)[:7]
    return [Posting("package_setup", -fee_e8, f"Set-up of {item.username}", month, f"subaccount:{item.subaccount_id}")]


def _attached(scope: Scope, reseller_id: str, client_id: str, package_id: str) -> list[Write]:
    """The writes that attach the package, none when the client has it."""
    if clients.holds(reseller_id, client_id, package_id):
        return []
    return clients.attaching(scope, reseller_id, client_id, package_id)[1]


def _moving(scope: Scope, reseller_id: str, item: SubAccount, old_client_id: str) -> list[Write]:
    """Bump the clients on both sides, and attach the package where it is needed."""
    client = clients.open_client(reseller_id, item.client_id)
    packages.get(reseller_id, item.package_id)
    _, writes = plan(scope, client, [])
    if item.client_id != old_client_id:
        _refuse_with_dids(reseller_id, item, "moved to another client")
        writes += plan(scope, get_client(reseller_id, old_client_id), [])[1]
    return [*writes, *_attached(scope, reseller_id, item.client_id, item.package_id)]


def _change(item: SubAccount, moved: dict[str, Any]) -> Write:
    version = item.version
    actions = [clients.set_or_remove(getattr(SubAccount, name), value) for name, value in moved.items()]
    return Change(item, [SubAccount.version.set(version + 1), *actions], SubAccount.version == version)


def _refuse_with_dids(reseller_id: str, item: SubAccount, what: str) -> None:
    held = [row.number for row in Did.under(*Did.of_reseller(reseller_id)) if row.subaccount_id == item.subaccount_id]
    if held:
        raise Conflict(f"The sub-account holds {', '.join(held[:20])} and cannot be {what}; release the DIDs first.")
