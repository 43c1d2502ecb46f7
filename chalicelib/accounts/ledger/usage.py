"""Calls of a batch as debits: one transaction per client and local month, applied exactly once per generation.

A marker says that a client-month of a batch is committed, and by which generation. When a batch is rated again, the
transaction of a client-month takes back what the earlier generation did there and does it again: the entry is
reversed, free minutes are given back before they are spent, month and marker change over. Fenced by the client's
version like everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pynamodb.expressions.update import Action

from chalicelib.accounts import rules
from chalicelib.accounts.ledger.posting import entry_key, plan, post, reseller_of
from chalicelib.accounts.ledger.snapshots import Snapshot
from chalicelib.accounts.store.ledger import Entry, FreeMinutes, Month, Once
from chalicelib.accounts.store.ledger import Marker as Marker
from chalicelib.accounts.store.owners import Client
from chalicelib.aws.transactions import MAX_WRITES, Put, Remove, Scope, Write, commit, find_many
from chalicelib.client_month import ClientMonth


@dataclass(frozen=True)
class Usage:
    """What one batch changes for one client in one local month; amounts ``_e8`` and positive.

    ``used_free`` holds, per package, the month's free seconds spent after this batch; ``spent`` the part of
    ``amount_e8`` that falls on each of the last few local days.
    """

    batch_id: str
    generation: int
    month: str
    rated: int = 0
    duplicates: int = 0
    seconds: int = 0
    amount_e8: int = 0
    cost_e8: int = 0
    used_free: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)


def marker_key(batch_id: str, generation: int, month: str) -> str:
    return f"MARK#{batch_id}#{generation}#{month}"


def commit_usage(scope: Scope, snapshot: Snapshot, usage: Usage, index: Sequence[Write]) -> Marker | None:
    """Debit a client for its part of a batch, exactly once, with ``index`` (the segments) in the same transaction.

    What an earlier generation did is taken back by the same transaction. Raises ``LostRace`` when the client changed
    since the snapshot: take a new one and decide again. ``None`` when it all does not fit one transaction: nothing is
    done then, and the caller takes back first (``empty``).
    """
    marker, writes = _writes(scope, snapshot, usage)
    if snapshot.earlier and len(writes) + len(index) > MAX_WRITES:
        return None
    commit(scope, [*writes, *index])
    return marker


def empty(scope: Scope, snapshot: Snapshot, nothing: Usage, index: Sequence[Write]) -> None:
    """Only take back what the earlier generation did; the marker then waits for its generation to be posted.

    ``nothing`` is the ``Usage`` of the client-month without calls.
    """
    marker, writes = _writes(scope, snapshot, nothing)
    marker.emptied = True
    commit(scope, [*writes, *index])


def markers(batch_id: str, generation: int, client_months: Iterable[ClientMonth]) -> dict[ClientMonth, Marker]:
    """The markers of those client-months of a batch that are committed."""
    keys = {(f"L#{one.client_id}", marker_key(batch_id, generation, one.month)): one for one in client_months}
    found = find_many(list(keys), Marker) if keys else {}
    return {keys[key]: marker for key, marker in found.items() if not marker.emptied}


def client_months_of(reseller_id: str, batch_id: str) -> Iterator[tuple[ClientMonth, int]]:
    """Client-month and generation of every marker of a batch: looks at each client that the reseller ever had."""
    for client in Client.under(f"R#{reseller_id}", "CLIENT#"):
        for marker in Marker.under(f"L#{client.client_id}", f"MARK#{batch_id}#"):
            _, generation, month = marker.place()
            yield ClientMonth(client.client_id, month), generation


def parts_of_client(client_id: str, batch_id: str) -> list[tuple[int, str, int]]:
    """Generation, month and rated calls of every marker of a batch at one client."""
    found = Marker.under(f"L#{client_id}", f"MARK#{batch_id}#")
    return [(*marker.place()[1:], marker.rated) for marker in found]


def post_cost(scope: Scope, reseller_id: str, batch_id: str, generation: int, month: str, cost_e8: int) -> None:
    """Debit the reseller for a month of a batch, once per generation."""
    what = rules.Posting("call_usage", -cost_e8, f"Calls of {month}", month, f"batch:{batch_id}")
    post(scope, reseller_of(reseller_id), what, once=f"cost:{batch_id}:{generation}:{month}")


def reverse_costs(scope: Scope, reseller_id: str, batch_id: str, before: int) -> None:
    """Reverse what generations ``before`` this one have debited the reseller, each entry once."""
    pk, prefix = f"L#{reseller_id}", f"ONCE#cost:{batch_id}:"
    for once in Once.under(pk, prefix):
        generation, month = once.sk.removeprefix(prefix).split(":")
        if int(generation) < before:
            entry = Entry.get(pk, entry_key(once.sequence), consistent_read=True)
            what = _reversal(entry.entry_id, entry.amount_e8, month, batch_id)
            post(scope, reseller_of(reseller_id), what, once=f"reverse:{entry.entry_id}")


def _reversal(entry_id: str, amount_e8: int, month: str, batch_id: str) -> rules.Posting:
    """The entry that takes a debit of calls back; ``amount_e8`` is the debit's own."""
    told = f"Reversal of entry {entry_id} (call_usage): the calls of {month} are rated again"
    return rules.Posting("reversal", -amount_e8, told, month, f"batch:{batch_id}", reversal_of=entry_id)


