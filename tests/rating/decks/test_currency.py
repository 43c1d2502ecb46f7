"""Costs in another currency: converted as the table of ``docs/decks.md`` says."""

from __future__ import annotations

import pytest
from documents import DOCS
from markdown_tables import tables

from chalicelib import money
from chalicelib.rating.decks.currency import ONE, convert
from chalicelib.rating.decks.deck import DeckLine

ROWS = tables((DOCS / "decks.md").read_text(encoding="utf-8"))["Costs in another currency"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['given']} x {row['fx']}")
def test_costs_are_converted_as_the_table_says(row):
    fx = money.parse_decimal(row["fx"], money.RATE_PLACES)
    if row["cost"].startswith("rate"):
        [line] = convert([DeckLine("44", "", money.parse_rate(row["given"]), 1, 1, 0)], fx)
        assert line.rate_e10 == money.parse_rate(row["in the deck"])
    else:
        [line] = convert([DeckLine("44", "", 0, 1, 1, money.parse_amount(row["given"]))], fx)
        assert line.fee_e8 == money.parse_amount(row["in the deck"])


def test_a_cost_of_more_than_a_thousand_is_refused_and_one_of_a_thousand_is_not():
    line = DeckLine("44", "", money.MAX_RATE // 2, 1, 1, money.MAX_FEE // 2)
    assert convert([line], 2 * ONE)[0].rate_e10 == money.MAX_RATE
    for each in (line._replace(fee_e8=0), line._replace(rate_e10=0)):
        with pytest.raises(ValueError, match="cost of 44"):
            convert([each], 2 * ONE + ONE // 10**6)
