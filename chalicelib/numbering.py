"""Numbering plans: how each country dials, and which numbers are valid.

The table comes from libphonenumber's metadata (``scripts/compile_countries.py``). A number is read as libphonenumber
reads it, with one difference: where another reading gives a valid number too, it is refused as ambiguous. A number
that is valid in no reading is read if its length is right, because numbering plans change faster than metadata.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from chalicelib.country_table import CODES, HOMES, ODD
from chalicelib.prefix_patterns import alternatives

E164_LEAST, E164_MOST = 7, 15
"""Digits of a number with its calling code."""
HEAD = 4
"""Digits that tell whether a number is odd; see ``ODD``."""
_MANY = "many"
NOT_A_NUMBER = "must be a phone number: + and 7 to 15 digits, or as dialled at home"

Match = Callable[[str], "re.Match[str] | None"]


class Ambiguous(ValueError):
    """A spelling that fits more than one number, or that keeps a trunk prefix in a place where it is not understood."""


class Home(NamedTuple):
    """How a country dials.

    ``trunk`` is the prefix of national numbers. ``abroad`` matches an international prefix. ``possible``: the lengths
    of national numbers without prefix. ``prefix`` matches what may stand before a national number: the trunk prefix,
    also with the code of a carrier; where it captures something, ``transform`` makes the number of it. ``fits`` matches
    all national numbers, also some that are not valid. ``plain_abroad``: the international prefix, if it is just 00 or
    011. ``bare``: the lengths of numbers that may be written without trunk prefix.
    """

    calling_code: str
    trunk: str
    abroad: re.Pattern[str]
    possible: frozenset[int]
    emergencies: frozenset[str]
    prefix: re.Pattern[str] | None
    transform: str
    fits: Match
    plain_abroad: str
    bare: frozenset[int]

    def without_prefix(self, digits: str) -> str:
        """A national number without what is dialled before it; unchanged if there is no such prefix."""
        found = self.prefix.match(digits) if self.prefix else None
        if found is None or self.prefix is None:
            return digits
        if self.transform and found.groups() and found.groups()[-1] is not None:
            rest = self.prefix.sub(self.transform, digits, count=1)
        else:
            rest = digits[found.end() :]
        return digits if self.fits(digits) and not self.fits(rest) else rest

    def national(self, digits: str) -> str:
        """``without_prefix``, unless the length of the rest is not that of a national number."""
        rest = self.without_prefix(digits)
        return rest if len(rest) in self.possible or len(rest) > max(self.possible) else digits

    def goes_abroad(self, digits: str) -> bool:
        """Whether digits are an international prefix and a number with its calling code."""
        return next(self._abroad(digits), None) is not None

    def is_national(self, digits: str) -> bool:
        """Whether digits are the trunk prefix and a valid national number."""
        if not (self.trunk and digits.startswith(self.trunk)):
            return False
        return is_valid(self.calling_code + self.national(digits))

    def read(self, digits: str) -> str:
        """Digits as dialled here, without ``+`` -> E.164. Raises ``Ambiguous``, and ``ValueError`` for no number."""
        if self.calling_code == "1":
            # The spelling of nearly every line of a North American file; no other reading fits it.
            if len(digits) == 11 and digits[0] == "1" and digits[1] > "1":
                return "+" + digits
            if len(digits) == 10 and digits[0] > "1":
                return "+1" + digits
        return self._quick(digits) or self._careful(digits)

    def _quick(self, digits: str) -> str:
        """The number, where it is plain that no other reading fits, else ``""``."""
        fits, trunk = self.fits, self.trunk
        if digits.startswith(self.plain_abroad):
            rest = "+" + digits[len(self.plain_abroad) :]
            alone = is_e164(rest) and not fits(digits) and not fits(digits.removeprefix(trunk))
            return rest if alone else ""
        if not 8 <= len(digits) <= 13 + len(trunk) or digits.startswith(("00", self.calling_code)):
            return ""
        if self.plain_abroad == _MANY and self.abroad.match(digits):
            return ""
        if digits.startswith("011") and (is_valid(digits[3:]) or digits.startswith(_ODD, 3)):
            return ""
        found = self.prefix.match(digits) if self.prefix else None
        if found and found[0] == trunk:
            rest = digits[len(trunk) :]
            alone = fits(rest) is not None and not fits(digits)
        else:
            rest = self.without_prefix(digits)
            others = {digits, digits.removeprefix(trunk)} - {rest}
            alone = (
                fits(rest) is not None and not any(map(fits, others)) and (rest != digits or len(digits) in self.bare)
            )
        return "+" + self.calling_code + rest if alone and not (trunk and rest.startswith(trunk)) else ""

    def _careful(self, digits: str) -> str:
        """The number: libphonenumber's reading, if no other is a valid number."""
        first, others = self._first(digits), set(self._others(digits))
        others.discard(first)
        valid = {other for other in others if is_valid(other[1:])}
        if first and is_possible(first[1:]):
            if not valid and self._may_be_local(first, digits):
                raise Ambiguous("may be a local number without its area code; write it with the trunk prefix")
            if not valid:
                return first
            own = _e164_or_none(digits) if digits.startswith(self.calling_code) else ""
            # A number that begins with the calling code and is valid so is that number.
            if valid == {own} and (not is_valid(first[1:]) or self._may_be_local(first, digits)):
                return own
            raise Ambiguous(_AMBIGUOUS)
        if len(valid) == 1:
            return valid.pop()
        if valid:
            raise Ambiguous(_AMBIGUOUS)
        if first and self.goes_abroad(digits) and calling_code(first[1:]):
            # Behind an international prefix as behind +, the length is not compared with that of the country.
            return first
        raise ValueError(NOT_A_NUMBER)

    def _first(self, digits: str) -> str:
        """libphonenumber's reading as E.164, or ``""``."""
        found = self.abroad.match(digits)
        if found and not digits.startswith("0", found.end()):
            return _e164_or_none(digits[found.end() :])
        if digits.startswith(self.calling_code):
            behind = self.without_prefix(digits[len(self.calling_code) :])
            if (not self.fits(digits) and self.fits(behind)) or len(digits) > max(self.possible):
                return _e164_or_none(self.calling_code + behind)
        national = self.national(digits)
        # One that does not fit may be newer than the metadata, but not with a second trunk prefix.
        known = self.fits(national) or not national.startswith(("0", self.trunk or "0"))
        return _e164_or_none(self.calling_code + national) if known else ""

    def _others(self, digits: str) -> Iterator[str]:
        """All readings as E.164, among them those that libphonenumber does not prefer."""
        yield from map(_e164_or_none, self._abroad(digits))
        for prefix, end in (("00", 2), ("011", 3), (self.calling_code, 0)):
            if digits.startswith(prefix):
                yield _e164_or_none(digits[end:])
        for rest in (digits, self.without_prefix(digits), digits.removeprefix(self.trunk)):
            if self.fits(rest):
                yield "+" + self.calling_code + rest

    def _abroad(self, digits: str) -> Iterator[str]:
        """What may follow an international prefix, for each prefix that fits."""
        if digits.isdigit() and self.abroad.match(digits):
            for end in range(1, len(digits) - E164_LEAST + 1):
                if digits[end] != "0" and self.abroad.fullmatch(digits, 0, end):
                    yield digits[end:]

    def _may_be_local(self, number: str, digits: str) -> bool:
        """Whether ``number`` is ``digits`` with the calling code only, and these may be a number without area code."""
        return number == "+" + self.calling_code + digits and len(digits) not in self.bare


