"""Costs in another currency: the vectorised engine against the reference, and against exact fractions."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from test_vector_engine import Case, Maker, compare

from chalicelib import money
from chalicelib.rating.cdr.declaration import Declaration
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector import prices

RATES = ["1.0842", "0.00006", "0.0000000001", "41999.5", "0.5", "999999999.9999999999", "1"]


def case_of(seed: int, rate: str) -> Case:
    maker = Maker(seed)
    make, accounts, dids = maker.tables("UTC")
    rows = [maker.line(number, accounts, dids, "Z", "T") for number in range(300)]
    for row in rows:
        row[8] = maker.dice.choice([row[8], row[8], "99999999", "0.00000001", "1000000000", "0.5", " 0.01"])

    def with_costs() -> TermTable:
        table = make()
        table.book.record_costs = seed % 2 == 0
        return table

    case = replace(maker.case(1), make=with_costs, data="\n".join(",".join(row) for row in rows).encode())
    plan = make().book.plan
    declares = Declaration(cost_currency="EUR", fx=(rate, "2026-11-30"))
    return replace(case, source=case.source._replace(plan=plan, zone="UTC", declares=declares))


@pytest.mark.parametrize("rate", RATES)
def test_both_engines_agree_on_converted_costs(rate: str) -> None:
    outcomes = [compare(case_of(seed, rate)) for seed in range(4)]
    assert sum(rated for rated, _ in outcomes) > 300
    assert sum(plain for _, plain in outcomes) > 100


@pytest.mark.parametrize("rate", RATES)
def test_a_cost_is_converted_once_and_rounded_half_up(rate: str) -> None:
    dice = random.Random(rate)
    fx_e10 = Declaration(fx=(rate, "2026-11-30")).fx_e10
    costs = [-1, 0, 1, 2, 3, 5, 10**8, 10**17, *(dice.randrange(10 ** dice.randrange(1, 18)) for _ in range(2_000))]
    found, good = prices.converted(np.array(costs), fx_e10)
    for cost, mine, fits in zip(costs, found.tolist(), good.tolist(), strict=True):
        exact = Fraction(cost) * Fraction(rate)
        right = -1 if cost < 0 else int(exact + Fraction(1, 2))
        assert fits == (right <= money.MAX_AMOUNT)
        assert not fits or mine == right
        if cost >= 0 and fits:
            assert money.converted(cost, fx_e10) == right


def test_a_tie_is_rounded_up_and_too_large_a_cost_is_refused() -> None:
    assert money.converted(1, 5 * 10**9) == 1
    with pytest.raises(ValueError, match="too large"):
        money.converted(10**17, 10**10 + 1)
