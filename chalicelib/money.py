"""Money without floats.

Amounts are integers of 1e-8 of the currency (``_e8``), rates per minute integers of 1e-10 (``_e10``),
percentages integers of 1e-4 percent (``_e4``). Only this module converts between them and text.

``Decimal`` is not used: its context precision is global state, and every value here has one fixed scale.
"""

from __future__ import annotations

import re
from typing import Any

AMOUNT_PLACES = 8
RATE_PLACES = 10
PERCENT_PLACES = 4
ONE = 10**AMOUNT_PLACES
"""One unit of the currency, as an amount."""

MAX_AMOUNT = 10**9 * ONE
"""Largest amount in a request or file: 1e17. DynamoDB's 38 digits hold the sum of 10^20 of them."""
MAX_RATE = 1000 * 10**RATE_PLACES
"""Largest rate per minute, of a deck, a custom rate or a fixed markup.

With the largest markup a call is sold at (1,000 + 1,000) x 1,001 a minute at most, and is billed less than 90,000 s:
``MAX_SECONDS`` and one more increment. With the largest fee that is 3,004 million, 3.004e17 in 1e-8: the amount of one
call fits 64 bits. Of 31 such calls the sum does not, so sums are Python integers (``engine.columns.exact_sum``).
"""
MAX_FEE = 1000 * ONE
"""Largest connection fee or minimum charge of one call, before a markup."""
MAX_PERCENT = 100_000 * 10**PERCENT_PLACES
"""Largest percentage of a markup: the price is at most 1,001 times the cost."""

NUMBER_FORMATS = {"1,208.20": (",", "."), "1.208,20": (".", ",")}
"""How files write numbers: an example -> the sign between groups of three digits, and the decimal sign."""
_WRITTEN = {
    name: re.compile(
        rf"(?P<open>\()?(?P<minus>-)?\s*[$€£¥₹]?\s*(?P<sign>-)?(?P<whole>[0-9]{{1,3}}(?:[{group}\s'][0-9]{{3}})+|[0-9]+)"
        rf"(?:[{point}](?P<fraction>[0-9]+))?\s*[$€£¥₹]?(?P<after>-)?(?P<close>\))?"
    )
    for name, (group, point) in NUMBER_FORMATS.items()
}
_NUMBER = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,15}))?", re.ASCII)


def parse_decimal(text: str, places: int) -> int:
    """``"0.012"`` -> 0.012 x 10**places, exactly.

    ``ValueError`` for anything but ASCII digits with at most one point and a minus sign (no exponent, underscore,
    blank or plus sign), and for more than ``places`` significant decimals.
    """
    match = _NUMBER.fullmatch(text)
    if not match:
        raise ValueError("must be a decimal number such as 0.012")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    if len(fraction) > places:
        raise ValueError(f"has more than {places} decimals")
    value: int = int(whole) * 10**places + int(fraction.ljust(places, "0") or "0")
    return -value if sign else value


def format_decimal(value: int, places: int, least: int = 2) -> str:
    """An integer of 10**-places -> text with at least ``least`` decimals: ``"0.012"``, ``"10.00"``."""
    whole, fraction = divmod(abs(value), 10**places)
    digits = str(fraction).rjust(places, "0").rstrip("0").ljust(least, "0") if places else ""
    return f"{'-' if value < 0 else ''}{whole}{'.' + digits if digits else ''}"


def plain_number(text: str, number_format: str) -> str:
    """A number as a file writes it (a key of ``NUMBER_FORMATS``) -> decimal text: ``$1,208.20`` -> ``1208.20``

    A currency sign may stand before or behind it; a minus before, behind, or as parentheses. Groups may be cut by the
    sign of the format, a blank or an apostrophe. ``ValueError`` for any other text.
    """
    match = _WRITTEN[number_format].fullmatch(text.strip())
    if not match or bool(match["open"]) != bool(match["close"]):
        raise ValueError(f"is no number written like {number_format}; number_format declares another way")
    negative = sum(map(bool, match.group("open", "minus", "sign", "after")))
    if negative > 1:
        raise ValueError("has more than one minus sign")
    whole = re.sub("[^0-9]", "", match["whole"])
    return f"{'-' * negative}{whole}{'.' + match['fraction'] if match['fraction'] else ''}"


def parse_amount(text: str) -> int:
    """Decimal text -> ``_e8``; ``ValueError`` beyond +-MAX_AMOUNT."""
    return _within(parse_decimal(text, AMOUNT_PLACES), MAX_AMOUNT)


def parse_rate(text: str) -> int:
    """Decimal text -> ``_e10`` per minute; ``ValueError`` beyond +-MAX_RATE."""
    return _within(parse_decimal(text, RATE_PLACES), MAX_RATE)


def parse_percent(text: str) -> int:
    """Decimal text -> ``_e4``; ``ValueError`` below -100, beyond MAX_PERCENT or with more than 4 decimals."""
    value = _within(parse_decimal(text, PERCENT_PLACES), MAX_PERCENT)
    if value < -100 * 10**PERCENT_PLACES:
        raise ValueError("must be -100 or more")
    return value


def format_amount(amount_e8: int) -> str:
    """``_e8`` -> decimal text."""
    return format_decimal(amount_e8, AMOUNT_PLACES)


def format_rate(rate_e10: int) -> str:
    """``_e10`` -> decimal text."""
    return format_decimal(rate_e10, RATE_PLACES)


def format_percent(percent_e4: int) -> str:
    """``_e4`` -> decimal text."""
    return format_decimal(percent_e4, PERCENT_PLACES)


def readable(field: str, value: Any) -> tuple[str, Any]:
    """Name and value of a stored field as people read them: without the unit in the name, amounts as decimal text."""
    for unit, write in (("_e8", format_amount), ("_e10", format_rate), ("_e4", format_percent)):
        if field.endswith(unit):
            return field.removesuffix(unit), write(int(value)) if isinstance(value, int) else value
    if isinstance(value, dict):
        return field, dict(readable(name, inner) for name, inner in value.items())
    return field, value


def converted(amount_e8: int, fx_e10: int) -> int:
    """An amount of at least 0 in another currency -> ``_e8`` of this one, rounded half-up; ``fx_e10``: units of 1e-10
    for one unit of the other. ``ValueError`` beyond MAX_AMOUNT."""
    return _within(div_half_up(amount_e8 * fx_e10, 10**RATE_PLACES), MAX_AMOUNT)


def div_half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator, rounded to the nearest integer; ties away from zero (0.5 -> 1, -0.5 -> -1)."""
    if numerator < 0:
        return -div_half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def _within(value: int, limit: int) -> int:
    if abs(value) > limit:
        raise ValueError("is too large")
    return value
