"""Money that 64 bits could not hold on the way is left to the reference, whose integers have no end."""

from __future__ import annotations

import gc
import weakref

import pytest
from test_vector_engine import FIRST, Case, compare

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.money import MAX_FEE, MAX_PERCENT, MAX_RATE
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.formats import Source
from chalicelib.rating.cdr.records import chunks
from chalicelib.rating.decks.deck import Deck, DeckLine, compile_deck
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector import engine as fast
from chalicelib.rating.engine.vector import prices
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.price import PERCENT_ONE
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

HEADER = b"call_id,start,direction,account,from,to,disposition,seconds\n"


def case(rate_e10: int, fee_e8: int, percent_e4: int, customs: list[CustomRate]) -> Case:
    """Calls from one second to a day, by one deck line and one package."""
    deck = Deck.load(compile_deck([DeckLine("1", "NANP", rate_e10, 6, 3600, fee_e8)]))
    package = PackageVersion("p", 1, 0, markup_fixed_e10=rate_e10, markup_percent_e4=percent_e4)
    ownership = Ownership({"user": [Holding(FIRST, 1, "c", package_id="p")]}, {})
    decks = {"value": [(0, lambda: deck)], "premium": [(0, lambda: deck)]}
    lines = [
        f"i{seconds},2026-09-10T12:00:00Z,outbound,user,+1,+12125550100,ANSWERED,{seconds}".encode()
        for seconds in (1, 6, 7, 3605, 3606, 3607, 86_400)
    ]
    return Case(
        lambda: TermTable(RateBook(ownership, Terms([package], customs), decks, periods.calendar("UTC"))),
        HEADER + b"\n".join(lines),
        Source(DialPlan("US"), "UTC"),
        1 << 20,
    )


LARGEST = (prices.SAFE - 1) // (2 * PERCENT_ONE)
"""The largest rate of a deck that, with as much again as fixed markup, is priced here at 0 %."""


@pytest.mark.parametrize(
    ("rate_e10", "fee_e8", "percent_e4", "vectorised"),
    [
        (LARGEST, 0, 0, 7),
        (LARGEST + 1, 0, 0, 0),
        (MAX_RATE, 0, 0, 0),
        (MAX_RATE, 0, MAX_PERCENT, 0),
        (LARGEST, MAX_FEE, 0, 7),
        (0, MAX_FEE, MAX_PERCENT, 0),
        (0, MAX_FEE // 1000, MAX_PERCENT, 7),
    ],
)
def test_what_could_overflow_is_the_references(rate_e10: int, fee_e8: int, percent_e4: int, vectorised: int):
    assert compare(case(rate_e10, fee_e8, percent_e4, [])) == (7, vectorised)


def test_the_dearest_custom_rate_and_fee_are_priced_alike():
    custom = CustomRate("p", "prefix", "1212", 1, FIRST, MAX_RATE, 3599, 3600, MAX_FEE, MAX_FEE)
    assert compare(case(10**12, 0, 0, [custom])) == (7, 7)


def test_a_container_that_rates_for_many_resellers_keeps_what_it_laid_out_for_the_last_ones():
    laid_out = []
    for area in range(200, 220):
        one = case(10**8, 0, 0, [CustomRate("p", "prefix", f"1{area}", 1, FIRST, 10**8)])
        table, (chunk,) = one.make(), chunks([one.data])
        assert len(fast.rate(chunk, formats.detect(chunk), one.source, table)) == 7
        laid_out.append(weakref.ref(table.compiled.deck("value", 0).matcher))
    del table, one
    gc.collect()
    assert sum(matcher() is not None for matcher in laid_out) <= 2
