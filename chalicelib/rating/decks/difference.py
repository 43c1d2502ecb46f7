"""What a new deck changes: each line, each country, and the calls of last month, compared with the deck in force.

Two costs are compared by the cost of a call of one minute: it holds rate, fee and increments. A prefix of
only one of the decks is compared with the longest shorter prefix of the other deck, because that one prices its
numbers: it is ``gone`` (or ``new``) only if no shorter prefix covers it. So is a number line, by the prefixes too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from chalicelib.numbers import country_of
from chalicelib.rating.decks.deck import NUMBER, PREFIX, SHORT_DIGITS, DeckLine

NEW, GONE, DEARER, CHEAPER, INCREMENTS = "new", "gone", "dearer", "cheaper", "increments"
KINDS = (NEW, GONE, DEARER, CHEAPER, INCREMENTS)
"""``increments``: initial or increment seconds differ; such a line can be dearer or cheaper too."""
EXAMPLES = 20
"""Lines that are shown for each kind: those with most seconds called, then in the order of their digits."""
LOST_PERCENT, CHANGED_PERCENT = 20, 5
"""A new deck is held if more of last month's seconds lose their rate, or change by more than half."""
_MINUTE = 60


class Line(NamedTuple):
    """A line that differs. ``before``, ``after``: the lines that price it in each deck; ``None``: none does.

    ``seconds``: what was called last month by numbers that this line, and no longer one, matches.
    """

    prefix: str
    match: str
    country: str | None
    before: DeckLine | None
    after: DeckLine | None
    seconds: int


@dataclass
class Weighed:
    """How many lines differ, by kind, and the seconds called last month that had a rate, lose it, or change by half."""

    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    seconds: int = 0
    lost_seconds: int = 0
    changed_seconds: int = 0


@dataclass(frozen=True)
class Difference:
    """``countries`` by ISO code, with ``""`` for numbers of no country; ``examples`` by kind."""

    total: Weighed
    countries: dict[str, Weighed]
    examples: dict[str, list[Line]]

    @property
    def loses_much(self) -> bool:
        """Whether more than 20 % of the seconds lose their rate."""
        return self.total.lost_seconds * 100 > LOST_PERCENT * self.total.seconds

    @property
    def changes_much(self) -> bool:
        """Whether more than 5 % of the seconds change their cost by more than half."""
        return self.total.changed_seconds * 100 > CHANGED_PERCENT * self.total.seconds


class _Costs:
    """The lines of a deck by their digits. Of number lines for several home countries, the first by country counts."""

    def __init__(self, lines: Iterable[DeckLine]) -> None:
        given = lines if isinstance(lines, list) else list(lines)
        self.prefixes = {line.prefix: line for line in given if line.match == PREFIX}
        self.numbers: dict[str, DeckLine] = {}
        for line in given if len(self.prefixes) < len(given) else ():
            if line.match != PREFIX:
                known = self.numbers.setdefault(line.prefix, line)
                if line.homes < known.homes:
                    self.numbers[line.prefix] = line
        self._lengths = sorted(set(map(len, self.prefixes)), reverse=True)

    def joined(self, other: _Costs) -> _Costs:
        """The lines of both, to find the longest of either; of two with the same digits the other's."""
        both = _Costs(())
        both.prefixes, both.numbers = self.prefixes | other.prefixes, self.numbers | other.numbers
        both._lengths = sorted({*self._lengths, *other._lengths}, reverse=True)
        return both

    def find(self, digits: str, match: str = NUMBER) -> DeckLine | None:
        """The line that prices these digits: of a number, or of all numbers with this prefix and no longer one."""
        if match == NUMBER:
            line = self.numbers.get(digits)
            if line or len(digits) <= SHORT_DIGITS:
                return line
        get = self.prefixes.get
        for length in self._lengths:
            # Digits that are shorter than this stay whole: they are found as the prefix that they are.
            line = get(digits[:length])
            if line:
                return line
        return None


