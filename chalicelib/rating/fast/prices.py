"""What a package asks for each interval of a matcher, and the amounts of a chunk: integers of 64 bits throughout.

A *slot* is one package in one stretch of unchanged terms. Its rate per interval is laid out once. Pulse, fee, minimum
and grace belong to a *rule* (the markup, or one custom rate), of which a slot has few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.decks import Deck
from chalicelib.rating.fast.match import Matcher, countries
from chalicelib.rating.pricing import PERCENT_ONE
from chalicelib.rating.terms import GROUP_COUNTRIES, CustomRate, Epoch

Ints = NDArray[np.int64]
SAFE = 2**62
"""No intermediate value may reach this; a slot or deck that could is left to the reference."""


class DeckCosts:
    """The costs of a deck's lines as arrays; the last item stands for no line."""

    def __init__(self, deck: Deck) -> None:
        rates, fees, initials, increments = (
            np.append(np.frombuffer(view, kind), 0).astype(np.int64)
            for view, kind in zip(deck.costs(), "qqii", strict=True)
        )
        self.rate_e10, self.fee_e8, self.initial, self.increment = rates, fees, initials, increments


@dataclass(frozen=True)
class Rules:
    """Per rule of a slot, the markup first; 0 increments and fee -1: the deck's."""

    names: list[str]
    initial: Ints
    increment: Ints
    fee_e8: Ints
    minimum_e8: Ints
    grace: Ints


class Slot:
    """A package's terms over a matcher: ``rate_e10`` and ``rule`` per interval."""

    def __init__(self, epoch: Epoch, matcher: Matcher, costs: DeckCosts, custom_prefixes: int | None) -> None:
        self.epoch = epoch
        package = epoch.package
        customs = list(epoch.customs.items())
        self.customs: list[CustomRate | None] = [None, *(custom for _, custom in customs)]
        self.rules = _rules(epoch, customs)
        self.decimals = package.call_decimals
        number = {name: place for place, name in enumerate(self.rules.names)}
        by_country = np.array([_country_rule(name, number) for name in countries()[1]], np.int32)
        self.rule = by_country[matcher.country]
        if custom_prefixes is not None:
            owners = matcher.customs[custom_prefixes]
            of_prefix = np.array([number[f"prefix:{code}"] for code in epoch.prefixes()] + [0], np.int32)
            self.rule = np.where(owners >= 0, of_prefix[owners], self.rule).astype(np.int32)
        custom_rates = np.array([0, *(custom.rate_e10 or 0 for _, custom in customs)], np.int64)
        markup, self.is_safe = _markup(costs.rate_e10[matcher.line], epoch)
        self.rate_e10 = np.where(self.rule == 0, markup, custom_rates[self.rule])
        self.percent_e4 = package.markup_percent_e4
        largest_fee = int(max(costs.fee_e8.max(), self.rules.fee_e8.max()))
        self.is_safe &= largest_fee * max(PERCENT_ONE, PERCENT_ONE + self.percent_e4) < SAFE // 60


def _rules(epoch: Epoch, customs: list[tuple[str, CustomRate]]) -> Rules:
    package = epoch.package
    fee = -1 if package.connection_fee_e8 is None else package.connection_fee_e8
    rows = [(package.initial, package.increment, fee, package.minimum_charge_e8 or 0, 0)]
    for _, custom in customs:
        pulse = (custom.initial, custom.increment) if custom.increment else (package.initial, package.increment)
        own_fee = fee if custom.connection_fee_e8 is None else custom.connection_fee_e8
        minimum = package.minimum_charge_e8 if custom.minimum_charge_e8 is None else custom.minimum_charge_e8
        rows.append((*pulse, own_fee, minimum or 0, custom.grace_seconds))
    return Rules(["markup", *(name for name, _ in customs)], *np.array(rows, np.int64).T)


def _country_rule(country: str | None, number: dict[str, int]) -> int:
    """The rule that a country's numbers have where no custom prefix fits."""
    if country is None:
        return 0
    group = number.get(f"group:{GROUP_COUNTRIES.get(country, '')}", 0)
    return number.get(f"country:{country}", group)


def _markup(cost_e10: Ints, epoch: Epoch) -> tuple[Ints, bool]:
    """(cost + fixed) x (1 + percent / 100), rounded half-up, never under 0; and whether 64 bits were enough."""
    fixed, factor = epoch.package.markup_fixed_e10, PERCENT_ONE + epoch.package.markup_percent_e4
    largest = (int(cost_e10.max(initial=0)) + abs(fixed)) * factor
    if largest * 2 >= SAFE:
        return np.zeros_like(cost_e10), False
    exact = (cost_e10 + fixed) * factor
    return np.maximum(0, (2 * exact + PERCENT_ONE) // (2 * PERCENT_ONE)), True


def billed(seconds: Ints, initial: Ints, increment: Ints) -> Ints:
    """Seconds billed; none where there are no seconds or no increment."""
    steps = -(-np.maximum(seconds - initial, 0) // np.maximum(increment, 1))
    return np.where((seconds > 0) & (increment > 0), initial + steps * increment, 0)


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
    fine = unit * 10_000
    rounded = whole + (2 * rest + fine) // (2 * fine)
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
