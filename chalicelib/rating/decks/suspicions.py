"""What looks wrong in the lines of a new deck, alone and beside the deck in force. A suspicion holds a deck."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from chalicelib.money import RATE_PLACES, format_rate
from chalicelib.numbers import country_of
from chalicelib.rating.decks.deck import PREFIX, DeckLine

NANP_WITHOUT_1, OUTLIER, ZERO_COST = "nanp_without_1", "outlier", "zero_cost"
PRICE_LEVEL = "price_level"
COUNTRY_GONE, PRICE_UNIT, DESTINATIONS_MOVED = "country_gone", "price_unit", "destinations_moved"
NANP_PERCENT, NANP_LEAST, AREAS_LEAST = 80, 10, 3
"""The share of prefixes, how many and with how many area codes at least, that look like those of the NANP."""
OUTLIER_TIMES, NEIGHBOURS_LEAST = 10, 4
UNIT_TIMES, COMMON_LEAST = 30, 10
"""The median price changes by this factor, over at least so many prefixes that both decks have."""
HIGH_E10, LOW_E10 = 5 * 10**RATE_PLACES, 5 * 10 ** (RATE_PLACES - 4)
"""Prices of a minute, 5.00 and 0.0005: most are above the one, or all are below the other, in no usual deck."""
SHOWN = 5
_MILLION = 1_000_000
_NPANXX = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{2}", re.ASCII)
_TOLL_FREE = ("1800", "1833", "1844", "1855", "1866", "1877", "1888")


class Suspicion(NamedTuple):
    """``code`` never changes; ``message`` says what was seen, and what to do."""

    code: str
    message: str


def suspicions(lines: Sequence[DeckLine], in_force: Iterable[DeckLine] = ()) -> list[Suspicion]:
    """The lines of a new deck and of the one in force (none: empty) -> what a person must look at."""
    new = [line for line in lines if line.match == PREFIX]
    old = [line for line in in_force if line.match == PREFIX]
    found = [_nanp(new), _outliers(new), _zero(new)]
    both = _Both(new, old) if old else None
    if both:
        found += [_gone(both), _unit(both), _moved(both)]
    if both is None or len(both.common) < COMMON_LEAST:
        found.append(_level(new))
    return [each for each in found if each]


def _nanp(new: Sequence[DeckLine]) -> Suspicion | None:
    codes: dict[str, bool] = {}
    count = 0
    for line in new:
        prefix = line.prefix
        if len(prefix) == 6 and _NPANXX.fullmatch(prefix):
            area = prefix[:3]
            if area not in codes:
                codes[area] = country_of(f"1{area}") is not None
            count += codes[area]
    # A deck of one country can have a single area code's digits by chance, as 447 of British mobiles.
    if sum(codes.values()) < AREAS_LEAST or count < NANP_LEAST or count * 100 < NANP_PERCENT * len(new):
        return None
    share = count * 100 // len(new)
    message = f"{share} % of the prefixes are six digits 2-9: NANPA without its 1. Declare prefix_add 1."
    return Suspicion(NANP_WITHOUT_1, message)


def _outliers(new: Sequence[DeckLine]) -> Suspicion | None:
    """Neighbours are prefixes of the same length that differ in their last two digits only."""
    # All prefixes without their last two digits that are the same have the same length.
    groups: dict[str, list[DeckLine]] = {}
    for line in new:
        stem = line.prefix[:-2]
        if stem in groups:
            groups[stem].append(line)
        elif len(stem) >= 2:
            groups[stem] = [line]
    found = []
    for group in groups.values():
        if len(group) < NEIGHBOURS_LEAST:
            continue
        rates = sorted(line.rate_e10 for line in group)
        middle = rates[(len(rates) - 1) // 2]
        if middle and rates[-1] >= OUTLIER_TIMES * middle:
            found += [(line, middle) for line in group if line.rate_e10 >= OUTLIER_TIMES * middle]
    if not found:
        return None
    shown = ", ".join(
        f"{line.prefix} at {format_rate(line.rate_e10)} beside {format_rate(middle)}" for line, middle in found[:SHOWN]
    )
    return Suspicion(OUTLIER, f"{len(found)} prefixes cost ten times the prefixes beside them or more: {shown}.")


def _zero(new: Sequence[DeckLine]) -> Suspicion | None:
    found = [
        line.prefix for line in new if not line.rate_e10 and not line.fee_e8 and not line.prefix.startswith(_TOLL_FREE)
    ]
    return _listed(ZERO_COST, found, "prefixes cost nothing")


class _Both:
    """The lines of a new deck and of the one in force, the country of each, and the places of new ones by prefix.

    ``common``: places in ``new`` and ``old`` of each prefix that both have. All of it is looked up once: it takes
    longer than what is done with it.
    """

    def __init__(self, new: Sequence[DeckLine], old: Sequence[DeckLine]) -> None:
        self.new, self.old = new, old
        self.there = {line.prefix: place for place, line in enumerate(new)}
        self.new_countries = [country_of(line.prefix) for line in new]
        self.old_countries: list[str | None] = []
        self.common: list[tuple[int, int]] = []
        for place, line in enumerate(old):
            found = self.there.get(line.prefix)
            if found is None:
                self.old_countries.append(country_of(line.prefix))
            else:
                self.old_countries.append(self.new_countries[found])
                self.common.append((found, place))


def _gone(both: _Both) -> Suspicion | None:
    """Countries that the deck in force has, and of whose prefixes the new deck covers none."""
    priced = set(both.new_countries)
    gone: dict[str, bool] = {}
    for line, country in zip(both.old, both.old_countries, strict=True):
        if country and country not in priced:
            covered = any(line.prefix[:length] in both.there for length in range(1, len(line.prefix) + 1))
            gone[country] = gone.get(country, True) and not covered
    return _listed(COUNTRY_GONE, sorted(each for each, is_gone in gone.items() if is_gone), "countries have no price")


def _unit(both: _Both) -> Suspicion | None:
    rates = ((both.new[new].rate_e10, both.old[old].rate_e10) for new, old in both.common)
    # In millionths, so that they are integers.
    times = sorted(now * _MILLION // before for now, before in rates if before)
    if len(times) < COMMON_LEAST:
        return None
    middle = times[len(times) // 2]
    if middle >= UNIT_TIMES * _MILLION:
        what = f"{middle // _MILLION} times"
    elif middle * UNIT_TIMES <= _MILLION:
        what = f"1/{_MILLION // middle} of" if middle else "less than a millionth of"
    else:
        return None
    message = f"Prices are {what} those of the deck in force, in the middle of {len(times)} prefixes that both have."
    return Suspicion(PRICE_UNIT, f"{message} Look at price_unit and price_per.")


def _level(new: Sequence[DeckLine]) -> Suspicion | None:
    """For a deck that no other one is comparable with."""
    rates = [line.rate_e10 for line in new if line.rate_e10]
    if 2 * sum(rate > HIGH_E10 for rate in rates) > len(rates):
        what = f"Most prices are above {format_rate(HIGH_E10)} a minute"
    elif rates and max(rates) < LOW_E10:
        what = f"All prices are below {format_rate(LOW_E10)} a minute"
    else:
        return None
    return Suspicion(
        PRICE_LEVEL,
        f"{what}, the middle one is {format_rate(sorted(rates)[len(rates) // 2])}. "
        "Look at price_unit, price_per and the currency.",
    )


def _moved(decks: _Both) -> Suspicion | None:
    """Names of destinations that both decks have, and whose prefixes belong to other countries now."""
    before, after = _by_name(decks.old, decks.old_countries), _by_name(decks.new, decks.new_countries)
    both = sorted(set(before) & set(after) - {""})
    moved = [name for name in both if not before[name] & after[name]]
    if len(both) < COMMON_LEAST or 2 * len(moved) <= len(both):
        return None
    return _listed(DESTINATIONS_MOVED, moved, "destinations have prefixes of other countries than in the deck in force")


def _by_name(lines: Sequence[DeckLine], countries: Sequence[str | None]) -> dict[str, set[str | None]]:
    """The countries of each destination, by its name in small letters."""
    found: dict[str, set[str | None]] = {}
    for name, country in set(zip(map(attrgetter("destination"), lines), countries, strict=True)):
        found.setdefault(name.lower(), set()).add(country)
    return found


def _listed(code: str, found: Sequence[str], what: str) -> Suspicion | None:
    more = ", ..." if len(found) > SHOWN else ""
    return Suspicion(code, f"{len(found)} {what}: {', '.join(found[:SHOWN])}{more}.") if found else None