def difference(in_force: Iterable[DeckLine], new: Iterable[DeckLine], seconds_called: Mapping[str, int]) -> Difference:
    """The lines of the deck in force and of a new one, and last month's calls -> what changes.

    ``seconds_called``: seconds by the digits of the number called (E.164 without ``+``, or a short number as dialled).
    A number that the deck in force does not price weighs nothing: it cannot lose its rate.
    """
    before, after = _Costs(in_force), _Costs(new)
    total, countries = Weighed(), defaultdict[str, Weighed](Weighed)
    by_line = _weigh(before, after, seconds_called, total, countries)
    found: dict[str, list[Line]] = {kind: [] for kind in KINDS}
    for line in _differing(before, after, by_line):
        for kind in _kinds(line.before, line.after):
            found[kind].append(line)
            countries[line.country or ""].lines[kind] += 1
    for kind, lines in found.items():
        total.lines[kind] = len(lines)
    examples = {
        kind: nsmallest(EXAMPLES, lines, key=lambda line: (-line.seconds, line.prefix)) for kind, lines in found.items()
    }
    return Difference(total, dict(sorted(countries.items())), examples)


def _weigh(
    before: _Costs,
    after: _Costs,
    seconds_called: Mapping[str, int],
    total: Weighed,
    countries: defaultdict[str, Weighed],
) -> dict[tuple[str, str], int]:
    """Seconds called by digits and match of the line of either deck that is the longest for the numbers; those that
    the deck in force prices are added to ``total`` and ``countries``."""
    either = before.joined(after)
    called: dict[tuple[str, str, str], int] = {}
    for digits, seconds in seconds_called.items():
        line = either.find(digits)
        if line is not None:
            key = line.prefix, line.match, country_of(digits) or ""
            called[key] = called.get(key, 0) + seconds
    by_line: dict[tuple[str, str], int] = {}
    for (digits, match, country), seconds in called.items():
        # No longer line prices these numbers, so their line in each deck is that of these digits.
        old, now = before.find(digits, match), after.find(digits, match)
        if old is None:
            continue
        by_line[digits, match] = by_line.get((digits, match), 0) + seconds
        changed = now is not None and _by_half(old, now)
        for weighed in (total, countries[country]):
            weighed.seconds += seconds
            weighed.lost_seconds += seconds * (now is None)
            weighed.changed_seconds += seconds * changed
    return by_line


def minute_cost(line: DeckLine) -> int:
    """What a call of one minute costs, in units of 1e-10 / 60, so that it is an integer."""
    _, _, rate_e10, initial, increment, fee_e8, _, _ = line
    seconds = initial if initial >= _MINUTE else initial - (initial - _MINUTE) // increment * increment
    return rate_e10 * seconds + fee_e8 * 100 * _MINUTE


def _by_half(old: DeckLine, now: DeckLine) -> bool:
    """Whether the cost changes by more than half of what it was; from 0 every change is more."""
    cost = minute_cost(old)
    return 2 * abs(minute_cost(now) - cost) > cost


def _differing(before: _Costs, after: _Costs, by_line: Mapping[tuple[str, str], int]) -> Iterator[Line]:
    """The digits of either deck whose cost or increments differ."""
    for match, olds, news in ((PREFIX, before.prefixes, after.prefixes), (NUMBER, before.numbers, after.numbers)):
        pairs = ((digits, olds.get(digits) or before.find(digits, match), now) for digits, now in news.items())
        gone = ((digits, old, after.find(digits, match)) for digits, old in olds.items() if digits not in news)
        for digits, old, now in chain(pairs, gone):
            if old is not now and (old is None or now is None or old[2:6] != now[2:6]):
                # Past the constructor written in Python: there can be a line for each of the deck's.
                seconds = by_line.get((digits, match), 0)
                yield tuple.__new__(Line, (digits, match, country_of(digits), old, now, seconds))


def _kinds(old: DeckLine | None, now: DeckLine | None) -> Sequence[str]:
    if old is None or now is None:
        return (NEW,) if old is None else (GONE,)
    before, after = minute_cost(old), minute_cost(now)
    kinds = (DEARER,) if after > before else (CHEAPER,) if after < before else ()
    return (*kinds, INCREMENTS) if old[3:5] != now[3:5] else kinds
