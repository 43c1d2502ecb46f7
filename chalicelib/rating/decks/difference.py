"""What a new deck changes: each line, each country, and the calls of last month, compared with the deck in force.

Two costs are compared by the cost of a call of one minute: it holds rate, fee and increments. A prefix of
only one of the decks is compared with the longest shorter prefix of the other deck, because that one prices its
numbers: it is ``gone`` (or ``new``) only if no shorter prefix covers it. So is a number line, by the prefixes too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
        self.prefixes: dict[str, DeckLine] = {}
        self.numbers: dict[str, DeckLine] = {}
        for line in lines:
            if line.match == PREFIX:
                self.prefixes[line.prefix] = line
            else:
                known = self.numbers.setdefault(line.prefix, line)
                if line.homes < known.homes:
                    self.numbers[line.prefix] = line
        self._lengths = sorted({len(prefix) for prefix in self.prefixes}, reverse=True)

    def find(self, digits: str, match: str = NUMBER) -> DeckLine | None:
        """The line that prices these digits: of a number, or of all numbers with this prefix and no longer one."""
        if match == NUMBER:
            line = self.numbers.get(digits)
            if line or len(digits) <= SHORT_DIGITS:
                return line
        for length in self._lengths:
            line = self.prefixes.get(digits[:length]) if length <= len(digits) else None
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
    by_line: dict[tuple[str, str], int] = {}
    for digits, seconds in seconds_called.items():
        old = before.find(digits)
        if old is None:
            continue
        now = after.find(digits)
        longest = max(filter(None, (old, now)), key=lambda line: (line.match == NUMBER, len(line.prefix)))
        key = (longest.prefix, longest.match)
        by_line[key] = by_line.get(key, 0) + seconds
        for weighed in (total, countries[country_of(digits) or ""]):
            weighed.seconds += seconds
            weighed.lost_seconds += seconds * (now is None)
            weighed.changed_seconds += seconds * (now is not None and _by_half(old, now))
    found: dict[str, list[Line]] = {kind: [] for kind in KINDS}
    for line in _differing(before, after, by_line):
        for kind in _kinds(line.before, line.after):
            found[kind].append(line)
            total.lines[kind] += 1
            countries[line.country or ""].lines[kind] += 1
    examples = {
        kind: nsmallest(EXAMPLES, lines, key=lambda line: (-line.seconds, line.prefix)) for kind, lines in found.items()
    }
    return Difference(total, dict(sorted(countries.items())), examples)


def minute_cost(line: DeckLine) -> int:
    """What a call of one minute costs, in units of 1e-10 / 60, so that it is an integer."""
    beyond = max(0, _MINUTE - line.initial)
    return line.rate_e10 * (line.initial + -(-beyond // line.increment) * line.increment) + line.fee_e8 * 100 * _MINUTE


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
                yield Line(digits, match, country_of(digits), old, now, by_line.get((digits, match), 0))


def _kinds(old: DeckLine | None, now: DeckLine | None) -> Iterator[str]:
    if old is None or now is None:
        yield NEW if old is None else GONE
        return
    change = minute_cost(now) - minute_cost(old)
    if change:
        yield DEARER if change > 0 else CHEAPER
    if old[3:5] != now[3:5]:
        yield INCREMENTS
