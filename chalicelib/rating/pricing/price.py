"""What one call costs and is sold for. The rules in plain words, with worked tables: ``docs/pricing.md``.

There are two roundings, both half-up: the sell rate to 1e-10 when it is made from cost and markup, and the call's
amount once, at the very end. So an amount is added up as one fraction over one denominator. Fees are kept at 1e-14,
because a deck's fee (1e-8) marked up by a percentage (1e-4 of a percent, that is 1e-6) must stay exact until then.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from chalicelib.money import AMOUNT_PLACES, div_half_up

FEE_PLACES = 14
PERCENT_ONE = 10**6
"""100 % in units of 1e-4 percent; multiplying an ``_e8`` by it gives an ``_e14``."""
LONGEST = 86_400
"""Seconds of the longest call that is rated."""
INBOUND_INITIAL, INBOUND_INCREMENT = 6, 6
"""The pulse of a number's cost always, and of its price when none is set."""


class CallTerms(NamedTuple):
    """All that is needed to price one call: made once per deck line and rule, used for every call of that kind.

    ``rule`` is the one that set the rate (``prefix:<digits>``, ``country:<ISO>``, ``group:us``, ``group:canada``,
    ``markup``, ``did:<number>``, ``internal``). The ``cost_`` fields are the deck's. ``covered``: free minutes may
    pay for it. ``grace_seconds``: a call up to and including this long has amount 0. ``decimals``: of the amount.
    """

    rule: str
    rate_e10: int = 0
    initial: int = 0
    increment: int = 0
    fee_e14: int = 0
    minimum_e8: int = 0
    grace_seconds: int = 0
    decimals: int = AMOUNT_PLACES
    cost_rate_e10: int = 0
    cost_initial: int = 0
    cost_increment: int = 0
    cost_fee_e8: int = 0
    prefix: str = ""
    destination: str = ""
    country: str | None = None
    package_id: str = ""
    package_version: int = 0
    covered: bool = False


class Price(NamedTuple):
    """A priced call; ``free_seconds`` are the billed seconds that free minutes really paid for."""

    billed_seconds: int
    free_seconds: int
    amount_e8: int
    cost_e8: int


UNANSWERED = Price(0, 0, 0, 0)
_UNITS: list[tuple[int, int]] = [
    (60 * 10 ** (FEE_PLACES - decimals), 10 ** (AMOUNT_PLACES - decimals)) for decimals in range(AMOUNT_PLACES + 1)
]
"""Per count of decimals the last one's unit: of the fraction that an amount is added up as, and in 1e-8."""


class Pulse(NamedTuple):
    """Billing increment: ``initial`` seconds at once, then every started ``increment``."""

    initial: int
    increment: int

    @classmethod
    def of(cls, initial: int, increment: int) -> Pulse | None:
        """``None`` for an ``increment`` of 0, which stands for a pulse that is not set."""
        return cls(initial, increment) if increment else None


class Markup(NamedTuple):
    """A package's markup: added per minute, then a percentage on the sum."""

    fixed_e10: int
    percent_e4: int


class MatchingRule(NamedTuple):
    """A rule that matches a number, and the rate per minute that it would set."""

    rule: str
    rate_e10: int


def sell_rate_e10(cost_e10: int, fixed_e10: int, percent_e4: int) -> int:
    """(cost + fixed) x (1 + percent / 100) per minute, rounded half-up to 1e-10; never under 0."""
    return max(0, div_half_up((cost_e10 + fixed_e10) * (PERCENT_ONE + percent_e4), PERCENT_ONE))


def marked_up_fee_e14(fee_e8: int, percent_e4: int) -> int:
    """A deck's connection fee with the percentage on it, exact; the fixed markup is per minute and stays out."""
    return fee_e8 * (PERCENT_ONE + percent_e4)


def billed(seconds: int, initial: int, increment: int) -> int:
    """Seconds billed for an answered call: ``initial``, then whole steps of ``increment``. No increment: none."""
    if not increment or seconds <= 0:
        return 0
    if seconds <= initial:
        return initial
    return initial - (initial - seconds) // increment * increment


def amount_e8(terms: CallTerms, seconds: int, free_seconds: int = 0) -> int:
    """Price of a call of ``seconds``, of whose billed seconds ``free_seconds`` are paid by free minutes.

    0 within the grace time, and when free minutes cover it whole; covered in part, it keeps fee and minimum.
    """
    return _amount_e8(terms, seconds, billed(seconds, terms.initial, terms.increment) - free_seconds)


def _amount_e8(terms: CallTerms, seconds: int, charged: int) -> int:
    """The same, of a call of which ``charged`` seconds are to be paid."""
    if seconds <= terms.grace_seconds or charged <= 0:
        return 0
    # Everything over one denominator, 60 x 1e14: the rate is per minute of 60 s and 1e-10.
    exact = terms.rate_e10 * 10_000 * charged + terms.fee_e14 * 60
    least = terms.minimum_e8 * PERCENT_ONE * 60
    unit, step = _UNITS[terms.decimals]
    return div_half_up(exact if exact > least else least, unit) * step


def cost_e8(terms: CallTerms, seconds: int) -> int:
    """What the call costs by the deck: its own rate, increments and fee, rounded half-up to 1e-8 once."""
    if seconds <= 0:
        return 0
    cost_seconds = billed(seconds, terms.cost_initial, terms.cost_increment)
    return div_half_up(terms.cost_rate_e10 * cost_seconds + terms.cost_fee_e8 * 6_000, 6_000)


def price_call(terms: CallTerms, seconds: int, free_seconds: int = 0, record_cost_e8: int = -1) -> Price:
    """One call, priced. Pass 0 seconds for a call that was not answered: everything is 0 then.

    ``free_seconds`` is what is left of the client's free minutes; what was used of it comes back in the result.
    A call that costs nothing anyway uses none. ``record_cost_e8`` >= 0 is the total cost the CDR itself states.
    """
    if seconds <= 0:
        return UNANSWERED
    billed_seconds = billed(seconds, terms.initial, terms.increment)
    cost = record_cost_e8 if record_cost_e8 >= 0 else cost_e8(terms, seconds)
    amount = _amount_e8(terms, seconds, billed_seconds)
    used = 0
    if free_seconds > 0 and amount and terms.covered:
        used = min(free_seconds, billed_seconds)
        amount = _amount_e8(terms, seconds, billed_seconds - used)
    return Price(billed_seconds, used, amount, cost)


def affordable_seconds(terms: CallTerms, available_e8: int) -> int:
    """The longest call, in whole seconds up to ``LONGEST``, whose amount is within ``available_e8``."""
    if available_e8 < 0:
        return 0
    # Amounts never fall as calls get longer, so the place of the money among them is found by bisection.
    return bisect_right(range(LONGEST + 1), available_e8, key=lambda seconds: amount_e8(terms, seconds)) - 1


@lru_cache(maxsize=1024)
def internal_terms(package_id: str) -> CallTerms:
    """A call to a short internal number: no price, no cost, nothing billed."""
    return CallTerms(rule="internal", package_id=package_id)


def did_terms(number: str, price_e10: int, initial: int, increment: int, cost_e10: int) -> CallTerms:
    """An inbound call to a number: its own price and pulse (0 = 6/6) per minute, the inventory's cost at 6/6."""
    return CallTerms(
        rule=f"did:{number}",
        rate_e10=price_e10,
        initial=initial if increment else INBOUND_INITIAL,
        increment=increment or INBOUND_INCREMENT,
        cost_rate_e10=cost_e10,
        cost_initial=INBOUND_INITIAL,
        cost_increment=INBOUND_INCREMENT,
    )
