"""Resellers as the operator sees them, and the reseller's own account."""

from __future__ import annotations

from typing import Any

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_reseller, settled_change
from chalicelib.accounts.service import keys, time_zones
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
from chalicelib.aws.transactions import Put, Scope, Write, commit, event, find_many, new_id, settled
from chalicelib.errors import Conflict, Forbidden, ForfaitError


@settled
def create(scope: Scope, body: ResellerIn) -> ResellerMade:
    """A reseller with its first key and its terms, which are empty."""
    reseller_id = new_id()
    fields = {"status": "active" if body.activate else "pending", **body.model_dump(exclude={"activate"})}
    named = {"zones" if name == "time_zone" else name: value for name, value in fields.items()}
    item = Reseller(*Reseller.key(reseller_id), reseller_id=reseller_id, created_at=scope.now, **named)
    key = keys.new_key(scope, reseller_id, KeyIn())
    made = ResellerMade(**dict(_shown(item, scope.now)), api_key=key.token)
    writes = [
        Put(item),
        Put(ResellerPointer(*ResellerPointer.key(reseller_id))),
        Put(TermsHead(*TermsHead.key(reseller_id), version=0)),
        *key.writes,
        event(scope, reseller_id, "reseller.created", reseller_id, fields),
    ]
    commit(scope, writes, made)
    return made


def get(reseller_id: str) -> Reseller:
    """A reseller as it is stored; 404 for an unknown one."""
    return get_reseller(reseller_id)


def account(reseller_id: str, now: int) -> ResellerOut:
    """A reseller, with what it owes the operator as its balance; 404 for an unknown one."""
    return _shown(get_reseller(reseller_id), now)


def listed(request: paging.PageRequest, now: int) -> paging.Page[Any]:
    """A page of all resellers as they are shown, oldest first."""
    page = paging.page(ResellerPointer, ResellerPointer.every(), request)
    item_keys = [Reseller.key(row.reseller_id) for row in page.items]
    items = find_many(item_keys, Reseller)
    return paging.Page([_shown(items[key], now) for key in item_keys], page.place)


def patch(scope: Scope, reseller_id: str, body: ResellerPatch) -> ResellerOut:
    """Change name, email or status, as the operator."""
    return _change(scope, reseller_id, given(body))


def patch_account(scope: Scope, reseller_id: str, body: AccountPatch) -> ResellerOut:
    """Change the reseller's own account, also while it is pending; 403 if the operator has suspended it.

    409 for a time zone that cannot hold so early.
    """
    refusal = Forbidden("The reseller account is suspended; this key may only read.")
    return _change(scope, reseller_id, given(body), if_suspended=refusal)


def activate(scope: Scope, reseller_id: str) -> ResellerOut:
    """Make a pending reseller active; nothing to do if it is. 409 if the operator has suspended it."""
    refusal = Conflict("The operator has suspended this reseller.")
    return _change(scope, reseller_id, {"status": "active"}, if_suspended=refusal)


@settled
def _change(
    scope: Scope, reseller_id: str, changes: dict[str, Any], *, if_suspended: ForfaitError | None = None
) -> ResellerOut:
    values = {"threshold_e8" if name == "low_balance_threshold" else name: value for name, value in changes.items()}
    owner = get_reseller(reseller_id)
    if if_suspended and owner.status == "suspended":
        raise if_suspended
    required = _with_zone(scope, owner, values)
    before = {name: owner.attribute_values.get(name) for name in values}
    if values == before:
        return _shown(owner, scope.now)
    writes = [*settled_change(scope, owner, values), *required]
    changed = _shown(owner, scope.now)
    told = _told(values, scope.now), _told(before, scope.now)
    commit(scope, [*writes, event(scope, reseller_id, "reseller.changed", reseller_id, *told)], changed)
    return changed


def _with_zone(scope: Scope, owner: Reseller, values: dict[str, Any]) -> list[Write]:
    """Put the calendar in the place of the time zone that a request names; the writes that it requires."""
    name, first_day = values.pop("time_zone", None), values.pop("time_zone_from", None)
    if name is None:
        if first_day:
            time_zones.refuse_day_alone()
        return []
    calendar, required = time_zones.changed(owner, scope.now, name, first_day)
    values["zones"] = str(calendar)
    return required if values["zones"] != owner.zones else []


def _told(values: dict[str, Any], now: int) -> dict[str, Any]:
    """Changed values as the audit trail keeps them: the fields of the request instead of the calendar."""
    kept = {name: value for name, value in values.items() if name != "zones"}
    return {**kept, **time_zones.shown(periods.calendar(values["zones"]), now)} if "zones" in values else kept


def _shown(owner: Reseller, now: int) -> ResellerOut:
    zone = time_zones.shown(owner.calendar, now)
    stored = {name: str(field.validation_alias or name) for name, field in ResellerOut.model_fields.items()}
    return ResellerOut(**{name: zone[name] if name in zone else getattr(owner, stored[name]) for name in stored})
