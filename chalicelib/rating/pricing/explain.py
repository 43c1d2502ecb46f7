"""The sentences of a quote: how the price of a call is computed, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.money import (
    AMOUNT_PLACES,
    RATE_PLACES,
    converted,
    format_amount,
    format_decimal,
    format_rate,
    parse_decimal,
)
from chalicelib.rating.decks.deck import NUMBER, PREFIX
from chalicelib.rating.decks.given import GivenCost
from chalicelib.rating.pricing.price import (
    AMOUNT_UNIT,
    EMERGENCY,
    INTERNAL,
    PERCENT_ONE,
    CallTerms,
    Markup,
    MatchingRule,
    billed,
    cost_e8,
    price_call,
    rule_for_client,
    sell_rate_e10,
)

_FREE_STEPS = {
    INTERNAL: "An internal number: a call to it has no price and no cost.",
    EMERGENCY: "An emergency number: a call to it is never refused, and has no price and no cost.",
}
"""By rule, the sentence for calls that are not priced."""


def explain(
    terms: CallTerms,
    seconds: int,
    currency: str = "USD",
    *,
    matching: Sequence[MatchingRule] = (),
    markup: Markup | None = None,
    free_seconds: int = 0,
    for_client: bool = False,
    record_cost: bool = False,
    match: str = PREFIX,
    given: GivenCost | None = None,
) -> list[str]:
    """The steps of a quote: the deck line of the cost, the rule that sets the price, the billed seconds, the amount.

    ``match``: what the deck line matches (``DeckLine.match``).
    ``matching``: the rules that match the number, the winner first (``Terms.matching_rules``). ``for_client`` leaves
    out everything that gives away the cost or the markup, and which custom rate it is. ``record_cost``: the CDR will
    state the cost, so the deck's is only what to expect. ``given``: the cost before it was converted, if it was.
    """
    if terms.rule in _FREE_STEPS:
        return [_FREE_STEPS[terms.rule]]
    steps = [] if for_client else _cost_steps(terms, seconds, currency, record_cost, match)
    if given and not for_client:
        steps.insert(0, _given_step(terms, given, currency))
    steps.append(_client_step(terms, currency) if for_client else _rule_step(terms, currency, matching, markup))
    if seconds <= 0:
        return [*steps, "A call that is not answered, or lasts 0 s, costs nothing."]
    steps.append(f"{_billing(seconds, terms.initial, terms.increment)}.")
    if seconds <= terms.grace_seconds:
        return [*steps, f"Calls of at most {terms.grace_seconds} s are not charged: 0.00 {currency}."]
    return steps + _sum_steps(terms, seconds, currency, free_seconds)


def converted_cost(cost_e8: int, cost_currency: str, fx: tuple[str, str], currency: str) -> str:
    """The step of a call whose record states its cost in another currency; ``fx``: see ``Declaration``."""
    rate, date = fx
    exact = cost_e8 * parse_decimal(rate, RATE_PLACES)
    note = f" (rounded half-up to {AMOUNT_PLACES} decimals)" if exact % 10**RATE_PLACES else ""
    total = format_amount(converted(cost_e8, parse_decimal(rate, RATE_PLACES)))
    return f"Cost: {format_amount(cost_e8)} {cost_currency} x {rate} ({date}) = {total} {currency}{note}."


def _given_step(terms: CallTerms, given: GivenCost, currency: str) -> str:
    fx = format_rate(given.fx_e10)
    note = f" (rounded half-up to {RATE_PLACES} decimals)" if given.rate_e10 * given.fx_e10 % 10**RATE_PLACES else ""
    step = f"The deck is in {given.currency}: {format_rate(given.rate_e10)} {given.currency} a minute x {fx} = "
    step += f"{format_rate(terms.cost_rate_e10)} {currency}{note}"
    if not given.fee_e8:
        return f"{step}."
    note = f" (rounded half-up to {AMOUNT_PLACES} decimals)" if given.fee_e8 * given.fx_e10 % 10**RATE_PLACES else ""
    fee = f"{format_amount(given.fee_e8)} {given.currency} x {fx} = {format_amount(terms.cost_fee_e8)} {currency}{note}"
    return f"{step}; for the connection {fee}."


def _cost_steps(terms: CallTerms, seconds: int, currency: str, record_cost: bool, match: str) -> list[str]:
    if terms.rule.startswith("did:"):
        where = "The number itself"
    elif terms.prefix:
        where = f"Deck line {terms.prefix}" + (f" ({terms.destination})" if terms.destination else "")
        where += ", for this number alone," if match == NUMBER else ""
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
        subject = "The cost will be what the call's record states; by the deck" if record_cost else "Cost"
        steps.append(f"{subject}: {rate} x {cost_seconds} s / 60{plus} = {total} {currency}.")
    return steps


def _client_step(terms: CallTerms, currency: str) -> str:
    rate = f"{format_rate(terms.rate_e10)} {currency} a minute"
    what = {"package": "The package's price is", "custom": "The package has a price of its own for this number:"}
    shown = what.get(rule_for_client(terms.rule)) or f"{_name(terms.rule)} sets the price:"
    return f"{shown} {rate}."


def _rule_step(terms: CallTerms, currency: str, matching: Sequence[MatchingRule], markup: Markup | None) -> str:
    rate = f"{format_rate(terms.rate_e10)} {currency} a minute"
    if terms.rule == "markup":
        if markup is None:
            return f"The package's price is {rate}."
        total = _markup_sum(terms.cost_rate_e10, markup)
        return f"No custom rate fits, so the markup counts: {total} {currency} a minute."
    beaten = [rule for rule in matching if rule.rule != terms.rule]
    step = f"{_name(terms.rule)} sets the price: {rate}."
    if not beaten:
        return step
    others = ", ".join(f"{_name(rule.rule, False)} ({format_rate(rule.rate_e10)})" for rule in beaten)
    return f"{step} It goes before {others}."


def _markup_sum(cost_e10: int, markup: Markup) -> str:
    """ "(0.0052 + 0.01) x 150 % = 0.0228"; a note says if the result was raised or rounded."""
    factor = PERCENT_ONE + markup.percent_e4
    exact = (cost_e10 + markup.fixed_e10) * factor
    sign = "-" if markup.fixed_e10 < 0 else "+"
    fixed = format_rate(abs(markup.fixed_e10))
    rate = format_rate(sell_rate_e10(cost_e10, *markup))
    unit, note = PERCENT_ONE * 10 ** (RATE_PLACES - markup.rate_decimals), ""
    if exact < 0:
        note = " (never under 0)"
    elif exact % unit:
        raised = ", and never to 0" if 2 * exact < unit else ""
        note = f" (rounded to {markup.rate_decimals} decimals{raised})"
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
    outcome = price_call(terms, seconds, free_seconds)
    amount = format_amount(outcome.amount_e8)
    charged = outcome.billed_seconds - outcome.free_seconds
    steps = []
    if outcome.free_seconds:
        left = f"{charged} s are left to pay" if charged else f"nothing is left to pay: {amount} {currency}"
        steps.append(f"Free minutes pay for {outcome.free_seconds} s; {left}.")
        if not charged:
            return steps
    fee = f" + {format_amount(terms.fee_e8)} for the connection" if terms.fee_e8 else ""
    total = f"Amount: {format_rate(terms.rate_e10)} x {charged} s / 60{fee}"
    exact = terms.rate_e10 * charged + terms.fee_e8 * AMOUNT_UNIT
    if exact < terms.minimum_e8 * AMOUNT_UNIT:
        return [*steps, f"{total} is under the minimum charge, which counts instead: {amount} {currency}."]
    rounded = exact % (AMOUNT_UNIT * 10 ** (AMOUNT_PLACES - terms.decimals)) != 0
    note = f" (rounded half-up to {terms.decimals} decimals)" if rounded else ""
    return [*steps, f"{total} = {amount} {currency}{note}."]
