"""Whether the name by which clients know a package gives its markup away. Pure: names and prices in, an answer out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from chalicelib.money import PERCENT_PLACES, RATE_PLACES, parse_decimal

# Texts, which are compiled when a package is first shown and not at each cold start.
_NUMBER = r"([0-9]{1,15}(?:[.,][0-9]{1,10})?)\s*(%|percent|per cent|pct|pour ?cent|por ?ciento)?"
_COST = "(?:cost|co[uû]t|coste)"
_WORDS = (
    rf"mark[\s-]?up|\bmargins?\b|\bmarges?\b|\bmajoration|\brecargo|\bm[aá]rgen"
    rf"|\b{_COST}\s*(?:price\s*)?(?:plus\b|\+)|(?:\b(?:over|above|plus|sobre|sur)|\+)\s*{_COST}\b"
    r"|\+\s*[0-9]+(?:[.,][0-9]+)?\s*%"
)
"""What says how a price is made, in the three languages of the product."""


class Advice(NamedTuple):
    """A warning about a field that was accepted: ``code`` is a stable word, ``message`` a sentence for people."""

    field: str
    code: str
    message: str


GIVES_MARKUP_AWAY = Advice(
    "public_name",
    "gives_markup_away",
    "Clients see this name, and it gives the markup away. Set a public_name without it.",
)


def gives_markup_away(name: str, prices: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a name speaks of the markup, or has a figure of it: the percentage, the fixed amount, or the factor.

    ``prices``: the price fields of a package as they are stored, in force now or later. ``Gold 20``, ``+20 %``,
    ``x1.2`` and ``120 %`` give 20 % away.
    """
    text = re.sub(r"\d", lambda digit: str(int(digit[0])), unicodedata.normalize("NFKC", name).casefold())
    if re.search(_WORDS, text):
        return True
    figures = {figure for price in prices for figure in _figures(price)}
    found = ((_scaled(number.replace(",", ".")), bool(sign)) for number, sign in re.findall(_NUMBER, text))
    return any((number, False) in figures or (number, sign) in figures for number, sign in found)


def _figures(price: Mapping[str, Any]) -> Iterator[tuple[int, bool]]:
    """The figures of a markup in 1e-10, each with whether it gives the markup away only as a percentage."""
    percent, fixed = price["markup_percent_e4"] * 10 ** (RATE_PLACES - PERCENT_PLACES), price["markup_fixed_e10"]
    if fixed:
        yield abs(fixed), False
    if percent:
        yield abs(percent), False
        yield _scaled("1") + percent // 100, False
        yield _scaled("100") + percent, True


def _scaled(number: str) -> int:
    return parse_decimal(number, RATE_PLACES)
