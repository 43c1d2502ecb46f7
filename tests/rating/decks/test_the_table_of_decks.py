"""The table of ``docs/decks.md``: which line of a deck sets the cost of a number, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_tables import Row, tables

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.decks import parse
from chalicelib.rating.decks.deck import NUMBER, Deck, DeckLine, compile_deck, short_numbers
from chalicelib.rating.pricing.ownership import Ownership
from chalicelib.rating.pricing.precedence import PackageVersion
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

DOCUMENT = (Path(__file__).parents[3] / "docs" / "decks.md").read_text()
ROWS = tables(DOCUMENT)["Numbers alone"]


def lines_of(text: str) -> list[DeckLine]:
    """ "prefix 41, number 411 US" -> deck lines; the destination of each is its words."""
    lines = []
    for words in text.split(", "):
        match, digits, *homes = words.split()
        lines.append(DeckLine(digits, words, 1, 60, 60, 0, match, tuple(homes)))
    return lines


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['number called']} in {row['the lines of the deck']}")
def test_the_line_that_sets_the_cost_is_the_one_written(row: Row):
    lines, home = lines_of(row["the lines of the deck"]), row["home country"]
    deck = Deck.load(compile_deck(lines))
    codes = frozenset(each for each, homes in short_numbers(lines).items() if not homes or home in homes)
    plan = DialPlan(home, codes=codes)
    terms = Terms([PackageVersion("p", 1, 0)], [])
    book = RateBook(Ownership({}, {}), terms, {"value": [(0, lambda: deck)]}, periods.calendar("UTC"), plan=plan)
    found = book.outbound("p", 1, plan.read(row["number called"].strip("`")))
    assert found is not None
    expected = row["the line that sets the cost"]
    assert (found.destination or f"none: {found.rule}") == expected


def test_the_example_and_the_columns_are_those_that_are_read():
    example = DOCUMENT.split("```text\n")[1].split("```")[0].splitlines()
    lines, bad = parse.parse_deck(enumerate((line.split(",") for line in example), 1))
    assert bad == []
    assert [(line.prefix, line.homes) for line in lines if line.match == NUMBER] == [
        ("411", ("CA", "US")), ("18005550100", ()),
    ]  # fmt: skip
    for column in parse.REQUIRED + parse.OPTIONAL:
        assert f"| `{column}` | {'must be' if column in parse.REQUIRED else 'may be'}" in DOCUMENT
