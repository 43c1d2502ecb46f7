"""What commits of calls are decided on: owner, marker, month, free minutes of many client-months, read together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.accounts.store import owners as stored_owners
from chalicelib.accounts.store.ledger import FreeMinutes, Marker, Month
from chalicelib.accounts.store.owners import Client
from chalicelib.aws.transactions import find_each
from chalicelib.client_month import ClientMonth
from chalicelib.errors import NotFound


@dataclass(frozen=True)
class Snapshot:
    """A client-month as a usage commit found it; ``applied`` is the marker if this generation is already committed.

    ``used_free`` is as if the ``earlier`` generation had given its free seconds back; ``stored_free`` as it stands.
    ``settled`` are the months of this client in which this generation is applied.
    """

    client: Client
    month: Month
    used_free: Mapping[str, int]
    stored_free: Mapping[str, int]
    applied: Marker | None
    earlier: Marker | None
    settled: frozenset[str]


class _Marked(NamedTuple):
    """What the markers of a batch say of a client-month, as ``Snapshot`` has it."""

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
    """Read each client-month; ``packages``: by client id, the packages of the client that may grant free minutes.

    The owners come first: all else is fenced by their versions.
    """
    owners = find_each(*((Client, *stored_owners.client_key(reseller_id, one.client_id)) for one in client_months))
    if None in owners:
        raise NotFound()
    marked = [_marked(one, batch_id, generation) for one in client_months]
    granting = [
        sorted({*packages.get(one.client_id, ()), *said.given()})
        for one, said in zip(client_months, marked, strict=True)
    ]
    months = find_each(*((Month, f"L#{one.client_id}", f"MONTH#{one.month}") for one in client_months))
    found = iter(
        find_each(
            *(
                (FreeMinutes, f"L#{one.client_id}", f"FREE#{package_id}#{one.month}")
                for one, own in zip(client_months, granting, strict=True)
                for package_id in own
            )
        )
    )
    read = []
    for one, owner, month, said, own in zip(client_months, owners, months, marked, granting, strict=True):
        stored = {package_id: free.used_seconds if (free := next(found)) else 0 for package_id in own}
        used = {package_id: seconds - said.given().get(package_id, 0) for package_id, seconds in stored.items()}
        there = month or Month(f"L#{one.client_id}", f"MONTH#{one.month}")
        read.append(Snapshot(owner, there, used, stored, *said))
    return read


def _marked(client_month: ClientMonth, batch_id: str, generation: int) -> _Marked:
    # All of the batch's: a late try must see that a later generation has taken the place of its own.
    applied, earlier, settled = None, None, set[str]()
    for marker in Marker.under(f"L#{client_month.client_id}", f"MARK#{batch_id}#"):
        _, of_generation, of_month = marker.place()
        if of_generation > generation or (of_generation == generation and not marker.emptied):
            settled.add(of_month)
            applied = marker if of_month == client_month.month else applied
        elif of_month == client_month.month:
            earlier = marker
    return _Marked(applied, earlier, frozenset(settled))
