"""The loss guard: which lines of a deck a package sells below cost, and by which rule.

A line is looked at by calls of one second and of one minute: the first shows a pulse that is finer than the deck's, the
second a rate or fee that is lower.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chalicelib.money import RATE_PLACES
from chalicelib.numbers import country_of
from chalicelib.rating.decks.deck import PREFIX, SHORT_DIGITS, DeckLine
from chalicelib.rating.pricing.precedence import GROUP_COUNTRIES
from chalicelib.rating.pricing.price import CallTerms, billed
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


class Lines:
    """The lines of a deck that apply to resellers of a home country, by digits and by country."""

    def __init__(self, lines: Iterable[DeckLine], home: str) -> None:
        own = [line for line in lines if not line.homes or home in line.homes]
        self.prefixes = {line.prefix: line for line in own if line.match == PREFIX}
        self.sorted = sorted(self.prefixes)
        self.numbers = [line for line in own if line.match != PREFIX]
        self.by_country: dict[str | None, list[str]] = {}
        for prefix in self.sorted:
            self.by_country.setdefault(country_of(prefix), []).append(prefix)

    def longest(self, digits: str) -> DeckLine | None:
        """The line of the longest prefix of these digits."""
        ends = range(len(digits), 0, -1)
        return next((self.prefixes[digits[:end]] for end in ends if digits[:end] in self.prefixes), None)

    def under(self, digits: str) -> Iterator[str]:
        """The prefixes that begin with these digits."""
        first = bisect_left(self.sorted, digits)
        yield from self.sorted[first : bisect_left(self.sorted, digits + ":")]


def losses(epoch: Epoch, route: str, lines: Lines, below: set[tuple[str, str]] | None = None) -> list[Loss]:
    """What a package in an epoch sells below the cost of a deck for ``route``, by rule.

    ``below`` takes prefix and match of each line of the deck that has a loss.
    """
    found: dict[str, Loss] = {}
    routes = epoch.package.routes
    for digits, country, line in _candidates(epoch, lines):
        short = len(digits) <= SHORT_DIGITS and line.match != PREFIX
        if route != (routes[2] if short else route_of(routes, country, digits)):
            continue
        terms = epoch.resolve(digits, country, line)
        loss = terms and _loss(terms, digits)
        if loss:
            if below is not None:
                below.add((line.prefix, line.match))
            known = found.get(loss.rule)
            worst = known if known and not loss.is_worse(known) else loss
            found[loss.rule] = worst._replace(lines=(known.lines if known else 0) + 1)
    return sorted(found.values())


def _candidates(epoch: Epoch, lines: Lines) -> Iterator[tuple[str, str | None, DeckLine]]:
    """Digits, country and line of all that the package may sell below cost."""
    digits = dict.fromkeys(lines.sorted if _markup_may_lose(epoch) else ())
    for custom in epoch.customs.values():
        if custom.scope == "prefix":
            digits |= dict.fromkeys((custom.code, *lines.under(custom.code)))
        else:
            countries = [country for country, group in GROUP_COUNTRIES.items() if group == custom.code]
            for country in countries if custom.scope == "group" else [custom.code]:
                digits |= dict.fromkeys(lines.by_country.get(country, ()))
    for each in digits:
        line = lines.longest(each)
        if line:
            yield each, country_of(each), line
    for line in lines.numbers:
        yield line.prefix, None if len(line.prefix) <= SHORT_DIGITS else country_of(line.prefix), line


def _markup_may_lose(epoch: Epoch) -> bool:
    """Whether the markup can be below cost; without own seconds and fee and with no negative part it cannot."""
    package = epoch.package
    own = package.increment or package.connection_fee_e8 is not None or package.rate_decimals < RATE_PLACES
    return bool(own) or package.markup_fixed_e10 < 0 or package.markup_percent_e4 < 0


def _loss(terms: CallTerms, digits: str) -> Loss | None:
    worst: Loss | None = None
    for seconds in SECONDS:
        cost = _price(terms.cost_rate_e10, billed(seconds, terms.cost_initial, terms.cost_increment), terms.cost_fee_e8)
        sold = _price(terms.rate_e10, billed(seconds, terms.initial, terms.increment), terms.fee_e8)
        sold = max(sold, terms.minimum_e8 * 6000) if seconds > terms.grace_seconds else 0
        loss = Loss(terms.package_id, terms.rule, 1, digits, seconds, cost, sold)
        if sold < cost and loss.is_worse(worst):
            worst = loss
    return worst


def _price(rate_e10: int, seconds: int, fee_e8: int) -> int:
    return rate_e10 * seconds + fee_e8 * 6000