def _writes(scope: Scope, snapshot: Snapshot, usage: Usage) -> tuple[Marker, list[Write]]:
    """The marker of a client-month and all writes but those of the segments."""
    client, earlier, pk = snapshot.client, snapshot.earlier, f"L#{snapshot.client.owner_id}"
    free = {**snapshot.used_free, **usage.used_free}
    given = {name: seconds - snapshot.used_free.get(name, 0) for name, seconds in free.items()}
    marker = Marker(
        pk,
        marker_key(usage.batch_id, usage.generation, usage.month),
        rated=usage.rated,
        duplicates=usage.duplicates,
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
            marker.entry = int(entry.entry_id)
        else:
            writes.append(Put(Once(pk, f"ONCE#reverse:{entry.reversal_of}", sequence=int(entry.entry_id))))
    if earlier and earlier.sk != marker.sk:
        writes.append(Remove(earlier, Marker.pk.exists()))
    writes.append(Put(marker, anyway=bool(earlier and earlier.sk == marker.sk)))
    writes += [
        Put(FreeMinutes(pk, f"FREE#{name}#{usage.month}", used_seconds=seconds), anyway=True)
        for name, seconds in free.items()
        if seconds != snapshot.stored_free.get(name, 0)
    ]
    return marker, writes


def _spent(snapshot: Snapshot, usage: Usage) -> list[Action]:
    """What the client has spent in the last few days, without the earlier generation's part and with this one's."""
    before: dict[str, int] = snapshot.client.spent
    back: dict[str, int] = (snapshot.earlier.spent if snapshot.earlier else None) or {}
    added = dict(usage.spent)
    for day in back.keys() & (before.keys() | added.keys()):
        added[day] = added.get(day, 0) - back[day]
    return [Client.spent.set(rules.spent_after(before, added))] if added else []


def _with_usage(snapshot: Snapshot, usage: Usage) -> Month:
    """The month without the earlier generation's part, and with this one's."""
    before, earlier = snapshot.month, snapshot.earlier
    more = {"calls": usage.rated, "seconds": usage.seconds, "revenue_e8": usage.amount_e8, "cost_e8": usage.cost_e8}
    if earlier:
        more["calls"] -= earlier.rated
        more["seconds"] -= earlier.seconds
        more["revenue_e8"] -= earlier.amount_e8
        more["cost_e8"] -= earlier.cost_e8
    # A month of its own: the snapshot may be decided on once more.
    month = Month(before.pk, before.sk, **before.attribute_values)
    month.usage = {name: before.usage.get(name, 0) + value for name, value in more.items()}
    return month
