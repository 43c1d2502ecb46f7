"""What a preview suggests for a file: a complete CDR source found in its first lines, and questions about the rest.

Two readings that both fit are a question and never a guess: then the part is left out of the suggestion, and lines that
need it are refused. Pure; ``docs/cdr-formats.md`` says how a person uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.detection import detect
from chalicelib.rating.cdr.mapping import TIME
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.cdr.suggest.columns import columns
from chalicelib.rating.cdr.suggest.dates import date_format, joined
from chalicelib.rating.cdr.suggest.found import CERTAIN, Suggestion
from chalicelib.rating.cdr.suggest.grid import grid_of
from chalicelib.rating.cdr.suggest.naming import naming
from chalicelib.rating.cdr.suggest.numbers import numbers
from chalicelib.rating.cdr.suggest.owners import owners, words
from chalicelib.rating.cdr.suggest.titles import zone_in

NOTHING: Mapping[str, Any] = MappingProxyType({})
OF_LAYOUT = ("header", "skip_lines", "columns", "defaults")
"""The parts that a file of a format known to Forfait does not need."""


def suggest(
    chunk: Chunk, is_known: bool, known: Known, plan: DialPlan, declared: Mapping[str, Any] = NOTHING
) -> Suggestion:
    """The source that reads the first lines of a file.

    ``is_known``: whether Forfait knows the file's format; then nothing is suggested about its columns.
    ``known``: the reseller's sub-accounts and DIDs. ``plan``: how its numbers are dialled, by what is declared.
    ``declared``: the parts of the source that holds for the file already; the suggestion keeps all of them.
    """
    found, grid = Suggestion.on(declared), grid_of(chunk)
    if not grid.rows:
        return found.added()
    if "columns" not in declared:
        found.say("header", "absent" if grid.titles is None else "present")
        if grid.skip:
            found.say("skip_lines", grid.skip)
    places = columns(grid, found, known.accounts)
    if not is_known:
        naming(grid, places, known, plan, found)
    start = places.of.get("start")
    if start is not None:
        texts = grid.column(start)
        date_format(grid, joined(texts, grid.column(places.of[TIME])) if TIME in places.of else texts, found)
        zone = zone_in(grid.titles[start]) if grid.titles else None
        if zone and "columns" not in declared:
            found.say("time_zone", zone, CERTAIN)
    if "columns" in declared and not places.of:
        return found.added()
    words(grid, places, found, is_known)
    numbers(grid, places, known.dids, plan, found)
    owners(grid, places, known, plan, found, detect(chunk).name if is_known else "")
    return (_without_layout(found) if is_known else found).added()


def _without_layout(found: Suggestion) -> Suggestion:
    """The suggestion without the parts that say how the file is laid out."""

    asked = {question.part for question in found.questions}

    def keeps(part: str) -> bool:
        # The account rules of a known format are those that it has anyway.
        return part.partition(".")[0] not in OF_LAYOUT and (part != "account" or part in asked)

    def kept(part: str) -> bool:
        return part in found.declared or (keeps(part) and part != "account")

    return Suggestion(
        {part: value if keeps(part) else found.declared[part] for part, value in found.source.items() if kept(part)},
        {part: how for part, how in found.confidence.items() if keeps(part)},
        [question for question in found.questions if keeps(question.part) and question.code != "unit"],
        [one for one in found.evidence if keeps(one.part)],
        found.features,
        found.declared,
    )
