"""What is written where there is no call id is read as no call id, however it is written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from markdown_tables import tables
from test_formats import GOOD, HEADER, parsed, voipms

from chalicelib.rating.cdr import call, call_ids
from chalicelib.rating.engine.vector import ids, words

DOCUMENT = Path(__file__).parents[3] / "docs" / "cdr-formats.md"
ROWS = tables(DOCUMENT.read_text(encoding="utf-8"))["Placeholders"]
PLACEHOLDERS = [text for row in ROWS for text in re.findall("`([^`]+)`", row["written in the column of the id"])]
PLACEHOLDERS += ["—", "0-0", "#¿NOMBRE?", "4,83249E+09", "4.832494463E+09", "1.2E-05", "12.5E+6", "[none]"]
IDS = [
    *("1", "12", "a1", "id-0", "n", "na1", "nullable", "7e10", "4e9", "#123", "00001", "0a", "10", "union-7", "-12"),
    *("4832494463", "1795440600.418", "7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11", "00000000-0000-0000-0000-000000000001"),
    *("undefined-1", "E+09", "4.8E+09x", "a4.8E+09", "1.2.3E+09", "é", "NULL 1"),
]


def spellings(text: str) -> list[str]:
    around = [text, f" {text}\t", f"'{text}'", f'"{text}"', f"`{text}`", f"\ufeff{text}", f'\ufeff "{text}"']
    return [each for one in around for each in (one, one.lower(), one.upper())]


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_no_id_in_any_case_quotes_and_blanks(text: str):
    assert [call_ids.read(each) for each in spellings(text)] == [""] * 21


@pytest.mark.parametrize("text", IDS)
def test_what_only_resembles_a_placeholder_is_an_id(text: str):
    assert call_ids.read(f" {text} ") == call_ids.read(f"\ufeff{text}") == text


@pytest.mark.parametrize("text", ["", *PLACEHOLDERS])
def test_calls_under_a_placeholder_are_known_by_their_rows(text: str):
    called = [f"+1212555010{n}" for n in range(5)]
    lines = [GOOD.replace("a1", f'"{text}"', 1).replace("+442079460000", number) for number in called]
    found = parsed("\n".join([HEADER, *lines, lines[0]]).encode())
    assert len({each[1] for each in found}) == 5
    assert found[0][1] == found[5][1]


def test_an_id_behind_a_byte_order_mark_is_the_same_quoted_or_not():
    lines = [GOOD, "\ufeff" + GOOD, GOOD.replace("a1", '"\ufeffa1"', 1), GOOD.replace("a1", "\ufeff a1", 1)]
    found = parsed("\n".join([HEADER, *lines]).encode())
    assert [each[1] for each in found] == ["a1"] * 4


def test_unique_ids_of_voipms_that_a_spreadsheet_has_shortened_are_missing():
    rows = [voipms(uniqueid="4.83249E+09", destination=f"416555010{n}").splitlines() for n in range(3)]
    found = parsed("\n".join([rows[0][0], *[row[1] for row in rows]]).encode())
    assert len({each[1] for each in found}) == 3
    assert all(each[1].startswith("row:") for each in found)


def by_columns(texts: list[str]) -> list[bool]:
    coded = [text.encode() for text in texts]
    lengths = np.array([len(text) for text in coded])
    buffer = np.frombuffer(b",".join(coded) + bytes(words.PAD), np.uint8)
    return ids.are_known(buffer, np.cumsum(lengths + 1) - lengths - 1, lengths).tolist()


def test_both_engines_know_the_same_ids():
    texts = [each for text in [*PLACEHOLDERS, *IDS, "x" * 128, "x" * 129] for each in spellings(text)]
    texts = [text for text in texts if text.isascii()]
    assert by_columns(texts) == [call_ids.read(text) == text and len(text) <= call.MAX_CALL_ID for text in texts]


@given(st.lists(st.text("0019aAeEnNuU+-.,#! '\\/d", max_size=40), min_size=1, max_size=30))
@examples(300)
def test_both_engines_agree_on_any_text(texts: list[str]):
    assert by_columns(texts) == [text != "" and call_ids.read(text) == text for text in texts]
