"""Phone numbers: one spelling (E.164 with ``+``), and the country of a number.

Both come from a table compiled from libphonenumber's metadata (``scripts/compile_countries.py``): a CDR file needs a
million look-ups, and libphonenumber takes some 20 us for each. Numbers are not checked against numbering plans: the
deck decides whether a call can be priced, and plans change faster than metadata.
"""

from __future__ import annotations

from functools import lru_cache

from chalicelib import numbering
from chalicelib.country_table import COUNTRIES
from chalicelib.numbering import E164_LEAST as E164_LEAST

SEPARATORS = str.maketrans("", "", " -.()~\u00a0\u202f\u2009\u2010\u2011\u2012\u2013\u2014")
"""Leaves out the signs that people write between digits."""


def _prefix_table() -> dict[str, str | None]:
    table: dict[str, str | None] = {}
    country: str | None = None
    for word in COUNTRIES.split():
        if word.isdigit():
            table[word] = country
        else:
            country = None if word == "-" else word
    return table


def _long_prefix_lengths() -> dict[str, tuple[int, ...]]:
    """First ``_HEAD`` digits -> lengths, longest first, of the few prefixes that are longer."""
    lengths: dict[str, set[int]] = {}
    for prefix in _LONG_PREFIXES:
        lengths.setdefault(prefix[:_HEAD], set()).add(len(prefix))
    return {head: tuple(sorted(longer, reverse=True)) for head, longer in lengths.items()}


_HEAD = 4
"""Digits that decide the country of nearly every number; NANP area codes end here."""
_COUNTRY_OF = _prefix_table()
_LONG_PREFIXES = [prefix for prefix in _COUNTRY_OF if len(prefix) > _HEAD]
_BEYOND_HEAD = _long_prefix_lengths()


def path_number(text: str) -> str:
    """A number in a path or a query, with or without ``+`` (which may be decoded to a blank) -> ``+<digits>``.

    It is read as E.164 for every home country; a trunk prefix behind the calling code is left out, as in
    ``+44 (0)20 7946 0123``. Raises ``ValueError`` when it does not have 7 to 15 digits, or is ambiguous.
    """
    digits = text.translate(SEPARATORS).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("must be a phone number: 7 to 15 digits with the country's calling code")
    return numbering.e164(digits)


def country_of(digits: str) -> str | None:
    """The country (ISO alpha-2) of an E.164 number without ``+``, or None.

    None for NANP toll-free and 900 numbers, unassigned NANP area codes, calling codes without a country (+800, +870,
    +883...) and calling codes that do not exist. A prefix that several countries share, such as ``1`` in a deck,
    belongs to the main country of its calling code.
    """
    head = digits[:_HEAD]
    for length in _BEYOND_HEAD.get(head, ()):
        prefix = digits[:length]
        if prefix in _COUNTRY_OF:
            return _COUNTRY_OF[prefix]
    return _country_of_head(head)


def country_of_first(digits: str) -> tuple[str | None, bool]:
    """The country of a number's first digits, and whether all numbers that begin with them have the same country."""
    longer = _BEYOND_HEAD.get(digits[:_HEAD])
    if longer is None:
        return _country_of_head(digits[:_HEAD]), True
    beyond = (prefix for prefix in _LONG_PREFIXES if len(prefix) > len(digits) and prefix.startswith(digits))
    return country_of(digits), longer[0] <= len(digits) or next(beyond, None) is None


@lru_cache(maxsize=1 << 14)
def _country_of_head(head: str) -> str | None:
    for length in range(len(head), 0, -1):
        if head[:length] in _COUNTRY_OF:
            return _COUNTRY_OF[head[:length]]
    return None


def country_prefixes() -> dict[str, str | None]:
    """Prefix digits -> ISO alpha-2 or None; the longest prefix of a number decides. Returns a new dictionary."""
    return dict(_COUNTRY_OF)


def home_countries() -> frozenset[str]:
    """The codes of the countries that a dial plan can have as its home."""
    return numbering.home_countries
