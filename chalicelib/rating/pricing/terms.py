"""Packages and custom rates as dated versions, and which of them prices a call at its instant.

A package's price fields and each of its custom rates change over time without rewriting the past: every change is a
new version with the instant from which it holds. A package's first version reaches back without limit, so that
yesterday's calls of a client entered today can be rated. Between two changes everything is constant: those stretches
(epochs) are prepared once, and resolving a call is a bisection and a few dictionary look-ups.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from chalicelib import dated
from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing.price import (
    PERCENT_ONE,
    CallTerms,
    Markup,
    MatchingRule,
    marked_up_fee_e14,
    sell_rate_e10,
)

SHORT_CODE_DIGITS = 6
"""Numbers this long or shorter are short codes (411): only a rate for exactly these digits fits them."""
DEFAULT_PULSE = (6, 6)
"""Where neither a custom rate, nor the package, nor a deck line says otherwise."""
DEFAULT_ROUTES = ("value", "value", "value")
GROUP_COUNTRIES = {"US": "us", "CA": "canada"}


@dataclass(frozen=True, slots=True)
class PackageVersion:
    """A package's price fields from ``effective_from`` on.

    ``initial``/``increment`` 0: the deck's. Fee and minimum None: not set. ``routes``: the deck for us, canada and
    international. ``free_minutes_scope``: ``us``, ``canada`` and ISO codes.
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
    routes: tuple[str, str, str] = DEFAULT_ROUTES
    free_minutes: int = 0
    free_minutes_scope: tuple[str, ...] = ("us", "canada")


@dataclass(frozen=True, slots=True)
class CustomRate:
    """A package's own rate for a prefix, a country or a group from ``effective_from`` on; rate None: withdrawn.

    ``scope`` is ``prefix`` (code: digits), ``country`` (ISO alpha-2) or ``group`` (``us``, ``canada``).
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


class Epoch:
    """A stretch of time in which nothing about a package changes. Known by its identity.

    ``customs`` are the custom rates in force, by rule, such as ``prefix:1305``.
    """

    def __init__(self, package: PackageVersion, customs: dict[str, CustomRate]) -> None:
        self.package, self.customs = package, customs
        self._by_prefix = {custom.code: (rule, custom) for rule, custom in customs.items() if custom.scope == "prefix"}
        self._lengths = sorted({len(code) for code in self._by_prefix}, reverse=True)

    def prefixes(self) -> list[str]:
        """Digits of the custom prefixes in force, sorted as text."""
        return sorted(self._by_prefix)

    def matching(self, digits: str, country: str | None) -> Iterator[tuple[str, CustomRate]]:
        """Custom rates that match a number with their rules, the one that wins first."""
        size = len(digits)
        for length in self._lengths:
            if length == size or SHORT_CODE_DIGITS < size > length:
                found = self._by_prefix.get(digits[:length])
                if found:
                    yield found
        if country:
            for rule in _rules_of(country):
                if rule in self.customs:
                    yield rule, self.customs[rule]

    def resolve(self, digits: str, country: str | None, deck_line: DeckLine | None) -> CallTerms | None:
        """As ``Terms.resolve``."""
        rule, custom = next(self.matching(digits, country), _MARKUP) if self.customs else _MARKUP
        if custom is None and deck_line is None:
            return None
        return combine(self.package, rule, custom, deck_line, country)


@lru_cache(maxsize=512)
def _rules_of(country: str) -> tuple[str, str]:
    """Names of the rules that fit all numbers of a country."""
    return f"country:{country}", f"group:{GROUP_COUNTRIES.get(country, '')}"


_MARKUP: tuple[str, CustomRate | None] = ("markup", None)


class _Package:
    """All versions of one package and its custom rates."""

    def __init__(self, versions: list[PackageVersion], customs: list[CustomRate]) -> None:
        self._first = min(versions, key=lambda each: each.version)
        self._versions = dated.standing(each for each in versions if each is not self._first)
        self._customs = _standing(customs)
        changes = {each.effective_from for each in self._versions} | {each.effective_from for each in self._customs}
        self.changes = sorted(changes)
        self.most_minutes = max(each.free_minutes for each in versions)
        self._epochs: dict[int, Epoch] = {}

    def epoch(self, at: int) -> Epoch:
        number = bisect_right(self.changes, at)
        epoch = self._epochs.get(number)
        if epoch is None:
            epoch = self._epochs[number] = self._prepare(at)
        return epoch

    def _prepare(self, at: int) -> Epoch:
        package = dated.in_force(self._versions, at) or self._first
        latest: dict[str, CustomRate] = {}
        for custom in self._customs:
            if custom.effective_from <= at:
                latest[f"{custom.scope}:{custom.code}"] = custom
        return Epoch(package, {rule: custom for rule, custom in latest.items() if custom.rate_e10 is not None})


class Terms:
    """Every package of a reseller with its custom rates; one object serves a whole batch, or one quote."""

    def __init__(self, versions: Iterable[PackageVersion], customs: Iterable[CustomRate]) -> None:
        """``customs`` of packages that are not in ``versions`` are left aside."""
        by_package: dict[str, tuple[list[PackageVersion], list[CustomRate]]] = {}
        for version in versions:
            by_package.setdefault(version.package_id, ([], []))[0].append(version)
        for custom in customs:
            if custom.package_id in by_package:
                by_package[custom.package_id][1].append(custom)
        self._packages = {package_id: _Package(*both) for package_id, both in by_package.items()}

    def package(self, package_id: str, at: int) -> PackageVersion | None:
        """The package's version in force at an instant; None for an unknown package."""
        package = self._packages.get(package_id)
        return package.epoch(at).package if package else None

    def most_minutes(self, package_id: str) -> int:
        """The most free minutes that any version of a package has; 0 for an unknown one."""
        package = self._packages.get(package_id)
        return package.most_minutes if package else 0

    def grant_minutes(self) -> bool:
        """Whether any package has free minutes."""
        return any(package.most_minutes for package in self._packages.values())

    def package_ids(self) -> list[str]:
        return sorted(self._packages)

    def changes(self, package_id: str) -> list[int]:
        """Instants at which the terms of a package change; between two of them lies an epoch."""
        return list(self._packages[package_id].changes)

    def epoch(self, package_id: str, at: int) -> Epoch:
        """The stretch of unchanged terms that an instant falls in, of a known package."""
        return self._packages[package_id].epoch(at)

    def stretch(self, package_id: str, at: int) -> tuple[Epoch | None, int, int]:
        """The epoch that an instant falls in, its first instant, and the next one's; ``None``: unknown package."""
        package = self._packages.get(package_id)
        if package is None:
            return None, dated.BEGINNING, dated.END
        return package.epoch(at), *dated.stretch(package.changes, at)[1:]

    def resolve(
        self, package_id: str, at: int, digits: str, country: str | None, deck_line: DeckLine | None
    ) -> CallTerms | None:
        """Terms of an outbound call to ``digits`` (no ``+``) that starts at ``at``; None: there is no rate.

        Without a deck line only a custom rate can fit, and the cost is 0; the caller decides whether to allow that.
        """
        package = self._packages.get(package_id)
        return package.epoch(at).resolve(digits, country, deck_line) if package else None

    def matching_rules(
        self, package_id: str, at: int, digits: str, country: str | None, deck_line: DeckLine | None
    ) -> list[MatchingRule]:
        """Every rule that matches a number, the winner first; empty: there is no rate."""
        package = self._packages.get(package_id)
        if package is None:
            return []
        epoch = package.epoch(at)
        rules = [MatchingRule(rule, custom.rate_e10 or 0) for rule, custom in epoch.matching(digits, country)]
        if deck_line is not None:
            rules.append(MatchingRule("markup", sell_rate_e10(deck_line.rate_e10, *_markup(epoch.package))))
        return rules

    def markup(self, package_id: str, at: int) -> Markup | None:
        """The package's markup at an instant, for ``pricing.explain``."""
        version = self.package(package_id, at)
        return _markup(version) if version else None


