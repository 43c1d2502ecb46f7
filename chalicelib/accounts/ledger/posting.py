"""Every movement of money: read the owner, decide by ``rules``, write one transaction.

An owner is a client or a reseller; its ``version`` protects its whole ledger. The owner is read first, then what
depends on it, and the transaction requires the version that was read. So a crash leaves nothing half done, and a
decision on old data fails and is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.accounts import rules
from chalicelib.accounts.store.ledger import Entry, Month, Once
from chalicelib.accounts.store.owners import Client, Owner, Reseller
from chalicelib.aws.transactions import Put, Scope, Write, commit, event, settled
from chalicelib.errors import existing
from chalicelib.outbox import enqueue


def get_reseller(reseller_id: str) -> Reseller:
    """A reseller; ``NotFound`` if there is none."""
    return existing(Reseller.find(*Reseller.key(reseller_id)))


def get_client(reseller_id: str, client_id: str) -> Client:
    """A client; ``NotFound`` if the reseller has none with this id."""
    return existing(Client.find(*Client.key(reseller_id, client_id)))


def get_owner(reseller_id: str, client_id: str | None) -> Owner:
    """A client, or for ``None`` the reseller itself; ``NotFound`` if there is none."""
    return get_reseller(reseller_id) if client_id is None else get_client(reseller_id, client_id)


@settled
def post(
    scope: Scope,
    read_owner: Callable[[], Owner],
    posting: rules.Posting,
    *more: Write,
    once: str = "",
) -> Entry:
    """Post one entry, with ``more`` writes in the same transaction; each attempt reads the owner again.

    ``once`` names the posting: a second one under the same name changes nothing and returns the first entry.
    """
    owner = read_owner()
    if once and (done := Once.find(*Once.key(owner.owner_id, once))):
        return Entry.get(*Entry.key(owner.owner_id, done.sequence), consistent_read=True)
    (entry,), writes = plan(scope, owner, [posting])
    if once:
        writes.append(Put(Once(*Once.key(owner.owner_id, once), sequence=entry.sequence)))
    commit(scope, [*writes, *more], entry)
    return entry


def plan(
    scope: Scope,
    owner: Owner,
    postings: Sequence[rules.Posting],
    *more: Action,
    months: Mapping[str, Month] | None = None,
) -> tuple[list[Entry], list[Write]]:
    """The entries and writes of postings to an owner that was just read, for one transaction.

    The owner's version is required and bumped, also without postings; ``more`` are further changes of the owner.
    ``months``: months by name that the caller has changed; the writes store them with the postings added.
    """
    account, crossings = owner.account(), tuple[str, ...]()
    entries: list[Entry] = []
    changed = dict(months or {})
    for posting, posted in zip(postings, rules.post_together(account, postings, scope.now), strict=True):
        account, crossings = posted.account, posted.crossings
        entries.append(entry_item(scope, owner, posting, posted))
        month = changed.get(posted.period) or Month.find_or_new(owner.owner_id, posted.period)
        changed[posted.period] = with_posted(month, posting)
    writes: list[Write] = [owner_change(owner, account, *more), *(Put(entry) for entry in entries)]
    writes += [Put(month, anyway=True) for month in changed.values()]
    return entries, [*writes, *crossing_notices(scope, owner, account, crossings)]


def owner_change(owner: Owner, after: rules.Account, *more: Action) -> Write:
    """The write that gives an owner the values of ``after`` and bumps its version, if that is unchanged."""
    actions: list[Action] = [
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
    return owner.bump(*actions)


def settled_change(scope: Scope, owner: Owner, values: Mapping[str, Any]) -> list[Write]:
    """The writes that change attributes of an owner, and its service as the rules then say; the owner is changed."""
    actions = owner.set_values(values)
    after, crossings = rules.settle_service(owner.account())
    writes = [owner_change(owner, after, *actions), *crossing_notices(scope, owner, after, crossings)]
    if isinstance(owner, Client):
        owner.service, owner.low = after.service, after.low
    return writes


def entry_item(scope: Scope, owner: Owner, posting: rules.Posting, posted: rules.Posted) -> Entry:
    """The entry of a posting, as it is stored."""
    return Entry(
        *Entry.key(owner.owner_id, posted.sequence),
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
    """The month, changed: its sums have one entry more."""
    month.posted = {**month.posted, posting.kind: month.posted.get(posting.kind, 0) + posting.amount_e8}
    return month


def crossing_notices(scope: Scope, owner: Owner, after: rules.Account, crossings: Sequence[str]) -> list[Write]:
    """The writes that put crossings (of a limit or threshold) into the outbox, for the transaction that causes them."""
    if not crossings or not isinstance(owner, Client | Reseller):
        return []
    who = "client" if isinstance(owner, Client) else "account"
    balance: dict[str, Any] = {"balance_e8": after.balance_e8}
    writes: list[Write] = []
    for name in crossings:
        recorded = event(scope, owner.reseller_id, f"{who}.{name}", owner.owner_id, balance)
        writes += enqueue(recorded, threshold_e8=after.threshold_e8)
    return writes
