"""How a reseller's numbers are dialled: the text that a switch writes as the number called -> the number it means."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib import numbers


@dataclass(frozen=True)
class DialPlan:
    """What decides how a dialled number is read.

    ``home_country`` (ISO alpha-2) dials it. ``internal_digits``: the most digits of an internal number, None for the
    default of the home country. ``codes``: short numbers, up to 6 digits as dialled, that a deck prices by a line of
    their own. ``accounts``: the user names of the reseller's sub-accounts; a call to one of them is internal.
    """

    home_country: str = "US"
    internal_digits: int | None = None
    codes: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    def read(self, dialled: str) -> str:
        """The number called: ``+`` and 7 to 15 digits (E.164), or a short or internal number as dialled, without ``+``.

        Raises ``ValueError`` (a sentence without the name of the field) for a text that is no number.
        """
        return numbers.normalise(dialled, self.home_country)

    def is_emergency(self, number: str) -> bool:
        """Whether a bare number is an emergency number."""
        return number in ("911", "112", "988")

    def is_internal(self, number: str) -> bool:
        """Whether a bare number is internal."""
        return number in self.accounts or (number.isdecimal() and 2 <= len(number) <= 6)
