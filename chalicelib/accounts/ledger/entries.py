"""Entries by hand: payments, charges, reversals. For clients, and for what resellers owe."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib import money, periods
from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import client_of, entry_key, plan, post, reseller_of
from chalicelib.accounts.shapes.ledgers import PostingIn
from chalicelib.accounts.store.ledger import Entry, Once
from chalicelib.accounts.store.owners import Owner
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import Conflict, NotFound


def pay_client(scope: Scope, reseller_id: str, client_id: str, body: PostingIn) -> Entry:
    """A client's payment, which may bring its service back."""
    return _post(scope, reseller_id, client_of(reseller_id, client_id), "payment", body.amount, body)


def charge_client(scope: Scope, reseller_id: str, client_id: str, body: PostingIn) -> Entry:
    return _post(scope, reseller_id, client_of(reseller_id, client_id), "charge", -body.amount, body)


def pay_reseller(scope: Scope, reseller_id: str, body: PostingIn) -> Entry:
    """What a reseller paid to the operator."""
    return _post(scope, reseller_id, reseller_of(reseller_id), "payment", body.amount, body)


def charge_reseller(scope: Scope, reseller_id: str, body: PostingIn) -> Entry:
    return _post(scope, reseller_id, reseller_of(reseller_id), "charge", -body.amount, body)


def reverse_client(scope: Scope, reseller_id: str, client_id: str, entry_id: str) -> Entry:
    return _reverse(scope, reseller_id, client_of(reseller_id, client_id), entry_id)


def reverse_reseller(scope: Scope, reseller_id: str, entry_id: str) -> Entry:
    """Undo an entry of what a reseller owes."""
    return _reverse(scope, reseller_id, reseller_of(reseller_id), entry_id)


@settled
def _reverse(scope: Scope, reseller_id: str, read_owner: Callable[[], Owner], entry_id: str) -> Entry:
    """Undo an entry by a new one, in the month it belonged to if that is open.

    404 for an unknown entry, 409 for one that was reversed before, or is of a kind that cannot be.
    """
    owner = read_owner()
    pk = f"L#{owner.owner_id}"
    entry = Entry.find(pk, entry_key(int(entry_id))) if entry_id.isascii() and entry_id.isdigit() else None
    if entry is None or entry.entry_id != entry_id:
        raise NotFound()
    if entry.kind in rules.IRREVERSIBLE:
        raise Conflict(_why_not(entry.kind))
    done = f"ONCE#reverse:{entry_id}"
    if earlier := Once.find(pk, done):
        raise Conflict(f"Entry {entry_id} was reversed by entry {earlier.sequence}.")
    posting = rules.Posting(
        "reversal",
        -entry.amount_e8,
        f"Reversal of entry {entry_id} ({entry.kind})",
        entry.usage_month,
        reversal_of=entry_id,
    )
    (reversal,), writes = plan(scope, owner, [posting])
    writes.append(Put(Once(pk, done, sequence=int(reversal.entry_id))))
    changes = {"entry_id": reversal.entry_id, "reversal_of": entry_id}
    commit(scope, [*writes, event(scope, reseller_id, "ledger.reversal", owner.owner_id, changes)], reversal)
    return reversal


def _post(
    scope: Scope, reseller_id: str, read_owner: Callable[[], Owner], kind: str, amount_e8: int, body: PostingIn
) -> Entry:
    reseller = reseller_of(reseller_id)()
    owner_id = read_owner().owner_id
    month = periods.local_month(scope.now, periods.zone(reseller.time_zone))
    posting = rules.Posting(kind, amount_e8, body.description, month)
    told = {"amount": money.format_amount(amount_e8)}
    return post(
        scope,
        read_owner,
        posting,
        beside=lambda: [event(scope, reseller_id, f"ledger.{kind}", owner_id, told)],
    )


def _why_not(kind: str) -> str:
    if kind == "call_usage":
        return "Calls are not reversed by hand; rate their batch again."
    if kind == "reversal":
        return "A reversal cannot be reversed; post a new entry."
    return "An entry that PayPal made follows PayPal; refund it there."
