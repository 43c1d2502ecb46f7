"""The rule of precedence: what a custom rate, the package and the deck line set together for a call.

A custom rate goes before the package and the package before the deck, field by field. Both engines, quotes,
authorizations and price lists use this one function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing.price import CallTerms, Pulse, marked_up_fee_e8, sell_rate_e10

DEFAULT_PULSE = (6, 6)
"""For a call whose pulse neither a custom rate, nor the package, nor a deck line sets."""
DEFAULT_ROUTES = ("value", "value", "value")
GROUP_COUNTRIES = {"US": "us", "CA": "canada"}


@dataclass(frozen=True, slots=True)
class PackageVersion:
    """A package's price fields from the instant ``effective_from`` on.

    ``initial``/``increment`` 0: the pulse of the deck. ``connection_fee_e8`` None: the deck's fee with the markup;
    ``minimum_charge_e8`` None: no minimum. ``rate_decimals``: places of a rate that the markup makes.
    ``routes``: the decks for calls to the US, to Canada and to other countries.
    ``free_minutes_scope``: where free minutes pay for calls, as ``us``, ``canada`` and ISO codes of countries.
    """

    package_id: str
    version: int
    effective_from: int
    name: str = ""
    markup_fixed_e10: int = 0
    markup_percent_e4: int = 0
    initial: int = 0
    increment: int = 0
    connection_fee_e8: int | None = None
    minimum_charge_e8: int | None = None
    call_decimals: int = 8
    rate_decimals: int = 10
    routes: tuple[str, str, str] = DEFAULT_ROUTES
    free_minutes: int = 0
    free_minutes_scope: tuple[str, ...] = ("us", "canada")


@dataclass(frozen=True, slots=True)
class CustomRate:
    """A package's own rate for a prefix, a country or a group from ``effective_from`` on.

    ``scope`` is ``prefix`` (``code``: digits), ``country`` (ISO alpha-2) or ``group`` (``us``, ``canada``).
    ``rate_e10`` None: the rate is withdrawn. Pulse 0, fee and minimum None: as the package has them.
    """

    package_id: str
    scope: str
    code: str
    version: int
    effective_from: int
    rate_e10: int | None
    initial: int = 0
    increment: int = 0
    connection_fee_e8: int | None = None
    minimum_charge_e8: int | None = None
    grace_seconds: int = 0

    @property
    def place(self) -> str:
        """``<scope>#<code>``: the order of a package's rates in lists."""
        return f"{self.scope}#{self.code}"

    @property
    def pulse(self) -> Pulse | None:
        """``None``: the package's."""
        return Pulse.of(self.initial, self.increment)


class Effective(NamedTuple):
    """What a package and one of its custom rates set together; None: the deck line decides that field.

    ``rate_e10`` None: the deck's rate with the markup. ``pulse`` (initial, increment) None: the deck's seconds.
    ``fee_e8`` None: the deck's fee with the percentage.
    """

    rate_e10: int | None
    pulse: tuple[int, int] | None
    fee_e8: int | None
    minimum_e8: int
    grace_seconds: int


def effective(package: PackageVersion, custom: CustomRate | None) -> Effective:
    """The rule of precedence, for both engines: custom rate over package over deck, field by field."""
    # Made in the order of the fields: past the constructor written in Python, which takes several times as long.
    pulse = (package.initial, package.increment) if package.increment else None
    fee_e8, minimum_e8 = package.connection_fee_e8, package.minimum_charge_e8
    if custom is None:
        return tuple.__new__(Effective, (None, pulse, fee_e8, minimum_e8 or 0, 0))
    if custom.increment:
        pulse = custom.initial, custom.increment
    if custom.connection_fee_e8 is not None:
        fee_e8 = custom.connection_fee_e8
    if custom.minimum_charge_e8 is not None:
        minimum_e8 = custom.minimum_charge_e8
    return tuple.__new__(Effective, (custom.rate_e10 or 0, pulse, fee_e8, minimum_e8 or 0, custom.grace_seconds))


def combine(
    package: PackageVersion, rule: str, custom: CustomRate | None, line: DeckLine | None, country: str | None
) -> CallTerms:
    """Terms of a call whose rate is set by ``rule``: a custom rate or, for None, the markup on the deck line's rate."""
    prefix, destination, cost_rate_e10, cost_initial, cost_increment, cost_fee_e8, _, _ = line or _NO_LINE
    rate_e10, pulse, fee_e8, minimum_e8, grace_seconds = effective(package, custom)
    if rate_e10 is None:
        markup = package.markup_fixed_e10, package.markup_percent_e4, package.rate_decimals
        rate_e10 = sell_rate_e10(cost_rate_e10, *markup)
    initial, increment = pulse or ((cost_initial, cost_increment) if line else DEFAULT_PULSE)
    # As above.
    terms = (
        rule,
        rate_e10,
        initial,
        increment,
        marked_up_fee_e8(cost_fee_e8, package.markup_percent_e4) if fee_e8 is None else fee_e8,
        minimum_e8,
        grace_seconds,
        package.call_decimals,
        cost_rate_e10,
        cost_initial,
        cost_increment,
        cost_fee_e8,
        prefix,
        destination,
        country,
        package.package_id,
        package.version,
        package.free_minutes > 0 and covers(package.free_minutes_scope, country),
    )
    return tuple.__new__(CallTerms, terms)


_NO_LINE = DeckLine("", "", 0, 0, 0, 0)


def covers(scope: tuple[str, ...], country: str | None) -> bool:
    """Whether a free-minutes scope (``us``, ``canada``, ISO codes) includes a country; never toll-free (``None``)."""
    return country is not None and (country in scope or GROUP_COUNTRIES.get(country) in scope)
