"""What one batch changes for one client in one month, decided purely: duplicates out, free minutes spent, sums made.

The answer depends on what other batches committed before, so it is decided afresh whenever a commit loses a race.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.rating import pricing
from chalicelib.rating.engine import Line
from chalicelib.rating.segments import RatedCall

CallKey = tuple[str, bool, str]


@dataclass(frozen=True)
class Part:
    """Calls that stand, by UTC day (days since 1970) and sorted by start and call id; what they add up to."""

    days: Mapping[int, Sequence[RatedCall]]
    rated: int
    duplicates: int
    seconds: int
    amount_e8: int
    cost_e8: int
    used_free: Mapping[str, int]
    latest: Mapping[str, int]


def call_key(call: RatedCall) -> CallKey:
    """What makes a call the same call, within a client and UTC day."""
    return call.direction, call.disposition == "ANSWERED", call.call_id


def holder(call: RatedCall) -> str:
    """Whose assignment paid for the call: ``sub:<username>`` or ``did:<number>``."""
    return f"sub:{call.account}" if call.direction == "outbound" else f"did:{call.to_number}"


def decide(
    lines: Sequence[Line],
    known: Mapping[int, Collection[CallKey]],
    used_free: Mapping[str, int],
    granted_free: Callable[[str, int], int],
) -> Part:
    """``lines`` of one client and month, without duplicates among themselves.

    ``known`` are the calls already billed by UTC day, ``used_free`` the free seconds already given by package,
    ``granted_free(package_id, at)`` what the package grants a month, in seconds.
    """
    fresh = [line for line in lines if call_key(line.call) not in known.get(line.day, ())]
    fresh.sort(key=lambda line: (line.call.start, line.call.call_id))
    used = dict(used_free)
    days: dict[int, list[RatedCall]] = {}
    latest: dict[str, int] = {}
    for line in fresh:
        call = _with_free_minutes(line, used, granted_free) if line.terms.covered else line.call
        days.setdefault(line.day, []).append(call)
        latest[holder(call)] = call.start
    calls = [call for day in days.values() for call in day]
    return Part(
        days,
        rated=len(calls),
        duplicates=len(lines) - len(calls),
        seconds=sum(call.seconds for call in calls),
        amount_e8=sum(call.amount_e8 for call in calls),
        cost_e8=sum(call.cost_e8 for call in calls),
        used_free={package: seconds for package, seconds in used.items() if seconds != used_free.get(package, 0)},
        latest=latest,
    )


def _with_free_minutes(line: Line, used: dict[str, int], granted_free: Callable[[str, int], int]) -> RatedCall:
    call = line.call
    left = granted_free(call.package_id, call.start) - used.get(call.package_id, 0)
    if left <= 0 or not call.amount_e8:
        return call
    price = pricing.price(line.terms, call.seconds, left, line.record_cost_e8)
    used[call.package_id] = used.get(call.package_id, 0) + price.free_seconds
    return call._replace(free_seconds=price.free_seconds, amount_e8=price.amount_e8)
