"""Packages and custom rates as dated versions, and which of them prices a call at its instant.

Price fields of a package and custom rates change without changing the past: each change is a new version with the
instant from which it is in force. The first version of a package has always been in force, so that yesterday's calls
of a client created today can be rated. An *epoch* is the time between two changes of a package. Its rates are prepared
once; then the terms of a call need one bisection and a few dictionary look-ups.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache

from chalicelib import dated
from chalicelib.rating.decks.deck import SHORT_DIGITS, DeckLine
from chalicelib.rating.pricing.precedence import GROUP_COUNTRIES, CustomRate, PackageVersion, combine
from chalicelib.rating.pricing.price import CallTerms, Markup, MatchingRule, sell_rate_e10


class Epoch:
    """What is in force for a package between two changes; compared by identity.

    ``customs``: the custom rates by rule, such as ``prefix:1305``.
    """

    def __init__(self, package: PackageVersion, customs: dict[str, CustomRate]) -> None:
        self.package, self.customs = package, customs
        self._by_prefix = {custom.code: (rule, custom) for rule, custom in customs.items() if custom.scope == "prefix"}
        self._lengths = sorted({len(code) for code in self._by_prefix}, reverse=True)

    def prefixes(self) -> list[str]:
        """Digits of the custom prefixes in force, sorted as text."""
        return sorted(self._by_prefix)

    def matching(self, digits: str, country: str | None) -> Iterator[tuple[str, CustomRate]]:
        """Custom rates that match a number with their rules, the one that wins first.

        A short number (up to ``SHORT_DIGITS``) is matched only by a prefix of exactly its digits.
        """
        size = len(digits)
        for length in self._lengths:
            if length == size or SHORT_DIGITS < size > length:
                match = self._by_prefix.get(digits[:length])
                if match:
                    yield match
        if country:
            for rule in _rules_of(country):
                if rule in self.customs:
                    yield rule, self.customs[rule]

    def resolve(self, digits: str, country: str | None, deck_line: DeckLine | None) -> CallTerms | None:
        """Terms of an outbound call to ``digits`` (no ``+``); ``None``: there is no rate.

        Without a deck line only a custom rate can match, and the cost is 0; the caller decides whether to allow that.
        """
        rule, custom = next(self.matching(digits, country), _MARKUP) if self.customs else _MARKUP
        if custom is None and deck_line is None:
            return None
        return combine(self.package, rule, custom, deck_line, country)


@lru_cache(maxsize=512)
def _rules_of(country: str) -> tuple[str, str]:
    """The rules that match every number of a country, the one that wins first."""
    return f"country:{country}", f"group:{GROUP_COUNTRIES.get(country, '')}"


_MARKUP: tuple[str, CustomRate | None] = ("markup", None)


class _Package:
    """All versions of one package and its custom rates."""

    def __init__(self, versions: list[PackageVersion], customs: list[CustomRate]) -> None:
        self._first = min(versions, key=lambda package: package.version)
        self._versions = dated.standing(package for package in versions if package is not self._first)
        self._customs = _standing(customs)
        starts = [package.effective_from for package in self._versions]
        self.changes = sorted({*starts, *(custom.effective_from for custom in self._customs)})
        self.most_minutes = max(package.free_minutes for package in versions)
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
    """Every package of a reseller with its custom rates, as of one terms version."""

    def __init__(self, versions: Iterable[PackageVersion], customs: Iterable[CustomRate]) -> None:
        """``customs`` of packages that are not in ``versions`` are ignored."""
        by_package: dict[str, tuple[list[PackageVersion], list[CustomRate]]] = {}
        for version in versions:
            by_package.setdefault(version.package_id, ([], []))[0].append(version)
        for custom in customs:
            if custom.package_id in by_package:
                by_package[custom.package_id][1].append(custom)
        self._packages = {package_id: _Package(*both) for package_id, both in by_package.items()}

    def package(self, package_id: str, at: int) -> PackageVersion | None:
        """The version of a package that is in force at an instant; ``None`` for an unknown package."""
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
        """The instants at which the terms of a package change, in order."""
        return list(self._packages[package_id].changes)

    def epoch(self, package_id: str, at: int) -> Epoch:
        """The epoch of a known package at an instant."""
        return self._packages[package_id].epoch(at)

    def stretch(self, package_id: str, at: int) -> tuple[Epoch | None, int, int]:
        """The epoch of a package at an instant (``None``: unknown package), its first instant, and the next one's."""
        package = self._packages.get(package_id)
        if package is None:
            return None, dated.BEGINNING, dated.END
        return package.epoch(at), *dated.stretch(package.changes, at)[1:]

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
        """The package's markup at an instant; ``None`` for an unknown package."""
        version = self.package(package_id, at)
        return _markup(version) if version else None


def route_of(routes: tuple[str, str, str], country: str | None, digits: str) -> str:
    """The name of the deck (``value`` or ``premium``) that a package with these routes uses for an E.164 number.

    Toll-free and 900 numbers (+1, country ``None``) take the ``us`` route. Short numbers take ``routes[2]``.
    """
    us, canada, international = routes
    if country is None:
        return us if digits.startswith("1") else international
    return us if country == "US" else canada if country == "CA" else international


def _standing(customs: Iterable[CustomRate]) -> list[CustomRate]:
    """The versions of each custom rate that are in force at some time; those of one rate in order of their start."""
    by_rule: dict[tuple[str, str], list[CustomRate]] = {}
    for custom in customs:
        by_rule.setdefault((custom.scope, custom.code), []).append(custom)
    return [custom for versions in by_rule.values() for custom in dated.standing(versions)]


def _markup(version: PackageVersion) -> Markup:
    return Markup(version.markup_fixed_e10, version.markup_percent_e4, version.rate_decimals)
