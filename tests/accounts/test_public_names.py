"""Names of packages that give the markup away."""

from __future__ import annotations

import pytest

from chalicelib.accounts.public_names import gives_markup_away


def price(percent_e4: int, fixed_e10: int = 0) -> dict[str, int]:
    return {"markup_percent_e4": percent_e4, "markup_fixed_e10": fixed_e10}


@pytest.mark.parametrize(
    ("name", "percent_e4", "fixed_e10"),
    [
        ("20%", 200_000, 0),
        ("Gold 20 %", 200_000, 0),
        ("Gold 20", 200_000, 0),
        ("+20 %", 180_000, 0),
        ("20 percent", 200_000, 0),
        ("\uff12\uff10\uff05", 200_000, 0),
        ("\u0662\u0660\u066a", 200_000, 0),
        ("12,5 % de plus", 125_000, 0),
        ("12.5000", 125_000, 0),
        ("x1.2", 200_000, 0),
        ("120 %", 200_000, 0),
        ("10 % off", -100_000, 0),
        ("1 cent: 0.01", 0, 10**8),
        ("Cost plus", 0, 0),
        ("COST+", 0, 0),
        ("Mark-up light", 0, 0),
        ("Co\u00fbt plus cinq", 0, 0),
        ("Sobre coste", 0, 0),
    ],
)
def test_a_name_with_the_markup_gives_it_away(name: str, percent_e4: int, fixed_e10: int) -> None:
    assert gives_markup_away(name, [price(0), price(percent_e4, fixed_e10)])


@pytest.mark.parametrize(
    "name", ["Gold", "120 minutes", "Low cost 24", "Plan 0", "Business 2000", "50% more minutes", "Marginal Way"]
)
def test_another_name_does_not(name: str) -> None:
    assert not gives_markup_away(name, [price(200_000)])


def test_a_package_without_markup_has_no_figure_to_give_away() -> None:
    assert not gives_markup_away("0 % Plan 1", [price(0)])
