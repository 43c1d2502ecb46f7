"""Why a deck waits for a confirmation before it prices calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.aws import objects
from chalicelib.money import format_percent
from chalicelib.rating.decks import called
from chalicelib.rating.decks.deck import Deck, DeckLine
from chalicelib.rating.decks.difference import CHANGED_PERCENT, LOST_PERCENT, Difference, difference
from chalicelib.rating.decks.store import DeckVersion, counting, head_and_version
from chalicelib.rating.decks.suspicions import suspicions

ALREADY_RATED, LOSES_RATES, CHANGES_MUCH, NO_FX = "already_rated", "loses_rates", "changes_much", "no_fx"


@dataclass(frozen=True)
class Findings:
    """``suspicions``: ``{"code", "message"}`` of each reason to hold a deck. ``difference``: ``None`` if no deck is in
    force on its first day. ``compared_to``: the deck id of that one."""

    suspicions: list[dict[str, str]]
    difference: Difference | None
    compared_to: str | None

    @property
    def totals(self) -> dict[str, Any] | None:
        """What the item of a deck keeps of the difference."""
        return asdict(self.difference.total) if self.difference else None


def look(route: str, day: str, lines: Sequence[DeckLine], now: int) -> Findings:
    """Compare a deck for a route and first day with what is in force then, and with the calls of last month."""
    before = in_force_on(route, day)
    old = list(opened(before.object_key).lines()) if before else []
    seen = [each._asdict() for each in suspicions(lines, old)]
    if before is None:
        return Findings(seen, None, None)
    found = difference(old, lines, called.seconds_called(now))
    return Findings([*_past(day, now), *_much(found), *seen], found, before.deck_id)


def in_force_on(route: str, day: str) -> DeckVersion | None:
    """The published deck of a route that prices calls of a UTC day; ``None`` if there is none."""
    decks = [row for row in counting(route, head_and_version()[1]) if row.effective_from <= day]
    return decks[-1] if decks else None


def opened(object_key: str) -> Deck:
    """The compiled deck in an object."""
    return Deck.load(objects.read(object_key))


def shown(found: Difference) -> dict[str, Any]:
    """A difference as the API has it."""
    return {
        **asdict(found.total),
        "countries": [{"country": country or None, **asdict(each)} for country, each in found.countries.items()],
        "examples": [
            {"kind": kind, **line._asdict(), "before": _cost(line.before), "after": _cost(line.after)}
            for kind, lines in found.examples.items()
            for line in lines
        ],
    }


def _cost(line: DeckLine | None) -> dict[str, Any] | None:
    return line and {name: getattr(line, name) for name in ("prefix", "rate_e10", "fee_e8", "initial", "increment")}


def _past(day: str, now: int) -> Sequence[dict[str, str]]:
    if not called.rated_from(day, now):
        return []
    message = f"Calls from {day} on are rated already. Those stay as they are until their batches are rated again."
    return [{"code": ALREADY_RATED, "message": message}]


def _much(found: Difference) -> Sequence[dict[str, str]]:
    total, suspicions = found.total, []
    for is_much, code, seconds, does, limit in (
        (found.loses_much, LOSES_RATES, total.lost_seconds, "lose their rate", LOST_PERCENT),
        (
            found.changes_much,
            CHANGES_MUCH,
            total.changed_seconds,
            "change their cost by more than half",
            CHANGED_PERCENT,
        ),
    ):
        if is_much:
            share = format_percent(seconds * 10**6 // total.seconds)
            message = f"{share} % of the minutes called in the last {called.DAYS} days {does}; over {limit} % is much."
            suspicions.append({"code": code, "message": message})
    return suspicions
