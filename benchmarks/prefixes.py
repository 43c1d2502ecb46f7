"""The prefixes of the workload's decks, made from a fixed seed: the same on every machine.

Two thirds are North American exchanges (seven digits), the rest are ranges of other countries, as in the "A to Z" decks
that carriers send.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import NamedTuple

from chalicelib import numbers

SEED = 20_261_101
_NEAR_SHARE = 0.64

# Calling code, weight of its traffic, weight of its prefixes.
_ABROAD = (
    "44 60 90,52 50 90,91 40 25,49 30 70,33 30 25,61 20 50,86 15 25,55 20 60,34 10 15,39 12 35,81 8 30,63 8 6,57 7 12,"
    "58 3 4,593 3 3,502 5 3,503 5 3,504 4 2,505 2 2,506 3 2,507 2 2,509 1 1,234 3 5,233 2 2,254 2 2,27 4 8,20 3 4,"
    "212 4 2,213 2 2,216 1 1,972 4 7,971 3 2,966 2 2,962 1 2,961 1 1,92 4 5,880 3 4,94 1 2,977 1 1,84 4 5,66 2 4,"
    "62 3 10,60 3 5,65 3 1,852 4 1,82 3 7,886 2 2,7 5 45,380 2 6,48 6 25,420 2 7,40 3 9,36 2 6,43 3 55,41 4 9,31 5 12,"
    "32 4 12,45 2 6,46 3 15,47 2 7,358 2 9,353 4 6,351 2 5,30 2 7,90 4 9,98 1 4,54 5 25,56 4 9,51 4 7,64 3 5"
)


class Country(NamedTuple):
    """A calling code, how often it is called, and how much of a deck it fills."""

    code: str
    traffic: int
    share: int


COUNTRIES = [Country(code, int(traffic), int(share)) for code, traffic, share in map(str.split, _ABROAD.split(","))]
_BOTH = ("US", "CA")
AREAS = [f"1{area}" for area in range(201, 990) if numbers.country_of(f"1{area}5550100") in _BOTH]


def prefixes() -> Iterator[str]:
    """The prefixes of every deck, without end and without repeats: codes and area codes first, then their ranges."""
    dice = random.Random(SEED)
    first = ["1", *AREAS, *(country.code for country in COUNTRIES)]
    yield from first
    given = set(first)
    shares = list(itertools.accumulate(country.share for country in COUNTRIES))
    while True:
        if dice.random() < _NEAR_SHARE:
            prefix = f"{dice.choice(AREAS)}{dice.randint(200, 999)}"
        else:
            code = dice.choices(COUNTRIES, cum_weights=shares)[0].code
            prefix = code + str(dice.randint(10, 10 ** dice.choice((2, 3, 3, 4, 4, 4, 5, 5, 6))))
        if prefix not in given:
            given.add(prefix)
            yield prefix
