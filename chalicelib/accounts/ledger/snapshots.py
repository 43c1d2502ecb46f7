"""What billing of calls is decided on: clients, markers, months and free minutes, read together for many months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.accounts.store.ledger import FreeMinutes, Marker, Month
from chalicelib.accounts.store.owners import Client
from chalicelib.aws.transactions import find_each
from chalicelib.errors import NotFound


class Part(NamedTuple):
    """What a batch bills to one client in one local month; ``packages`` are those that may grant free minutes."""

    client_id: str
    month: str
    packages: Sequence[str] = ()


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


def snapshots(reseller_id: str, batch_id: str, generation: int, parts: Sequence[Part]) -> list[Snapshot]:
    """Read all of them; ``NotFound`` if a client is unknown.

    The clients come first: what is read afterwards is protected by their versions.
    """
    owners = find_each(*((Client, *Client.key(reseller_id, part.client_id)) for part in parts))
    if None in owners:
        raise NotFound()
    marked = [_marked(part, batch_id, generation) for part in parts]
    packages = [sorted({*part.packages, *said.given()}) for part, said in zip(parts, marked, strict=True)]
    months = find_each(*((Month, *Month.key(part.client_id, part.month)) for part in parts))
    found = iter(
        find_each(
            *(
                (FreeMinutes, *FreeMinutes.key(part.client_id, package_id, part.month))
                for part, own in zip(parts, packages, strict=True)
                for package_id in own
            )
        )
    )
    read = []
    for part, owner, month, said, own in zip(parts, owners, months, marked, packages, strict=True):
        stored = {package_id: free.used_seconds if (free := next(found)) else 0 for package_id in own}
        used = {package_id: seconds - said.given().get(package_id, 0) for package_id, seconds in stored.items()}
        there = month or Month(*Month.key(part.client_id, part.month))
        read.append(Snapshot(owner, there, used, stored, *said))
    return read


def _marked(part: Part, batch_id: str, generation: int) -> _Marked:
    # Markers of all months and generations: a late attempt must see that a later generation replaced its own.
    applied, earlier, settled = None, None, set[str]()
    for marker in Marker.under(*Marker.of_batch(part.client_id, batch_id)):
        if marker.generation > generation or (marker.generation == generation and not marker.emptied):
            settled.add(marker.month)
            applied = marker if marker.month == part.month else applied
        elif marker.month == part.month:
            earlier = marker
    return _Marked(applied, earlier, frozenset(settled))
