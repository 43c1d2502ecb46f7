"""What calls add up to: the five sums that segments, reports and batches have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.calls.format import RatedCall


@dataclass(frozen=True)
class Totals:
    """Sums over calls; ``_e8`` for money. Not a tuple, because ``+`` adds here."""

    calls: int = 0
    seconds: int = 0
    billed_seconds: int = 0
    amount_e8: int = 0
    cost_e8: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.calls + other.calls,
            self.seconds + other.seconds,
            self.billed_seconds + other.billed_seconds,
            self.amount_e8 + other.amount_e8,
            self.cost_e8 + other.cost_e8,
        )

    def __sub__(self, other: Totals) -> Totals:
        return Totals(
            self.calls - other.calls,
            self.seconds - other.seconds,
            self.billed_seconds - other.billed_seconds,
            self.amount_e8 - other.amount_e8,
            self.cost_e8 - other.cost_e8,
        )

    @classmethod
    def of(cls, calls: Iterable[RatedCall]) -> Totals:
        """The totals of single calls."""
        count = seconds = billed_seconds = amount_e8 = cost_e8 = 0
        for call in calls:
            count += 1
            seconds += call.seconds
            billed_seconds += call.billed_seconds
            amount_e8 += call.amount_e8
            cost_e8 += call.cost_e8
        return cls(count, seconds, billed_seconds, amount_e8, cost_e8)
