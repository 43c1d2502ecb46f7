"""What billing of calls is decided on: clients, markers, months and free minutes, read together for many months."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.accounts.store.ledger import FreeMinutes, Marker, Month
from chalicelib.accounts.store.owners import Client
from chalicelib.aws.transactions import find_each
from chalicelib.client_month import ClientMonth
from chalicelib.errors import NotFound, existing


@dataclass(frozen=True)
class Snapshot:
    """A client and month, as they are before a generation of a batch is billed there.

    ``stored_free``: free seconds that are spent, by package; ``used_free``: the same without those that the earlier
    generation spent. ``applied``: the marker of this generation, if it is billed already; ``earlier``: that of the
    generation before. ``settled``: the client's months in which this generation is billed.
    """

    client: Client
    month: Month
    used_free: Mapping[str, int]
    stored_free: Mapping[str, int]
    applied: Marker | None
    earlier: Marker | None
    settled: frozenset[str]


class _Marked(NamedTuple):
    """The three fields of a ``Snapshot`` that the markers of a batch say."""

    applied: Marker | None
    earlier: Marker | None
    settled: frozenset[str]

    def given(self) -> dict[str, int]:
        """Free seconds that the earlier generation spent, by package."""
        return (self.earlier.free if self.earlier else None) or {}


def snapshots(
    reseller_id: str,
    batch_id: str,
    generation: int,
    client_months: Sequence[ClientMonth],
    packages: Mapping[str, Collection[str]],
) -> list[Snapshot]:
    """A snapshot of each client-month; ``NotFound`` if a client is unknown.

    ``packages``: those that may grant free minutes, by client. The clients are read first: what is read afterwards is
    protected by their versions.
    """
    clients = find_each(*((Client, *Client.key(reseller_id, one.client_id)) for one in client_months))
    if None in clients:
        raise NotFound()
    marked = [_marked(one, batch_id, generation) for one in client_months]
    granting = [
        sorted({*packages.get(one.client_id, ()), *markers.given()})
        for one, markers in zip(client_months, marked, strict=True)
    ]
    months = find_each(*((Month, *Month.key(one.client_id, one.month)) for one in client_months))
    places = [
        (FreeMinutes, *FreeMinutes.key(one.client_id, package_id, one.month))
        for one, package_ids in zip(client_months, granting, strict=True)
        for package_id in package_ids
    ]
    free_minutes = iter(find_each(*places))
    read = []
    for one, client, month, markers, package_ids in zip(client_months, clients, months, marked, granting, strict=True):
        stored = {name: free.used_seconds if (free := next(free_minutes)) else 0 for name in package_ids}
        used = {name: seconds - markers.given().get(name, 0) for name, seconds in stored.items()}
        month = month or Month(*Month.key(one.client_id, one.month))
        read.append(Snapshot(client, month, used, stored, *markers))
    return read


def client_and_spent(client_month: ClientMonth, reseller_id: str, package_id: str) -> tuple[Client, int]:
    """A client, and the free seconds of a package that its rated calls of the month have spent.

    ``NotFound`` if the reseller has no such client.
    """
    client_id, month = client_month
    client_key, spent_key = Client.key(reseller_id, client_id), FreeMinutes.key(client_id, package_id, month)
    client, spent = find_each((Client, *client_key), (FreeMinutes, *spent_key))
    return existing(client), spent.used_seconds if spent else 0


def _marked(client_month: ClientMonth, batch_id: str, generation: int) -> _Marked:
    # Markers of all months and generations: a late attempt must see that a later generation replaced its own.
    applied, earlier, settled = None, None, set[str]()
    for marker in Marker.under(*Marker.of_batch(client_month.client_id, batch_id)):
        if marker.generation > generation or (marker.generation == generation and not marker.emptied):
            settled.add(marker.month)
            applied = marker if marker.month == client_month.month else applied
        elif marker.month == client_month.month:
            earlier = marker
    return _Marked(applied, earlier, frozenset(settled))
