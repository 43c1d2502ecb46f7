"""A client-day that is charged slice by slice has the same rows in the same order as one charged at once."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from examples import share

from chalicelib import periods
from chalicelib.calls.format import decode, pack, quoted
from chalicelib.calls.totals import Totals
from chalicelib.client_month import ClientMonth
from chalicelib.dialling import DialPlan
from chalicelib.rating.batches import charges, client_day, duplicates, spill
from chalicelib.rating.batches.client_day import ClientDay
from chalicelib.rating.batches.rated_csv import render
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.records import Chunk, chunks
from chalicelib.rating.decks.deck import Deck, DeckLine, compile_deck
from chalicelib.rating.engine import reference
from chalicelib.rating.engine.call_keys import NOTHING, Billed, Keys, Said, hashes, kinds
from chalicelib.rating.engine.columns import Columns
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import PackageVersion
from chalicelib.rating.pricing.price import price_call
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

FIRST = -(2**62)
DAY = 1789430400
CLIENT_MONTH = ClientMonth("c1", "2026-09")
DECK = Deck.load(
    compile_deck([DeckLine("1", "NANP", 10**8, 60, 60, 0), DeckLine("44", 'UK, "all"', 2 * 10**8, 1, 1, 10**6)])
)


@dataclass
class Case:
    """A file of one client and day, and what was billed before."""

    text: str
    billed: list[tuple[int, bytes]]
    free_minutes: int

    def table(self) -> TermTable:
        package = {"free_minutes": self.free_minutes, "markup_percent_e4": 200_000}
        versions = [PackageVersion("p1", 1, FIRST, **package), PackageVersion("p2", 2, FIRST, markup_fixed_e10=10**7)]
        accounts = {name: [Holding(FIRST, 1, "c1", package_id=package_id)] for name, package_id in ACCOUNTS.items()}
        dids = {"+14165550000": [Holding(FIRST, 1, "c1", "", "", 10**7, 6, 6)]}
        decks = {"value": [(FIRST, lambda: DECK)]}
        return TermTable(RateBook(Ownership(accounts, dids), Terms(versions, []), decks, periods.calendar("UTC")))


ACCOUNTS = {"anna": "p1", "bert": "p2", "carl": "p1"}


def some_case(seed: int) -> Case:
    dice = random.Random(seed)
    pick, seconds = dice.choice, some_seconds(dice)
    ids = [pick(["a,b-%d", "id%d", "a-much-longer-id-than-the-others-%d"]) % n for n in range(pick([40, 300]))]
    text = io.StringIO()
    file = csv.writer(text, lineterminator="\n")
    file.writerow(["call_id", "start", "direction", "account", "from", "to", "disposition", "seconds"])
    for _ in range(300):
        start = periods.format_instant(DAY + pick(seconds))
        outbound = ["outbound", pick(list(ACCOUNTS)), "+14165550199", pick(["+12125550100", "+442079460000"])]
        inbound = ["inbound", "", "+12125550100", "+14165550000"]
        ends = pick([outbound, outbound, inbound])
        file.writerow([pick(ids), start, *ends, pick(["ANSWERED"] * 3 + ["BUSY"]), dice.randrange(200)])
    billed = [(dice.randrange(4), quoted(each).encode()) for each in dice.sample(ids, len(ids) // 5)]
    return Case(text.getvalue(), pick([billed, []]), pick([0, 3, 30, 10_000]))


def some_seconds(dice: random.Random) -> list[int]:
    """Of the day, in which calls begin: one, a few, or any."""
    return dice.choice([[77], [0, 1, 86_399], [dice.randrange(86_400) for _ in range(30)], list(range(86_400))])


def known(calls: list[tuple[int, bytes]]) -> Billed:
    def said(some: np.ndarray) -> Said:
        zeros, none = np.zeros(len(some), np.int64), np.zeros(len(some), "S1")
        return Said(zeros, zeros, none, zeros, zeros, none)

    def keys() -> Iterator[Keys]:
        for call in calls:
            yield Keys(np.array([call[0]]), np.array([call[1]]), said)

    return Billed(lambda: (hashes(each.kind, each.call_id) for each in keys()), keys) if calls else NOTHING


@dataclass
class Outcome:
    rows: bytes
    totals: Totals
    unique_lines: int
    free: dict[str, int]
    conflicts: set[tuple[object, ...]]
    slices: list[int]


def decided(case: Case, chunk_bytes: int) -> Outcome:
    """The day as it is written, with the bounds that are set."""
    table = case.table()
    aside, free = Spill(io.BytesIO(), table.book), charges.FreeSeconds(table, {"p1": 100})
    for columns in rated(case, table, chunk_bytes):
        aside.add(columns)
    aside.flush()
    conflicts = list[np.ndarray]()
    day = ClientDay(aside, CLIENT_MONTH, DAY // 86_400, known(case.billed), table, conflicts.append)
    made, rows, totals = list[int](), b"", Totals()
    for piece in day:
        found = charges.charge(*piece, day.by_id, free, "b1")
        totals += found.totals
        rows += render(found.rows, 0, len(found.rows))
        made.append(len(found.rows))
    conflicting = {each for some in conflicts for each in some.tolist()}
    return Outcome(rows, totals, day.unique_lines, free.used, conflicting, made)


def rated(case: Case, table: TermTable, chunk_bytes: int) -> Iterator[Columns]:
    layout, source = None, formats.Source(DialPlan("US"), "UTC")
    for chunk in chunks([case.text.encode()], chunk_bytes):
        assert isinstance(chunk, Chunk)
        layout = layout or formats.detect(chunk)
        yield reference.rate(chunk, layout, source, table)


def naively(case: Case) -> list[tuple[int, int, int]]:
    """Line, free seconds and amount of each unique call, by the rules, one after the other."""
    table = case.table()
    [columns] = rated(case, table, 1 << 20)
    ids, terms = columns.texts().call_id.tolist(), [table.call_terms(n) for n in columns.rows["terms"].tolist()]
    minutes = table.book.terms.grant_minutes() and any(each.covered for each in terms)
    seen, unique = set(case.billed), []
    for place, row in enumerate(columns.rows):
        key = int(kinds(np.array([row["code"]]))[0]), ids[place]
        if key not in seen:
            seen.add(key)
            unique.append(place)
    unique.sort(key=lambda place: (columns.rows["start"][place], ids[place] if minutes else b""))
    left, found = case.free_minutes * 60 - 100, []
    for place in unique:
        row, term, free, amount = columns.rows[place], terms[place], 0, int(columns.rows["amount_e8"][place])
        if minutes and term.covered and term.package_id == "p1" and amount and left > 0:
            price = price_call(term, int(row["seconds"]), left)
            amount, free = price.amount_e8, price.free_seconds
            left -= free
        found.append((int(row["line"]), free, amount))
    return found


@pytest.mark.long
@pytest.mark.parametrize("seed", range(share(40)))
def test_in_slices_and_at_once_the_same_calls_have_the_same_order_and_price(seed: int, monkeypatch):
    """Duplicates and free minutes span slices and runs; often all calls begin in one second."""
    dice = random.Random(-seed)
    case = some_case(seed)
    whole = decided(case, 1 << 20)
    calls = decode(pack(whole.rows))
    assert [(call.line, call.free_seconds, call.amount_e8) for call in calls] == naively(case)
    assert len(whole.slices) == 1
    monkeypatch.setattr(charges, "_CALLS_PER_CHECK", dice.choice([1, 7, 5_000]))
    monkeypatch.setattr(client_day, "SLICE_ROWS", dice.choice([1, 7, 100]))
    monkeypatch.setattr(spill, "CHUNK_ROWS", dice.choice([1, 20, 200_000]))
    monkeypatch.setattr(duplicates, "PARTITION_KEYS", dice.choice([5, 100_000]))
    cut = decided(case, dice.choice([200, 2_000]))
    assert replace(cut, slices=whole.slices) == whole
    assert cut.unique_lines == cut.totals.calls
    # Where ids decide, calls of one id (a leg in, a leg out, answered or not) stay together.
    assert max(cut.slices) <= client_day.SLICE_ROWS + (3 if case.free_minutes else 0)


def test_calls_behind_the_last_free_minute_are_not_looked_at_one_by_one(monkeypatch):
    head = "call_id,start,direction,account,from,to,disposition,seconds\n"
    call = f"{{}},{periods.format_instant(DAY)},outbound,anna,+14165550199,+12125550100,ANSWERED,60\n"
    looked, left = [], charges.FreeSeconds.left
    monkeypatch.setattr(charges, "_CALLS_PER_CHECK", 10)
    monkeypatch.setattr(charges.FreeSeconds, "left", lambda *asked: looked.append(asked) or left(*asked))
    assert decided(Case(head + "".join(map(call.format, range(200))), [], 3), 1 << 20).free == {"p1": 180}
    assert len(looked) == 10


def test_slices_end_between_seconds_and_hold_no_more_than_they_may(monkeypatch):
    monkeypatch.setattr(client_day, "SLICE_ROWS", 10)
    counts = np.zeros(86_400, np.int64)
    counts[[0, 5, 6, 7, 9, 86_399]] = [4, 6, 1, 25, 10, 1]
    assert client_day._cuts(counts) == [0, 6, 7, 8, 86_399, 86_400]
    assert client_day._cuts(np.zeros(86_400, np.int64)) == [0, 86_400]
