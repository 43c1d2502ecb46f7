"""Calls of a batch as debits: one transaction per client and local month, applied exactly once per generation.

A marker says that a client and month of a batch is billed, and by which generation: the number of times that the batch
was rated. When a batch is rated again, the same transaction takes back what the earlier generation did and bills the
new one: it reverses the entry, gives free minutes back before it spends them, and replaces month and marker. Like every
transaction of a ledger it requires the client's version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pynamodb.expressions.update import Action

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import get_reseller, plan, post
from chalicelib.accounts.ledger.snapshots import Snapshot
from chalicelib.accounts.store.ledger import Entry, FreeMinutes, Month, Once
from chalicelib.accounts.store.ledger import Marker as Marker
from chalicelib.accounts.store.owners import Client
from chalicelib.aws.transactions import MAX_WRITES, Put, Remove, Scope, Write, commit, find_many
from chalicelib.client_month import ClientMonth


@dataclass(frozen=True)
class Usage:
    """What one batch changes for one client in one local month; amounts are positive.

    ``used_free``: the month's free seconds that are spent after this batch, by package. ``spent``: what of
    ``amount_e8`` falls on each of the last few local days. ``conflicts_key``: the object with those of the duplicates
    that are ``conflicting``.
    """

    batch_id: str
    generation: int
    month: str
    rated: int = 0
    duplicates: int = 0
    conflicting: int = 0
    conflicts_key: str | None = None
    seconds: int = 0
    amount_e8: int = 0
    cost_e8: int = 0
    used_free: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)


def commit_usage(scope: Scope, snapshot: Snapshot, usage: Usage, index: Sequence[Write]) -> Marker | None:
    """Debit a client for a month of a batch, exactly once, and take back what an earlier generation did there.

    ``index``: the writes of the segments, for the same transaction. Raises ``LostRace`` if the client changed since the
    snapshot: the caller takes a new one and decides again. Writes nothing and returns ``None`` if all this does not fit
    one transaction: the caller then calls ``empty`` first.
    """
    marker, writes = _writes(scope, snapshot, usage)
    if snapshot.earlier and len(writes) + len(index) > MAX_WRITES:
        return None
    commit(scope, [*writes, *index])
    return marker


def empty(scope: Scope, snapshot: Snapshot, nothing: Usage, index: Sequence[Write]) -> None:
    """Take back what the earlier generation did, and mark that this generation is not billed yet.

    ``nothing``: the ``Usage`` of this client and month without calls.
    """
    marker, writes = _writes(scope, snapshot, nothing)
    marker.emptied = True
    commit(scope, [*writes, *index])


def markers(batch_id: str, generation: int, client_months: Iterable[ClientMonth]) -> dict[ClientMonth, Marker]:
    """The markers of those client-months that this generation has billed."""
    keys = {Marker.key(one.client_id, batch_id, generation, one.month): one for one in client_months}
    found = find_many(list(keys), Marker)
    return {one: found[key] for key, one in keys.items() if key in found and not found[key].emptied}


def client_months_of(reseller_id: str, batch_id: str) -> Iterator[tuple[ClientMonth, int]]:
    """Client-month and generation of every marker of a batch; one query for each client of the reseller."""
    for client in Client.under(*Client.of_reseller(reseller_id)):
        for marker in Marker.under(*Marker.of_batch(client.client_id, batch_id)):
            yield ClientMonth(client.client_id, marker.month), marker.generation


def markers_of_client(client_id: str, batch_id: str) -> list[Marker]:
    """The markers of a batch at one client, of all its months and generations."""
    return Marker.under(*Marker.of_batch(client_id, batch_id))


def post_cost(scope: Scope, reseller_id: str, batch_id: str, generation: int, month: str, cost_e8: int) -> None:
    """Debit the reseller for a month of a batch, once per generation; ``cost_e8`` is positive."""
    posting = rules.Posting("call_usage", -cost_e8, f"Calls of {month}", month, f"batch:{batch_id}")
    post(scope, partial(get_reseller, reseller_id), posting, once=Once.cost(batch_id, generation, month))


def reverse_costs(scope: Scope, reseller_id: str, batch_id: str, before: int) -> None:
    """Reverse what generations ``before`` this one debited the reseller, each entry once."""
    for once in Once.under(*Once.costs_of(reseller_id, batch_id)):
        generation, month = once.generation_and_month
        if generation < before:
            entry = Entry.get(*Entry.key(reseller_id, once.sequence), consistent_read=True)
            posting = _reversal(entry.entry_id, entry.amount_e8, month, batch_id)
            post(scope, partial(get_reseller, reseller_id), posting, once=Once.reversal(entry.entry_id))


def _reversal(entry_id: str, amount_e8: int, month: str, batch_id: str) -> rules.Posting:
    """The posting that takes a debit of calls back; ``amount_e8`` is that of the debit, so negative."""
    description = f"Reversal of entry {entry_id} (call_usage): the calls of {month} are rated again"
    return rules.Posting("reversal", -amount_e8, description, month, f"batch:{batch_id}", reversal_of=entry_id)


def _writes(scope: Scope, snapshot: Snapshot, usage: Usage) -> tuple[Marker, list[Write]]:
    """The marker, and all writes but those of the segments."""
    client, earlier, client_id = snapshot.client, snapshot.earlier, snapshot.client.client_id
    free = {**snapshot.used_free, **usage.used_free}
    given = {name: seconds - snapshot.used_free.get(name, 0) for name, seconds in free.items()}
    marker = Marker(
        *Marker.key(client_id, usage.batch_id, usage.generation, usage.month),
        rated=usage.rated,
        duplicates=usage.duplicates,
        conflicting=usage.conflicting,
        conflicts_key=usage.conflicts_key,
        seconds=usage.seconds,
        amount_e8=usage.amount_e8,
        cost_e8=usage.cost_e8,
        free={name: seconds for name, seconds in given.items() if seconds} or None,
        spent=dict(usage.spent) or None,
    )
    postings = []
    if earlier and earlier.entry is not None:
        postings.append(_reversal(str(earlier.entry), -earlier.amount_e8, usage.month, usage.batch_id))
    if usage.amount_e8:
        source = f"batch:{usage.batch_id}"
        postings.append(rules.Posting("call_usage", -usage.amount_e8, f"Calls of {usage.month}", usage.month, source))
    month = _with_usage(snapshot, usage)
    entries, writes = plan(scope, client, postings, *_spent(snapshot, usage), months={usage.month: month})
    for entry in entries:
        if entry.kind == "call_usage":
            marker.entry = entry.sequence
        else:
            once = Once.key(client_id, Once.reversal(entry.reversal_of or ""))
            writes.append(Put(Once(*once, sequence=entry.sequence)))
    if earlier and earlier.sk != marker.sk:
        writes.append(Remove(earlier, Marker.pk.exists()))
    writes.append(Put(marker, anyway=bool(earlier and earlier.sk == marker.sk)))
    writes += [
        Put(FreeMinutes(*FreeMinutes.key(client_id, name, usage.month), used_seconds=seconds), anyway=True)
        for name, seconds in free.items()
        if seconds != snapshot.stored_free.get(name, 0)
    ]
    return marker, writes


def _spent(snapshot: Snapshot, usage: Usage) -> list[Action]:
    """The change of what the client spent in the last few days: minus the earlier generation, plus this one."""
    before: dict[str, int] = snapshot.client.spent
    removed: dict[str, int] = (snapshot.earlier.spent if snapshot.earlier else None) or {}
    added = dict(usage.spent)
    for day in removed.keys() & (before.keys() | added.keys()):
        added[day] = added.get(day, 0) - removed[day]
    return [Client.spent.set(rules.spent_after(before, added))] if added else []


def _with_usage(snapshot: Snapshot, usage: Usage) -> Month:
    """The month, with the usage of the earlier generation taken out and that of this one added."""
    before, earlier = snapshot.month, snapshot.earlier
    more = {"calls": usage.rated, "seconds": usage.seconds, "revenue_e8": usage.amount_e8, "cost_e8": usage.cost_e8}
    if earlier:
        more["calls"] -= earlier.rated
        more["seconds"] -= earlier.seconds
        more["revenue_e8"] -= earlier.amount_e8
        more["cost_e8"] -= earlier.cost_e8
    # A copy, because the snapshot may be used for another decision.
    month = Month(before.pk, before.sk, **before.attribute_values)
    month.usage = {name: before.usage.get(name, 0) + value for name, value in more.items()}
    return month
