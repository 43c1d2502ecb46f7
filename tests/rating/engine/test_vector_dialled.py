"""Dial prefixes and local numbers of a source: the vectorised engine against the reference, and how much it reads."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from examples import share
from test_vector_engine import HOMES, Case, Maker, compare, plan_of

from chalicelib import numbering
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.declaration import NOTHING
from chalicelib.rating.cdr.records import Cut, chunks
from chalicelib.rating.engine.vector import dialled, fields, words
from chalicelib.rating.engine.vector.internal import MOST_BYTES
from chalicelib.rating.engine.vector.layouts import MappedRows, mapped_rows
from chalicelib.rating.engine.vector.lines import lines_of
from chalicelib.rating.engine.vector.owning import KeptRules

STRIPS = [
    "9",
    "8",
    "0",
    "1",
    "00",
    "99",
    "905",
    "*67",
    "9*67",
    "#31#",
    "1010288",
    "01010",
    "0000",
    "0000#",
    "12",
    "2",
    "*6",
]
RULES = [(6, "+73952"), (7, "+1212"), (10, "+1"), (10, "+44"), (3, "+1212555"), (8, "+4420"), (12, "+1"), (4, "+3395")]


def some_plan(dice: random.Random, home: str, accounts: list[str]) -> DialPlan:
    """A plan with a few prefixes and rules."""
    rules = dict(dice.sample(RULES, dice.randrange(4)))
    return replace(
        plan_of(home, accounts),
        strip=tuple(dice.sample(STRIPS, dice.randrange(5))),
        strip_always=dice.random() < 0.4,
        local_numbers=tuple(rules.items()),
    )


def spelled(dice: random.Random, plan: DialPlan, number: str) -> str:
    """A number as it may be dialled: behind a prefix, and perhaps local."""
    if plan.local_numbers and dice.random() < 0.2:
        number = "".join(dice.choices("0123456789", k=dice.choice(plan.local_numbers)[0] + dice.choice([0, 0, 0, 1])))
    start = dice.choice(plan.strip) if plan.strip and dice.random() < 0.6 else ""
    return start + (number.removeprefix("+") if dice.random() < 0.5 else number)


def case_of(seed: int) -> Case:
    maker = Maker(seed)
    dice = maker.dice
    home = dice.choice(["US", "US", "CA", "RU", *HOMES])
    make, accounts, dids = maker.tables("UTC", home)
    plan = some_plan(dice, home, [*accounts, *dice.sample(["912125550100", "055550123", "9+12125550100", "95"], 2)])
    rows = [maker.line(number, accounts, dids, "Z", "T") for number in range(400)]
    for row in rows:
        row[4], row[5] = spelled(dice, plan, row[4]), spelled(dice, plan, row[5])
    data = "\n".join(",".join(row) for row in rows).encode()
    return Case(make, data, formats.Source(plan, "UTC"), dice.choice([5_000, 2 << 20]))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 10 * share(6), 10))
def test_both_engines_agree_on_prefixes_and_local_numbers(first: int) -> None:
    outcomes = [compare(case_of(seed)) for seed in range(first, first + 10)]
    assert sum(rated for rated, _ in outcomes) > 500
    assert sum(plain for _, plain in outcomes) > 300


def laid_out(texts: list[str]) -> MappedRows:
    lengths = np.array([len(text.encode()) for text in texts])
    buffer = np.frombuffer(",".join(texts).encode() + bytes(words.PAD), np.uint8)
    return MappedRows(buffer, {"to": (np.cumsum(lengths + 1) - lengths - 1, lengths)}, np.ones(len(texts), bool), True)


@pytest.mark.parametrize("seed", range(share(60)))
def test_a_number_that_is_certain_is_what_the_dial_plan_reads(seed: int) -> None:
    """Thousands of short and long texts per plan: few files have so many, and every shape of them."""
    dice = random.Random(seed)
    accounts = ["912125550100", "055550123", "9+12125550100", "alice", "95", "2125550100", "98765432"]
    plan = some_plan(dice, dice.choice(["US", "CA", "GB", "RU", "DE"]), dice.sample(accounts, 3))
    plan = replace(plan, internal_digits=dice.choice([None, 2, 4, 7, 9]))
    texts = []
    for _ in range(3_000):
        head = dice.choice(["", "", "+", "00", "011", "1", "0", "911", "112", "2125"])
        text = head + "".join(dice.choices("0123456789", k=dice.randrange(14)))
        text = dice.choice([*plan.strip, "", ""]) + text
        texts.append(text if dice.random() < 0.95 else text + dice.choice([";x", "#", " ", "alice"]))
    rows = dialled.as_read(laid_out(texts), plan)
    begin, length = rows.fields["to"]
    value, digits, known = fields.numbers(rows.buffer, begin, length, plan)
    certain = 0
    for number, text in enumerate(texts):
        if rows.good[number] and known[number]:
            if not numbering.calling_code(str(value[number])):
                # No deck has a line for it, so the reference engine refuses it.
                continue
            assert plan.read(text) == "+" + str(value[number])[: digits[number]], (text, plan)
            certain += 1
        elif rows.good[number] and length[number] <= MOST_BYTES:
            # Nothing was taken off a text that may be an internal number.
            assert rows.buffer[begin[number] : begin[number] + length[number]].tobytes().decode() == text
    assert certain > 50


@pytest.mark.parametrize(
    ("plan", "called"),
    [
        (DialPlan(strip=("9",)), ["912125550100", "9011442079460123", "9055550123", "2125550100", "12125550100"]),
        (DialPlan(strip=("*67",)), ["*6712125550100", "*67+442079460123", "2125550100", "502"]),
        (DialPlan(strip=("1010288",)), ["101028812125550100", "1010288011442079460123", "12125550100"]),
        (DialPlan("GB", strip=("0000#",)), ["0000#+442079460123", "+442079460123", "502"]),
        (DialPlan("RU", strip=("9",), local_numbers=((6, "+73952"),)), ["211474", "9211474", "+73952211474", "2114"]),
        (DialPlan(strip=("9",), local_numbers=((7, "+1212"),)), ["5550100", "95550100", "92125550100"]),
        (DialPlan("GB", local_numbers=((10, "+1"),)), ["2125550100", "+442079460123"]),
        (DialPlan(strip=("1",)), ["12125550100", "2125550100"]),
        (DialPlan(strip=("9",), strip_always=True), ["912125550100", "9055550123", "9+442079460123"]),
    ],
)  # fmt: skip
def test_usual_spellings_are_read_by_columns(plan: DialPlan, called: list[str]) -> None:
    """Lines that the reference engine rates take twenty times as long."""
    rows = [f"x{n},2026-09-10T12:00:00Z,outbound,a,101,{to},ANSWERED,60,0.1" for n, to in enumerate(called * 50)]
    header = "call_id,start,direction,account,from,to,disposition,seconds,cost\n"
    (chunk,) = chunks([(header + "\n".join(rows)).encode()])
    assert not isinstance(chunk, Cut)
    source = formats.Source(plan, "UTC")
    layout = formats.detect(chunk)
    lines = lines_of(chunk, layout)
    assert lines is not None
    read = dialled.as_read(mapped_rows(lines, layout, source, KeptRules()), plan)
    make, _, _ = Maker(1).tables("UTC")
    found = fields.read(read, "UTC", NOTHING, plan, make().book)
    assert found.good.sum() == len(rows)
