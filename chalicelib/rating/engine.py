"""The reference engine: ``rate(chunk, tables) -> Columns``, readable and always right.

A chunk of a CDR file goes in; priced lines and rejections come out. Nothing is guessed: a call whose owner, number or
rate is not found is rejected with its reason. Free minutes, duplicates of other files and the ledger are decided
later, by ``usage``, because they depend on what was committed meanwhile.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib import numbers, periods
from chalicelib.rating import formats, pricing
from chalicelib.rating.decks import Deck, DeckLine
from chalicelib.rating.directory import Directory, Holding
from chalicelib.rating.formats import Call, Layout, Rejection, Source
from chalicelib.rating.pricing import CallTerms
from chalicelib.rating.records import Chunk, records
from chalicelib.rating.segments import RatedCall
from chalicelib.rating.terms import Terms

NO_RATE = CallTerms(rule="markup")
"""Terms of an unanswered call to a number that no deck knows: it costs nothing, so it needs no rate."""
_MEMO_LIMIT = 100_000


class Line(NamedTuple):
    """A priced call, still without free minutes, and what is needed to price it again with them.

    ``record_cost_e8`` is -1 unless the CDR's own cost counts; ``month`` is the call's month in the reseller's zone.
    """

    call: RatedCall
    terms: CallTerms
    record_cost_e8: int
    month: str

    @property
    def day(self) -> int:
        """UTC days since 1970."""
        return self.call.start // periods.DAY_SECONDS


class Columns(NamedTuple):
    """What became of one chunk."""

    rated: list[Line]
    rejected: list[Rejection]


@dataclass
class Tables:
    """Everything that prices a batch, pinned. ``decks`` lists per route ``(first instant, how to load it)``, in order.

    A deck is loaded when the first call needs it, and once.
    """

    directory: Directory
    terms: Terms
    decks: Mapping[str, Sequence[tuple[int, Callable[[], Deck]]]]
    zone: ZoneInfo
    record_costs: bool = False
    _memo: dict[tuple[str, int, str], CallTerms | None] = field(default_factory=dict)
    _months: dict[int, str] = field(default_factory=dict)
    _open: dict[tuple[str, int], Deck] = field(default_factory=dict)

    def deck(self, route: str, at: int) -> Deck | None:
        """The deck of a route in force at an instant."""
        versions = self.decks.get(route, ())
        place = bisect_right(versions, at, key=lambda version: version[0]) - 1
        if place < 0:
            return None
        deck = self._open.get((route, place))
        if deck is None:
            deck = self._open[route, place] = versions[place][1]()
        return deck

    def deck_line(self, package_id: str, at: int, digits: str, country: str | None) -> DeckLine | None:
        """The deck line that a package buys this number by; a short code only by a line of exactly its digits."""
        deck = self.deck(self.terms.route_of(package_id, at, country, digits), at)
        if deck is None:
            return None
        index = deck.exact(digits) if len(digits) <= numbers.INTERNAL_MOST else deck.match(digits)
        return deck.line(index) if index >= 0 else None

    def outbound(self, package_id: str, at: int, number: str) -> CallTerms | None:
        """Terms of a call to ``number`` (``+<digits>``, or bare digits of a short one); ``None``: no rate."""
        # Terms may change at any second, decks at midnight: neither does within one epoch of the package and one day.
        key = (package_id, self.terms.epoch_number(package_id, at) << 32 | at // periods.DAY_SECONDS, number)
        if key not in self._memo:
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            self._memo[key] = self._outbound(package_id, at, number)
        return self._memo[key]

    def _outbound(self, package_id: str, at: int, number: str) -> CallTerms | None:
        short = not number.startswith("+")
        digits = number.lstrip("+")
        country = None if short else numbers.country_of(digits)
        line = self.deck_line(package_id, at, digits, country)
        if line is None and short:
            return pricing.internal_terms(package_id)
        if line is None and not self.record_costs:
            return None
        return self.terms.resolve(package_id, at, digits, country, line)

    def month(self, at: int) -> str:
        """The local month of an instant; zones change offset on quarters of an hour at the finest."""
        quarter = at // 900
        if quarter not in self._months:
            self._months[quarter] = periods.local_month(at, self.zone)
        return self._months[quarter]


def rate(chunk: Chunk, layout: Layout, source: Source, tables: Tables) -> Columns:
    """Read, attribute and price every line of a chunk."""
    columns = Columns([], [])
    refused: dict[int, tuple[str, str]] = {}
    for call in formats.parse(chunk, layout, source):
        outcome = call if isinstance(call, Rejection) else _rate(call, tables)
        if isinstance(outcome, Line):
            columns.rated.append(outcome)
        elif isinstance(outcome, Rejection):
            columns.rejected.append(outcome)
        else:
            refused[call.line] = outcome
    if refused:
        # Calls do not carry their text; the few lines refused here are looked up in the chunk again.
        for record in records(chunk, layout.delimiter):
            if record.line in refused:
                columns.rejected.append(Rejection(record.line, *refused[record.line], record.raw))
        columns.rejected.sort()
    return columns


def _rate(call: Call, tables: Tables) -> Line | tuple[str, str]:
    """The priced line, or why not: reason code and message."""
    if call.direction == "outbound":
        holding = tables.directory.account(call.account, call.start)
        if holding is None:
            return ("unknown_account", f"no client held the sub-account {call.account} then")
        terms = tables.outbound(holding.package_id, call.start, call.to_number)
    else:
        holding = tables.directory.did(call.to_number, call.start)
        if holding is None:
            return ("no_owner", f"no client held the number {call.to_number} then")
        terms = pricing.did_terms(
            call.to_number, holding.rate_e10, holding.initial, holding.increment, holding.cost_e10
        )
    seconds = call.seconds if call.disposition == "ANSWERED" else 0
    if terms is None:
        if seconds:
            return ("no_rate", f"no deck in force then has a prefix of {call.to_number}")
        terms = NO_RATE
    record_cost = -1
    if tables.record_costs and seconds and terms.rule != "internal":
        if call.cost_e8 < 0:
            return ("no_cost", "cost is empty, and this account takes costs from the record")
        record_cost = call.cost_e8
    return Line(_priced(call, holding, terms, seconds, record_cost), terms, record_cost, tables.month(call.start))


def _priced(call: Call, holding: Holding, terms: CallTerms, seconds: int, record_cost_e8: int) -> RatedCall:
    price = pricing.price(terms, seconds, 0, record_cost_e8)
    return RatedCall(
        call.start,
        call.call_id,
        call.direction,
        holding.client_id,
        call.account,
        call.from_number,
        call.to_number,
        terms.destination,
        terms.country or "",
        call.disposition,
        call.seconds,
        price.billed_seconds,
        0,
        terms.rule,
        terms.rate_e10,
        price.amount_e8,
        price.cost_e8,
        holding.package_id,
        call.line,
    )
