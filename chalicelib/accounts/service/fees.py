"""Recurring fees: what sub-accounts, DIDs and ordered numbers cost per month, each on its date, each once.

A date is billed by one transaction: entry, balance, month, service, the key ``fee:<what>:<date>``, and the next date
on the item itself. So the date that an item carries is how far it has been billed; a crash leaves it where it was, a
repeat finds it moved, and a twin loses the race and reads again. Days that were missed are billed one after the other,
each in its own month. ``docs/recurring-fees.md`` has the rules.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from chalicelib import periods
from chalicelib.accounts.ledger.posting import get_client, get_reseller, plan
from chalicelib.accounts.rules import Posting
from chalicelib.accounts.service import term_versions
from chalicelib.accounts.store.due import Billed, NumberFee, anchor_of, due_item, due_keys
from chalicelib.accounts.store.holdings import Did, Number, SubAccount
from chalicelib.accounts.store.ledger import Once
from chalicelib.accounts.store.owners import Client, Owner, Reseller
from chalicelib.accounts.store.terms import Assignment, Package
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, settle

log = logging.getLogger(__name__)


@dataclass
class Run:
    """What one run did: dates moved on, entries posted, items that could not be billed, whether it came to an end."""

    dates: int = 0
    entries: int = 0
    failed: list[str] = field(default_factory=list)
    finished: bool = True


@dataclass(frozen=True)
class Fee:
    """One fee on one date; ``what`` names it within its payer's ledger, an amount of 0 is not posted."""

    payer: Owner
    what: str
    kind: str
    amount_e8: int
    description: str
    source: str


def bill_due(scope: Scope, reseller_id: str, out_of_time: Callable[[], bool] = lambda: False) -> Run:
    """Bill all that is due at ``scope.now`` in the reseller's day, its clients' fees and its own.

    Stops early, ``finished`` false, when ``out_of_time`` says so: the next run goes on where this one stopped. An item
    that cannot be billed keeps its date and holds up no other.
    """
    reseller = get_reseller(reseller_id)
    today, run = periods.local_day(scope.now, periods.zone(reseller.time_zone)), Run()
    for sk in due_keys(reseller_id, today):
        try:
            _bill(scope, reseller, sk, today, run)
        except Exception:
            log.exception("reseller %s: %s could not be billed", reseller_id, sk)
            run.failed.append(sk)
        if out_of_time():
            run.finished = False
            break
    return run


def _bill(scope: Scope, reseller: Reseller, sk: str, today: str, run: Run) -> None:
    """Every date of one item that is due, the oldest first: there are several where days were missed."""
    while (posted := settle(lambda: _bill_next(scope, reseller, sk, today))) is not None:
        run.dates += 1
        run.entries += posted


def _bill_next(scope: Scope, reseller: Reseller, sk: str, today: str) -> int | None:
    """Bill an item's next date and move it on by a month; how many entries that made, ``None`` when nothing is due."""
    item = due_item(reseller.reseller_id, sk)
    if item is None or not item.next_billing_date or item.next_billing_date > today:
        return None
    date = item.next_billing_date
    fee = _fee_of(reseller, item, date)
    moved = _moved_on(item, date)
    once = Once.key(fee.payer.owner_id, Once.fee(fee.what, date))
    if not fee.amount_e8 or Once.find(*once):
        commit(scope, [moved])
        return 0
    posting = Posting(fee.kind, -fee.amount_e8, f"{fee.description}, due {date}", date[:7], fee.source)
    (entry,), writes = plan(scope, fee.payer, [posting])
    commit(scope, [*writes, Put(Once(*once, sequence=entry.sequence)), moved])
    return 1


def _moved_on(item: Billed, date: str) -> Write:
    """The write that makes the same day of the next month the next date, or that month's last day if it is shorter."""
    model, version, anchor = type(item), item.version, int(item.anchor_day or anchor_of(date) or 0)
    actions = [
        model.next_billing_date.set(periods.add_month(date, anchor)),
        model.anchor_day.set(anchor),
        model.version.set(version + 1),
    ]
    return Change(item, actions, model.version == version)


def _fee_of(reseller: Reseller, item: Billed, date: str) -> Fee:
    """What an item costs on a date and who pays. The payer is read here, before anything that its version fences."""
    if isinstance(item, SubAccount):
        return _of_subaccount(reseller, item, date)
    if isinstance(item, Did):
        return _of_did(reseller, item)
    return _of_number(reseller, item)


def _of_subaccount(reseller: Reseller, item: SubAccount, date: str) -> Fee:
    """The package's monthly fee; client and package are those in force when the date begins, however late this runs."""
    begins = periods.day_start(date, periods.zone(reseller.time_zone))
    held = term_versions.assignment_at(reseller.reseller_id, Assignment.holder_of_account(item.username), begins)
    if held is None or not held.client_id:
        raise LookupError(f"nobody has sub-account {item.subaccount_id} on {date}")
    payer = get_client(reseller.reseller_id, held.client_id)
    # A package that was left since and deleted has no fee any more: the one that came after it stands in.
    package = _package(reseller, held.package_id) or _package(reseller, item.package_id)
    if package is None:
        raise LookupError(f"sub-account {item.subaccount_id} has no package")
    amount_e8 = _owed(payer, package.monthly_fee_e8)
    what, source = f"Monthly fee of {item.username} ({package.name})", f"subaccount:{item.subaccount_id}"
    return Fee(payer, item.subaccount_id, "package_monthly", amount_e8, what, source)


def _of_did(reseller: Reseller, item: Did) -> Fee:
    """What the client pays for a number it has."""
    payer = get_client(reseller.reseller_id, item.client_id)
    amount_e8 = _owed(payer, item.monthly_e8)
    return Fee(payer, item.number, "did_monthly", amount_e8, f"Monthly fee of {item.number}", f"did:{item.number}")


def _owed(client: Client, amount_e8: int) -> int:
    """A closed client has nothing that costs; should something have been left to it, it costs nothing."""
    return 0 if client.status == "closed" else amount_e8


def _of_number(reseller: Reseller, item: NumberFee) -> Fee:
    """What the reseller pays the operator for a number it ordered, at the inventory's present price."""
    payer = get_reseller(reseller.reseller_id)
    stock = Number.find(*Number.key(item.number))
    mine = stock is not None and stock.reseller_id == reseller.reseller_id
    amount_e8 = stock.monthly_e8 if stock and mine else 0
    return Fee(payer, item.number, "did_monthly", amount_e8, f"Monthly fee of {item.number}", f"did:{item.number}")


def _package(reseller: Reseller, package_id: str) -> Package | None:
    return Package.find(*Package.key(reseller.reseller_id, package_id))
