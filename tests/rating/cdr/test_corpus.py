"""Files in the shapes of real systems, each with the calls that it means, through the preview and both engines.

``corpus/<name>.csv`` lies beside ``<name>.json``: the reseller's world (home country, zone, sub-accounts, DIDs, and DID
-> sub-account that calls by it), the ``source`` that is declared, if any, or ``suggested``: the preview's suggestion is
declared as it is; the calls, the refused lines with their reasons, and the lines that are no calls.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from chalicelib import periods
from chalicelib.dated import FIRST
from chalicelib.dialling import DialPlan
from chalicelib.rating.batches import sources
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.call import Rejection, Skipped
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk, chunks
from chalicelib.rating.cdr.suggest import suggest
from chalicelib.rating.decks.deck import Deck, DeckLine, compile_deck
from chalicelib.rating.engine import columns, reference
from chalicelib.rating.engine.attribution import Refusal, attribute
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector import engine as fast
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import PackageVersion
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms
from chalicelib.rating.shapes.sources import CdrSource

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.csv"))
DECK = Deck.load(compile_deck([DeckLine(str(n), "Anywhere", 10**8, 1, 1, 0) for n in range(1, 10)]))


@dataclass
class World:
    """A reseller as a file of the corpus needs it."""

    data: bytes
    told: dict[str, Any]

    @classmethod
    def of(cls, name: str) -> World:
        return cls((CORPUS / f"{name}.csv").read_bytes(), json.loads((CORPUS / f"{name}.json").read_text()))

    @property
    def known(self) -> Known:
        return Known(frozenset(self.told["accounts"]), frozenset(self.told["dids"]), self.told["callers"])

    @property
    def plan(self) -> DialPlan:
        return DialPlan(self.told["home"], accounts=frozenset(self.told["accounts"]))

    @cached_property
    def parts(self) -> list[Chunk]:
        found = [chunk for chunk in chunks([self.data]) if isinstance(chunk, Chunk)]
        assert found
        return found

    def book(self) -> RateBook:
        accounts = {name: [Holding(FIRST, 1, "c", package_id="p")] for name in self.told["accounts"]}
        dids = {number: [Holding(FIRST, 1, "c")] for number in self.told["dids"]}
        terms = Terms([PackageVersion("p", 1, FIRST)], [])
        decks = {"value": [(FIRST, lambda: DECK)]}
        return RateBook(Ownership(accounts, dids), terms, decks, periods.calendar(self.told["zone"]), plan=self.plan)

    def source(self) -> formats.Source:
        """The source of the world: as it is declared, or as it is suggested and then PUT."""
        declared = self.told.get("source")
        if self.told.get("suggested"):
            bare = sources.reading(self.plan, self.told["zone"], None, self.known)
            layout, first = next(formats.laid_out(self.parts, bare))
            declared = suggest(first, layout.name != "unknown", self.known, self.plan).source
        if declared:
            declared = CdrSource.model_validate({"id": "it", "pattern": "it/", **declared}).stored()["declares"]
        return sources.reading(self.plan, self.told["zone"], declared, self.known)


def meant(world: World) -> tuple[list[dict[str, Any]], list[list[Any]], list[int]]:
    """The calls that a file is read as, in the words of the corpus, its refused lines with their reasons, and its
    skipped lines."""
    source, book = world.source(), world.book()
    calls, refused, skipped = [], [], []
    for layout, chunk in formats.laid_out(world.parts, source):
        for call in formats.parse(chunk, layout, source):
            if isinstance(call, Rejection):
                refused.append([call.line, call.reason])
                continue
            if isinstance(call, Skipped):
                skipped.append(call.line)
                continue
            found = attribute(call, book)
            if isinstance(found, Refusal):
                refused.append([call.line, found.reason])
                continue
            calls.append(
                {
                    "line": call.line,
                    "start": periods.format_instant(call.start),
                    "direction": call.direction,
                    "account": call.account,
                    "to": call.to_number,
                    "disposition": call.disposition,
                    "seconds": call.seconds,
                }
            )
    return calls, refused, skipped


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_a_real_system_means_these_calls(name: str) -> None:
    world = World.of(name)
    assert meant(world) == tuple(world.told[part] for part in ("calls", "refused", "skipped"))


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_read_a_file_of_a_real_system_alike(name: str) -> None:
    world = World.of(name)
    source, mine, right = world.source(), TermTable(world.book()), TermTable(world.book())
    for layout, chunk in formats.laid_out(world.parts, source):
        found, expected = fast.rate(chunk, layout, source, mine), reference.rate(chunk, layout, source, right)
        assert (list(found.rejected), found.skipped) == (list(expected.rejected), expected.skipped)
        for vectors in zip(found.texts(), expected.texts(), strict=True):
            assert vectors[0].tolist() == vectors[1].tolist()
        for field in set(columns.ROW.names or ()) - {"terms", "holder", "month"}:
            assert (found.rows[field] == expected.rows[field]).all(), field


def test_the_corpus_has_at_least_forty_files_each_with_its_meaning() -> None:
    assert len(NAMES) >= 40
    assert sorted(path.stem for path in CORPUS.glob("*.json")) == NAMES


@pytest.mark.parametrize("unit", ["s", "ms", "min"])
def test_dates_beside_times_and_other_units_are_read_as_columns(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"a{n};{n + 1}/11/2026;8:{n:02};1001;14165550123;acme;{n + 7};ANSWERED" for n in range(10, 28)]
    told = World.of("date-and-time").told
    columns_of = {"call_id": "Ref", "start": ["Date", "Time"], "from": "Caller", "to": "Dialled", "account": "Username"}
    told["source"] = {
        "columns": {**columns_of, "seconds": "Talk time", "disposition": "Result"},
        "date_format": "d/M/y H:m",
        "defaults": {"direction": "outbound"},
        "seconds_format": unit,
    }
    text = "\n".join(["Ref;Date;Time;Caller;Dialled;Username;Talk time;Result", *rows, ""])
    world = World(text.encode(), {**told, "suggested": False})
    source, table = world.source(), TermTable(world.book())
    (layout, chunk), *_ = formats.laid_out(world.parts, source)
    expected = reference.rate(chunk, layout, source, table)

    def never(first: Chunk, *_: object) -> object:
        assert first.data.count(b"Talk time") == first.data.count(b"\n")  # The header alone is left to it.
        return real(first, *_)

    real = reference.rate
    monkeypatch.setattr(reference, "rate", never)
    found = fast.rate(chunk, layout, source, TermTable(world.book()))
    assert found.rows["seconds"].tolist() == expected.rows["seconds"].tolist()
    assert found.rows["seconds"][0] == {"s": 17, "ms": 1, "min": 1020}[unit]
    assert found.rows["start"].tolist() == expected.rows["start"].tolist()
