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

from chalicelib import money
from chalicelib.money import AMOUNT_PLACES, RATE_PLACES
from chalicelib.rating.decks.deck import Deck
from chalicelib.rating.engine.vector.match import Matcher, countries
from chalicelib.rating.pricing.precedence import GROUP_COUNTRIES, CustomRate, PackageVersion, effective
from chalicelib.rating.pricing.price import AMOUNT_UNIT, PERCENT_ONE
from chalicelib.rating.pricing.terms import Epoch

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
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

    The rate is (cost x ``cost_factor`` + ``addend``) / 100 %, rounded to whole ``rate_step`` (1e-10), plus
    ``rate_e10``. The fee is the deck's x ``fee_factor`` / 100 %, rounded to 1e-8, plus ``fee_e8``.
    """

    names: list[str]
    initial: Ints
    increment: Ints
    inverse: Ints
    deck_pulse: Ints
    fee_e8: Ints
    fee_factor: Ints
    minimum_e8: Ints
    grace: Ints
    decimals: Ints
    cost_factor: Ints
    addend: Ints
    rate_step: Ints
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
    """Whether the largest rate and the largest fee of the deck, marked up, stay within 64 bits.

    If so, such a rate is less than 2**43 and such a fee less than 2**43, because ``SAFE`` is divided by 100 %. Rates
    and fees that are not marked up are at most ``MAX_RATE`` and ``MAX_FEE``, less than 2**44 and 2**37; and less than
    2**17 seconds are billed (86,400, and one more increment). So no sum in ``amounts`` or ``costs`` reaches 2**62.
    """
    factor = PERCENT_ONE + epoch.package.markup_percent_e4
    largest_rate = costs.largest_rate_e10 + abs(epoch.package.markup_fixed_e10)
    return max(largest_rate, costs.largest_fee_e8) * factor < SAFE


def _rules(package: PackageVersion, customs: list[tuple[str, CustomRate]], is_safe: bool) -> Rules:
    rows = [_rule(package, custom) if is_safe else _NO_PRICE for custom in (None, *(each for _, each in customs))]
    return Rules(["markup", *(name for name, _ in customs)], *np.array(rows, np.int64).T)


_NO_PRICE = (*(0,) * 11, 1, 0)
"""A rule that prices nothing: 1 is its ``rate_step``, by which rates are divided."""


def _rule(package: PackageVersion, custom: CustomRate | None) -> tuple[int, ...]:
    """One rule, in the order of ``Rules``. A field that ``precedence.effective`` leaves to the deck has its factor."""
    rate_e10, pulse, fee_e8, minimum_e8, grace_seconds = effective(package, custom)
    percent = PERCENT_ONE + package.markup_percent_e4
    pulses = (*pulse, _inverse(pulse[1]), 0) if pulse else (0, 0, 0, 1)
    fees = (0, percent) if fee_e8 is None else (fee_e8, 0)
    step = 10 ** (RATE_PLACES - package.rate_decimals)
    markup = percent, percent * package.markup_fixed_e10, step, 0
    rate = markup if rate_e10 is None else (0, 0, step, rate_e10)
    return *pulses, *fees, minimum_e8, grace_seconds, package.call_decimals, *rate


def _country_rule(country: str | None, number: dict[str, int]) -> int:
    """The number of the rule for a country's numbers that match no custom prefix; ``number``: by the rule's name."""
    if country is None:
        return 0
    group = number.get(f"group:{GROUP_COUNTRIES.get(country, '')}", 0)
    return number.get(f"country:{country}", group)


def rates(rules: Rules, rule: Ints, cost_e10: Ints) -> Ints:
    """Rates per minute in 1e-10 of many calls, from their rule and the rate of their deck line."""
    exact = cost_e10 * rules.cost_factor[rule] + rules.addend[rule]
    step = rules.rate_step[:1] if _all_equal(rules.rate_step) else rules.rate_step[rule]
    # A positive rate is at least one step: True counts as 1.
    rate: Ints = np.maximum(_half_up(exact, PERCENT_ONE * step), exact > 0) * step + rules.rate_e10[rule]
    return rate


def fees(rules: Rules, rule: Ints, fee_e8: Ints) -> Ints:
    """Connection fees in 1e-8 of many calls, from their rule and the fee of their deck line."""
    fee: Ints = _half_up(fee_e8 * rules.fee_factor[rule], PERCENT_ONE) + rules.fee_e8[rule]
    return fee


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


def amounts(rate_e10: Ints, charged: Ints, fee_e8: Ints, minimum_e8: Ints, decimals: Ints) -> Ints:
    """``price.amount_e8`` for many calls of which ``charged`` seconds are paid: one fraction, rounded once."""
    step = _POWERS[AMOUNT_PLACES - (decimals[:1] if _all_equal(decimals) else decimals)]
    rounded = _half_up(rate_e10 * charged + fee_e8 * AMOUNT_UNIT, AMOUNT_UNIT * step)
    # Rounding keeps the order, so the larger of both rounded amounts is the larger amount rounded.
    amount: Ints = np.maximum(rounded, _half_up(minimum_e8, step)) * step
    return amount


def costs(rate_e10: Ints, seconds: Ints, fee_e8: Ints) -> Ints:
    """``price.cost_e8`` for many answered calls of which ``seconds`` are billed to the reseller."""
    return _half_up(rate_e10 * seconds + fee_e8 * AMOUNT_UNIT, AMOUNT_UNIT)


def _half_up(values: Ints, unit: Ints | int) -> Ints:
    """``values`` / ``unit``, rounded half-up. Every unit is even, or 1: so its half is a whole number, or 0."""
    rounded: Ints = (values + unit // 2) // unit
    return rounded


def _all_equal(values: Ints) -> bool:
    """Whether one divisor serves all calls: a division by it is several times as fast."""
    return len(values) > 0 and bool((values == values[0]).all())


_POWERS = np.array([10**n for n in range(AMOUNT_PLACES + 1)], np.int64)


def converted(cost_e8: Ints, fx_e10: int) -> tuple[Ints, Mask]:
    """Costs, or -1 where there is none, as ``money.converted`` converts them, and which of them are not too large."""
    one = 10**RATE_PLACES
    result, good = np.full(len(cost_e8), -1), np.ones(len(cost_e8), bool)
    # Below this a product and half a unit fit 64 bits.
    small = cost_e8 <= (2**63 - one) // fx_e10
    if fx_e10 < 2**62:
        result = np.where(small & (cost_e8 >= 0), (np.where(small, cost_e8, 0) * fx_e10 + one // 2) // one, -1)
    else:
        small = cost_e8 < 0
    for place in np.flatnonzero(~small).tolist():
        try:
            result[place] = money.converted(int(cost_e8[place]), fx_e10)
        except ValueError:
            good[place] = False
    good &= result <= money.MAX_AMOUNT
    return result, good
