"""How a reseller's numbers are dialled: the text that a switch writes as the number called -> the number it means.

``docs/numbers.md`` has the reading order, with examples that tests read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from urllib.parse import unquote

from chalicelib import numbering
from chalicelib.numbering import Ambiguous as Ambiguous
from chalicelib.numbering import Home
from chalicelib.numbers import SEPARATORS

INTERNAL_LEAST, INTERNAL_USUAL, INTERNAL_MOST = 2, 6, 9
"""Digits of an internal number: the fewest, the most by default, and the most that a reseller may choose."""
EMERGENCIES = frozenset(("112", "911", "988"))
"""The emergency numbers of every home country; each has others of its own."""

SHORT_MOST = 7
"""The most digits of an emergency number in any spelling; ``0111911`` has as many."""

_URI = re.compile(r"(?:sips?|tel):([^@;?]*)(?:[@;?].*)?", re.IGNORECASE | re.DOTALL)
_FEATURE = re.compile(r"[*#][0-9]{0,5}")
_MANY = "more than one number"
_SPECIAL = frozenset("siht")
"""Asterisk's special extensions: start, invalid, hang up, time-out."""
_WITH_PREFIX = re.compile(r"(?:\+|00|011)1?(112|911|988)")


@dataclass(frozen=True)
class DialPlan:
    """What decides how a dialled number is read.

    ``home_country`` (ISO alpha-2) dials it. ``internal_digits``: the most digits of an internal number, None for the
    default of the home country. ``codes``: short numbers, up to 6 digits as dialled, that a deck prices by a line of
    their own. ``accounts``: the user names of the reseller's sub-accounts; a call to one of them is internal.

    A CDR source may add: ``strip``, the prefixes that are dialled before numbers; ``strip_always``: what is behind them
    counts, also if the text with its prefix is a number, too; ``local_numbers``: digits of a number -> what is put
    before it, ``+`` and a calling code at least.
    """

    home_country: str = "US"
    internal_digits: int | None = None
    codes: frozenset[str] = frozenset()
    accounts: Collection[str] = frozenset()
    strip: tuple[str, ...] = ()
    strip_always: bool = False
    local_numbers: tuple[tuple[int, str], ...] = ()

    @property
    def declares(self) -> bool:
        """Whether a CDR source adds to how numbers are dialled."""
        return bool(self.strip or self.local_numbers)

    @property
    def of_callers(self) -> DialPlan:
        """The plan for the numbers of callers: these were not dialled, so what a source adds is not for them."""
        return replace(self, strip=(), strip_always=False, local_numbers=()) if self.declares else self

    def read(self, dialled: str) -> str:
        """The number called: ``+`` and 7 to 15 digits (E.164), or a *bare* text without ``+``.

        Bare are an emergency number in its short form (``911``), a number of ``codes``, and an internal number as
        dialled (``502``, ``*97``, a user name). Raises ``ValueError`` (a sentence without the name of the field) for a
        text that is no number, and ``Ambiguous``, a ``ValueError``, for one that fits more than one number.
        """
        if numbering.is_e164(dialled):
            return dialled
        home = numbering.home(self.home_country)
        if (
            len(dialled) > INTERNAL_MOST
            and dialled.isdigit()
            and dialled.isascii()
            and dialled not in self.accounts
            and not self.declares
        ):
            # Too long for what comes before in the reading order: most lines of a file are spelled so.
            return home.read(dialled)
        text = user_of(dialled)
        digits = text.translate(SEPARATORS)
        short = self._short(digits, home)
        if short:
            return short
        prefix = self.prefix_of(digits)
        return self._stripped(text, digits, prefix, home) if prefix else self._unstripped(text, digits, home)

    def prefix_of(self, digits: str) -> str:
        """The longest of the declared prefixes that a text begins with, or ``""``."""
        return max(filter(digits.startswith, self.strip), key=len, default="")

    def _short(self, digits: str, home: Home) -> str:
        """The emergency number, or the number of ``codes``, that digits are, or ``""``."""
        return _emergency(digits, home) or (digits if digits in self.codes else "")

    def _stripped(self, text: str, digits: str, prefix: str, home: Home) -> str:
        """The number called, of a text with a declared prefix; only one prefix is taken off."""
        rest = digits.removeprefix(prefix)
        if emergency := _emergency(rest, home):
            # Never refused, also if the text with its prefix may be an extension.
            return emergency
        left = _tried(lambda: self._short(rest, home) or self._unstripped(rest, rest, home))
        whole = _tried(lambda: self._unstripped(text, digits, home))
        if not _fits(left):
            left = whole
        elif _fits(whole) and whole != left and not self.strip_always:
            shown = (_MANY if isinstance(each, Ambiguous) else each for each in (whole, left))
            raise Ambiguous(
                "{0} is {2} as dialled, and {3} without {1} (strip_always takes that)".format(digits, prefix, *shown)
            )
        if isinstance(left, ValueError):
            raise left
        return left

    def _unstripped(self, text: str, digits: str, home: Home) -> str:
        """The number called, from declared local numbers on in the reading order."""
        local = dict(self.local_numbers).get(len(digits))
        if local and digits.isascii() and digits.isdigit():
            return numbering.e164(local[1:] + digits)
        if digits[:1] == "+":
            return numbering.e164(_all_digits(digits[1:]))
        if not home.goes_abroad(digits):
            if text in self.accounts or text in _SPECIAL:
                return text
            if self._is_internal(digits, home) and not home.is_national(digits):
                return digits
        return home.read(_all_digits(digits))

    def is_emergency(self, text: str) -> bool:
        """Whether a text, as dialled or as read, is an emergency number of the home country."""
        digits = user_of(text).translate(SEPARATORS)
        return bool(_emergency(digits, numbering.home(self.home_country)))

    def is_internal(self, bare: str) -> bool:
        """Whether a bare text that was read is an internal number; not for a number of ``codes`` with more digits."""
        if bare in self.accounts or bare in _SPECIAL:
            return True
        return self._is_internal(bare, numbering.home(self.home_country))

    def _is_internal(self, digits: str, home: Home) -> bool:
        if not (digits.isascii() and digits.isdigit()):
            return _FEATURE.fullmatch(digits) is not None
        return INTERNAL_LEAST <= len(digits) <= (self.internal_digits or usual_internal_digits(home))


