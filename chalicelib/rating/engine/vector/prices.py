"""The price fields of packages as arrays, and the amounts of a chunk: only integers of 64 bits.

A *slot* is one package between two changes of its terms, on one deck. It has a few *rules* (the markup, and one per
custom rate), and for every interval of the matcher (``match``) the number of the rule that sets the price there. For
each field that the deck may decide, a rule has its own value and a factor for the deck's value; one of both is 0. So
prices are sums, without a branch per call.
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
"""Intermediate values must stay below this; slots and decks where they might not are left to the reference engine."""
_T = TypeVar("_T", int, Ints)


def _inverse(increment: _T) -> _T:
    """2**40 / increment, rounded up: ``billed`` multiplies by it, several times as fast as a division."""
    return -(-(1 << 40) // increment)


class Pulse(NamedTuple):
    """Pulses of many terms: seconds, and 2**40 / increment rounded up. All are 0 where nothing is billed."""

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
"""The costs of one deck line, together in memory, because a call needs all of them."""


class DeckCosts:
    """The costs of all ``lines`` of a deck; the last item (index -1) means no line."""

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
    """Per rule: its own values, and the factors for the values of the deck line. A slot's first rule is the markup.

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
        """The rules of several slots, one after the other."""
        columns = (np.concatenate([getattr(each, field.name) for each in parts]) for field in fields(cls)[1:])
        return cls([name for each in parts for name in each.names], *columns)


class Slot:
    """One slot: ``rules``, and ``rule``, the number of the rule for each interval of a matcher.

    ``custom_prefixes`` is the number of the epoch's set of custom prefixes in the matcher, or None when it has none.
    ``is_safe`` is False when 64 bits may be too few; then the values of all rules are 0.
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
    """Whether the largest rate and the largest fee, marked up, stay within 64 bits."""
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
    """One rule, in the order of ``Rules``. A field that ``precedence.effective`` leaves to the deck has its factor."""
    rate_e10, pulse, fee_e8, minimum_e8, grace_seconds = effective(package, custom)
    percent = PERCENT_ONE + package.markup_percent_e4
    pulses = (*pulse, _inverse(pulse[1]), 0) if pulse else (0, 0, 0, 1)
    fees = (0, percent) if fee_e8 is None else (fee_e8 * PERCENT_ONE, 0)
    # Rounding half-up is adding half a unit and rounding down; all is doubled so that half a unit is a whole number.
    markup = 2 * percent, 2 * percent * package.markup_fixed_e10 + PERCENT_ONE, 0
    rate = markup if rate_e10 is None else (0, 0, rate_e10)
    return *pulses, *fees, minimum_e8, grace_seconds, package.call_decimals, *rate


def _country_rule(country: str | None, number: dict[str, int]) -> int:
    """The number of the rule for a country's numbers that match no custom prefix; ``number``: by the rule's name."""
    if country is None:
        return 0
    group = number.get(f"group:{GROUP_COUNTRIES.get(country, '')}", 0)
    return number.get(f"country:{country}", group)


def rates(rules: Rules, rule: Ints, cost_e10: Ints) -> Ints:
    """Rates per minute in 1e-10 of many calls, from their rule and the rate of their deck line."""
    markup = (cost_e10 * rules.cost_factor[rule] + rules.addend[rule]) // (2 * PERCENT_ONE)
    rate: Ints = np.maximum(markup, 0) + rules.rate_e10[rule]
    return rate


def billed(seconds: Ints, pulse: Pulse) -> Ints:
    """``price.billed`` for many calls, each of at least 1 and less than 2**20 seconds.

    Let x be the seconds beyond ``initial``, less one. x // increment is computed as x * m >> 40, where m is
    2**40 / increment + e and 0 <= e < 1. The error, x * e / 2**40, is less than 1 / increment as long as
    x * increment <= 2**40, so it does not reach the next whole number. For larger increments both are 0. When no second
    is beyond ``initial``, x is -1 and no increment is added.
    """
    beyond = np.maximum(seconds - pulse.initial, 0) - 1
    billed: Ints = pulse.initial + ((beyond * pulse.inverse >> 40) + 1) * pulse.increment
    return billed


def amounts(rate_e10: Ints, charged: Ints, fee_e14: Ints, minimum_e8: Ints, decimals: Ints) -> Ints:
    """``price.amount_e8`` for many calls of which ``charged`` seconds are paid: one fraction, rounded once.

    The fraction is (rate x 10**4 x seconds + fee x 60) / (60 x 10**(14 - decimals)). To stay within 64 bits, the last
    four digits of the fee are added only when the remainder is rounded.
    """
    if len(decimals) and (decimals == decimals[0]).all():
        # One divisor for all calls: a division by it is several times as fast.
        decimals = decimals[:1]
    unit = 60 * _POWERS[10 - decimals]
    fee_whole = fee_e14 // 10_000
    coarse = rate_e10 * charged + fee_whole * 60
    whole = coarse // unit
    rest = (coarse - whole * unit) * 10_000 + (fee_e14 - fee_whole * 10_000) * 60
    # The last digits of the fee may make the remainder more than one unit, but less than one and a half.
    rounded = whole + (2 * rest >= unit * 10_000)
    # Rounding keeps the order, so the larger of both rounded amounts is the larger amount rounded.
    step = _POWERS[8 - decimals]
    least = (2 * minimum_e8 + step) // (2 * step)
    amount: Ints = np.maximum(rounded, least) * step
    return amount


def costs(rate_e10: Ints, seconds: Ints, fee_e8: Ints) -> Ints:
    """``price.cost_e8`` for many answered calls of which ``seconds`` are billed to the reseller."""
    value: Ints = (2 * (rate_e10 * seconds + fee_e8 * 6_000) + 6_000) // 12_000
    return value


_POWERS = np.array([10**n for n in range(19)], np.int64)
