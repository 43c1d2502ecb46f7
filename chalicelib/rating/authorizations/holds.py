"""What is held back for calls that are not rated yet: the sums of holds, and which call's record ends which hold.

A hold is of money, or of free minutes of a package and month; after a call that was longer than its minutes, of both.

A *record* is the CDR of a call. A hold ends at the latest at its expiry. Expiries are full hours, so the sums of a
client's open holds are a few numbers, and an expired hold leaves them by the clock, before DynamoDB deletes its item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

_K = TypeVar("_K")
KEPT_SECONDS = 48 * 3600
"""How long a hold waits for its call's record."""
_HOUR = 3600
NEAR_SECONDS = 600
"""A record without a known call id matches a hold that was made within so many seconds of its start."""
MOST_PER_CALL = 20
"""Holds that one record ends at most, in case a switch gives every call the same id."""
_SAME_LENGTH = 2
"""Two clocks that measured the same call may differ by so many seconds."""
_KEPT_DAYS = 4
"""Number of local days for which sums are kept."""


def expiry(now: int) -> int:
    """When a hold made now expires: after ``KEPT_SECONDS``, rounded up to the full hour."""
    return -(-(now + KEPT_SECONDS) // _HOUR) * _HOUR


@dataclass(frozen=True)
class Sums:
    """Sums of one client's open holds: ``_e8`` by their expiry, and by the local day on which they were made.

    ``free``: free seconds by package, month (``YYYY-MM``) and expiry.
    """

    by_expiry: Mapping[int, int] = field(default_factory=dict)
    by_day: Mapping[str, int] = field(default_factory=dict)
    free: Mapping[tuple[str, str, int], int] = field(default_factory=dict)

    def any_open(self, now: int) -> bool:
        """Whether there may be open holds at an instant; their amounts may be 0."""
        return any(end > now for end in self.by_expiry)

    def open_e8(self, now: int) -> int:
        """All that is held at an instant."""
        return sum(held for end, held in self.by_expiry.items() if end > now)

    def made_on_e8(self, day: str) -> int:
        """What is held for calls that started on a local day."""
        return self.by_day.get(day, 0)

    def free_seconds(self, package_id: str, month: str, now: int) -> int:
        """The free seconds of a package and month that are held at an instant."""
        return sum(
            held for (package, of, end), held in self.free.items() if (package, of) == (package_id, month) and end > now
        )

    def all_free_seconds(self, now: int) -> int:
        """The free seconds of all packages and months that are held at an instant."""
        return sum(held for (_, _, end), held in self.free.items() if end > now)

    def changed(
        self, now: int, expires_at: int, day: str, by_e8: int, package_id: str = "", by_seconds: int = 0
    ) -> Sums:
        """The sums after a hold that was made on ``day`` changed by ``by_e8``, and by so many free seconds of a package
        and of the month of that day; expired ones are left out."""
        ends, days, free = dict(self.by_expiry), dict(self.by_day), dict(self.free)
        _add(ends, expires_at, by_e8)
        _add(days, day, by_e8)
        if package_id:
            _add(free, (package_id, day[:7], expires_at), by_seconds)
        return Sums(
            {end: held for end, held in ends.items() if end > now},
            {name: days[name] for name in sorted(days)[-_KEPT_DAYS:]},
            {place: held for place, held in free.items() if held and place[2] > now},
        )


def _add(sums: dict[_K, int], key: _K, more: int) -> None:
    # A container whose clock is ahead may have left this key out already: then there is nothing to subtract from.
    if more >= 0 or key in sums:
        sums[key] = sums.get(key, 0) + more


class Open(NamedTuple):
    """An open hold; ``holder``: see ``rate_book.Holder``; ``seconds`` is -1 while the call has not finished."""

    name: str
    holder: str
    number: str
    call_id: str
    made_at: int
    seconds: int


class Called(NamedTuple):
    """What identifies a rated call."""

    call_id: str
    holder: str
    number: str
    start: int
    seconds: int


def concerned(holds: Sequence[Open], calls: Iterable[Called]) -> list[Called]:
    """The calls that may match one of these holds, by call id or by number and time: usually few of many."""
    by_id = {(hold.holder, hold.call_id) for hold in holds if hold.call_id}
    by_number = _by_number(holds)
    return [
        call
        for call in calls
        if any((call.holder, call_id) in by_id for call_id in _ids(call))
        or any(_fits(hold, call) for hold in by_number.get((call.holder, call.number), ()))
    ]


class Match(NamedTuple):
    """A record, and the names of the holds that end with it."""

    call: Called
    names: tuple[str, ...]


def matches(holds: Sequence[Open], calls: Sequence[Called]) -> list[Match]:
    """Which holds end with the records of these calls; records that end no hold are left out.

    A record ends every hold of its holder and call id. (Asterisk's records have more words after the id.) If there is
    none, it ends the likeliest hold of its holder and number. So holds need not expire where a switch sends no ids, or
    other ids than it writes into its records.
    """
    by_id: dict[tuple[str, str], list[str]] = {}
    for hold in holds:
        if hold.call_id:
            by_id.setdefault((hold.holder, hold.call_id), []).append(hold.name)
    matched, unmatched = list[Match](), list[Called]()
    for call in calls:
        same = [name for call_id in _ids(call) for name in by_id.get((call.holder, call_id), ())]
        if same:
            matched.append(Match(call, tuple(same[:MOST_PER_CALL])))
        else:
            unmatched.append(call)
    ended = {name for match in matched for name in match.names}
    return matched + _likeliest([hold for hold in holds if hold.name not in ended], unmatched)


def _likeliest(holds: Sequence[Open], calls: Sequence[Called]) -> list[Match]:
    """At most one hold per call, and one call per hold; the pairs nearest in time come first."""
    by_number = _by_number(holds)
    pairs = sorted(
        (abs(call.start - hold.made_at), place, hold.name)
        for place, call in enumerate(calls)
        for hold in by_number.get((call.holder, call.number), ())
        if _fits(hold, call)
    )
    by_place: dict[int, str] = {}
    used = set[str]()
    for _, place, name in pairs:
        if place not in by_place and name not in used:
            by_place[place] = name
            used.add(name)
    return [Match(calls[place], (name,)) for place, name in by_place.items()]


def _by_number(holds: Iterable[Open]) -> dict[tuple[str, str], list[Open]]:
    by_number: dict[tuple[str, str], list[Open]] = {}
    for hold in holds:
        by_number.setdefault((hold.holder, hold.number), []).append(hold)
    return by_number


def _ids(call: Called) -> set[str]:
    """The ids by which a switch may have asked for the call: that of the record, and its first word."""
    return {call.call_id, call.call_id.partition(" ")[0]}


def _fits(hold: Open, call: Called) -> bool:
    """Whether a hold without the call's id may belong to the call: made within ``NEAR_SECONDS`` of its start, and,
    if the held call has finished, of the same length; if it has not, without a call id.
    """
    if abs(call.start - hold.made_at) > NEAR_SECONDS:
        return False
    if hold.seconds < 0:
        return not hold.call_id
    return abs(hold.seconds - call.seconds) <= _SAME_LENGTH