def usual_internal_digits(home: Home) -> int:
    """The most digits of an internal number where the reseller has not chosen.

    Without a trunk prefix a short national number looks like an internal one, so internal ones are shorter there.
    """
    return INTERNAL_USUAL if home.trunk else min(INTERNAL_USUAL, min(home.possible) - 1)


def most_internal_digits(home: Home) -> int:
    """The most digits that a reseller may choose: fewer than national numbers written without a trunk prefix have."""
    return min(INTERNAL_MOST, min(home.bare & home.possible, default=INTERNAL_MOST + 1) - 1)


def user_of(text: str) -> str:
    """A text without blanks around it and without ``;parameters``; of ``sip:<user>@<host>`` and ``tel:<number>`` the
    user or number, with ``%23`` and the like as the characters that they mean."""
    text = text.strip()
    found = _URI.fullmatch(text) if ":" in text else None
    return unquote(found[1]) if found else text.partition(";")[0].rstrip()


def _emergency(digits: str, home: Home) -> str:
    """The emergency number in its short form, or ``""``."""
    digits = digits.rstrip("#")
    if digits in EMERGENCIES or digits in home.emergencies:
        return digits
    if len(digits) > SHORT_MOST:
        return ""
    found = _WITH_PREFIX.fullmatch(digits)
    if found:
        return found[1]
    # Switches put the calling code before every number: +1911, +44999, in North America also 1911.
    short = digits.removeprefix("+").removeprefix(home.calling_code)
    if digits[:1] == "+" or home.calling_code == "1":
        return short if short in EMERGENCIES or short in home.emergencies else ""
    return ""


def _tried(read: Callable[[], str]) -> str | ValueError:
    """The number that was read, or why none was."""
    try:
        return read()
    except ValueError as problem:
        return problem


def _fits(outcome: str | ValueError) -> bool:
    """Whether a text is a number, or more than one."""
    return isinstance(outcome, str | Ambiguous)


def _all_digits(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(numbering.NOT_A_NUMBER)
    return text
