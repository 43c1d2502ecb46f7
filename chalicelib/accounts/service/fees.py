"""Recurring fees: what sub-accounts, DIDs and ordered numbers cost per month, each on its date, each once.

One transaction bills a date: entry, balance, month, service, the name ``fee:<item>:<date>`` (``Once``), and the next
date of the item. So the date of an item says how far it is billed. A crash leaves the date as it was; a repeat finds
the next date; of two runs at once one loses the race and reads again. Missed dates are billed one after the other, each
in its own month. ``docs/recurring-fees.md`` has the rules.
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
from chalicelib.aws.transactions import Put, Scope, Write, commit, settled

log = logging.getLogger(__name__)


@dataclass
class Run:
    """What a run did: dates billed, entries posted, keys of items that could not be billed.

    ``finished`` is false if it had no time for all.
    """

    dates: int = 0
    entries: int = 0
    failed: list[str] = field(default_factory=list)
    finished: bool = True


@dataclass(frozen=True)
class Fee:
    """An item's fee on one date; ``item_id`` names the item within the ledger of its payer. 0 is not posted."""

    payer: Owner
    item_id: str
    kind: str
    amount_e8: int
    description: str
    source: str


def bill_due(scope: Scope, reseller_id: str, out_of_time: Callable[[], bool] = lambda: False) -> Run:
    """Bill all fees of a reseller and its clients that are due on the reseller's day at ``scope.now``.

    Stops early when ``out_of_time`` is true; the next run bills the rest. An item that cannot be billed keeps its date
    and does not stop the others.
    """
    reseller = get_reseller(reseller_id)
    today, run = reseller.calendar.day_of(scope.now), Run()
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
    """Bill every due date of an item, the oldest first; there are several if dates were missed."""
    while (posted := _bill_next(scope, reseller, sk, today)) is not None:
        run.dates += 1
        run.entries += posted


@settled
def _bill_next(scope: Scope, reseller: Reseller, sk: str, today: str) -> int | None:
    """Bill the next date of an item and set the one a month later: how many entries, ``None`` if nothing is due."""
    item = due_item(reseller.reseller_id, sk)
    if item is None or not item.next_billing_date or item.next_billing_date > today:
        return None
    date = item.next_billing_date
    fee = _fee_of(reseller, item, date)
    moved = _moved_on(item, date)
    once = Once.key(fee.payer.owner_id, Once.fee(fee.item_id, date))
    if not fee.amount_e8 or Once.find(*once):
        commit(scope, [moved])
        return 0
    posting = Posting(fee.kind, -fee.amount_e8, f"{fee.description}, due {date}", date[:7], fee.source)
    (entry,), writes = plan(scope, fee.payer, [posting])
    commit(scope, [*writes, Put(Once(*once, sequence=entry.sequence)), moved])
    return 1


def _moved_on(item: Billed, date: str) -> Write:
    """The write that sets the next date: the anchor day of the next month, or its last day if it is shorter."""
    model, anchor = type(item), item.anchor_day or anchor_of(date) or 0
    return item.bump(model.next_billing_date.set(periods.add_month(date, anchor)), model.anchor_day.set(anchor))


def _fee_of(reseller: Reseller, item: Billed, date: str) -> Fee:
    """What an item costs on a date, and who pays. The payer is read before all that its version protects."""
    if isinstance(item, SubAccount):
        return _of_subaccount(reseller, item, date)
    if isinstance(item, Did):
        return _of_did(reseller, item)
    return _of_number(reseller, item)


def _of_subaccount(reseller: Reseller, item: SubAccount, date: str) -> Fee:
    """The package's monthly fee. Client and package are those in force when the date begins, also if this runs later.

    ``LookupError`` if the sub-account has no client or no package then.
    """
    begins = reseller.calendar.day_start(date)
    holder = Assignment.holder_of_account(item.username)
    assigned = term_versions.assignment_at(reseller.reseller_id, holder, begins)
    if assigned is None or not assigned.client_id:
        raise LookupError(f"nobody has sub-account {item.subaccount_id} on {date}")
    payer = get_client(reseller.reseller_id, assigned.client_id)
    # The package of that date may be deleted since then; the present one has a fee.
    package = _package(reseller, assigned.package_id) or _package(reseller, item.package_id)
    if package is None:
        raise LookupError(f"sub-account {item.subaccount_id} has no package")
    amount_e8 = _owed(payer, package.monthly_fee_e8)
    description, source = f"Monthly fee of {item.username} ({package.shown_name})", f"subaccount:{item.subaccount_id}"
    return Fee(payer, item.subaccount_id, "package_monthly", amount_e8, description, source)


def _of_did(reseller: Reseller, item: Did) -> Fee:
    """What a client pays for its number."""
    payer = get_client(reseller.reseller_id, item.client_id)
    return _number_fee(payer, item.number, _owed(payer, item.monthly_e8))


def _of_number(reseller: Reseller, item: NumberFee) -> Fee:
    """What the reseller pays the operator for a number that it ordered, at the present price of the inventory."""
    payer = get_reseller(reseller.reseller_id)
    stock = Number.find(*Number.key(item.number))
    own = stock is not None and stock.reseller_id == reseller.reseller_id
    return _number_fee(payer, item.number, stock.monthly_e8 if stock and own else 0)


def _number_fee(payer: Owner, number: str, amount_e8: int) -> Fee:
    return Fee(payer, number, "did_monthly", amount_e8, f"Monthly fee of {number}", f"did:{number}")


def _owed(client: Client, amount_e8: int) -> int:
    """A closed client pays nothing, even if something should still be attached to it."""
    return 0 if client.status == "closed" else amount_e8


def _package(reseller: Reseller, package_id: str) -> Package | None:
    return Package.find(*Package.key(reseller.reseller_id, package_id))
