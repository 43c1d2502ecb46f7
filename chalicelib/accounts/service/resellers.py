"""Resellers as the operator sees them, and the reseller's own account."""

from __future__ import annotations

from typing import Any

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import get_reseller, owner_change, told
from chalicelib.accounts.service import keys
from chalicelib.accounts.service.clients import set_or_remove
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.resellers import (
    AccountPatch,
    KeyIn,
    ResellerIn,
    ResellerMade,
    ResellerOut,
    ResellerPatch,
)
from chalicelib.accounts.store.owners import Reseller, ResellerPointer
from chalicelib.accounts.store.terms import TermsHead
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Scope, commit, event, find_many, new_id, settle, settled
from chalicelib.errors import Conflict, Forbidden, ForfaitError


@settled
def create(scope: Scope, body: ResellerIn) -> ResellerMade:
    """A reseller with its first key and its (empty) terms."""
    reseller_id = new_id()
    item = Reseller(
        *Reseller.key(reseller_id),
        reseller_id=reseller_id,
        name=body.name,
        email=body.email,
        currency=body.currency,
        time_zone=body.time_zone,
        home_country=body.home_country,
        status="active" if body.activate else "pending",
        created_at=scope.now,
    )
    key = keys.new_key(scope, reseller_id, KeyIn())
    made = ResellerMade(**dict(ResellerOut.model_validate(item)), api_key=key.token)
    writes = [
        Put(item),
        Put(ResellerPointer(*ResellerPointer.key(reseller_id))),
        Put(TermsHead(*TermsHead.key(reseller_id), version=0)),
        *key.writes,
        event(scope, reseller_id, "reseller.created", reseller_id, {"status": item.status, **_said(body)}),
    ]
    commit(scope, writes, made)
    return made


def _said(body: ResellerIn) -> dict[str, Any]:
    return {name: value for name, value in body if name != "activate"}


def get(reseller_id: str) -> Reseller:
    """A reseller, with what it owes the operator as its balance; 404 for an unknown one."""
    return get_reseller(reseller_id)


def listed(request: paging.PageRequest) -> paging.Page[Reseller]:
    """A page of all resellers, oldest first."""
    page = paging.page(ResellerPointer, ResellerPointer.every(), request)
    keys = [Reseller.key(row.reseller_id) for row in page.items]
    resellers = find_many(keys, Reseller)
    return paging.Page([resellers[key] for key in keys], page.place)


def patch(scope: Scope, reseller_id: str, body: ResellerPatch) -> Reseller:
    """The operator's change of name, email or status."""
    return _change(scope, reseller_id, given(body))


def patch_account(scope: Scope, reseller_id: str, body: AccountPatch) -> Reseller:
    """A reseller's change of itself, also while it is pending; 403 once the operator has suspended it."""
    refusal = Forbidden("The reseller account is suspended; this key may only read.")
    return _change(scope, reseller_id, given(body), if_suspended=refusal)


def activate(scope: Scope, reseller_id: str) -> Reseller:
    """A pending reseller becomes active; an active one stays so; 409 for one that the operator has suspended."""
    refusal = Conflict("The operator has suspended this reseller.")
    return _change(scope, reseller_id, {"status": "active"}, if_suspended=refusal)


def _change(
    scope: Scope, reseller_id: str, changes: dict[str, Any], *, if_suspended: ForfaitError | None = None
) -> Reseller:
    stored = {"threshold_e8" if name == "low_balance_threshold" else name: value for name, value in changes.items()}

    def decide() -> Reseller:
        owner = get_reseller(reseller_id)
        if if_suspended and owner.status == "suspended":
            raise if_suspended
        before = {name: owner.attribute_values.get(name) for name in stored}
        if stored == before:
            return owner
        for name, value in stored.items():
            setattr(owner, name, value)
        after, crossings = rules.settle_service(owner.account())
        actions = [set_or_remove(getattr(Reseller, name), value) for name, value in stored.items()]
        writes = [
            owner_change(owner, after, *actions),
            *told(scope, owner, after, crossings),
            event(scope, reseller_id, "reseller.changed", reseller_id, stored, before),
        ]
        commit(scope, writes, owner)
        return owner

    return settle(decide)
