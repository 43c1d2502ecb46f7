"""No cell of a CSV file begins like a formula, also if a spreadsheet splits the file at other characters."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.csv_cells import inert
from chalicelib.web.csv import text

FORMULA = re.compile(r"[\s\"\ufeff\u200b]*[=+\-@＝＋－＠]")
NUMBER = re.compile(r"[+-]?[0-9.]+")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        *[(f"{sign}SUM(1)", f"'{sign}SUM(1)") for sign in "=+-@＝＋－＠"],
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        (" =1", "' =1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("a;=1;b", "a;'=1;b"),
        ('a; ""@x', 'a;\' ""@x'),
        ("a\n＝1", "a\n'＝1"),
        ("a\t=1", "a\t'=1"),
        ("+1;+2", "'+1;'+2"),
        ("-1;", "'-1;"),
    ],
)
def test_what_begins_like_a_formula_gets_an_apostrophe(cell: str, expected: str):
    assert inert(cell) == expected


@pytest.mark.parametrize(
    "cell", ["", "-1.5", "+15145550100", "a=b", "2026-11-23", "'=1", "a;+15145550100;b", "Zoë", "1e-5", 7, None, -3]
)
def test_numbers_and_other_texts_stay_as_they_are(cell: object):
    assert inert(cell) == cell


def cells_of(content: str, delimiter: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter) for cell in row]


rows = st.lists(st.lists(st.text("=+-@＝ ;,\t\r\n\"'a1.\ufeff", max_size=12), min_size=1, max_size=4), max_size=3)


@given(rows, st.sampled_from([",", ";", "\t"]))
@examples(500)
def test_no_cell_begins_like_a_formula_at_whatever_sign_a_file_is_split(found: Sequence[Sequence[str]], delimiter: str):
    # A signed number in the first column is followed by a comma, which some spreadsheets do not split at.
    found = [row for row in found if not NUMBER.fullmatch(row[0])]
    for cell in cells_of(text(["a"], found), delimiter):
        assert NUMBER.fullmatch(cell) or not FORMULA.match(cell), cell


@given(st.text('=+-@＝ ;\t"a1.', max_size=30).filter(lambda cell: "'" not in cell))
@examples(300)
def test_without_the_apostrophes_a_cell_is_as_it_was(cell: str):
    assert str(inert(cell)).replace("'", "") == cell


def test_a_cell_of_many_blanks_and_signs_is_looked_over_once():
    """It would take minutes if every blank were tried as the begin of a formula."""
    for cell in ("\t" * 60_000 + "=", "; " * 30_000, " " * 60_000 + ";=", "+1;" * 20_000):
        assert len(str(inert(cell))) >= len(cell)
