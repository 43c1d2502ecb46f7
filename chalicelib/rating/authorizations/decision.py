"""Whether a call may start, for how long, and how much is held for it: a pure decision.

The rules with worked tables: ``docs/authorizations.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.rating.cdr.call import MAX_SECONDS
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.price import CallTerms


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What limits a client's calls. ``available_e8``: balance and credit less open holds, None for no limit.

    ``left_today_e8``: what the daily limit leaves, None for no daily limit.
    """

    status: str
    service: str
    available_e8: int | None
    blocked_countries: frozenset[str] = frozenset()
    max_rate_e10: int | None = None
    left_today_e8: int | None = None


class Verdict(NamedTuple):
    """``max_seconds`` None: no limit. ``hold_e8``: the amount to hold, the price of ``held_seconds``."""

    reason: str
    max_seconds: int | None = 0
    held_seconds: int = 0
    hold_e8: int = 0

    @property
    def allowed(self) -> bool:
        return self.reason == "ok"


def decide(limits: ClientLimits, terms: CallTerms | None, reserve_seconds: int = 0) -> Verdict:
    """The verdict on a call with these terms (None: no rate) of a client with these limits."""
    refused = _refusal(limits, terms)
    if refused or terms is None:
        return Verdict(refused or "no_rate")
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


def _refusal(limits: ClientLimits, terms: CallTerms | None) -> str:
    """Why the client may not call this number at all; ``""`` when it may."""
    if limits.status != "active":
        return limits.status
    if limits.service != "active":
        return "suspended"
    if terms is None:
        return "no_rate"
    too_expensive = limits.max_rate_e10 is not None and terms.rate_e10 > limits.max_rate_e10
    return "blocked" if too_expensive or terms.country in limits.blocked_countries else ""


def hang_up_after(verdict: Verdict, held_seconds: int) -> int | None:
    """Seconds after which the switch must end the call, None for never: no later than its hold pays for."""
    if verdict.max_seconds is None or not held_seconds:
        return verdict.max_seconds
    return min(verdict.max_seconds, held_seconds)
