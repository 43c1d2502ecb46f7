"""Entries that people post: payments, charges and reversals, in a client's ledger or in a reseller's own.

``client_id`` names the ledger: that of a client, or for ``None`` the one of what the reseller owes the operator.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from chalicelib import money
from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import get_owner, get_reseller, plan, post
from chalicelib.accounts.shapes.ledgers import PostingIn
from chalicelib.accounts.store.ledger import Entry, Once
from chalicelib.aws.transactions import Put, Scope, commit, event, settled
from chalicelib.errors import Conflict, NotFound

_SIGNS = {"payment": 1, "charge": -1}


def post_entry(
    scope: Scope, reseller_id: str, client_id: str | None, kind: Literal["payment", "charge"], body: PostingIn
) -> Entry:
    """Credit a payment or debit a charge, in the reseller's present month. 404 for an unknown reseller or client."""
    month = get_reseller(reseller_id).calendar.month_of(scope.now)
    amount_e8 = _SIGNS[kind] * body.amount
    read_owner = partial(get_owner, reseller_id, client_id)
    changes = {"amount": money.format_amount(amount_e8)}
    recorded = event(scope, reseller_id, f"ledger.{kind}", read_owner().owner_id, changes)
    return post(scope, read_owner, rules.Posting(kind, amount_e8, body.description, month), recorded)


@settled
def reverse_entry(scope: Scope, reseller_id: str, client_id: str | None, entry_id: str) -> Entry:
    """Undo an entry by a new one, in the month of the entry if that is open.

    404 for an unknown entry, 409 for one that is reversed already, or whose kind cannot be reversed.
    """
    owner = get_owner(reseller_id, client_id)
    number = int(entry_id) if entry_id.isascii() and entry_id.isdigit() else 0
    entry = Entry.find(*Entry.key(owner.owner_id, number))
    if entry is None or entry.entry_id != entry_id:
        raise NotFound()
    if entry.kind in rules.IRREVERSIBLE:
        raise Conflict(_why_not(entry.kind))
    once = Once.key(owner.owner_id, Once.reversal(entry_id))
    if earlier := Once.find(*once):
        raise Conflict(f"Entry {entry_id} was reversed by entry {earlier.sequence}.")
    posting = rules.Posting(
        "reversal",
        -entry.amount_e8,
        f"Reversal of entry {entry_id} ({entry.kind})",
        entry.usage_month,
        reversal_of=entry_id,
    )
    (reversal,), writes = plan(scope, owner, [posting])
    writes.append(Put(Once(*once, sequence=reversal.sequence)))
    changes = {"entry_id": reversal.entry_id, "reversal_of": entry_id}
    commit(scope, [*writes, event(scope, reseller_id, "ledger.reversal", owner.owner_id, changes)], reversal)
    return reversal


def _why_not(kind: str) -> str:
    if kind == "call_usage":
        return "Calls are not reversed by hand; rate their batch again."
    if kind == "reversal":
        return "A reversal cannot be reversed; post a new entry."
    return "An entry that PayPal made follows PayPal; refund it there."
