"""How a batch ends without being done: refused, given up, or left as the generation before had it.

What was committed stays whatever happens, and another try takes a given-up batch on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pynamodb.expressions.condition import Condition

from chalicelib.accounts.ledger import usage
from chalicelib.accounts.ledger.usage import Marker
from chalicelib.accounts.service import term_versions
from chalicelib.aws import objects
from chalicelib.aws.transactions import Change, Scope, commit, event, settled
from chalicelib.client_month import ClientMonth
from chalicelib.config import settings
from chalicelib.outbox import announce
from chalicelib.rating.batches import queries, rerate, store
from chalicelib.rating.batches.store import Batch


def still(batch: Batch) -> Condition:
    """No other generation has taken over."""
    return Batch.generation == batch.generation


def refuse(scope: Scope, batch: Batch, reason: str) -> Batch:
    """A file that cannot be read is not tried again; what stands or is half committed decides what becomes of it."""
    billed: dict[int, list[ClientMonth]] = {}
    for client_month, generation in usage.client_months_of(batch.reseller_id, batch.batch_id):
        billed.setdefault(generation, []).append(client_month)
    if batch.generation in billed:
        gone = objects.look(batch.object_key, batch.version_id) is None
        if gone:
            # It will never be rated to the end: the reseller owes what its clients were debited for.
            post_costs(scope, batch, [usage.markers(batch.batch_id, *some) for some in billed.items()])
        return fail(scope, batch, reason, release=gone)
    return rerate.keep(scope, batch, reason) if batch.standing else fail(scope, batch, reason)


@settled
def fail(scope: Scope, batch: Batch, reason: str, *, release: bool = True) -> Batch:
    """Give a batch up: what was committed stays, and another try takes it on from there.

    Unless ``release``, it goes on holding moves off: part of it may be billed, and the rest will be by the same owners.
    """
    found = store.batch(batch.reseller_id, batch.batch_id)
    if found is None or found.status in ("done", "failed") or found.generation != batch.generation:
        return found or batch
    found.status, found.reason, found.finished_at = "failed", reason, scope.now
    told = {"key": found.object_key, "reason": reason}
    writes = [
        Change(found, found.set_all(), still(found) & (Batch.status == "rating")),
        *([term_versions.close_batch(found.reseller_id, found.batch_id)] if release else []),
        *announce(event(scope, found.reseller_id, "batch.failed", found.batch_id, told)),
    ]
    commit(scope, writes)
    return found


def fail_by_key(scope: Scope, key: str, version_id: str, reason: str) -> None:
    """``fail`` for the batch of an object, if it ever was one."""
    reseller_id = key.removeprefix(queries.PREFIX).split("/")[0]
    batch = store.batch(reseller_id, queries.batch_id_of(settings.bucket, key, version_id))
    if batch:
        fail(scope, batch, reason, release=False)


def post_costs(scope: Scope, batch: Batch, markers: Sequence[Mapping[ClientMonth, Marker]]) -> int:
    """Debit the reseller what the markers of a batch say, by month, once per generation; returns the sum."""
    costs: dict[str, int] = {}
    for some in markers:
        for (_, month), marker in some.items():
            costs[month] = costs.get(month, 0) + marker.cost_e8
    if batch.generation:
        usage.reverse_costs(scope, batch.reseller_id, batch.batch_id, batch.generation)
    for month, cost_e8 in sorted(costs.items()):
        if cost_e8:
            usage.post_cost(scope, batch.reseller_id, batch.batch_id, batch.generation, month, cost_e8)
    return sum(costs.values())
