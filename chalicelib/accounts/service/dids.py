"""Phone numbers: the operator's inventory, the stock of a reseller, and the numbers that its clients have.

A number leaves the inventory by a conditional write in the transaction that charges for it. So of two orders at once
one succeeds, and the other one costs nothing.
"""

from __future__ import annotations

from typing import Any

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_client, get_reseller, plan
from chalicelib.accounts.rules import Posting
from chalicelib.accounts.service import billing_dates, clients, creating, holders, import_lock
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.dids import AssignIn, InventoryIn, ReleaseIn
from chalicelib.accounts.store.due import NumberFee, anchor_of
from chalicelib.accounts.store.holdings import Did, Number, SubAccount
from chalicelib.accounts.store.ledger import Once
from chalicelib.accounts.store.terms import Assignment
from chalicelib.aws import paging
from chalicelib.aws.transactions import Put, Remove, Scope, Write, commit, event, settled
from chalicelib.errors import Conflict, Invalid, NotFound, existing
from chalicelib.numbers import path_number
from chalicelib.principals import Principal

_UNASSIGNED: dict[str, Any] = {
    "client_id": "",
    "subaccount_id": "",
    "monthly_e8": 0,
    "setup_e8": 0,
    "per_minute_e10": 0,
    "pulse": None,
    "next_billing_date": None,
    "anchor_day": None,
}
"""Attributes of a DID that no client has."""


@settled
def add_to_inventory(scope: Scope, body: InventoryIn) -> Number:
    """Offer a number to resellers; 409 if it is in the inventory already."""
    key = Number.key(body.number)
    if Number.find(*key):
        raise Conflict(f"{body.number} is in the inventory already.")
    item = Number(
        *key,
        number=body.number,
        monthly_e8=body.monthly,
        setup_e8=body.setup,
        per_minute_e10=body.per_minute,
    )
    commit(scope, [Put(item), event(scope, "operator", "inventory.created", body.number, _costs(item))], item)
    return item


def inventory(request: paging.PageRequest) -> paging.Page[Number]:
    """A page of all numbers, in order, with the reseller that has each."""
    return paging.page(Number, Number.every(), request)


def available(request: paging.PageRequest) -> paging.Page[Number]:
    """A page of the numbers that no reseller has, with what they cost one."""
    return paging.page(Number, Number.every(), request, keep=lambda row: not row.reseller_id)


def listed(who: Principal, client_id: str | None, request: paging.PageRequest) -> paging.Page[Did]:
    """A page of the reseller's DIDs in order of number, of one client if given; for a client's key its own."""
    return paging.page(Did, Did.of_reseller(who.reseller_id), request, keep=clients.filter_of(who, client_id))


@settled
def order(scope: Scope, reseller_id: str, text: str) -> Did:
    """Take a number out of the inventory, and charge the reseller its set-up and first month.

    404 for a number that is not in the inventory, 409 for one that a reseller has.
    """
    number = _number(text)
    item = creating.in_inventory(number)
    if item.reseller_id:
        own = item.reseller_id == reseller_id
        raise Conflict(f"{number} is yours already." if own else f"{number} is no longer available.")
    reseller = get_reseller(reseller_id)
    today = reseller.calendar.day_of(scope.now)
    _, writes = plan(scope, reseller, _fees(number, today[:7], item.setup_e8, item.monthly_e8))
    did = Did(*Did.key(reseller_id, number), number=number, ordered_at=scope.now)
    taken = item.bump(Number.reseller_id.set(reseller_id))
    recorded = event(scope, reseller_id, "did.ordered", number, _costs(item))
    commit(scope, [*writes, taken, Put(did), Put(_number_fee(reseller_id, number, today)), recorded], did)
    return did


@settled
def assign(scope: Scope, reseller_id: str, text: str, body: AssignIn) -> Did:
    """Give a number in stock to a client, and charge its set-up and first month unless the body says no.

    404 for a number that the reseller does not have, 409 if a client has it or the client is closed, 422 for a
    sub-account of another client and for a billing date in the past.
    """
    number = _number(text)
    did = _own(reseller_id, number)
    if did.client_id:
        raise Conflict(f"{number} is assigned to client {did.client_id}; release it first.")
    client = clients.open_client(reseller_id, body.client_id)
    _check_subaccount(reseller_id, body)
    billing_dates.refuse_past(reseller_id, scope.now, given(body).get("next_billing_date"))
    today = billing_dates.today(reseller_id, scope.now)
    setup_e8 = body.setup if body.charge_setup else 0
    monthly_e8 = body.monthly if body.charge_monthly else 0
    entries, writes = plan(scope, client, _fees(number, today[:7], setup_e8, monthly_e8))
    # The first month begins today, so a billing date of today must not charge it again.
    once = Once.key(client.client_id, Once.fee(number, today))
    first_month = [entry for entry in entries if entry.kind == "did_monthly"]
    writes += [Put(Once(*once, sequence=entry.sequence), anyway=True) for entry in first_month]
    since, will_rerate = body.effective_from, body.will_rerate
    given_to = creating.did_writes(scope, reseller_id, did, assigned(body, today), since, will_rerate=will_rerate)
    writes += [*given_to, import_lock.require_free(scope, reseller_id)]
    commit(scope, writes, did)
    return did


