"""The workload: rate decks and CDR files made out of a fixed seed, the same on every machine, kept on disk.

Decks are nested: the first 50,000 prefixes of the deck of 100,000 are the deck of 50,000. So one CDR file finds a rate
in each. Two thirds of the prefixes are North American exchanges (seven digits), the rest are ranges of other countries,
as in the "A to Z" decks that carriers send. A file has about 120 bytes a line.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.shop import FULL, World
from chalicelib import numbers
from chalicelib.rating.decks.deck import DeckLine, compile_deck

SEED = 20_261_101
FIRST = datetime(2026, 10, 2, tzinfo=UTC)
"""The sample's first instant: its 28 days lie within one month in every time zone of America."""
DAYS = 28
DECK_SIZES = (50_000, 100_000, 200_000)
HEADER = "call_id,start,direction,account,from,to,disposition,seconds,cost"
LIKELY = 20_000
"""Three in ten North American calls go to one of so many numbers; the others are called once."""
_TABLE = 1 << 16
"""Weighted choices are drawn once into a table of so many, out of which each line takes one."""
_LINES_AT_ONCE = 10_000
_NEAR_SHARE, _NEAR_TRAFFIC = 0.64, 0.62

# Calling code, weight of its traffic, weight of its prefixes.
_ABROAD = (
    "44 60 90,52 50 90,91 40 25,49 30 70,33 30 25,61 20 50,86 15 25,55 20 60,34 10 15,39 12 35,81 8 30,63 8 6,57 7 12,"
    "58 3 4,593 3 3,502 5 3,503 5 3,504 4 2,505 2 2,506 3 2,507 2 2,509 1 1,234 3 5,233 2 2,254 2 2,27 4 8,20 3 4,"
    "212 4 2,213 2 2,216 1 1,972 4 7,971 3 2,966 2 2,962 1 2,961 1 1,92 4 5,880 3 4,94 1 2,977 1 1,84 4 5,66 2 4,"
    "62 3 10,60 3 5,65 3 1,852 4 1,82 3 7,886 2 2,7 5 45,380 2 6,48 6 25,420 2 7,40 3 9,36 2 6,43 3 55,41 4 9,31 5 12,"
    "32 4 12,45 2 6,46 3 15,47 2 7,358 2 9,353 4 6,351 2 5,30 2 7,90 4 9,98 1 4,54 5 25,56 4 9,51 4 7,64 3 5"
)


class Country(NamedTuple):
    """A calling code, how often it is called, and how much of a deck is about it."""

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


def deck_lines(size: int) -> Iterator[DeckLine]:
    """The deck of ``size`` prefixes; North America 6/6, Mexico 60/60, the rest of the world as carriers please."""
    dice = random.Random(SEED + 1)
    for prefix in itertools.islice(prefixes(), size):
        near = prefix[0] == "1"
        millionths = dice.randint(2_200, 20_000) if near else dice.randint(4_000, 600_000)
        initial, increment = (6, 6) if near else dice.choice(((1, 1), (6, 6), (60, 60), (30, 6)))
        if prefix.startswith("52"):
            initial, increment = 60, 60
        name = f"{numbers.country_of(prefix) or 'World'} {prefix[:5]}"
        yield DeckLine(prefix, name, millionths * 10_000, initial, increment, 0)


def deck_text(size: int) -> Iterator[str]:
    """A deck as it is uploaded."""
    yield "prefix,destination,rate_per_minute,initial,increment\n"
    for line in deck_lines(size):
        rate = f"{line.rate_e10 // 10**10}.{line.rate_e10 % 10**10 // 10_000:06d}"
        yield f"{line.prefix},{line.destination},{rate},{line.initial},{line.increment}\n"


class Span(NamedTuple):
    """Which calls a file holds: ``minutes`` from minute ``first`` of the sample on; of one client or of all."""

    first: int = 0
    minutes: int = DAYS * 1440
    client: int | None = None


MONTHS_BACK = (30, 61, 92)
"""So many days before the sample's first instant begin others like it, early in their own months."""


def month_back(days: int) -> Span:
    """All 28 days of an earlier month: its calls meet none of the sample's in the ledgers."""
    return Span(-days * 1440)


def call_text(lines: int, world: World = FULL, span: Span | None = None) -> Iterator[str]:
    """A CDR file in Forfait's own CSV, some thousand lines at a time, in the order of the calls' ends."""
    yield HEADER + "\n"
    line = _line_maker(world, span or Span(), lines)
    for first in range(0, lines, _LINES_AT_ONCE):
        yield "".join(map(line, range(first, min(first + _LINES_AT_ONCE, lines))))


