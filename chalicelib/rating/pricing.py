"""What one call costs and is sold for. The rules in plain words, with worked tables: ``docs/pricing.md``.

There are two roundings, both half-up: the sell rate to 1e-10 when it is made from cost and markup, and the call's
amount once, at the very end. So an amount is added up as one fraction over one denominator. Fees are kept at 1e-14,
because a deck's fee (1e-8) marked up by a percentage (1e-4 of a percent, that is 1e-6) must stay exact until then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from chalicelib.money import AMOUNT_PLACES, RATE_PLACES, div_half_up, format_amount, format_decimal, format_rate

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


class Markup(NamedTuple):
    """A package's markup: added per minute, then a percentage on the sum."""

    fixed_e10: int
    percent_e4: int


class Fit(NamedTuple):
    """A rule that fits a number, and the rate per minute it would set."""

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


def price(terms: CallTerms, seconds: int, free_seconds: int = 0, record_cost_e8: int = -1) -> Price:
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


# --- the same, in sentences ---------------------------------------------------------------------------------------


def explain(
    terms: CallTerms,
    seconds: int,
    currency: str = "USD",
    *,
    fits: Sequence[Fit] = (),
    markup: Markup | None = None,
    free_seconds: int = 0,
    for_client: bool = False,
    record_cost: bool = False,
) -> list[str]:
    """The steps of a quote: which cost line, which rule won over which, how seconds were billed, the sum.

    ``fits`` are the rules that fit the number, the winner first (``Terms.fits``). ``for_client`` leaves out
    everything that gives away the cost or the markup. ``record_cost``: the call's own record will state its cost, so
    the deck's is only what to expect.
    """
    if terms.rule == "internal":
        return ["A short internal number: it has no price and no cost."]
    steps = [] if for_client else _cost_steps(terms, seconds, currency, record_cost)
    steps.append(_rule_step(terms, currency, fits, None if for_client else markup, for_client))
    if seconds <= 0:
        return [*steps, "A call that is not answered, or lasts 0 s, costs nothing."]
    steps.append(f"{_billing(seconds, terms.initial, terms.increment)}.")
    if seconds <= terms.grace_seconds:
        return [*steps, f"Calls of at most {terms.grace_seconds} s are not charged: 0.00 {currency}."]
    return steps + _sum_steps(terms, seconds, currency, free_seconds)


def _cost_steps(terms: CallTerms, seconds: int, currency: str, record_cost: bool) -> list[str]:
    if terms.rule.startswith("did:"):
        where = "The number itself"
    elif terms.prefix:
        where = f"Deck line {terms.prefix}" + (f" ({terms.destination})" if terms.destination else "")
    elif record_cost:
        return ["No deck line fits this number; the cost will be what the call's record states."]
    else:
        return ["No deck line fits this number, so there is no cost to start from."]
    fee = f", plus {format_amount(terms.cost_fee_e8)} for the connection" if terms.cost_fee_e8 else ""
    pulse = f"{terms.cost_initial}/{terms.cost_increment}"
    steps = [f"{where} costs {format_rate(terms.cost_rate_e10)} {currency} a minute, billed {pulse}{fee}."]
    if seconds > 0:
        cost_seconds = billed(seconds, terms.cost_initial, terms.cost_increment)
        plus = f" + {format_amount(terms.cost_fee_e8)}" if terms.cost_fee_e8 else ""
        total = format_amount(cost_e8(terms, seconds))
        rate = format_rate(terms.cost_rate_e10)
        said = "The cost will be what the call's record states; by the deck" if record_cost else "Cost"
        steps.append(f"{said}: {rate} x {cost_seconds} s / 60{plus} = {total} {currency}.")
    return steps


def _rule_step(terms: CallTerms, currency: str, fits: Sequence[Fit], markup: Markup | None, for_client: bool) -> str:
    rate = f"{format_rate(terms.rate_e10)} {currency} a minute"
    if terms.rule == "markup":
        if for_client or markup is None:
            return f"The package's price is {rate}."
        total = _markup_sum(terms.cost_rate_e10, markup)
        return f"No custom rate fits, so the markup counts: {total} {currency} a minute."
    beaten = [fit for fit in fits if fit.rule != terms.rule and not (for_client and fit.rule == "markup")]
    step = f"{_name(terms.rule)} sets the price: {rate}."
    if not beaten:
        return step
    others = ", ".join(f"{_name(fit.rule, False)} ({format_rate(fit.rate_e10)})" for fit in beaten)
    return f"{step} It goes before {others}."


def _markup_sum(cost_e10: int, markup: Markup) -> str:
    """ "(0.0052 + 0.01) x 150 % = 0.0228", saying so where the result had to be clamped or rounded."""
    factor = PERCENT_ONE + markup.percent_e4
    exact = (cost_e10 + markup.fixed_e10) * factor
    sign = "-" if markup.fixed_e10 < 0 else "+"
    fixed = format_rate(abs(markup.fixed_e10))
    rate = format_rate(sell_rate_e10(cost_e10, *markup))
    note = " (never under 0)" if exact < 0 else f" (rounded to {RATE_PLACES} decimals)" if exact % PERCENT_ONE else ""
    return f"({format_rate(cost_e10)} {sign} {fixed}) x {format_decimal(factor, 4, 0)} % = {rate}{note}"


def _name(rule: str, first: bool = True) -> str:
    kind, _, code = rule.partition(":")
    article = "The" if first else "the"
    if kind == "group":
        return f"{article} custom rate for all {'US' if code == 'us' else 'Canada'}"
    if kind == "did":
        return f"{article} number {code}"
    return f"{article} markup" if kind == "markup" else f"{article} custom rate for {kind} {code}"


def _billing(seconds: int, initial: int, increment: int) -> str:
    """ "61 s are billed as 120 s: 60 s, then 1 step of 60 s"."""
    steps = (billed(seconds, initial, increment) - initial) // increment
    then = f", then {steps} step{'' if steps == 1 else 's'} of {increment} s" if steps else ""
    return (
        f"{seconds} s are billed as {billed(seconds, initial, increment)} s ({initial}/{increment}: {initial} s{then})"
    )


def _sum_steps(terms: CallTerms, seconds: int, currency: str, free_seconds: int) -> list[str]:
    outcome = price(terms, seconds, free_seconds)
    amount = format_amount(outcome.amount_e8)
    charged = outcome.billed_seconds - outcome.free_seconds
    steps = []
    if outcome.free_seconds:
        left = f"{charged} s are left to pay" if charged else f"nothing is left to pay: {amount} {currency}"
        steps.append(f"Free minutes pay for {outcome.free_seconds} s; {left}.")
        if not charged:
            return steps
    fee = f" + {format_decimal(terms.fee_e14, FEE_PLACES)} for the connection" if terms.fee_e14 else ""
    total = f"Amount: {format_rate(terms.rate_e10)} x {charged} s / 60{fee}"
    exact = terms.rate_e10 * 10_000 * charged + terms.fee_e14 * 60
    if exact < terms.minimum_e8 * PERCENT_ONE * 60:
        return [*steps, f"{total} is under the minimum charge, which counts instead: {amount} {currency}."]
    rounded = exact % (60 * 10 ** (FEE_PLACES - terms.decimals)) != 0
    note = f" (rounded half-up to {terms.decimals} decimals)" if rounded else ""
    return [*steps, f"{total} = {amount} {currency}{note}."]