@settled
def release(scope: Scope, reseller_id: str, text: str, body: ReleaseIn) -> Did:
    """Take a number back into the reseller's stock; 409 if it is in stock, or later calls are rated already."""
    number = _number(text)
    did = _own(reseller_id, number)
    if not did.client_id:
        raise Conflict(f"{number} is not assigned.")
    client = get_client(reseller_id, did.client_id)
    holder, since, required = Assignment.holder_of_number(number), body.effective_from, (did.client_id,)
    writes = holders.assign(reseller_id, holder, since, scope.now, required=required, will_rerate=body.will_rerate)
    before = {name: getattr(did, name) for name in _UNASSIGNED}
    bumped = did.bump(*did.set_values(_UNASSIGNED))
    recorded = event(scope, reseller_id, "did.released", number, _UNASSIGNED, before)
    commit(scope, [client.bump(), *writes, bumped, import_lock.require_free(scope, reseller_id), recorded], did)
    return did


@settled
def cancel(scope: Scope, reseller_id: str, text: str) -> Number:
    """Give a number back to the inventory; 409 while a client has it. Nothing is refunded."""
    number = _number(text)
    did, item = _own(reseller_id, number), creating.in_inventory(number)
    if did.client_id:
        raise Conflict(f"{number} is assigned to client {did.client_id}; release it first.")
    fee = NumberFee.find(*NumberFee.key(reseller_id, number))
    writes: list[Write] = [Remove(fee, fee.unchanged())] if fee else []
    writes += [Remove(did, did.unchanged()), item.bump(Number.reseller_id.set(""))]
    writes += [import_lock.require_free(scope, reseller_id), event(scope, reseller_id, "did.cancelled", number)]
    commit(scope, writes, item)
    return item


def _number(text: str) -> str:
    """The number of a path; 404 if it is not one."""
    try:
        return path_number(text)
    except ValueError as problem:
        raise NotFound(f"{text} {problem}") from None


def _own(reseller_id: str, number: str) -> Did:
    return existing(Did.find(*Did.key(reseller_id, number)), f"{number} is none of your DIDs; order it first.")


def _costs(item: Number) -> dict[str, int]:
    return {name: getattr(item, name) for name in ("monthly_e8", "setup_e8", "per_minute_e10")}


def _fees(number: str, month: str, setup_e8: int, monthly_e8: int) -> list[Posting]:
    """The debits for a DID that begins in a month; none for an amount of 0."""
    fees = (("did_setup", setup_e8, "Set-up"), ("did_monthly", monthly_e8, "First month"))
    return [
        Posting(kind, -fee_e8, f"{name} of {number}", month, f"did:{number}") for kind, fee_e8, name in fees if fee_e8
    ]


def _number_fee(reseller_id: str, number: str, today: str) -> NumberFee:
    """When the reseller pays the next month of a number that it orders today."""
    return NumberFee(
        *NumberFee.key(reseller_id, number),
        number=number,
        next_billing_date=periods.add_month(today),
        anchor_day=anchor_of(today),
    )


def _check_subaccount(reseller_id: str, body: AssignIn) -> None:
    if body.subaccount_id is None:
        return
    item = SubAccount.find(*SubAccount.key(reseller_id, body.subaccount_id))
    if item is None or item.client_id != body.client_id:
        raise Invalid.field("subaccount_id", "must be a sub-account of this client")


def assigned(body: AssignIn, today: str) -> dict[str, Any]:
    """The attributes of a DID that is assigned today. Its next month is due in a month, unless the body has a date."""
    has_date = "next_billing_date" in given(body)
    due = body.next_billing_date if has_date else periods.add_month(today)
    return {
        "client_id": body.client_id,
        "subaccount_id": body.subaccount_id or "",
        "monthly_e8": body.monthly,
        "setup_e8": body.setup,
        "per_minute_e10": body.per_minute,
        "pulse": dict(body.pulse) if body.pulse else None,
        "next_billing_date": due,
        # One month after the 31st may be the 28th, and the month after that has the 31st again.
        "anchor_day": anchor_of(due if has_date else today),
    }
