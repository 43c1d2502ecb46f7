"""CDR sources: what a reseller declares about its files, and which declaration applies to a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.aws.transactions import Put, Remove, Scope, commit, event, settled
from chalicelib.dialling import DialPlan
from chalicelib.errors import Conflict, NotFound
from chalicelib.rating.batches.store import CdrSource
from chalicelib.rating.cdr import mapping
from chalicelib.rating.cdr.declaration import read
from chalicelib.rating.cdr.formats import Source
from chalicelib.rating.cdr.owning import NOTHING_KNOWN, Known

MAX_SOURCES = 50
"""Sources of one reseller; every batch compares the name of its file with all of them."""


def shown(source: CdrSource) -> dict[str, Any]:
    """A source as the API answers it."""
    return {"id": source.source_id, "pattern": source.pattern, **source.declares}


def listed(reseller_id: str) -> list[CdrSource]:
    """A reseller's sources by id."""
    return CdrSource.under(*CdrSource.of_reseller(reseller_id))


@settled
def put(scope: Scope, reseller_id: str, fields: dict[str, Any]) -> CdrSource:
    """Declare a source, or replace it; ``fields``: those of ``CdrSource``. ``Conflict`` above ``MAX_SOURCES``."""
    known = {source.source_id: source for source in listed(reseller_id)}
    if fields["source_id"] not in known and len(known) >= MAX_SOURCES:
        raise Conflict(f"There are {MAX_SOURCES} sources already; remove one first.")
    source = CdrSource(*CdrSource.key(reseller_id, fields["source_id"]), **fields)
    before = _plain(known[source.source_id]) if source.source_id in known else None
    recorded = event(scope, reseller_id, "cdr_source.changed", source.source_id, _plain(source), before)
    commit(scope, [Put(source, anyway=True), recorded], source)
    return source


@settled
def delete(scope: Scope, reseller_id: str, source_id: str) -> None:
    """Remove a source; ``NotFound`` when there is none. Batches that were begun with it keep it."""
    source = CdrSource.find(*CdrSource.key(reseller_id, source_id))
    if source is None:
        raise NotFound("There is no such source.")
    recorded = event(scope, reseller_id, "cdr_source.deleted", source_id, None, _plain(source))
    commit(scope, [Remove(source, CdrSource.pk.exists()), recorded])


def declared_for(reseller_id: str, path: str) -> dict[str, Any] | None:
    """What is declared about a file, as a batch pins it; ``path``: its name after the reseller's prefix."""
    return declared_in(listed(reseller_id), path)


def declared_in(some: list[CdrSource], path: str) -> dict[str, Any] | None:
    """The same, of ``some`` sources that were read already."""
    source = mapping.chosen(some, path)
    return None if source is None else _plain(source)


def reading(plan: DialPlan, zones: str, declared: Mapping[str, Any] | None, known: Known = NOTHING_KNOWN) -> Source:
    """How a file is read: by the reseller's dial plan and calendar (``periods.calendar``), and by what is declared.

    ``known`` is needed only where calls are read: without it the file is cut into the same lines.
    """
    declaration = read(declared)
    plan = replace(
        plan,
        strip=declaration.strip,
        strip_always=declaration.strip_always,
        local_numbers=declaration.local_numbers,
    )
    zone = declaration.time_zone
    return Source(plan, zone or zones, bool(zone), declaration.mapping or None, declaration, known)


def _plain(source: CdrSource) -> dict[str, Any]:
    return {"source_id": source.source_id, "pattern": source.pattern, **source.declares}
