"""Phone numbers: one spelling (E.164 with ``+``), and the country of a number.

Both use a table made from libphonenumber's metadata (``scripts/compile_countries.py``): a CDR file has millions of
numbers, and libphonenumber takes some 20 us for each. Numbers are not checked against numbering plans, because plans
change faster than metadata, and the deck decides which numbers have a price.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from chalicelib.country_table import COUNTRIES, HOMES

E164_LEAST, E164_MOST = 7, 15
"""Digits of a number with its calling code."""
INTERNAL_MOST = 6
"""A number of at most so many digits without ``+`` is an extension or a short code (411), not E.164."""

is_e164 = re.compile(rf"\+[1-9][0-9]{{{E164_LEAST - 1},{E164_MOST - 1}}}").fullmatch
"""Whether a text is E.164, so that ``normalise`` returns it unchanged; faster than ``normalise``."""

_SEPARATORS = str.maketrans("", "", " -.()")
_EMERGENCY = re.compile(r"(?:\+|00|011)?1?(?:911|112|988)")
_NOT_A_NUMBER = "must be a phone number: + and 7 to 15 digits, or up to 6 digits for an internal one"


class _Home(NamedTuple):
    """How CDRs of a country spell numbers.

    calling_code: digits of the country's calling code.
    trunk: prefix of a national number; blank for none.
    internationals: prefixes of an international number, the longest first.
    lengths: lengths of national numbers, without trunk prefix and calling code.
    bare: whether a national number may come without its trunk prefix.
    never_first: digits that no national number begins with.
    """

    calling_code: str
    trunk: str
    internationals: tuple[str, ...]
    lengths: frozenset[int]
    bare: bool
    never_first: str


def _prefix_table() -> dict[str, str | None]:
    table: dict[str, str | None] = {}
    country: str | None = None
    for word in COUNTRIES.split():
        if word.isdigit():
            table[word] = country
        else:
            country = None if word == "-" else word
    return table


def _home_table() -> dict[str, _Home]:
    table: dict[str, _Home] = {}
    words = iter(HOMES.split())
    for region, calling_code, trunk_word, international, counts in zip(words, words, words, words, words, strict=True):
        trunk = trunk_word.strip("-")
        lengths = frozenset(int(count) for count in counts.split(",") if count != "-")
        # Where lengths vary or are short, a number without the trunk prefix may be a local number without its area
        # code. It is refused there, not guessed.
        bare = not trunk or (len(lengths) <= 2 and min(lengths) >= 9)
        never_first = "01" if calling_code == "1" else "0" if trunk else ""
        # Longest first: Australia's 0011 begins with 00, and 00 with Samoa's 0.
        internationals = tuple(sorted({international, "00"}, key=len, reverse=True))
        table[region] = _Home(calling_code, trunk, internationals, lengths, bare, never_first)
    return table


def _long_prefix_lengths() -> dict[str, tuple[int, ...]]:
    """First digits of a number (``_HEAD`` of them) -> lengths of the longer prefixes that begin so, longest first."""
    lengths: dict[str, set[int]] = {}
    for prefix in _LONG_PREFIXES:
        lengths.setdefault(prefix[:_HEAD], set()).add(len(prefix))
    return {head: tuple(sorted(longer, reverse=True)) for head, longer in lengths.items()}


_HEAD = 4
"""So many first digits decide the country of nearly every number; NANP area codes end here."""
_COUNTRY_OF = _prefix_table()
_HOMES = _home_table()
_LONG_PREFIXES = [prefix for prefix in _COUNTRY_OF if len(prefix) > _HEAD]
_BEYOND_HEAD = _long_prefix_lengths()


def normalise(raw: str, home_country: str = "US") -> str:
    """A number as a CDR spells it -> ``+`` and 7 to 15 digits; 1 to 6 digits (internal or short code) are unchanged.

    The first spelling that fits counts: ``+``; up to 6 digits; the home country's own international prefix or ``00``;
    the home country's national spelling (in the NANP 10 or 11 digits); ``011``. Blanks, hyphens, points and parentheses
    are ignored. ``ValueError`` for anything else, and for a ``home_country`` (ISO alpha-2) that is not in the table.
    """
    digits = raw[1:] if raw[:1] == "+" else raw
    if not (digits.isascii() and digits.isdigit()):
        raw = raw.translate(_SEPARATORS)
        digits = raw[1:] if raw[:1] == "+" else raw
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(_NOT_A_NUMBER)
    if raw[0] == "+":
        return _e164(digits)
    if len(digits) <= INTERNAL_MOST:
        return digits
    home = _HOMES.get(home_country)
    if home is None:
        raise ValueError("home country must be an ISO 3166 alpha-2 code such as US")
    return _dialled(digits, home)


def _dialled(digits: str, home: _Home) -> str:
    """Seven digits or more without ``+``, as dialled in ``home`` -> E.164; ``ValueError`` if no spelling fits.

    Outside the NANP ``011`` is tried last: there it may be a trunk prefix and an area code (0113 is Leeds).
    """
    if home.calling_code == "1":
        # The spelling of nearly all numbers in a North American file.
        if len(digits) == 11 and digits[0] == "1" and digits[1] > "1":
            return "+" + digits
        if len(digits) == 10 and digits[0] > "1":
            return "+1" + digits
    for prefix in home.internationals:
        if digits.startswith(prefix):
            return _e164(digits[len(prefix) :])
    national = _national(digits, home)
    if national:
        return _e164(home.calling_code + national)
    if digits.startswith("011"):
        return _e164(digits[3:])
    raise ValueError(_NOT_A_NUMBER)


def _national(digits: str, home: _Home) -> str:
    """The national number in ``digits``: after the trunk prefix, bare, or after the calling code; blank for none."""
    candidates = []
    if home.trunk and digits.startswith(home.trunk):
        candidates.append(digits[len(home.trunk) :])
    if home.bare:
        candidates.append(digits)
    if digits.startswith(home.calling_code):
        candidates.append(digits[len(home.calling_code) :])
    for national in candidates:
        if len(national) in home.lengths and national[0] not in home.never_first:
            return national
    return ""


def _e164(digits: str) -> str:
    if not E164_LEAST <= len(digits) <= E164_MOST or digits[0] == "0":
        raise ValueError(_NOT_A_NUMBER)
    return "+" + digits


def is_emergency(raw: str) -> bool:
    """Whether a dialled number is 911, 112 or 988, in any spelling (+1911, 1911, 00112)."""
    return _EMERGENCY.fullmatch(raw.translate(_SEPARATORS)) is not None


def path_number(text: str) -> str:
    """A number in a path or a query -> E.164. Its ``+`` may be missing, or a blank, which ``+`` decodes to.

    No home country is applied. ``ValueError`` unless it has 7 to 15 digits.
    """
    digits = text.translate(_SEPARATORS).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("must be a phone number: 7 to 15 digits with the country's calling code")
    return _e164(digits)


def country_of(digits: str) -> str | None:
    """The country (ISO alpha-2) of an E.164 number or prefix without ``+``; ``None`` if it has none.

    ``None`` for NANP toll-free and 900 numbers, unused NANP area codes, non-geographic calling codes (+800, +870,
    +883...) and calling codes that do not exist. A prefix that countries share, such as a deck's ``1``, has the main
    country of its calling code.
    """
    head = digits[:_HEAD]
    for length in _BEYOND_HEAD.get(head, ()):
        prefix = digits[:length]
        if prefix in _COUNTRY_OF:
            return _COUNTRY_OF[prefix]
    return _country_of_head(head)


def country_of_first(digits: str) -> tuple[str | None, bool]:
    """The country of a number's first digits, and whether all numbers that begin with them have this country."""
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
    """A new dict: prefix -> ISO alpha-2 or ``None``; the longest prefix of a number decides."""
    return dict(_COUNTRY_OF)


def home_countries() -> frozenset[str]:
    """The codes that ``normalise`` accepts as ``home_country``."""
    return frozenset(_HOMES)
