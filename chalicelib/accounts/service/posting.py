"""Every movement of money: read the owner, decide by ``ledger``, write once.

An owner's ``version`` fences its whole ledger: the owner is read first, then what depends on it, and the one
transaction requires the version unchanged. A crash leaves nothing half done; a repeat finds its marker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pynamodb.expressions.update import Action

from chalicelib.accounts import ledger, store
from chalicelib.accounts.store import Client, Entry, FreeMinutes, Marker, Month, Once, Owner, Reseller
from chalicelib.errors import NotFound
from chalicelib.outbox import announce
from chalicelib.tables import Change, Put, Scope, Write, commit, event, find_many, settle


@dataclass(frozen=True)
class Usage:
    """What one batch changes for one client in one local month; amounts ``_e8`` and positive.

    ``used_free`` holds, per package, the month's free seconds spent after this batch; ``latest`` the last start per
    holder (``sub:<username>``, ``did:<number>``).
    """

    batch_id: str
    generation: int
    month: str
    rated: int
    duplicates: int
    seconds: int
    amount_e8: int
    cost_e8: int
    used_free: Mapping[str, int] = field(default_factory=dict)
    latest: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A client's month as a usage commit found it; ``applied`` is set when this part of the batch is already in."""

    client: Client
    month: Month
    used_free: Mapping[str, int]
    applied: Marker | None


def entry_key(sequence: int) -> str:
    return f"ENTRY#{sequence:012d}"


def marker_key(batch_id: str, generation: int, month: str) -> str:
    return f"MARK#{batch_id}#{generation}#{month}"


def reseller_of(reseller_id: str) -> Callable[[], Reseller]:
    """How ``post`` reads a reseller afresh at each try."""

    def read() -> Reseller:
        found = store.reseller(reseller_id)
        if found is None:
            raise NotFound()
        return found

    return read


def client_of(reseller_id: str, client_id: str) -> Callable[[], Client]:
    """How ``post`` reads a client afresh at each try."""

    def read() -> Client:
        found = store.client(reseller_id, client_id)
        if found is None:
            raise NotFound()
        return found

    return read


def post(
    scope: Scope,
    read_owner: Callable[[], Owner],
    posting: ledger.Posting,
    *,
    once: str = "",
    beside: Callable[[], Sequence[Write]] = tuple,
) -> Entry:
    """Post one entry, together with the writes of ``beside`` (decided afresh at each try).

    With ``once``, a second post under the same key changes nothing and returns the first entry.
    """

    def decide() -> Entry:
        owner = read_owner()
        pk = f"L#{owner.owner_id}"
        if once and (done := Once.find(pk, f"ONCE#{once}")):
            return Entry.get(pk, entry_key(int(done.sequence)), consistent_read=True)
        more = list(beside())
        (entry,), writes = plan(scope, owner, [posting])
        if once:
            writes.append(Put(Once(pk, f"ONCE#{once}", sequence=int(entry.entry_id))))
        commit(scope, [*writes, *more], entry)
        return entry

    return settle(decide)


def plan(
    scope: Scope, owner: Owner, postings: Sequence[ledger.Posting], *more: Action
) -> tuple[list[Entry], list[Write]]:
    """The entries and writes of several postings to one owner, who was just read, for one transaction.

    The owner's version is required and bumped also when there is nothing to post: ``more`` changes it on the way.
    """
    account = owner.account()
    entries: list[Entry] = []
    months: dict[str, Month] = {}
    crossings: list[str] = []
    for posting in postings:
        posted = ledger.post(account, posting, scope.now)
        account = posted.account
        crossings += posted.crossings
        entries.append(entry_item(scope, owner, posting, posted))
        month = months.get(posted.period) or store.month(owner.owner_id, posted.period)
        months[posted.period] = with_posted(month, posting)
    writes: list[Write] = [owner_change(owner, account, *more), *(Put(entry) for entry in entries)]
    writes += [Put(month, anyway=True) for month in months.values()]
    return entries, [*writes, *told(scope, owner, account, crossings)]


