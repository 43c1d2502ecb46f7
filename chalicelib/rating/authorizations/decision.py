"""Whether a call may start, for how long, and how much is held for it: a pure decision.

The rules with worked tables: ``docs/authorizations.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.rating.cdr.call import MAX_SECONDS
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.price import CallTerms, Price


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What limits a call of a client. ``available_e8``: balance and credit less open holds, None for no limit.

    ``left_today_e8``: what the daily limit leaves, None for no daily limit. ``free_seconds``: what is neither spent nor
    held of the free minutes that the call's package grants this month.
    """

    status: str
    service: str
    available_e8: int | None
    blocked_countries: frozenset[str] = frozenset()
    max_rate_e10: int | None = None
    left_today_e8: int | None = None
    free_seconds: int = 0


class Verdict(NamedTuple):
    """``max_seconds`` None: no limit. ``hold_e8``: the amount to hold, the price of ``held_seconds``; or
    ``hold_free``: the free seconds to hold, which pay for all of them."""

    reason: str
    max_seconds: int | None = 0
    held_seconds: int = 0
    hold_e8: int = 0
    hold_free: int = 0

    @property
    def allowed(self) -> bool:
        return self.reason == "ok"


def decide(limits: ClientLimits, terms: CallTerms | None, reserve_seconds: int = 0) -> Verdict:
    """The verdict on a call with these terms (None: no rate) of a client with these limits.

    Money pays for the call, or free minutes pay for all of it: whichever lasts longer.
    """
    if limits.status != "active":
        return Verdict(limits.status)
    paid = Verdict("suspended") if limits.service != "active" else _with_money(limits, terms, reserve_seconds)
    if terms is None or paid.max_seconds is None or _is_blocked(limits, terms):
        return paid
    covered = price.covered_seconds(terms, limits.free_seconds)
    if covered <= paid.max_seconds:
        return paid
    held = min(reserve_seconds, covered)
    return Verdict("ok", covered, held, 0, price.price_call(terms, held, limits.free_seconds).free_seconds)


def _with_money(limits: ClientLimits, terms: CallTerms | None, reserve_seconds: int) -> Verdict:
    """The verdict for a client whose service is active, without free minutes."""
    if terms is None:
        return Verdict("no_rate")
    if _is_blocked(limits, terms):
        return Verdict("blocked")
    free = not price.amount_e8(terms, MAX_SECONDS)
    most: int | None = None
    for reason, budget_e8 in (("blocked", limits.left_today_e8), ("suspended", limits.available_e8)):
        if budget_e8 is None:
            continue
        seconds = MAX_SECONDS if free else price.affordable_seconds(terms, budget_e8) if budget_e8 > 0 else 0
        if not seconds:
            return Verdict(reason)
        most = seconds if most is None else min(most, seconds)
    held = reserve_seconds if most is None else min(reserve_seconds, most)
    return Verdict("ok", most, held, price.amount_e8(terms, held))


def _is_blocked(limits: ClientLimits, terms: CallTerms) -> bool:
    """Whether the client may not call this number, also if it could pay for the call."""
    too_expensive = limits.max_rate_e10 is not None and terms.rate_e10 > limits.max_rate_e10
    return too_expensive or terms.country in limits.blocked_countries


def when_ended(terms: CallTerms, seconds: int, free_seconds: int) -> Price:
    """What stays held for a call that has ended after so many seconds: the free seconds that it used of those that were
    held for it, and the amount of the rest."""
    return price.price_call(terms._replace(covered=free_seconds > 0), seconds, free_seconds)


def hang_up_after(verdict: Verdict, held_seconds: int) -> int | None:
    """Seconds after which the switch must end the call, None for never: no later than its hold pays for."""
    if verdict.max_seconds is None or not held_seconds:
        return verdict.max_seconds
    return min(verdict.max_seconds, held_seconds)
