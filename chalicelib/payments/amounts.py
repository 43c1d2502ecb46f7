"""Amounts as PayPal writes them, and nothing else.

``Decimal`` would take ``NaN``, ``2.5e1``, ``2_5.00``, digits of other scripts, blanks and a trailing newline; an amount
that decides about money may be none of these.
"""

from __future__ import annotations

import re

from chalicelib import money

WHOLE_CURRENCIES = frozenset({"JPY", "HUF", "TWD"})
"""Currencies that PayPal handles without decimals."""
_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?", re.ASCII)


def parse(text: str, currency: str) -> int:
    """``"25.00"`` -> ``_e8``, exactly; ``ValueError`` for anything that PayPal does not write."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError("is not an amount as PayPal writes it")
    if currency in WHOLE_CURRENCIES and "." in text:
        raise ValueError(f"has decimals, and {currency} has none at PayPal")
    return money.parse_decimal(text, money.AMOUNT_PLACES)


def write(amount_e8: int, currency: str) -> str:
    """The inverse, as a form or an order has it: ``"25.00"``, or ``"25"`` where there are no decimals."""
    if amount_e8 % (money.ONE if currency in WHOLE_CURRENCIES else money.ONE // 100):
        raise ValueError("cannot be paid at PayPal: too many decimals")
    return money.format_decimal(amount_e8, money.AMOUNT_PLACES, 0 if currency in WHOLE_CURRENCIES else 2)