def _line_maker(world: World, span: Span, lines: int) -> Callable[[int], str]:
    """A function from a line's place in the file to its text; it must be called in order."""
    dice = random.Random(f"{SEED} {span} {lines}")
    rnd, bits = dice.random, dice.getrandbits
    called, hot = _destinations(dice), _hot_numbers(dice)
    accounts, lengths = _accounts(dice, world, span.client), _lengths(dice)
    began = int(FIRST.timestamp()) + span.first * 60
    seconds, spread = span.minutes * 60, min(3600, span.minutes * 60 // 2)
    hours: dict[int, str] = {}

    def when(number: int) -> str:
        at = began + number * (seconds - spread) // lines + int(rnd() * spread)
        hour = at // 3600
        if hour not in hours:
            hours[hour] = datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:")
        return f"{hours[hour]}{at // 60 % 60:02d}:{at % 60:02d}Z"

    def someone() -> str:
        stem, missing = called[bits(16)]
        if stem[0] == "1" and rnd() < 0.3:
            return hot[int(rnd() * LIKELY)]
        return stem + str(10**missing + int(rnd() * 10**missing))[1:]

    def line(number: int) -> str:
        account, did = accounts[bits(16)]
        disposition, length = lengths[bits(16)]
        other, hexes = someone(), f"{bits(128):032x}"
        cost = length * int(3_000 + rnd() * 9_000) // 60
        if rnd() < 0.82:
            caller = f"+{AREAS[int(rnd() * len(AREAS))]}{int(2_000_000 + rnd() * 7_999_999)}"
            ends = f"outbound,{account},{caller},{_spelt(other, rnd())}"
        else:
            ends = f"inbound,{account},+{other},{did if rnd() < 0.5 else did[1:]}"
        return (
            f"{hexes[:8]}-{hexes[8:12]}-{hexes[12:16]}-{hexes[16:20]}-{hexes[20:]},{when(number)},{ends},{disposition},"
            f"{length},{cost // 1_000_000}.{cost % 1_000_000:06d}\n"
        )

    return line


def _spelt(digits: str, luck: float) -> str:
    """A number as switches write it: E.164, or as dialled in North America."""
    if digits[0] != "1":
        return f"+{digits}" if luck < 0.8 else f"011{digits}"
    return f"+{digits}" if luck < 0.55 else digits if luck < 0.8 else digits[1:]


def _destinations(dice: random.Random) -> list[tuple[str, int]]:
    """A prefix of the smallest deck, and how many digits make it a number; as often as it is called."""
    pools: dict[str, list[str]] = {country.code: [] for country in COUNTRIES}
    near: list[str] = []
    for prefix in itertools.islice(prefixes(), 1, DECK_SIZES[0]):
        if prefix[0] == "1":
            near.append(prefix)
        else:
            pools[next(prefix[:n] for n in (1, 2, 3) if prefix[:n] in pools)].append(prefix)
    codes = [country.code for country in COUNTRIES]
    drawn = dice.choices(codes, [country.traffic for country in COUNTRIES], k=_TABLE)
    table = []
    for code in drawn:
        if dice.random() < _NEAR_TRAFFIC:
            prefix = dice.choice(near)
            table.append((prefix, 11 - len(prefix)))
        else:
            prefix = dice.choice(pools[code])
            table.append((prefix, max(2, dice.choice((11, 12, 12, 13)) - len(prefix))))
    return table


def _hot_numbers(dice: random.Random) -> list[str]:
    return [f"{dice.choice(AREAS)}{dice.randint(2_000_000, 9_999_999)}" for _ in range(LIKELY)]


def _accounts(dice: random.Random, world: World, client: int | None) -> list[tuple[str, str]]:
    """User name and DID, as often as they call: a few sub-accounts make most of the calls (Zipf)."""
    mine = [n for n in range(world.accounts) if client is None or world.client_of(n) == client]
    drawn = dice.choices(mine, [1 / (place + 1) ** 0.8 for place in range(len(mine))], k=_TABLE)
    return [(world.username(n), world.did(world.client_of(n))) for n in drawn]


def _lengths(dice: random.Random) -> list[tuple[str, int]]:
    """Disposition and seconds: 58 % are answered, most for under a minute, some for very long."""
    words = dice.choices(("ANSWERED", "NO ANSWER", "BUSY", "FAILED"), (58, 22, 6, 14), k=_TABLE)

    def seconds() -> int:
        long = 1 if dice.random() < 0.9 else int(dice.lognormvariate(5.2, 1.0))
        return min(14_400, int(dice.expovariate(1 / 38)) + long)

    return [(word, seconds() if word == "ANSWERED" else 0) for word in words]


_GENERATORS = ("sample.py", "shop.py", "switches.py")


class Samples:
    """The sample's files in a folder; each is made when it is first asked for."""

    def __init__(self, folder: Path | None = None, world: World = FULL) -> None:
        # A changed generator makes other files, which must not be taken for those it made before.
        source = b"".join(Path(__file__).with_name(name).read_bytes() for name in _GENERATORS)
        mark = hashlib.sha256(source).hexdigest()[:12]
        self.folder = (
            folder or Path(tempfile.gettempdir()) / "forfait-benchmarks"
        ) / f"{mark}-{world.clients}-{world.accounts}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.world = world

    def deck(self, size: int) -> Path:
        """A deck as CSV."""
        return self.kept(f"deck-{size}.csv", lambda: deck_text(size))

    def compiled(self, size: int) -> Path:
        """A deck as it lies in S3 once it is published."""
        return self.kept(f"deck-{size}.deck", lambda: [compile_deck(deck_lines(size))])

    def calls(self, lines: int, span: Span | None = None) -> Path:
        """A CDR file."""
        where = "" if span is None else f"-{span.first}-{span.minutes}-{'all' if span.client is None else span.client}"
        return self.kept(f"calls-{lines}{where}.csv", lambda: call_text(lines, self.world, span))

    def kept(self, name: str, make: Callable[[], Iterator[str] | list[bytes]]) -> Path:
        """A file of this name, made unless it is there."""
        path = self.folder / name
        if not path.exists():
            new = path.with_name(name + ".new")
            with new.open("wb") as file:
                for part in make():
                    file.write(part.encode() if isinstance(part, str) else part)
            new.replace(path)
        return path
