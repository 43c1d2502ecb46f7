"""The units that the title of a price names: seconds, minutes or hours; the currency or its hundredths."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.rating.decks.titles import CENTS, HOURS, MILLS, MINUTES, SECONDS, is_of_prices, words_and_signs
from chalicelib.rating.decks.writing import Question

_PER = ("/", "per", "pro", "par", "por", "je")
_TIMES = {
    **dict.fromkeys(SECONDS, 1), **dict.fromkeys(MINUTES, 60), **dict.fromkeys(HOURS, 3600),
}  # fmt: skip
_NAMES = {1: "second", 60: "minute", 3600: "hour"}
_SCALES = ("10", "100", "1000", "10000", "100000")
_MAYBE_CENTS = ("c", "p")
_PER_CHOICES: list[dict[str, Any]] = [{"price_per": each} for each in ("minute", "second", "hour")]
_PART_CHOICES: list[dict[str, Any]] = [{"price_unit": each} for each in (100, 1, 1000, 10_000)]


class Unit(NamedTuple):
    """``price_per`` and ``price_unit`` as in a deck format; ``None``: the title names a unit that is not known."""

    price_per: str | None
    price_unit: int | None


def unit_of(title: str) -> Unit:
    """The unit of a price by its title. A title that names none is per minute, in whole units of the currency."""
    words = words_and_signs(title)
    spans, parts, sure = set[int](), set[int](), True
    scaled = any(word in _MAYBE_CENTS for word in words)
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if word in _TIMES:
            spans.add(_TIMES[word] * (int(before) if before.isdigit() else 1))
        elif word in CENTS or word in MILLS:
            parts.add(100 if word in CENTS else 1000)
        elif word in _SCALES and (words[at + 1] if at + 1 < len(words) else "") not in _TIMES:
            scaled = True
        elif before in _PER and not word.isdigit() and word not in _PER and not is_of_prices(word):
            sure = False
    span = spans.pop() if len(spans) == 1 else 0 if spans else 60
    part = parts.pop() if len(parts) == 1 else None if parts else 1
    return Unit(_NAMES.get(span) if sure else None, None if scaled else part)


def parts(unit: Unit) -> dict[str, Any]:
    """The parts of a deck format that say a unit, without those that are not known."""
    return {name: value for name, value in unit._asdict().items() if value is not None}


def doubts(title: str, unit: Unit) -> list[Question]:
    """What is asked about a title with this unit."""
    found = []
    if unit.price_per is None:
        message = f"the title {title} does not say clearly for which time the price is"
        found.append(Question("price_per", message, _PER_CHOICES))
    if unit.price_unit is None:
        message = f"the title {title} does not say clearly in which parts of the currency the price is"
        found.append(Question("price_unit", message, _PART_CHOICES))
    return found


def doubts_of_fee(fee: str, price: str) -> list[Question]:
    """What is asked about the titles of a fee and a price: both are read in the same parts of the currency."""
    if unit_of(fee).price_unit == unit_of(price).price_unit:
        return []
    message = f"{fee} and {price} are in different parts of the currency, and are read in the same ones"
    return [Question("fee_unit", message, _PART_CHOICES)]
