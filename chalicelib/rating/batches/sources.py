"""What a reseller declares about its CDR files, and which declaration a file is read by."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.transactions import Put, Remove, Scope, commit, event, settled
from chalicelib.errors import Conflict, NotFound
from chalicelib.rating.batches.store import CdrSource
from chalicelib.rating.cdr import mapping
from chalicelib.rating.cdr.formats import Source
from chalicelib.rating.cdr.mapping import Aliases

MOST = 50
"""Sources of one reseller: every batch looks through all of them."""
_FIELDS = ("source_id", "pattern", "time_zone", "columns", "words", "defaults")


def listed(reseller_id: str) -> list[CdrSource]:
    """A reseller's sources by id."""
    return CdrSource.under(*CdrSource.of_reseller(reseller_id))


@settled
def put(scope: Scope, reseller_id: str, said: dict[str, Any]) -> CdrSource:
    """Declare a source, or declare it anew; ``said`` has the fields of ``CdrSource``. 409 above ``MOST`` of them."""
    known = {source.source_id: source for source in listed(reseller_id)}
    if said["source_id"] not in known and len(known) >= MOST:
        raise Conflict(f"There are {MOST} sources already; remove one first.")
    source = CdrSource(*CdrSource.key(reseller_id, said["source_id"]), **said)
    before = _plain(known[source.source_id]) if source.source_id in known else None
    told = event(scope, reseller_id, "cdr_source.changed", source.source_id, _plain(source), before)
    commit(scope, [Put(source, anyway=True), told], source)
    return source


@settled
def delete(scope: Scope, reseller_id: str, source_id: str) -> None:
    """Remove a source; ``NotFound`` when there is none. Batches that were begun with it keep it."""
    source = CdrSource.find(*CdrSource.key(reseller_id, source_id))
    if source is None:
        raise NotFound("There is no such source.")
    told = event(scope, reseller_id, "cdr_source.deleted", source_id, None, _plain(source))
    commit(scope, [Remove(source, CdrSource.pk.exists()), told])


def declared_for(reseller_id: str, path: str) -> dict[str, Any] | None:
    """What was declared about a file (``path``: its name below the reseller's prefix), as a batch pins it."""
    source = mapping.chosen(listed(reseller_id), path)
    return None if source is None else _plain(source)


def reading(home_country: str, time_zone: str, declared: dict[str, Any] | None) -> Source:
    """How a file is read: the reseller's own country and zone, and what was declared about the file."""
    if not declared:
        return Source(home_country, time_zone)
    names = Aliases(declared["columns"], declared["words"], declared["defaults"])
    zone = declared["time_zone"]
    return Source(home_country, zone or time_zone, declared=bool(zone), aliases=names or None)


def _plain(source: CdrSource) -> dict[str, Any]:
    return {name: getattr(source, name) for name in _FIELDS}
