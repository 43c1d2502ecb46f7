"""Sub-accounts: each makes calls, which its package prices and its client pays."""

from __future__ import annotations

from chalicelib.accounts.ledger.posting import get_client, plan
from chalicelib.accounts.rules import Posting
from chalicelib.accounts.service import billing_dates, clients, creating, holders, import_lock, packages
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.subaccounts import SubAccountIn, SubAccountPatch
from chalicelib.accounts.store.due import anchor_of
from chalicelib.accounts.store.holdings import Did, SubAccount, Username
from chalicelib.accounts.store.terms import Assignment
from chalicelib.aws import paging
from chalicelib.aws.transactions import Remove, Scope, Write, commit, event, new_id, settled
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.principals import Principal


@settled
def create(scope: Scope, reseller_id: str, body: SubAccountIn) -> SubAccount:
    """A sub-account; attaches its package to the client if needed, and charges the set-up fee if the body says so.

    404 for an unknown client or package, 409 for a closed client or a user name that was used before, 422 for a billing
    date in the past.
    """
    billing_dates.refuse_past(reseller_id, scope.now, body.next_billing_date)
    client = clients.open_client(reseller_id, body.client_id)
    package = packages.get(reseller_id, body.package_id)
    if Username.find(*Username.key(reseller_id, body.username)):
        raise Conflict(f"The user name {body.username} is taken; names are never used again.")
    item = new_item(scope, reseller_id, new_id(), body)
    fee = _setup_fee(scope, reseller_id, item, package.setup_fee_e8) if body.charge_setup_fee_now else []
    _, writes = plan(scope, client, fee)
    writes += [*creating.subaccount_writes(scope, reseller_id, item), import_lock.require_free(scope, reseller_id)]
    commit(scope, writes, item)
    return item


def get(who: Principal, subaccount_id: str) -> SubAccount:
    """A sub-account; 404 for one of another reseller, and for a client's key of another client."""
    item = SubAccount.find(*SubAccount.key(who.reseller_id, subaccount_id))
    if item is None or (who.client_id and item.client_id != who.client_id):
        raise NotFound()
    return item


def listed(who: Principal, client_id: str | None, request: paging.PageRequest) -> paging.Page[SubAccount]:
    """A page of sub-accounts, oldest first, of one client if given; for a client's key its own."""
    key, keep = SubAccount.of_reseller(who.reseller_id), clients.filter_of(who, client_id)
    return paging.page(SubAccount, key, request, keep=keep)


@settled
def patch(scope: Scope, who: Principal, subaccount_id: str, body: SubAccountPatch) -> SubAccount:
    """Change client, package or billing date. Client and package are dated: earlier calls keep their payer and price.

    409 if the sub-account changes client while it has DIDs, if calls from ``effective_from`` on are rated already, and
    while a batch is being rated. With ``will_rerate``, rated calls are no hindrance, and the present client or package
    may be named to move its beginning.
    """
    reseller_id, changes = who.reseller_id, given(body)
    since, will_rerate = changes.pop("effective_from", None), changes.pop("will_rerate", False)
    item = get(who, subaccount_id)
    changed = {name: value for name, value in changes.items() if getattr(item, name) != value}
    if "next_billing_date" in changed:
        changed["anchor_day"] = anchor_of(changed["next_billing_date"])
    dated = (changes if will_rerate else changed).keys() & {"client_id", "package_id"}
    if since is not None and not dated:
        raise Invalid.field("effective_from", "dates a change of client or package, and this request has none")
    if not changed and not dated:
        return item
    before = {name: getattr(item, name) for name in changed}
    billing_dates.refuse_past(reseller_id, scope.now, changed.get("next_billing_date"))
    old_client_id = item.client_id
    writes: list[Write] = [item.bump(*item.set_values(changed))]
    if dated:
        writes.append(import_lock.require_free(scope, reseller_id))
        writes += _move_writes(scope, reseller_id, item, old_client_id)
        more = {
            "required": (old_client_id, item.client_id),
            "will_rerate": will_rerate,
            **creating.assigned_account(item),
        }
        writes += holders.assign(reseller_id, _holder(item), since, scope.now, **more)
    fields = {**changed, **({} if since is None else {"effective_from": since})}
    commit(scope, [*writes, event(scope, reseller_id, "subaccount.changed", subaccount_id, fields, before)], item)
    return item


@settled
def delete(scope: Scope, who: Principal, subaccount_id: str) -> None:
    """End a sub-account now: its earlier calls stay its client's. 409 while it has DIDs."""
    item = get(who, subaccount_id)
    _refuse_with_dids(who.reseller_id, item, "deleted")
    client = get_client(who.reseller_id, item.client_id)
    assigned = holders.assign(who.reseller_id, _holder(item), None, scope.now, required=(item.client_id,))
    recorded = event(
        scope, who.reseller_id, "subaccount.deleted", subaccount_id, None, creating.subaccount_fields(item)
    )
    gone, free = Remove(item, item.unchanged()), import_lock.require_free(scope, who.reseller_id)
    commit(scope, [client.bump(), gone, free, *assigned, recorded])


def new_item(scope: Scope, reseller_id: str, subaccount_id: str, body: SubAccountIn) -> SubAccount:
    """The item of a new sub-account; nothing is written."""
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


def _holder(item: SubAccount) -> str:
    return Assignment.holder_of_account(item.username)


def _setup_fee(scope: Scope, reseller_id: str, item: SubAccount, fee_e8: int) -> list[Posting]:
    if not fee_e8:
        return []
    month = billing_dates.today(reseller_id, scope.now)[:7]
    return [Posting("package_setup", -fee_e8, f"Set-up of {item.username}", month, f"subaccount:{item.subaccount_id}")]


def _move_writes(scope: Scope, reseller_id: str, item: SubAccount, old_client_id: str) -> list[Write]:
    """The writes that bump the old and the new client, and attach the package to the new one unless it has it."""
    client = clients.open_client(reseller_id, item.client_id)
    packages.get(reseller_id, item.package_id)
    writes: list[Write] = [client.bump()]
    if item.client_id != old_client_id:
        _refuse_with_dids(reseller_id, item, "moved to another client")
        writes.append(get_client(reseller_id, old_client_id).bump())
    return [*writes, *creating.attach_if_needed(scope, reseller_id, item.client_id, item.package_id)]


def _refuse_with_dids(reseller_id: str, item: SubAccount, what: str) -> None:
    dids = Did.under(*Did.of_reseller(reseller_id))
    held = [row.number for row in dids if row.subaccount_id == item.subaccount_id]
    if held:
        raise Conflict(f"The sub-account holds {', '.join(held[:20])} and cannot be {what}; release the DIDs first.")
