"""Phone numbers: the operator's inventory, a reseller's stock, and who of its clients has which.

A number is taken out of the inventory by a conditional write in the transaction that charges for it, so of two orders
at once one wins and the other costs nothing.
"""

from __future__ import annotations

from typing import Any

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_client, get_reseller, plan
from chalicelib.accounts.rules import Posting
from chalicelib.accounts.service import billing_dates, clients, holders, import_lock
from chalicelib.accounts.shapes import given
from chalicelib.accounts.shapes.dids import AssignIn, InventoryIn, ReleaseIn
from chalicelib.accounts.store.due import NumberFee, anchor_of
from chalicelib.accounts.store.holdings import Did, Number, SubAccount
from chalicelib.accounts.store.ledger import Once
from chalicelib.accounts.store.terms import Assignment
from chalicelib.aws import paging
from chalicelib.aws.transactions import Change, Put, Remove, Scope, Write, commit, event, settle, settled
from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.numbers import path_number
from chalicelib.principals import Principal

DEFAULT_PULSE = (6, 6)


@settled
def stock(scope: Scope, body: InventoryIn) -> Number:
    """Put a number on sale; 409 when it is in the inventory already."""
    if Number.find(*Number.key(body.number)):
        raise Conflict(f"{body.number} is in the inventory already.")
    item = Number(
        *Number.key(body.number),
        number=body.number,
        monthly_e8=body.monthly,
        setup_e8=body.setup,
        per_minute_e10=body.per_minute,
    )
    commit(scope, [Put(item), event(scope, "operator", "inventory.created", body.number, _costs(item))], item)
    return item


def inventory(request: paging.PageRequest) -> paging.Page[Number]:
    """Every number, in order, with the reseller that has it."""
    return paging.page(Number, Number.every(), request)


def available(request: paging.PageRequest) -> paging.Page[Number]:
    """The numbers that nobody has ordered, with what they cost a reseller."""
    return paging.page(Number, Number.every(), request, keep=lambda row: not row.reseller_id)


def listed(who: Principal, client_id: str | None, request: paging.PageRequest) -> paging.Page[Did]:
    """The reseller's DIDs in order of number, of one client if asked; a client's key sees its own."""
    return paging.page(Did, Did.of_reseller(who.reseller_id), request, keep=clients.only(who, client_id))


def order(scope: Scope, reseller_id: str, text: str) -> Did:
    """Take a number out of the inventory and charge the reseller its set-up and first month; 409 when it is taken."""
    number = _number(text)

    def decide() -> Did:
        found = _in_inventory(number)
        if found.reseller_id:
            mine = found.reseller_id == reseller_id
            raise Conflict(f"{number} is yours already." if mine else f"{number} is no longer available.")
        reseller = get_reseller(reseller_id)
        today = periods.local_day(scope.now, periods.zone(reseller.time_zone))
        fees = _fees(number, today[:7], found.setup_e8, found.monthly_e8)
        _, writes = plan(scope, reseller, fees)
        did = Did(*Did.key(reseller_id, number), number=number, ordered_at=scope.now)
        taken = Change(found, _owned_by(found, reseller_id), Number.version == found.version)
        recorded = event(scope, reseller_id, "did.ordered", number, _costs(found))
        commit(scope, [*writes, taken, Put(did), Put(_number_fee(reseller_id, number, today)), recorded], did)
        return did

    return settle(decide)


def assign(scope: Scope, reseller_id: str, text: str, body: AssignIn) -> Did:
    """Give a number in stock to a client, and charge its set-up and first month unless the body says no.

    404 for a number that is not the reseller's, 409 when it is assigned or the client closed, 422 for a sub-account
    that is not the client's and for a billing date in the past.
    """
    number = _number(text)

    def decide() -> Did:
        did = _mine(reseller_id, number)
        if did.client_id:
            raise Conflict(f"{number} is assigned to client {did.client_id}; release it first.")
        client = clients.open_client(reseller_id, body.client_id)
        _check_subaccount(reseller_id, body)
        billing_dates.refuse_past(reseller_id, scope.now, given(body).get("next_billing_date"))
        today = billing_dates.today(reseller_id, scope.now)
        setup_e8 = body.setup if body.charge_setup else 0
        monthly_e8 = body.monthly if body.charge_monthly else 0
        entries, writes = plan(scope, client, _fees(number, today[:7], setup_e8, monthly_e8))
        once = Once.key(client.client_id, Once.fee(number, today))
        # The first month begins today: a billing date of today must not charge it again.
        writes += [
            Put(Once(*once, sequence=entry.sequence), anyway=True) for entry in entries if entry.kind == "did_monthly"
        ]
        writes += [*handing(scope, reseller_id, did, body, today), import_lock.absent(scope, reseller_id)]
        commit(scope, writes, did)
        return did

    return settle(decide)


def handing(scope: Scope, reseller_id: str, did: Did, body: AssignIn, today: str) -> list[Write]:
    """The writes that give a number to a client, beside those that bump the client; ``did`` is changed on the way."""
    changes = _assigned(body, today)
    before = {name: getattr(did, name) for name in changes}
    for name, value in changes.items():
        setattr(did, name, value)
    writes = _dated(scope, reseller_id, did.number, body, body.client_id, _held(did, _in_inventory(did.number)))
    recorded = event(scope, reseller_id, "did.assigned", did.number, changes, before)
    return [*writes, _change(did, changes), recorded]


