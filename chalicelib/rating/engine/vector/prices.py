"""What a package asks for each interval of a matcher, and the amounts of a chunk: integers of 64 bits throughout.

A *slot* is one package in one stretch of unchanged terms. What it asks belongs to a *rule* (the markup, or one custom
rate), of which a slot has few; it says for every interval which rule that is. Where a rule takes over what the deck
says, it has a factor for the deck's value, which is 0 in the others: adding both up needs no branch per call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.decks.deck import Deck
from chalicelib.rating.engine.vector.match import Matcher, countries
from chalicelib.rating.pricing.precedence import GROUP_COUNTRIES, CustomRate, PackageVersion, effective
from chalicelib.rating.pricing.price import PERCENT_ONE
from chalicelib.rating.pricing.terms import Epoch

Ints = NDArray[np.int64]
SAFE = 2**62
"""No intermediate value may reach this; a slot or deck that could is left to the reference."""
_T = TypeVar("_T", int, Ints)


def _inverse(increment: _T) -> _T:
    """2**40 / increment, rounded up: ``billed`` multiplies by it, which is several times as fast as dividing."""
    return -(-(1 << 40) // increment)


class Pulse(NamedTuple):
    """Pulses of many terms: seconds, and 2**40 / increment rounded up. All are 0 where nothing is ever billed."""

    initial: Ints
    increment: Ints
    inverse: Ints

    @classmethod
    def of(cls, initial: Ints, increment: Ints) -> Pulse:
        inverse = _inverse(np.maximum(increment, 1))
        return cls(*(np.where(increment > 0, column, 0) for column in (initial, increment, inverse)))

    def at(self, places: Ints) -> Pulse:
        return Pulse(*(column[places] for column in self))


COSTS = np.dtype([("rate_e10", "<i8"), ("fee_e8", "<i8"), ("inverse", "<i8"), ("initial", "<i4"), ("increment", "<i4")])
"""What a deck line costs. A call needs all of it, and lines are far apart in memory: so it lies together."""


class DeckCosts:
    """The costs of a deck's ``lines``; the last item stands for no line."""

    def __init__(self, deck: Deck) -> None:
        rates, fees, initials, increments = (
            np.append(np.frombuffer(view, kind), 0).astype(np.int64)
            for view, kind in zip(deck.costs(), "qqii", strict=True)
        )
        self.lines = np.empty(len(rates), COSTS)
        self.lines["rate_e10"], self.lines["fee_e8"] = rates, fees
        pulse = Pulse.of(initials, increments)
        self.lines["initial"], self.lines["increment"], self.lines["inverse"] = pulse
        self.largest_rate_e10, self.largest_fee_e8 = int(rates.max()), int(fees.max())


@dataclass(frozen=True)
class Rules:
    """Per rule, the markup of a slot first: its own values, and the factors for those of the deck line.

    The rate is (cost x ``cost_factor`` + ``addend``) / (2 x 100 %), rounded down and never under 0, plus ``rate_e10``.
    """

    names: list[str]
    initial: Ints
    increment: Ints
    inverse: Ints
    deck_pulse: Ints
    fee_e14: Ints
    fee_factor: Ints
    minimum_e8: Ints
    grace: Ints
    decimals: Ints
    cost_factor: Ints
    addend: Ints
    rate_e10: Ints

    @classmethod
    def joined(cls, parts: Sequence[Rules]) -> Rules:
        """One after the other."""
        columns = (np.concatenate([getattr(each, field.name) for each in parts]) for field in fields(cls)[1:])
        return cls([name for each in parts for name in each.names], *columns)


class Slot:
    """A package's terms over a matcher: ``rule`` per interval, and what the rules say.

    Where 64 bits could be too few, ``is_safe`` is not set and the rules say 0.
    """

    def __init__(self, epoch: Epoch, matcher: Matcher, costs: DeckCosts, custom_prefixes: int | None) -> None:
        self.epoch = epoch
        customs = list(epoch.customs.items())
        self.customs: list[CustomRate | None] = [None, *(custom for _, custom in customs)]
        self.is_safe = _is_safe(epoch, costs)
        self.rules = _rules(epoch.package, customs, self.is_safe)
        number = {name: place for place, name in enumerate(self.rules.names)}
        by_country = np.array([_country_rule(name, number) for name in countries()[1]], np.int32)
        self.rule = by_country[matcher.country]
        if custom_prefixes is not None:
            of_prefix = np.array([number[f"prefix:{code}"] for code in epoch.prefixes()], np.int32)
            owners = matcher.custom(custom_prefixes)
            here = np.flatnonzero(owners >= 0)
            self.rule[here] = of_prefix[owners[here]]