def route_of(routes: tuple[str, str, str], country: str | None, digits: str) -> str:
    """The deck (``value`` or ``premium``) that a package with these routes buys a number from.

    Toll-free and 900 numbers (under +1, country None) and short codes go by the ``us`` route.
    """
    us, canada, international = routes
    if country is None:
        return us if digits.startswith("1") or len(digits) <= SHORT_CODE_DIGITS else international
    return us if country == "US" else canada if country == "CA" else international


def covers(scope: tuple[str, ...], country: str | None) -> bool:
    """Whether a free-minutes scope (``us``, ``canada``, ISO codes) takes in a country; toll-free (None) never."""
    return country is not None and (country in scope or GROUP_COUNTRIES.get(country) in scope)


def _standing(customs: Iterable[CustomRate]) -> list[CustomRate]:
    """The versions of each custom rate that hold at some time, those of one rate in order of their start."""
    by_rule: dict[tuple[str, str], list[CustomRate]] = {}
    for custom in customs:
        by_rule.setdefault((custom.scope, custom.code), []).append(custom)
    return [each for versions in by_rule.values() for each in dated.standing(versions)]


def _markup(version: PackageVersion) -> Markup:
    return Markup(version.markup_fixed_e10, version.markup_percent_e4)


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
    pulse = (package.initial, package.increment) if package.increment else None
    fee_e8, minimum_e8 = package.connection_fee_e8, package.minimum_charge_e8
    if custom is None:
        return Effective(None, pulse, fee_e8, minimum_e8 or 0, 0)
    if custom.increment:
        pulse = custom.initial, custom.increment
    if custom.connection_fee_e8 is not None:
        fee_e8 = custom.connection_fee_e8
    if custom.minimum_charge_e8 is not None:
        minimum_e8 = custom.minimum_charge_e8
    return Effective(custom.rate_e10 or 0, pulse, fee_e8, minimum_e8 or 0, custom.grace_seconds)


def combine(
    package: PackageVersion, rule: str, custom: CustomRate | None, line: DeckLine | None, country: str | None
) -> CallTerms:
    """Terms of a call whose rate is set by ``rule``: a custom rate or, for None, the markup on the deck line's rate."""
    prefix, destination, cost_rate_e10, cost_initial, cost_increment, cost_fee_e8 = line or _NO_LINE
    rate_e10, pulse, fee_e8, minimum_e8, grace_seconds = effective(package, custom)
    if rate_e10 is None:
        rate_e10 = sell_rate_e10(cost_rate_e10, package.markup_fixed_e10, package.markup_percent_e4)
    initial, increment = pulse or ((cost_initial, cost_increment) if line else DEFAULT_PULSE)
    # In the order of the fields: past the constructor written in Python, which takes several times as long.
    terms = (
        rule,
        rate_e10,
        initial,
        increment,
        marked_up_fee_e14(cost_fee_e8, package.markup_percent_e4) if fee_e8 is None else fee_e8 * PERCENT_ONE,
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
