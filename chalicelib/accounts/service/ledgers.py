"""Entries by hand: payments, charges, reversals; and reading a ledger. For clients, and for what resellers owe."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib import money, periods
from chalicelib.accounts import ledger
from chalicelib.accounts.service import clients, pages
from chalicelib.accounts.service.posting import client_of, entry_key, plan, post, reseller_of
from chalicelib.accounts.shapes.ledgers import PostingIn
from chalicelib.accounts.store import Entry, Once, Owner
from chalicelib.errors import Conflict, NotFound
from chalicelib.tables import Put, Scope, commit, event, settle
from chalicelib.web.routes import Principal


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


def of_client(who: Principal, client_id: str, asked: pages.Asked) -> pages.Rows[Entry]:
    """A client's entries, newest first."""
    return _entries(clients.get(who, client_id).owner_id, asked)


def of_reseller(reseller_id: str, asked: pages.Asked) -> pages.Rows[Entry]:
    """A reseller's entries, newest first."""
    return _entries(reseller_of(reseller_id)().owner_id, asked)


def reverse(scope: Scope, reseller_id: str, client_id: str, entry_id: str) -> Entry:
    """Undo an entry by a new one, in the month it belonged to if that is open.

    404 for an unknown entry, 409 for one that was reversed before, or is of a kind that cannot be.
    """

    def decide() -> Entry:
        client = client_of(reseller_id, client_id)()
        pk = f"L#{client_id}"
        entry = Entry.find(pk, entry_key(int(entry_id))) if entry_id.isascii() and entry_id.isdigit() else None
        if entry is None or entry.entry_id != entry_id:
            raise NotFound()
        if entry.kind in ledger.IRREVERSIBLE:
            raise Conflict(_why_not(entry.kind))
        done = f"ONCE#reverse:{entry_id}"
        if earlier := Once.find(pk, done):
            raise Conflict(f"Entry {entry_id} was reversed by entry {int(earlier.sequence)}.")
        posting = ledger.Posting(
            "reversal",
            -int(entry.amount_e8),
            f"Reversal of entry {entry_id} ({entry.kind})",
            entry.usage_month,
            reversal_of=entry_id,
        )
        (reversal,), writes = plan(scope, client, [posting])
        writes.append(Put(Once(pk, done, sequence=int(reversal.entry_id))))
        changes = {"entry_id": reversal.entry_id, "reversal_of": entry_id}
        commit(scope, [*writes, event(scope, reseller_id, "ledger.reversal", client_id, changes)], reversal)
        return reversal

    return settle(decide)


def _post(
    scope: Scope, reseller_id: str, read_owner: Callable[[], Owner], kind: str, amount_e8: int, body: PostingIn
) -> Entry:
    reseller = reseller_of(reseller_id)()
    owner_id = read_owner().owner_id
    month = periods.local_month(scope.now, periods.zone(reseller.time_zone))
    posting = ledger.Posting(kind, amount_e8, body.description, month)
    told = {"amount": money.format_amount(amount_e8)}
    return post(
        scope,
        read_owner,
        posting,
        beside=lambda: [event(scope, reseller_id, f"ledger.{kind}", owner_id, told)],
    )


def _entries(owner_id: str, asked: pages.Asked) -> pages.Rows[Entry]:
    return pages.page(Entry, f"L#{owner_id}", "ENTRY#", asked, newest_first=True)


def _why_not(kind: str) -> str:
    if kind == "call_usage":
        return "Calls are not reversed by hand; rate their batch again."
    if kind == "reversal":
        return "A reversal cannot be reversed; post a new entry."
    return "An entry that PayPal made follows PayPal; refund it there."
