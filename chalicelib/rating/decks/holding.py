"""Why a deck waits for a confirmation before it prices calls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.aws import objects
from chalicelib.money import format_percent
from chalicelib.rating.decks import called
from chalicelib.rating.decks.bulk import uncollected
from chalicelib.rating.decks.deck import Deck, DeckLine
from chalicelib.rating.decks.difference import CHANGED_PERCENT, LOST_PERCENT, Difference, difference
from chalicelib.rating.decks.store import DeckDrop, DeckVersion, counting, head_and_version
from chalicelib.rating.decks.suspicions import suspicions

ALREADY_RATED, LOSES_RATES, CHANGES_MUCH, NO_FX = "already_rated", "loses_rates", "changes_much", "no_fx"


_NOTHING = "nothing"
"""The basis of a deck that is compared with no other one."""


@dataclass(frozen=True)
class Findings:
    """``suspicions``: ``{"code", "message"}`` of each reason to hold a deck. ``difference``: ``None`` if no deck is in
    force on its first day. ``compared_to``: the deck id of that one. ``basis``: a hash that names that deck and the
    calls by which the new one was weighed; while it stays, the same lines have the same findings."""

    suspicions: list[dict[str, str]]
    difference: Difference | None
    compared_to: str | None
    basis: str = ""

    @property
    def totals(self) -> dict[str, Any] | None:
        """What the item of a deck keeps of the difference."""
        return asdict(self.difference.total) if self.difference else None


@uncollected()
def look(route: str, day: str, lines: Iterable[DeckLine], now: int) -> Findings:
    """Compare a deck for a route and first day with what is in force then, and with the calls of last month."""
    before, parts, basis = _beside(route, day, now)
    new = lines if isinstance(lines, list) else list(lines)
    old = list(opened(before.object_key).lines()) if before else []
    seen = [each._asdict() for each in suspicions(new, old)]
    if before is None:
        return Findings(seen, None, None, basis)
    found = difference(old, new, called.seconds_called(parts))
    return Findings([*_past(day, now), *_much(found), *seen], found, before.deck_id, basis)


def look_again(drop: DeckDrop, deck: Deck, now: int) -> None:
    """Note what is found of a compiled deck now; its lines are compared only if anything else is in force, or if
    other calls weigh it, than when that was done last. The suspicion of the file alone is left out."""
    route, day = drop.route, drop.effective_from
    if drop.basis and drop.basis == _beside(route, day, now)[2]:
        kept = [each for each in drop.suspicions if each["code"] not in (NO_FX, ALREADY_RATED)]
        drop.suspicions = [*(_past(day, now) if drop.compared_to else ()), *kept]
    else:
        note(drop, look(route, day, deck.lines(), now))


def note(drop: DeckDrop, found: Findings) -> None:
    """Keep what was found in the item of a deck."""
    drop.suspicions, drop.difference = found.suspicions, found.totals
    drop.compared_to, drop.basis = found.compared_to, found.basis


def _beside(route: str, day: str, now: int) -> tuple[DeckVersion | None, Sequence[called.Part], str]:
    """The deck that a new one is compared with, the calls that weigh it, and a hash that names both."""
    before = in_force_on(route, day)
    if before is None:
        return None, (), _NOTHING
    parts = called.parts(now)
    names = "\n".join((before.object_key, *(f"{segment.object_key} {member[0]}" for segment, member in parts)))
    return before, parts, hashlib.sha256(names.encode()).hexdigest()


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
