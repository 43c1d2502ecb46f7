"""Whether a call may start, for how long, and what must be held back for it: decided from values, nothing is read here.

The rules in plain words, with worked tables: ``docs/authorizations.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.rating.cdr.call import MAX_SECONDS
from chalicelib.rating.pricing import price
from chalicelib.rating.pricing.price import CallTerms


@dataclass(frozen=True, slots=True)
class Standing:
    """A client as it stands. ``available_e8``: balance and credit less open holds, None for no limit.

    ``left_today_e8``: what the daily limit leaves, None for no daily limit.
    """

    status: str
    service: str
    available_e8: int | None
    blocked_countries: frozenset[str] = frozenset()
    max_rate_e10: int | None = None
    left_today_e8: int | None = None


class Verdict(NamedTuple):
    """``max_seconds`` None: no limit. ``hold_e8`` is the price of ``held_seconds``, what is to be reserved."""

    reason: str
    max_seconds: int | None = 0
    held_seconds: int = 0
    hold_e8: int = 0

    @property
    def allowed(self) -> bool:
        return self.reason == "ok"


def decide(standing: Standing, terms: CallTerms | None, reserve_seconds: int = 0) -> Verdict:
    """The verdict on a call of these terms (None: no rate) by this client."""
    refused = _refusal(standing, terms)
    if refused or terms is None:
        return Verdict(refused or "no_rate")
    free = not price.amount_e8(terms, MAX_SECONDS)
    most: int | None = None
    for reason, budget_e8 in (("blocked", standing.left_today_e8), ("suspended", standing.available_e8)):
        if budget_e8 is None:
            continue
        seconds = MAX_SECONDS if free else price.affordable_seconds(terms, budget_e8) if budget_e8 > 0 else 0
        if not seconds:
            return Verdict(reason)
        most = seconds if most is None else min(most, seconds)
    held = reserve_seconds if most is None else min(reserve_seconds, most)
    return Verdict("ok", most, held, price.amount_e8(terms, held))


def _refusal(standing: Standing, terms: CallTerms | None) -> str:
    """Why the client may not call this number at all; ``""`` when it may."""
    if standing.status != "active":
        return standing.status
    if standing.service != "active":
        return "suspended"
    if terms is None:
        return "no_rate"
    too_dear = standing.max_rate_e10 is not None and terms.rate_e10 > standing.max_rate_e10
    return "blocked" if too_dear or terms.country in standing.blocked_countries else ""


def hang_up_after(verdict: Verdict, held_seconds: int) -> int | None:
    """When the switch must end the call, so that nobody spends what is not there: what is held pays for no more."""
    if verdict.max_seconds is None or not held_seconds:
        return verdict.max_seconds
    return min(verdict.max_seconds, held_seconds)
