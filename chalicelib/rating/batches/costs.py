"""What the calls of a batch cost the reseller: posted to its ledger by month, from the markers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.accounts.ledger import usage
from chalicelib.accounts.ledger.usage import Marker
from chalicelib.aws.transactions import Scope
from chalicelib.client_month import ClientMonth
from chalicelib.rating.batches.store import Batch


def post(scope: Scope, batch: Batch, markers: Sequence[Mapping[ClientMonth, Marker]]) -> int:
    """Debit the reseller the cost of all markers of a batch, once per generation and month; returns it in ``_e8``.

    What previous generations debited is reversed first.
    """
    costs: dict[str, int] = {}
    for of_generation in markers:
        for client_month, marker in of_generation.items():
            costs[client_month.month] = costs.get(client_month.month, 0) + marker.cost_e8
    if batch.generation:
        usage.reverse_costs(scope, batch.reseller_id, batch.batch_id, batch.generation)
    for month, cost_e8 in sorted(costs.items()):
        if cost_e8:
            usage.post_cost(scope, batch.reseller_id, batch.batch_id, batch.generation, month, cost_e8)
    return sum(costs.values())