_AMBIGUOUS = "fits more than one number; write it with + and the calling code"


def _e164_or_none(digits: str) -> str:
    with suppress(ValueError):
        return e164(digits)
    return ""


def _lines(table: str) -> dict[str, str]:
    """Lines of words by their first word."""
    return dict(line.split(" ", 1) for line in table.split("\n") if line)


_HOMES, _CODES = _lines(HOMES), _lines(CODES)
_ODD = tuple(ODD.split())
is_e164 = re.compile(rf"\+(?!{alternatives(_ODD)})[1-9][0-9]{{{E164_LEAST - 1},{E164_MOST - 1}}}").fullmatch
"""Whether a text is E.164 with nothing odd behind its calling code, so that it is read as itself; a quick test."""
home_countries = frozenset(_HOMES)
"""ISO 3166 alpha-2 codes of the countries with telephones."""


def _counts(word: str) -> frozenset[int]:
    return frozenset(int(count) for count in word.split(",") if count != "-")


@cache
def home(country: str) -> Home:
    """How ``country`` (ISO alpha-2) dials; raises ``ValueError`` for one without telephones."""
    if country not in _HOMES:
        raise ValueError("home country must be an ISO 3166 alpha-2 code such as US")
    code, trunk, abroad, usual, possible, short, prefix, transform, general = _HOMES[country].split()
    lengths, plain_abroad = _counts(usual), abroad if abroad in ("00", "011") else _MANY
    if trunk == "-":
        lengths = frozenset(range(E164_MOST + 1))
    elif len(lengths) > 2 or min(lengths) < 9:
        # Where lengths vary or are short, it may be a local number without its area code.
        lengths = frozenset()
    return Home(
        code,
        trunk.strip("-"),
        # In North America 00 is an international prefix, too: no number there begins with 0.
        re.compile("011|00" if code == "1" else abroad),
        _counts(possible),
        frozenset(short.split(",")) - {"-"},
        None if prefix == "-" else re.compile(prefix),
        transform.strip("-"),
        re.compile(general).fullmatch,
        plain_abroad,
        lengths,
    )


