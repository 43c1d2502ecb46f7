"""Errors of deck files: one code and one value for each, by Forfait's own header and by a format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.rating.decks.formats import COLUMNS, DeckFormat
from chalicelib.rating.decks.mapping import read_deck
from chalicelib.rating.decks.parse import OPTIONAL, REQUIRED, BadLine, parse_deck

ROOT = Path(__file__).parents[3]
TITLES = [*REQUIRED, *OPTIONAL]
GOOD = ["1305", "Florida", "0.0052", "6", "6", "", "", ""]
FORM = DeckFormat({title: title for title in TITLES}, increments="6/6")


def row(**changes: str) -> list[str]:
    return list((dict(zip(TITLES, GOOD, strict=True)) | changes).values())


def both(*rows: list[str]) -> list[list[BadLine]]:
    """What is wrong with rows under Forfait's own titles, read as its own file and by a format."""
    given = list(enumerate([TITLES, *rows], 1))
    return [parse_deck(given)[1], read_deck(given, FORM, "2026-12-01").bad]


@pytest.mark.parametrize(
    ("rows", "code", "value"),
    [
        ([row(prefix=" 0305 ")], "bad_prefix", "0305"),
        ([row(rate_per_minute="free")], "bad_rate_per_minute", "free"),
        ([row(initial="0")], "bad_initial", "0"),
        ([row(increment="six")], "bad_increment", "six"),
        ([row(connect_fee="-1")], "bad_connect_fee", "-1"),
        ([row(destination="x" * 201)], "bad_destination", "x" * 100),
        ([row(match="exact")], "bad_match", "exact"),
        ([row(prefix="411", match="number", home="USA")], "bad_home", "USA"),
        ([row(home="us CA")], "bad_home", "CA|US"),
        ([row(prefix="911", destination="Emergency")], "short_number", "911"),
        ([GOOD, row(rate_per_minute="0.0053")], "two_prices", "1305"),
        ([GOOD[:6]], "bad_width", "1305,Florida,0.0052,6,6,"),
        ([[]], "bad_width", ""),
    ],
)
def test_an_error_has_the_same_code_and_value_in_an_own_file_and_by_a_format(
    rows: list[list[str]], code: str, value: str
) -> None:
    own, mapped = both(*rows)
    assert [(each.code, each.value) for each in own] == [(code, value)]
    assert [(each.line, each.field, each.code, each.value) for each in mapped] == [
        (each.line, each.field, each.code, each.value) for each in own
    ]


def test_a_column_that_is_missing_doubled_or_of_another_name_has_a_code_and_its_title() -> None:
    _, bad = parse_deck([(1, ["prefix", "prefix", "destination", "rate_per_minute", "initial", "fee"])])
    assert [(each.code, each.value) for each in bad] == [
        ("no_column", "increment"), ("no_column", "prefix"), ("extra_column", "fee"),
    ]  # fmt: skip


def test_a_file_without_lines_has_a_code() -> None:
    for given in ([], [(1, TITLES)]):
        assert [each.code for each in parse_deck(given)[1]] == ["empty_file"]
        assert [each.code for each in read_deck(given, FORM, "2026-12-01").bad] == ["empty_file"]


def test_the_page_lists_every_code() -> None:
    part = (ROOT / "docs" / "decks.md").read_text().partition("### Errors of a file")[2].partition("\n#")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", part, re.M)
    listed = {code for cell in first_cells for code in re.findall(r"`(\w+)`", cell)}
    decks = ROOT / "chalicelib" / "rating" / "decks"
    source = "".join((decks / f"{name}.py").read_text() for name in ("parse", "mapping", "publish", "reading"))
    # All words of these modules with a low line are codes, or columns.
    raised = set(re.findall(r'"([a-z]+_[a-z_]+)"', source)) - set(COLUMNS)
    assert listed == raised - {f"bad_{column}" for column in ("prefix", "home")}