def usage_snapshot(
    reseller_id: str, client_id: str, batch_id: str, generation: int, month: str, packages: Sequence[str]
) -> Snapshot:
    """Read what a usage commit is decided on. The owner comes first: all else is fenced by its version."""
    owner = client_of(reseller_id, client_id)()
    pk = f"L#{client_id}"
    marker = Marker.find(pk, marker_key(batch_id, generation, month))
    keys = [(pk, f"FREE#{package_id}#{month}") for package_id in packages]
    found = find_many(keys, FreeMinutes) if keys else {}
    used = {
        package_id: int(found[key].used_seconds) if key in found else 0
        for package_id, key in zip(packages, keys, strict=True)
    }
    return Snapshot(owner, store.month(client_id, month), used, marker)


def commit_usage(scope: Scope, snapshot: Snapshot, usage: Usage, index: Sequence[Write]) -> Marker:
    """Debit a client for its part of a batch, exactly once, with ``index`` (the segments) in the same transaction.

    Raises ``LostRace`` when the client changed since the snapshot: take a new one and decide again.
    """
    client, pk = snapshot.client, f"L#{snapshot.client.owner_id}"
    marker = Marker(
        pk,
        marker_key(usage.batch_id, usage.generation, usage.month),
        rated=usage.rated,
        duplicates=usage.duplicates,
        amount_e8=usage.amount_e8,
        cost_e8=usage.cost_e8,
    )
    months = {usage.month: _with_usage(snapshot.month, usage)}
    account, entries = client.account(), list[Write]()
    crossings: tuple[str, ...] = ()
    if usage.amount_e8:
        posting = ledger.Posting(
            "call_usage", -usage.amount_e8, f"Calls of {usage.month}", usage.month, f"batch:{usage.batch_id}"
        )
        posted = ledger.post(account, posting, scope.now)
        account, crossings = posted.account, posted.crossings
        entries = [Put(entry_item(scope, client, posting, posted))]
        month = months.get(posted.period) or store.month(client.owner_id, posted.period)
        months[posted.period] = with_posted(month, posting)
    free = [
        Put(FreeMinutes(pk, f"FREE#{package_id}#{usage.month}", used_seconds=seconds), anyway=True)
        for package_id, seconds in usage.used_free.items()
    ]
    writes = [
        owner_change(client, account),
        Put(marker),
        *entries,
        *(Put(month, anyway=True) for month in months.values()),
        *free,
        *index,
        *told(scope, client, account, crossings),
    ]
    commit(scope, writes)
    return marker


def markers(batch_id: str, generation: int, parts: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Marker]:
    """The markers of a batch's parts (client, month) that have been applied."""
    keys = {
        (f"L#{client_id}", marker_key(batch_id, generation, month)): (client_id, month) for client_id, month in parts
    }
    return {keys[key]: found for key, found in find_many(list(keys), Marker).items()}


def owner_change(owner: Owner, after: ledger.Account, *more: Action) -> Write:
    """The write that moves an owner to ``after`` and bumps its version, if nobody else did first."""
    actions: list[Action] = [
        Owner.version.set(int(owner.version) + 1),
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
    return Change(owner, actions, Owner.version == int(owner.version))


def entry_item(scope: Scope, owner: Owner, posting: ledger.Posting, posted: ledger.Posted) -> Entry:
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


def with_posted(month: Month, posting: ledger.Posting) -> Month:
    """The month with one more entry in its sums."""
    month.posted = {**month.posted, posting.kind: month.posted.get(posting.kind, 0) + posting.amount_e8}
    return month


def _with_usage(month: Month, usage: Usage) -> Month:
    added = {
        "calls": usage.rated,
        "seconds": usage.seconds,
        "revenue_e8": usage.amount_e8,
        "cost_e8": usage.cost_e8,
    }
    month.usage = {name: month.usage.get(name, 0) + value for name, value in added.items()}
    latest = dict(month.latest)
    for holder, start in usage.latest.items():
        latest[holder] = max(start, latest.get(holder, start))
    month.latest = latest
    return month


def told(scope: Scope, owner: Owner, after: ledger.Account, crossings: Sequence[str]) -> list[Write]:
    """Crossings go to the outbox in the transaction that made them: recorded once, whoever sends them later."""
    if not crossings or not isinstance(owner, Client | Reseller):
        return []
    who = "client" if isinstance(owner, Client) else "account"
    balance: dict[str, Any] = {"balance_e8": after.balance_e8}
    writes: list[Write] = []
    for name in crossings:
        recorded = event(scope, owner.reseller_id, f"{who}.{name}", owner.owner_id, balance)
        writes += announce(recorded, threshold_e8=after.threshold_e8)
    return writes
