"""The loss guard: which lines of a deck a package sells below cost, and by which rule.

A line is looked at by calls of one second and of one minute: the first shows a pulse that is finer than the deck's, the
second a rate or fee that is lower.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from chalicelib.money import RATE_PLACES
from chalicelib.numbers import country_of
from chalicelib.rating.decks.deck import NUMBER, PREFIX, SHORT_DIGITS, DeckLine
from chalicelib.rating.pricing.precedence import PackageVersion, combine
from chalicelib.rating.pricing.price import AMOUNT_UNIT, CallTerms, billed, sell_rate_e10
from chalicelib.rating.pricing.terms import Epoch, route_of

SECONDS = (60, 1)
"""The calls by which a line is looked at; of two losses that are the same share of the cost the first is listed."""


class Loss(NamedTuple):
    """The lines that a rule of a package sells below cost: how many, and the one that loses the largest share of its
    cost, by a call of ``seconds``: ``cost`` and ``sold`` in 1e-10 / 60, so that they are integers."""

    package_id: str
    rule: str
    lines: int
    prefix: str
    seconds: int
    cost: int
    sold: int

    @property
    def loss_e4(self) -> int:
        """The loss in 1e-4 percent of the cost."""
        return (self.cost - self.sold) * 10**6 // self.cost

    def is_worse(self, other: Loss | None) -> bool:
        """Whether a larger share of the cost is lost than by ``other``; exactly, because the costs are integers."""
        return other is None or self.sold * other.cost < other.sold * self.cost


class Group(NamedTuple):
    """Lines for prefixes of one country that differ only in rate, prefix and destination.

    ``line`` is one of them. ``prefixes``: those of each rate (1e-10 per minute), sorted.
    """

    country: str | None
    line: DeckLine
    prefixes: dict[int, list[str]]


class Lines:
    """The lines of a deck that apply to resellers of a home country, by digits, and those for prefixes in groups."""

    def __init__(self, lines: Iterable[DeckLine], home: str) -> None:
        own = [line for line in lines if not line.homes or home in line.homes]
        self.prefixes = {line.prefix: line for line in own if line.match == PREFIX}
        self.sorted = sorted(self.prefixes)
        self.numbers = [line for line in own if line.match != PREFIX]
        groups: dict[Any, Group] = {}
        for prefix in self.sorted:
            line, country = self.prefixes[prefix], country_of(prefix)
            _, _, rate_e10, initial, increment, fee_e8, _, _ = line
            # Where there is no country, the first digit decides the route of a package.
            key = country or prefix[0], initial, increment, fee_e8
            group = groups.get(key)
            if group is None:
                group = groups[key] = Group(country, line, {})
            same = group.prefixes.get(rate_e10)
            if same is None:
                group.prefixes[rate_e10] = [prefix]
            else:
                same.append(prefix)
        self.groups = list(groups.values())

    def longest(self, digits: str) -> DeckLine | None:
        """The line of the longest prefix of these digits."""
        ends = range(len(digits), 0, -1)
        return next((self.prefixes[digits[:end]] for end in ends if digits[:end] in self.prefixes), None)

    def under(self, digits: str) -> Iterator[str]:
        """The prefixes that begin with these digits."""
        first = bisect_left(self.sorted, digits)
        yield from self.sorted[first : bisect_left(self.sorted, digits + ":")]


def losses(epoch: Epoch, route: str, lines: Lines, below: dict[str, set[str]] | None = None) -> list[Loss]:
    """What a package in an epoch sells below the cost of a deck for ``route``, by rule.

    ``below`` takes the digits of each line of the deck that has a loss, by what the line matches.
    """
    routes = epoch.package.routes
    if route not in routes:
        return []
    under = {PREFIX: set[str](), NUMBER: set[str]()} if below is None else below
    apart = _priced_by_prefix(epoch, lines)
    lost = list(_in_groups(epoch, route, lines, apart, under[PREFIX]))
    for digits, country, line in _one_by_one(apart, lines):
        short = len(digits) <= SHORT_DIGITS and line.match != PREFIX
        if route != (routes[2] if short else route_of(routes, country, digits)):
            continue
        terms = epoch.resolve(digits, country, line)
        loss = terms and _loss(terms, digits)
        if loss:
            under[line.match].add(line.prefix)
            lost.append(loss)
    found: dict[str, Loss] = {}
    # Of losses that are the same share of the cost, that of the first digits is listed.
    for loss in sorted(lost, key=attrgetter("prefix")):
        known = found.get(loss.rule)
        worst = known if known and not loss.is_worse(known) else loss
        found[loss.rule] = worst._replace(lines=loss.lines + (known.lines if known else 0))
    return sorted(found.values())


def _priced_by_prefix(epoch: Epoch, lines: Lines) -> dict[str, None]:
    """The digits that a custom rate for a prefix may price: its own, and the prefixes that begin with them."""
    return {digits: None for code in epoch.prefixes() for digits in (code, *lines.under(code))}


def _one_by_one(apart: Iterable[str], lines: Lines) -> Iterator[tuple[str, str | None, DeckLine]]:
    """Digits, country and line of what is in no group that a single rule prices."""
    for each in apart:
        line = lines.longest(each)
        if line:
            yield each, country_of(each), line
    for line in lines.numbers:
        yield line.prefix, None if len(line.prefix) <= SHORT_DIGITS else country_of(line.prefix), line


def _in_groups(epoch: Epoch, route: str, lines: Lines, apart: Collection[str], below: set[str]) -> Iterator[Loss]:
    """The losses on the lines that are not ``apart``, one for each group; ``below`` takes their prefixes.

    One rule prices such a group, so the price is computed once for each rate of the deck.
    """
    package, may_lose = epoch.package, _markup_may_lose(epoch)
    gains = _rate_gains(package)
    sold_at = _Sold(package)
    apart_of = {country_of(digits) for digits in apart}
    for group in lines.groups:
        if route != route_of(package.routes, group.country, group.line.prefix):
            continue
        rule, custom = next(epoch.matching("", group.country), ("markup", None))
        if custom is None and not may_lose:
            continue
        terms = combine(package, rule, custom, group.line, group.country)
        pulses, cost_fee = _pulses(terms), terms.cost_fee_e8 * AMOUNT_UNIT
        if custom is None and gains and all(sold >= cost and fee >= cost_fee for _, cost, sold, fee, _ in pulses):
            continue
        whole, losing = group.country not in apart_of, list[list[str]]()
        worst_prefix, worst_seconds, worst_cost, worst_sold = "", 0, 1, 1
        # As few calls as possible: a deck has 200,000 lines, and a reseller some ten packages.
        for rate_e10, prefixes in group.prefixes.items():
            price = sold_at[rate_e10] if custom is None else terms.rate_e10
            lost = False
            for seconds, cost_seconds, sold_seconds, fee, least in pulses:
                cost, sold = rate_e10 * cost_seconds + cost_fee, price * sold_seconds + fee
                if sold < least:
                    sold = least
                if sold >= cost:
                    continue
                if not lost:
                    lost = True
                    mine = prefixes if whole else [prefix for prefix in prefixes if prefix not in apart]
                    if not mine:
                        break
                    losing.append(mine)
                share, worst_share = sold * worst_cost, worst_sold * cost
                if share < worst_share or (share == worst_share and mine[0] < worst_prefix):
                    worst_prefix, worst_seconds, worst_cost, worst_sold = mine[0], seconds, cost, sold
        if losing:
            below.update(*losing)
            count = sum(map(len, losing))
            yield Loss(package.package_id, rule, count, worst_prefix, worst_seconds, worst_cost, worst_sold)


class _Sold(dict[int, int]):
    """The deck's rate per minute -> the rate that a package's markup makes of it."""

    def __init__(self, package: PackageVersion) -> None:
        super().__init__()
        self._markup = package.markup_fixed_e10, package.markup_percent_e4, package.rate_decimals

    def __missing__(self, rate_e10: int) -> int:
        self[rate_e10] = sold = sell_rate_e10(rate_e10, *self._markup)
        return sold


def _pulses(terms: CallTerms) -> list[tuple[int, int, int, int, int]]:
    """For each call of ``SECONDS`` its seconds, those that are billed by the deck and sold, and the fee and minimum
    that it is sold for, in the unit of exact amounts."""
    found = []
    for seconds in SECONDS:
        cost_seconds = billed(seconds, terms.cost_initial, terms.cost_increment)
        if seconds > terms.grace_seconds:
            sold = billed(seconds, terms.initial, terms.increment), terms.fee_e8 * AMOUNT_UNIT
            found.append((seconds, cost_seconds, *sold, terms.minimum_e8 * AMOUNT_UNIT))
        else:
            found.append((seconds, cost_seconds, 0, 0, 0))
    return found[:1] if found[0][1:] == found[1][1:] else found


def _markup_may_lose(epoch: Epoch) -> bool:
    """Whether the markup can be below cost; without own seconds and fee and with no negative part it cannot."""
    package = epoch.package
    own = package.increment or package.connection_fee_e8 is not None
    return bool(own) or not _rate_gains(package)


def _rate_gains(package: PackageVersion) -> bool:
    """Whether the rate that the markup makes is never below the deck's."""
    raises = package.markup_fixed_e10 >= 0 and package.markup_percent_e4 >= 0
    return raises and package.rate_decimals >= RATE_PLACES


def _loss(terms: CallTerms, digits: str) -> Loss | None:
    worst: Loss | None = None
    for seconds, cost_seconds, sold_seconds, fee, least in _pulses(terms):
        cost = terms.cost_rate_e10 * cost_seconds + terms.cost_fee_e8 * AMOUNT_UNIT
        sold = max(terms.rate_e10 * sold_seconds + fee, least)
        loss = Loss(terms.package_id, terms.rule, 1, digits, seconds, cost, sold)
        if sold < cost and loss.is_worse(worst):
            worst = loss
    return worst
