"""The table "Which version holds" of ``docs/pricing.md``: one rule for assignments, packages and custom rates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import dated
from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.terms import Terms

SECTION = (Path(__file__).parents[1] / "docs" / "pricing.md").read_text().split("### Which version holds\n")[1]
ROWS = re.findall(r"^\| (always .*?) \| (.*?) \|$", SECTION.split("\n## ")[0], re.MULTILINE)
ALWAYS = -(2**62)
LINE = DeckLine("1", "USA", 0, 60, 60, 0)


def parts(text: str) -> list[tuple[int, str]]:
    """``always A, from 10 B`` -> starts and names."""
    found = [re.fullmatch(r"(?:always |from (-?\d+) )?(\w+)", part) for part in text.split(", ")]
    return [(ALWAYS if each[1] is None else int(each[1]), each[2]) for each in found if each]


def wanted(text: str, at: int) -> str:
    return [name for start, name in parts(text) if start <= at][-1]


def instants(recorded: str) -> list[int]:
    return [-100, *(start + more for start, _ in parts(recorded)[1:] for more in (-1, 0, 1)), 1000]


def test_the_table_has_its_rows() -> None:
    assert len(ROWS) >= 8


@pytest.mark.parametrize(("recorded", "force"), ROWS)
def test_assignments_of_accounts_and_numbers(recorded: str, force: str) -> None:
    held = [
        Holding(start, version, "" if name == "nobody" else name)
        for version, (start, name) in enumerate(parts(recorded), 1)
    ]
    ownership = Ownership({"desk": held[::-1]}, {"+13055551234": held})
    for at in instants(recorded):
        found = {ownership.account("desk", at), ownership.did_stretch("+13055551234", at)[0]}
        assert {each.client_id if each else "nobody" for each in found} == {wanted(force, at)}


@pytest.mark.parametrize(("recorded", "force"), ROWS)
def test_packages_and_custom_rates(recorded: str, force: str) -> None:
    names = sorted({name for _, name in parts(recorded)})
    rates = {name: None if name == "nobody" else n for n, name in enumerate(names, 1)}
    versions = [PackageVersion("p", n, start, name=name) for n, (start, name) in enumerate(parts(recorded), 1)]
    customs = [
        CustomRate("p", "country", "US", n, start, rates[name]) for n, (start, name) in enumerate(parts(recorded), 1)
    ]
    terms = Terms(versions[::-1], customs[::-1])
    for at in instants(recorded):
        package = terms.package("p", at)
        assert package is not None
        assert package.name == wanted(force, at)
        resolved = terms.epoch("p", at).resolve("13055551234", "US", LINE)
        assert resolved is not None
        rate = rates[wanted(force, at)]
        assert (resolved.rule, resolved.rate_e10) == (("markup", 0) if rate is None else ("country:US", rate))


@given(st.lists(st.integers(0, 9), max_size=12))
def test_in_force_is_the_last_recorded_of_those_that_began(starts: list[int]) -> None:
    records: list[Any] = [Holding(start, version, str(version)) for version, start in enumerate(starts)]
    standing = dated.standing(records[::-1])
    assert [each.effective_from for each in standing] == sorted({each.effective_from for each in standing})
    for at in range(-1, 11):
        past = [each for each in records if each.effective_from <= at]
        assert dated.in_force(records, at) is (past[-1] if past else None)