def odd_heads() -> Iterator[str]:
    """All first four digits of numbers that ``e164`` may change or refuse."""
    for head in _ODD:
        for rest in range(10 ** (HEAD - len(head))):
            yield head + (f"{rest:0{HEAD - len(head)}d}" if len(head) < HEAD else "")


def calling_code(digits: str) -> str:
    """The calling code of an E.164 number without ``+``, or ``""``."""
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in _CODES), "")


@cache
def _code(code: str) -> tuple[str, Match]:
    """The main region of a calling code, and what matches its valid national numbers."""
    region, pattern = _CODES[code].split()
    return region, re.compile(pattern).fullmatch


def is_valid(digits: str) -> bool:
    """Whether an E.164 number without ``+`` is in its numbering plan."""
    code = calling_code(digits)
    return bool(code) and _code(code)[1](digits[len(code) :]) is not None


def is_possible(digits: str) -> bool:
    """Whether an E.164 number without ``+`` has a length that its country has."""
    code = calling_code(digits)
    region = _code(code)[0] if code else ""
    sized = region in _HOMES and len(digits) - len(code) in home(region).possible
    return sized or (region not in _HOMES and is_valid(digits))


def e164(digits: str) -> str:
    """Digits with a calling code -> E.164 with ``+``; a trunk prefix behind the calling code is left out.

    Raises ``Ambiguous`` where it is not clear whether that is a trunk prefix, and ``ValueError`` for too few or too
    many digits.
    """
    if digits.startswith(_ODD) and _may_have_trunk(digits):
        digits = _without_trunk(digits)
    if not E164_LEAST <= len(digits) <= E164_MOST or digits[0] == "0":
        raise ValueError(NOT_A_NUMBER)
    return "+" + digits


def _may_have_trunk(digits: str) -> bool:
    """A quick test, for which only one pattern is compiled: nearly all numbers with an odd beginning have none."""
    trunk, prefix = _trunk(code := calling_code(digits))
    found = prefix.match(digits, len(code)) if prefix else None
    return bool(found and found[0]) or (trunk != "-" and digits.startswith(trunk, len(code)))


@cache
def _trunk(code: str) -> tuple[str, re.Pattern[str] | None]:
    """Trunk prefix of a calling code's main region, and what matches a prefix."""
    _, trunk, _, _, _, _, prefix, *_ = _HOMES[_CODES[code].split()[0]].split()
    return trunk, None if prefix == "-" else re.compile(prefix)


def _without_trunk(digits: str) -> str:
    code = calling_code(digits)
    plan, national = home(_code(code)[0]), digits[len(code) :]
    rest = plan.national(national)
    readings = list(filter(plan.fits, dict.fromkeys((national, rest, national.removeprefix(plan.trunk)))))
    if not readings and rest == national and not national.startswith(plan.trunk or "0"):
        # Not in the metadata, and without a trunk prefix after all.
        return digits
    if len(readings) > 1:
        readings = [each for each in readings if is_valid(code + each)]
    if len(readings) != 1:
        raise Ambiguous("has a digit behind the calling code that may be a trunk prefix; leave it out")
    return code + readings[0]
