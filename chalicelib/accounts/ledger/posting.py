"""Every movement of money: read the owner, decide by ``ledger``, write once.

An owner's ``version`` fences its whole ledger: the owner is read first, then what depends on it, and the one
transaction requires the version unchanged. A crash leaves nothing half done; a repeat finds its marker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.accounts import rules
from chalicelib.accounts.store import ledger as stored_ledger
from chalicelib.accounts.store import owners
from chalicelib.accounts.store.ledger import Entry, Month, Once
from chalicelib.accounts.store.owners import Client, Owner, Reseller
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, event, settled
from chalicelib.errors import NotFound
from chalicelib.outbox import enqueue


def entry_key(sequence: int) -> str:
    return f"ENTRY#{sequence:012d}"


def reseller_of(reseller_id: str) -> Callable[[], Reseller]:
    """How ``post`` reads a reseller afresh at each try."""

    def read() -> Reseller:
        found = owners.reseller(reseller_id)
        if found is None:
            raise NotFound()
        return found

    return read


def client_of(reseller_id: str, client_id: str) -> Callable[[], Client]:
    """How ``post`` reads a client afresh at each try."""

    def read() -> Client:
        found = owners.client(reseller_id, client_id)
        if found is None:
            raise NotFound()
        return found

    return read


@settled
def post(
    scope: Scope,
    read_owner: Callable[[], Owner],
    posting: rules.Posting,
    *,
    once: str = "",
    beside: Callable[[], Sequence[Write]] = tuple,
) -> Entry:
    """Post one entry, together with the writes of ``beside`` (decided afresh at each try).

    With ``once``, a second post under the same key changes nothing and returns the first entry.
    """
    owner = read_owner()
    pk = f"L#{owner.owner_id}"
    if once and (done := Once.find(pk, f"ONCE#{once}")):
        return Entry.get(pk, entry_key(done.sequence), consistent_read=True)
    more = list(beside())
    (entry,), writes = plan(scope, owner, [posting])
    if once:
        writes.append(Put(Once(pk, f"ONCE#{once}", sequence=int(entry.entry_id))))
    commit(scope, [*writes, *more], entry)
    return entry


def plan(
    scope: Scope,
    owner: Owner,
    postings: Sequence[rules.Posting],
    *more: Action,
    months: Mapping[str, Month] | None = None,
) -> tuple[list[Entry], list[Write]]:
    """The entries and writes of several postings to one owner, who was just read, for one transaction.

    The owner's version is required and bumped also when there is nothing to post: ``more`` changes it on the way,
    and so do ``months``, which the caller has changed by their names.
    """
    account, crossings = owner.account(), tuple[str, ...]()
    entries: list[Entry] = []
    changed = dict(months or {})
    for posting, posted in zip(postings, rules.post_together(account, postings, scope.now), strict=True):
        account, crossings = posted.account, posted.crossings
        entries.append(entry_item(scope, owner, posting, posted))
        month = changed.get(posted.period) or stored_ledger.month(owner.owner_id, posted.period)
        changed[posted.period] = with_posted(month, posting)
    writes: list[Write] = [owner_change(owner, account, *more), *(Put(entry) for entry in entries)]
    writes += [Put(month, anyway=True) for month in changed.values()]
    return entries, [*writes, *told(scope, owner, account, crossings)]


def owner_change(owner: Owner, after: rules.Account, *more: Action) -> Write:
    """The write that moves an owner to ``after`` and bumps its version, if nobody else did first."""
    actions: list[Action] = [
        Owner.version.set(owner.version + 1),
        Owner.balance_e8.set(after.balance_e8),
        Owner.entries.set(after.entries),
        Owner.closed_through.set(after.closed_through),
        Owner.posted_at.set(after.posted_at),
        *more,
    ]
    if isinstance(owner, Reseller):
        actions.append(Reseller.low.set(after.low))
    if isinstance(owner, Client):
        actions += [Client.service.set(after.service), Client.low.set(after.low)]
    return Change(owner, actions, Owner.version == owner.version)


def entry_item(scope: Scope, owner: Owner, posting: rules.Posting, posted: rules.Posted) -> Entry:
    return Entry(
        f"L#{owner.owner_id}",
        entry_key(posted.sequence),
        entry_id=str(posted.sequence),
        kind=posting.kind,
        amount_e8=posting.amount_e8,
        balance_after_e8=posted.account.balance_e8,
        description=posting.description,
        period=posted.period,
        usage_month=posting.usage_month,
        source=posting.source,
        posted_at=max(scope.now, posted.account.posted_at),
        actor=scope.actor,
        reversal_of=posting.reversal_of or None,
    )


def with_posted(month: Month, posting: rules.Posting) -> Month:
    """The month with one more entry in its sums."""
    month.posted = {**month.posted, posting.kind: month.posted.get(posting.kind, 0) + posting.amount_e8}
    return month


def told(scope: Scope, owner: Owner, after: rules.Account, crossings: Sequence[str]) -> list[Write]:
    """Crossings go to the outbox in the transaction that made them: recorded once, whoever sends them later."""
    if not crossings or not isinstance(owner, Client | Reseller):
        return []
    who = "client" if isinstance(owner, Client) else "account"
    balance: dict[str, Any] = {"balance_e8": after.balance_e8}
    writes: list[Write] = []
    for name in crossings:
        recorded = event(scope, owner.reseller_id, f"{who}.{name}", owner.owner_id, balance)
        writes += enqueue(recorded, threshold_e8=after.threshold_e8)
    return writes
