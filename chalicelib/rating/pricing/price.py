"""What one call costs and is sold for. The rules in plain words, with worked tables: ``docs/pricing.md``.

There are three roundings, all half-up: a deck's fee with its markup to 1e-8 and the sell rate to the package's
``rate_decimals``, both when terms are made, and the amount of the call once, at the end. Between the last two an amount
is one exact fraction.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from chalicelib.money import AMOUNT_PLACES, RATE_PLACES, div_half_up
from chalicelib.rating.cdr.call import MAX_SECONDS

INTERNAL, EMERGENCY = "internal", "emergency"
FREE = frozenset((INTERNAL, EMERGENCY))
"""The rules of calls that have no price and no cost, also if their record states one."""
PERCENT_ONE = 10**6
"""100 % in units of 1e-4 percent."""
AMOUNT_UNIT = 6_000
"""1e-8 of an amount in the unit of exact amounts: a rate (1e-10 per minute) times a second is a 6,000th of 1e-8."""
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
    fee_e8: int = 0
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
    (AMOUNT_UNIT * step, step) for step in (10 ** (AMOUNT_PLACES - decimals) for decimals in range(AMOUNT_PLACES + 1))
]
"""By number of decimals, the unit of the last decimal: in the unit of exact amounts, and in 1e-8."""


class Pulse(NamedTuple):
    """Billing increment: ``initial`` seconds at once, then every started ``increment``."""

    initial: int
    increment: int

    @classmethod
    def of(cls, initial: int, increment: int) -> Pulse | None:
        """``None`` for an ``increment`` of 0, which stands for a pulse that is not set."""
        return cls(initial, increment) if increment else None


class Markup(NamedTuple):
    """A package's markup on the cost per minute: first ``fixed_e10`` is added, then a percentage of the sum.

    ``rate_decimals``: places that the result is rounded to.
    """

    fixed_e10: int
    percent_e4: int
    rate_decimals: int = RATE_PLACES


class MatchingRule(NamedTuple):
    """A rule that matches a number, and the rate per minute that it would set."""

    rule: str
    rate_e10: int


def rule_for_client(rule: str) -> str:
    """What a client sees of a ``CallTerms.rule``: ``package`` for the markup, ``custom`` for any custom rate.

    Other rules name only what the client knows: the number called, or that a call has no price.
    """
    if rule.partition(":")[0] in _SAME_FOR_CLIENTS:
        return rule
    return "package" if rule == "markup" else "custom"


_SAME_FOR_CLIENTS = ("did", "internal", "emergency", "no_rate")


def sell_rate_e10(cost_e10: int, fixed_e10: int, percent_e4: int, decimals: int = RATE_PLACES) -> int:
    """The price per minute: (cost + fixed) x (1 + percent / 100), rounded half-up to ``decimals``, at least 0.

    A positive price that would be rounded to 0 becomes one unit of the last decimal.
    """
    exact, step = (cost_e10 + fixed_e10) * (PERCENT_ONE + percent_e4), 10 ** (RATE_PLACES - decimals)
    return max(div_half_up(exact, PERCENT_ONE * step), 1) * step if exact > 0 else 0


def marked_up_fee_e8(fee_e8: int, percent_e4: int) -> int:
    """A deck's connection fee plus the percentage, rounded half-up to 1e-8; the fixed markup is per minute, and does
    not count here."""
    return div_half_up(fee_e8 * (PERCENT_ONE + percent_e4), PERCENT_ONE)


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
    exact = terms.rate_e10 * charged + terms.fee_e8 * AMOUNT_UNIT
    least = terms.minimum_e8 * AMOUNT_UNIT
    unit, step = _UNITS[terms.decimals]
    return div_half_up(exact if exact > least else least, unit) * step


def cost_e8(terms: CallTerms, seconds: int) -> int:
    """What a call of ``seconds`` costs by the deck's rate, pulse and fee, rounded half-up to 1e-8 once."""
    if seconds <= 0:
        return 0
    cost_seconds = billed(seconds, terms.cost_initial, terms.cost_increment)
    return div_half_up(terms.cost_rate_e10 * cost_seconds + terms.cost_fee_e8 * AMOUNT_UNIT, AMOUNT_UNIT)


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


def covered_seconds(terms: CallTerms, free_seconds: int) -> int:
    """Seconds of the longest call, up to ``MAX_SECONDS``, all of whose billed seconds free seconds pay for; 0 for a
    call that free minutes may not pay for."""
    if not terms.covered or free_seconds <= 0:
        return 0
    steps = range(MAX_SECONDS + 1)
    return bisect_right(steps, free_seconds, key=lambda seconds: billed(seconds, terms.initial, terms.increment)) - 1


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