def _is_safe(epoch: Epoch, costs: DeckCosts) -> bool:
    """Whether the markup of the deck's largest rate, and of the largest fee, stays within 64 bits."""
    package = epoch.package
    factor = PERCENT_ONE + package.markup_percent_e4
    own_fees = [package.connection_fee_e8, *(custom.connection_fee_e8 for custom in epoch.customs.values())]
    largest_fee = max(costs.largest_fee_e8, *(fee or 0 for fee in own_fees))
    largest_rate = costs.largest_rate_e10 + abs(package.markup_fixed_e10)
    return largest_rate * factor * 2 < SAFE and largest_fee * max(PERCENT_ONE, factor) < SAFE // 60


def _rules(package: PackageVersion, customs: list[tuple[str, CustomRate]], is_safe: bool) -> Rules:
    rows = [_rule(package, custom) if is_safe else (0,) * 12 for custom in (None, *(each for _, each in customs))]
    return Rules(["markup", *(name for name, _ in customs)], *np.array(rows, np.int64).T)


def _rule(package: PackageVersion, custom: CustomRate | None) -> tuple[int, ...]:
    """One rule, in the order of ``Rules``; where ``terms.effective`` leaves a field to the deck, its factor is set."""
    rate_e10, pulse, fee_e8, minimum_e8, grace_seconds = effective(package, custom)
    percent = PERCENT_ONE + package.markup_percent_e4
    pulses = (*pulse, _inverse(pulse[1]), 0) if pulse else (0, 0, 0, 1)
    fees = (0, percent) if fee_e8 is None else (fee_e8 * PERCENT_ONE, 0)
    # Half a unit more, rounded down, is rounding half-up; so that a half is a whole number, everything is doubled.
    markup = 2 * percent, 2 * percent * package.markup_fixed_e10 + PERCENT_ONE, 0
    rate = markup if rate_e10 is None else (0, 0, rate_e10)
    return *pulses, *fees, minimum_e8, grace_seconds, package.call_decimals, *rate


def _country_rule(country: str | None, number: dict[str, int]) -> int:
    """The rule that a country's numbers have where no custom prefix fits."""
    if country is None:
        return 0
    group = number.get(f"group:{GROUP_COUNTRIES.get(country, '')}", 0)
    return number.get(f"country:{country}", group)


def rates(rules: Rules, rule: Ints, cost_e10: Ints) -> Ints:
    """``terms.combine``'s rate per minute for many calls, by their rule and the rate of their deck line."""
    markup = (cost_e10 * rules.cost_factor[rule] + rules.addend[rule]) // (2 * PERCENT_ONE)
    rate: Ints = np.maximum(markup, 0) + rules.rate_e10[rule]
    return rate


def billed(seconds: Ints, pulse: Pulse) -> Ints:
    """Seconds billed for calls of at least one second, and of less than 2**20.

    With x = the seconds beyond the first ones, less one, x // increment is had as x * m >> 40, where m is 2**40 /
    increment + e and 0 <= e < 1. The error is x * e / 2**40: under 1 / increment, too little to reach the next whole
    number, as long as x * increment <= 2**40. For increments beyond that, both sides are 0. Nothing beyond the first
    ones: x = -1, no step.
    """
    beyond = np.maximum(seconds - pulse.initial, 0) - 1
    billed: Ints = pulse.initial + ((beyond * pulse.inverse >> 40) + 1) * pulse.increment
    return billed


def amounts(rate_e10: Ints, charged: Ints, fee_e14: Ints, minimum_e8: Ints, decimals: Ints) -> Ints:
    """``pricing.amount_e8`` for many calls: one fraction, one rounding.

    The fraction is (rate x 10**4 x seconds + fee x 60) / (60 x 10**(14 - decimals)); to stay within 64 bits the last
    four digits of the fee are kept apart until the remainder is rounded.
    """
    if len(decimals) and (decimals == decimals[0]).all():
        # One divisor for all, which divides several times faster.
        decimals = decimals[:1]
    unit = 60 * _POWERS[10 - decimals]
    fee_whole = fee_e14 // 10_000
    coarse = rate_e10 * charged + fee_whole * 60
    whole = coarse // unit
    rest = (coarse - whole * unit) * 10_000 + (fee_e14 - fee_whole * 10_000) * 60
    # The rest of the fee may make the rest a little more than a whole, but never one and a half.
    rounded = whole + (2 * rest >= unit * 10_000)
    # Rounding keeps order, so the larger of two amounts is the larger one rounded.
    step = _POWERS[8 - decimals]
    least = (2 * minimum_e8 + step) // (2 * step)
    amount: Ints = np.maximum(rounded, least) * step
    return amount


def costs(rate_e10: Ints, seconds: Ints, fee_e8: Ints) -> Ints:
    """``pricing.cost_e8`` for many answered calls."""
    value: Ints = (2 * (rate_e10 * seconds + fee_e8 * 6_000) + 6_000) // 12_000
    return value


_POWERS = np.array([10**n for n in range(19)], np.int64)
