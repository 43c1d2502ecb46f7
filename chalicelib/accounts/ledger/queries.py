"""What ledgers say, for checks and scheduled functions: ids of owners, sums of months, entries and markers."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.accounts.store.ledger import Entry, Marker, Month
from chalicelib.accounts.store.owners import Client, ResellerPointer


def reseller_ids() -> list[str]:
    """Every reseller of the deployment."""
    return [row.reseller_id for row in ResellerPointer.under(*ResellerPointer.every())]


def client_ids(reseller_id: str) -> list[str]:
    """Every client of a reseller, closed ones too."""
    return [row.client_id for row in Client.under(*Client.of_reseller(reseller_id))]


def usage_by_month(client_id: str) -> dict[str, dict[str, int]]:
    """Sums of a client's calls by month: ``calls, seconds, revenue_e8, cost_e8``."""
    return {row.month: dict(row.usage) for row in Month.under(*Month.of_owner(client_id))}


@dataclass(frozen=True)
class Marked:
    """What a generation of a batch billed to a client in a month, as its marker says."""

    batch_id: str
    generation: int
    month: str
    calls: int
    internal: int
    duplicates: int
    revenue_e8: int
    cost_e8: int


def marked(client_id: str) -> list[Marked]:
    """Every marker of a client."""
    return [
        Marked(
            marker.batch_id,
            marker.generation,
            marker.month,
            calls=marker.rated,
            internal=marker.internal,
            duplicates=marker.duplicates,
            revenue_e8=marker.amount_e8,
            cost_e8=marker.cost_e8,
        )
        for marker in Marker.under(*Marker.of_client(client_id))
    ]


def debited(owner_id: str) -> dict[str, int]:
    """What calls have debited an owner, ``_e8`` and positive, by the source of its entries: ``batch:<id>``.

    A debit that was taken back by a re-rating is balanced by a reversal of the same source.
    """
    sums: dict[str, int] = {}
    for row in Entry.under(*Entry.of_owner(owner_id)):
        if row.kind == "call_usage" or (row.kind == "reversal" and row.source.startswith("batch:")):
            sums[row.source] = sums.get(row.source, 0) - row.amount_e8
    return sums
