"""A client-day that is decided slice by slice comes to the very rows, and in the order, of one decided at once."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from examples import share

from chalicelib import periods
from chalicelib.rating import copies, engine, formats, pricing, slices, spill, usage
from chalicelib.rating.call_keys import NOTHING, Billed, hashes, kinds
from chalicelib.rating.columns import Columns
from chalicelib.rating.decks import Deck, DeckLine, compile_deck
from chalicelib.rating.directory import Directory, Holding
from chalicelib.rating.records import Chunk, chunks
from chalicelib.rating.rendering import render
from chalicelib.rating.segments import decode, pack, quoted
from chalicelib.rating.slices import Slices
from chalicelib.rating.spill import Spill
from chalicelib.rating.tables import Tables
from chalicelib.rating.terms import PackageVersion, Terms

FIRST = -(2**62)
DAY = 1789430400
PART = ("c1", "2026-09")
DECK = Deck.load(
    compile_deck([DeckLine("1", "NANP", 10**8, 60, 60, 0), DeckLine("44", 'UK, "all"', 2 * 10**8, 1, 1, 10**6)])
)


@dataclass
class Case:
    """A file of one client and day, and what was billed before."""

    text: str
    billed: list[tuple[int, bytes]]
    free_minutes: int

    def tables(self) -> Tables:
        package = {"free_minutes": self.free_minutes, "markup_percent_e4": 200_000}
        versions = [PackageVersion("p1", 1, FIRST, **package), PackageVersion("p2", 2, FIRST, markup_fixed_e10=10**7)]
        accounts = {name: [Holding(FIRST, 1, "c1", package_id=package_id)] for name, package_id in ACCOUNTS.items()}
        dids = {"+14165550000": [Holding(FIRST, 1, "c1", "", "", 10**7, 6, 6)]}
        return Tables(
            Directory(accounts, dids), Terms(versions, []), {"value": [(FIRST, lambda: DECK)]}, periods.zone("UTC")
        )


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
    def keys() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for call in calls:
            yield np.array([call[0]]), np.array([call[1]])

    return Billed(lambda: (hashes(*some) for some in keys()), keys) if calls else NOTHING


@dataclass
class Outcome:
    rows: bytes
    sums: Counter[str]
    standing: int
    free: dict[str, int]
    slices: list[int]


def decided(case: Case, chunk_bytes: int) -> Outcome:
    """The day as it is written, by whatever bounds are in force."""
    tables = case.tables()
    aside, free = Spill(io.BytesIO(), tables), usage.Free(tables, {"p1": 100})
    for columns in rated(case, tables, chunk_bytes):
        aside.add(columns)
    aside.flush()
    day = Slices(aside, PART, DAY // 86_400, known(case.billed), tables)
    made, rows, sums = list[int](), b"", Counter[str]()
    for piece in day:
        found = usage.decide(*piece, day.by_id, free, "b1")
        sums.update(found.sums)
        rows += render(found.rows, 0, len(found.rows))
        made.append(len(found.rows))
    return Outcome(rows, sums, day.standing, free.used, made)


def rated(case: Case, tables: Tables, chunk_bytes: int) -> Iterator[Columns]:
    layout, source = None, formats.Source("US", "UTC")
    for chunk in chunks([case.text.encode()], chunk_bytes):
        assert isinstance(chunk, Chunk)
        layout = layout or formats.detect(chunk)
        yield engine.rate(chunk, layout, source, tables)


def naively(case: Case) -> list[tuple[int, int, int]]:
    """Line, free seconds and amount of each call that stands, as the rules say it and one by one."""
    tables = case.tables()
    [columns] = rated(case, tables, 1 << 20)
    ids, terms = columns.texts().call_id.tolist(), [tables.call_terms(n) for n in columns.rows["terms"].tolist()]
    minutes = tables.terms.grant_minutes() and any(each.covered for each in terms)
    seen, standing = set(case.billed), []
    for place, row in enumerate(columns.rows):
        key = int(kinds(np.array([row["code"]]))[0]), ids[place]
        if key not in seen:
            seen.add(key)
            standing.append(place)
    standing.sort(key=lambda place: (columns.rows["start"][place], ids[place] if minutes else b""))
    left, found = case.free_minutes * 60 - 100, []
    for place in standing:
        row, term, free, amount = columns.rows[place], terms[place], 0, int(columns.rows["amount_e8"][place])
        if minutes and term.covered and term.package_id == "p1" and amount and left > 0:
            price = pricing.price(term, int(row["seconds"]), left)
            amount, free = price.amount_e8, price.free_seconds
            left -= free
        found.append((int(row["line"]), free, amount))
    return found


@pytest.mark.long
@pytest.mark.parametrize("seed", range(share(40)))
def test_in_slices_and_at_once_the_same_calls_stand_in_the_same_order_at_the_same_price(seed: int, monkeypatch):
    """Copies and free minutes reach across slices and runs; often all calls begin in one second."""
    dice = random.Random(-seed)
    case = some_case(seed)
    whole = decided(case, 1 << 20)
    calls = decode(pack(whole.rows))
    assert [(call.line, call.free_seconds, call.amount_e8) for call in calls] == naively(case)
    assert len(whole.slices) == 1
    monkeypatch.setattr(usage, "_STRETCH", dice.choice([1, 7, 5_000]))
    monkeypatch.setattr(slices, "SLICE_ROWS", dice.choice([1, 7, 100]))
    monkeypatch.setattr(spill, "PART_ROWS", dice.choice([1, 20, 200_000]))
    monkeypatch.setattr(copies, "HEAP_KEYS", dice.choice([5, 100_000]))
    cut = decided(case, dice.choice([200, 2_000]))
    assert (cut.rows, cut.sums, cut.standing, cut.free) == (whole.rows, whole.sums, whole.standing, whole.free)
    assert cut.standing == cut.sums["rows"]
    # Where ids decide, calls of one id (a leg in, a leg out, answered or not) stay together.
    assert max(cut.slices) <= slices.SLICE_ROWS + (3 if case.free_minutes else 0)


def test_calls_behind_the_last_free_minute_are_not_looked_at_one_by_one(monkeypatch):
    head = "call_id,start,direction,account,from,to,disposition,seconds\n"
    call = f"{{}},{periods.format_instant(DAY)},outbound,anna,+14165550199,+12125550100,ANSWERED,60\n"
    looked, left = [], usage.Free.left
    monkeypatch.setattr(usage, "_STRETCH", 10)
    monkeypatch.setattr(usage.Free, "left", lambda *asked: looked.append(asked) or left(*asked))
    assert decided(Case(head + "".join(map(call.format, range(200))), [], 3), 1 << 20).free == {"p1": 180}
    assert len(looked) == 10


def test_slices_end_between_seconds_and_hold_no_more_than_they_may(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_ROWS", 10)
    counts = np.zeros(86_400, np.int64)
    counts[[0, 5, 6, 7, 9, 86_399]] = [4, 6, 1, 25, 10, 1]
    assert slices._cuts(counts) == [0, 6, 7, 8, 86_399, 86_400]
    assert slices._cuts(np.zeros(86_400, np.int64)) == [0, 86_400]