def release(scope: Scope, reseller_id: str, text: str, body: ReleaseIn) -> Did:
    """Take a number back into the reseller's stock; 409 when it is in stock, or calls since then are rated."""
    number = _number(text)
    nobody: dict[str, Any] = {
        "client_id": "",
        "subaccount_id": "",
        "monthly_e8": 0,
        "setup_e8": 0,
        "per_minute_e10": 0,
        "pulse": None,
        "next_billing_date": None,
        "anchor_day": None,
    }

    def decide() -> Did:
        did = _mine(reseller_id, number)
        if not did.client_id:
            raise Conflict(f"{number} is not assigned.")
        client_id = did.client_id
        _, writes = plan(scope, get_client(reseller_id, client_id), [])
        writes += _dated(scope, reseller_id, number, body, client_id, {})
        before = {name: getattr(did, name) for name in nobody}
        for name, value in nobody.items():
            setattr(did, name, value)
        recorded = event(scope, reseller_id, "did.released", number, nobody, before)
        commit(scope, [*writes, _change(did, nobody), import_lock.absent(scope, reseller_id), recorded], did)
        return did

    return settle(decide)


def cancel(scope: Scope, reseller_id: str, text: str) -> Number:
    """Give a number back to the inventory; 409 while a client has it. Nothing is refunded."""
    number = _number(text)

    def decide() -> Number:
        did, found = _mine(reseller_id, number), _in_inventory(number)
        if did.client_id:
            raise Conflict(f"{number} is assigned to client {did.client_id}; release it first.")
        gone = Remove(did, Did.version == did.version)
        back = Change(found, _owned_by(found, ""), Number.version == found.version)
        ended = NumberFee.find(*NumberFee.key(reseller_id, number))
        writes: list[Write] = [Remove(ended, NumberFee.version == ended.version)] if ended else []
        writes += [gone, back, import_lock.absent(scope, reseller_id)]
        commit(scope, [*writes, event(scope, reseller_id, "did.cancelled", number)], found)
        return found

    return settle(decide)


def _number(text: str) -> str:
    """A number in a path; what is none is a number nobody has."""
    try:
        return path_number(text)
    except ValueError as problem:
        raise NotFound(f"{text} {problem}") from None


def _in_inventory(number: str) -> Number:
    found = Number.find(*Number.key(number))
    if found is None:
        raise NotFound(f"{number} is not in the inventory.")
    return found


def _mine(reseller_id: str, number: str) -> Did:
    found = Did.find(*Did.key(reseller_id, number))
    if found is None:
        raise NotFound(f"{number} is none of your DIDs; order it first.")
    return found


def _costs(found: Number) -> dict[str, Any]:
    return {name: int(getattr(found, name)) for name in ("monthly_e8", "setup_e8", "per_minute_e10")}


def _owned_by(found: Number, reseller_id: str) -> list[Any]:
    return [Number.reseller_id.set(reseller_id), Number.version.set(found.version + 1)]


def _fees(number: str, month: str, setup_e8: int, monthly_e8: int) -> list[Posting]:
    """The debits of a DID that begins; what is free makes no entry."""
    wanted = (("did_setup", setup_e8, "Set-up"), ("did_monthly", monthly_e8, "First month"))
    return [Posting(kind, -fee, f"{what} of {number}", month, f"did:{number}") for kind, fee, what in wanted if fee]


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
    found = SubAccount.find(*SubAccount.key(reseller_id, body.subaccount_id))
    if found is None or found.client_id != body.client_id:
        raise Invalid.field("subaccount_id", "must be a sub-account of this client")


def _assigned(body: AssignIn, today: str) -> dict[str, Any]:
    """The DID's fields under this assignment; the next month is due one month on, unless the body says otherwise."""
    asked = "next_billing_date" in given(body)
    due = body.next_billing_date if asked else periods.add_month(today)
    return {
        "client_id": body.client_id,
        "subaccount_id": body.subaccount_id or "",
        "monthly_e8": body.monthly,
        "setup_e8": body.setup,
        "per_minute_e10": body.per_minute,
        "pulse": dict(body.pulse) if body.pulse else None,
        "next_billing_date": due,
        # A month on from the 31st may be the 28th, and the month after it is the 31st again.
        "anchor_day": anchor_of(due if asked else today),
    }


def _held(did: Did, found: Number) -> dict[str, Any]:
    """What the assignment says about a call: the client's price and pulse, and the inventory's cost."""
    initial, increment = (did.pulse["initial"], did.pulse["increment"]) if did.pulse else DEFAULT_PULSE
    return {
        "client_id": did.client_id,
        "subaccount_id": did.subaccount_id,
        "rate_e10": did.per_minute_e10,
        "initial": initial,
        "increment": increment,
        "cost_e10": found.per_minute_e10,
    }


def _dated(
    scope: Scope, reseller_id: str, number: str, body: AssignIn | ReleaseIn, fenced: str, held: dict[str, Any]
) -> list[Write]:
    """The dated assignment; ``fenced`` is the client whose version the transaction requires."""
    more = {"fenced": (fenced,), "will_rerate": body.will_rerate, **held}
    return holders.assign(reseller_id, Assignment.holder_of_number(number), body.effective_from, scope.now, **more)


def _change(did: Did, changes: dict[str, Any]) -> Write:
    version = did.version
    actions = [clients.set_or_remove(getattr(Did, name), value) for name, value in changes.items()]
    return Change(did, [Did.version.set(version + 1), *actions], Did.version == version)
