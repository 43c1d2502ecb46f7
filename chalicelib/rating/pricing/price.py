"""What one call costs and is sold for. The rules in plain words, with worked tables: ``docs/pricing.md``.

There are two roundings, both half-up: the sell rate to 1e-10 when it is computed from cost and markup, and the amount
of the call once, at the end. Until then an amount is one exact fraction. Fees are held at 1e-14, because a deck's fee
(1e-8) times a percentage (1e-4 of a percent, that is 1e-6) must stay exact too.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from chalicelib.money import AMOUNT_PLACES, div_half_up
from chalicelib.rating.cdr.call import MAX_SECONDS

INTERNAL, EMERGENCY = "internal", "emergency"
FREE = frozenset((INTERNAL, EMERGENCY))
"""The rules of calls that have no price and no cost, also if their record states one."""
FEE_PLACES = 14
PERCENT_ONE = 10**6
"""100 % in units of 1e-4 percent; multiplying an ``_e8`` by it gives an ``_e14``."""
INBOUND_INITIAL, INBOUND_INCREMENT = 6, 6
"""The pulse of an inbound call: always for its cost, and for its price when the DID sets none."""


class CallTerms(NamedTuple):
    """All that is needed to price one call; calls with the same deck line and rule share one object.

    ``rule`` says what set the rate: a custom rate (``prefix:<digits>``, ``country:<ISO>``, ``group:us``,
    ``group:canada``), the package's ``markup``, the number called (``did:<number>``), or one of ``FREE``. The ``cost_``
    fields come from the deck. ``covered``: free minutes may pay for the call. ``grace_seconds``: a call of at most so
    many seconds has the amount 0. ``decimals``: places that the amount is rounded to.
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
    """A priced call; ``free_seconds`` are the billed seconds that free minutes paid for."""

    billed_seconds: int
    free_seconds: int
    amount_e8: int
    cost_e8: int


UNANSWERED = Price(0, 0, 0, 0)
_UNITS: list[tuple[int, int]] = [
    (60 * 10 ** (FEE_PLACES - decimals), 10 ** (AMOUNT_PLACES - decimals)) for decimals in range(AMOUNT_PLACES + 1)
]
"""By number of decimals, the unit of the last decimal: in 1/60 of 1e-14, the unit of exact amounts, and in 1e-8."""


class Pulse(NamedTuple):
    """Billing increment: ``initial`` seconds at once, then every started ``increment``."""

    initial: int
    increment: int

    @classmethod
    def of(cls, initial: int, increment: int) -> Pulse | None:
        """``None`` for an ``increment`` of 0, which stands for a pulse that is not set."""
        return cls(initial, increment) if increment else None


class Markup(NamedTuple):
    """A package's markup on the cost per minute: first ``fixed_e10`` is added, then a percentage of the sum."""

    fixed_e10: int
    percent_e4: int


class MatchingRule(NamedTuple):
    """A rule that matches a number, and the rate per minute that it would set."""

    rule: str
    rate_e10: int


def sell_rate_e10(cost_e10: int, fixed_e10: int, percent_e4: int) -> int:
    """The price per minute: (cost + fixed) x (1 + percent / 100), rounded half-up to 1e-10, at least 0."""
    return max(0, div_half_up((cost_e10 + fixed_e10) * (PERCENT_ONE + percent_e4), PERCENT_ONE))


def marked_up_fee_e14(fee_e8: int, percent_e4: int) -> int:
    """A deck's connection fee plus the percentage, exact; the fixed markup is per minute and does not count here."""
    return fee_e8 * (PERCENT_ONE + percent_e4)


def billed(seconds: int, initial: int, increment: int) -> int:
    """Seconds billed for an answered call: ``initial``, then whole steps of ``increment``; 0 if that is 0."""
    if not increment or seconds <= 0:
        return 0
    if seconds <= initial:
        return initial
    return initial - (initial - seconds) // increment * increment


def amount_e8(terms: CallTerms, seconds: int, free_seconds: int = 0) -> int:
    """The amount of a call of ``seconds``; free minutes pay for ``free_seconds`` of the billed seconds.

    0 within the grace time, and if free minutes pay for all of it; if for a part, fee and minimum still apply.
    """
    return _amount_e8(terms, seconds, billed(seconds, terms.initial, terms.increment) - free_seconds)


def _amount_e8(terms: CallTerms, seconds: int, charged: int) -> int:
    """The same for a call with ``charged`` billed seconds that no free minutes pay for."""
    if seconds <= terms.grace_seconds or charged <= 0:
        return 0
    # In units of 1/60 of 1e-14: a rate per minute times seconds is a sixtieth, and 1e-10 is 10,000 times 1e-14.
    exact = terms.rate_e10 * 10_000 * charged + terms.fee_e14 * 60
    least = terms.minimum_e8 * PERCENT_ONE * 60
    unit, step = _UNITS[terms.decimals]
    return div_half_up(exact if exact > least else least, unit) * step


def cost_e8(terms: CallTerms, seconds: int) -> int:
    """What a call of ``seconds`` costs by the deck's rate, pulse and fee, rounded half-up to 1e-8 once."""
    if seconds <= 0:
        return 0
    cost_seconds = billed(seconds, terms.cost_initial, terms.cost_increment)
    return div_half_up(terms.cost_rate_e10 * cost_seconds + terms.cost_fee_e8 * 6_000, 6_000)


def price_call(terms: CallTerms, seconds: int, free_seconds: int = 0, record_cost_e8: int = -1) -> Price:
    """Price one call; for 0 seconds, a call that was not answered, every field of the price is 0.

    ``free_seconds``: what the client has left of its free minutes. The price says how many were used; a call with the
    amount 0 uses none. ``record_cost_e8``: the total cost that the CDR states, -1 to compute it from the deck.
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
    """Seconds of the longest call, up to ``MAX_SECONDS``, whose amount is at most ``available_e8``."""
    if available_e8 < 0:
        return 0
    # A longer call never has a smaller amount, so bisection finds it.
    return bisect_right(range(MAX_SECONDS + 1), available_e8, key=lambda seconds: amount_e8(terms, seconds)) - 1


@lru_cache(maxsize=1024)
def internal_terms(package_id: str) -> CallTerms:
    """Terms of a call to an internal number: no price, no cost, nothing billed."""
    return CallTerms(rule=INTERNAL, package_id=package_id)


@lru_cache(maxsize=1024)
def emergency_terms(package_id: str) -> CallTerms:
    """Terms of a call to an emergency number that no deck prices: no price, no cost, nothing billed."""
    return CallTerms(rule=EMERGENCY, package_id=package_id)


def did_terms(number: str, price_e10: int, initial: int, increment: int, cost_e10: int) -> CallTerms:
    """Terms of a call to a DID: its price per minute and pulse (``increment`` 0: 6/6), and its cost at 6/6."""
    return CallTerms(
        rule=f"did:{number}",
        rate_e10=price_e10,
        initial=initial if increment else INBOUND_INITIAL,
        increment=increment or INBOUND_INCREMENT,
        cost_rate_e10=cost_e10,
        cost_initial=INBOUND_INITIAL,
        cost_increment=INBOUND_INCREMENT,
    )
