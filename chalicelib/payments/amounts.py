"""Amounts as PayPal writes them: text <-> integers of 1e-8 (``_e8``).

``Decimal`` would also accept ``NaN``, ``2.5e1``, ``2_5.00``, digits of other scripts, blanks and a trailing newline.
"""

from __future__ import annotations

import re

from chalicelib import money

WHOLE_CURRENCIES = frozenset({"JPY", "HUF", "TWD"})
"""Currencies that PayPal handles without decimals."""
_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?", re.ASCII)


def parse(text: str, currency: str) -> int:
    """``"25.00"`` -> ``_e8``, exactly; ``ValueError`` for a text that PayPal does not write."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError("is not an amount as PayPal writes it")
    if currency in WHOLE_CURRENCIES and "." in text:
        raise ValueError(f"has decimals, and {currency} has none at PayPal")
    return money.parse_decimal(text, money.AMOUNT_PLACES)


def write(amount_e8: int, currency: str) -> str:
    """``_e8`` -> ``"25.00"``, or ``"25"`` in a currency without decimals; ``ValueError`` if it has more decimals."""
    if amount_e8 % (money.ONE if currency in WHOLE_CURRENCIES else money.ONE // 100):
        raise ValueError("cannot be paid at PayPal: too many decimals")
    return money.format_decimal(amount_e8, money.AMOUNT_PLACES, 0 if currency in WHOLE_CURRENCIES else 2)
