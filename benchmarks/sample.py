"""The workload: rate decks and CDR files made from a fixed seed, the same on every machine, cached on disk.

Decks are nested: the first 50,000 prefixes of the deck of 100,000 are the deck of 50,000. So the calls of one CDR file
have a rate in each deck. A file has about 120 bytes a line.
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

from benchmarks.prefixes import AREAS, COUNTRIES, SEED, prefixes
from benchmarks.shop import FULL, World
from chalicelib import numbers
from chalicelib.rating.decks import deck as deck_format
from chalicelib.rating.decks.deck import DeckLine, compile_deck

FIRST = datetime(2026, 10, 2, tzinfo=UTC)
"""The sample's first instant: its 28 days lie within one month in every time zone of America."""
DAYS = 28
DECK_SIZES = (50_000, 100_000, 200_000)
HEADER = "call_id,start,direction,account,from,to,disposition,seconds,cost"
LIKELY = 20_000
"""Three in ten North American calls go to one of this many numbers; every other number is called once."""
_TABLE = 1 << 16
"""Weighted choices are drawn once into a table of this size; each line takes one from it."""
_LINES_AT_ONCE = 10_000
_ODD_PLANS = ("54", "55", "61")
"""Countries where some digits are codes of carriers or mark mobiles, so that not all random ones are numbers."""
_NEAR_TRAFFIC = 0.62
"""Share of the calls that go to North America."""


def deck_lines(size: int) -> Iterator[DeckLine]:
    """The deck of ``size`` prefixes; North America 6/6, Mexico 60/60, the rest of the world mixed."""
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
"""Days before the sample's first instant at which similar samples begin, early in their own months."""


def month_back(days: int) -> Span:
    """All 28 days of an earlier month, so that its calls are in other client-months than the sample's."""
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
        # The same again: the stem may be the code alone.
        least = 0 if stem[0] == "1" else 10 ** (missing - 1)
        return stem + str(10**missing + least + int(rnd() * (10**missing - least)))[1:]

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
            code = next(prefix[:n] for n in (1, 2, 3) if prefix[:n] in pools)
            # Behind a country's code comes no 0: it could be a trunk prefix, and switches do not write that.
            if prefix[len(code) : len(code) + 1] != "0":
                pools[code].append(prefix)
    called = [country for country in COUNTRIES if country.code not in _ODD_PLANS]
    drawn = dice.choices([country.code for country in called], [country.traffic for country in called], k=_TABLE)
    table = []
    for code in drawn:
        if dice.random() < _NEAR_TRAFFIC:
            prefix = dice.choice(near)
            table.append((prefix, 11 - len(prefix)))
        else:
            prefix = dice.choice(pools[code])
            # Numbers of Russia and Kazakhstan have 11 digits; a longer one could have their trunk prefix, 8.
            digits = 11 if code == "7" else dice.choice((11, 12, 12, 13))
            table.append((prefix, max(2, digits - len(prefix))))
    return table


def _hot_numbers(dice: random.Random) -> list[str]:
    return [f"{dice.choice(AREAS)}{dice.randint(2_000_000, 9_999_999)}" for _ in range(LIKELY)]


def _accounts(dice: random.Random, world: World, client: int | None) -> list[tuple[str, str]]:
    """User name and DID, repeated as often as they call: a few sub-accounts make most of the calls (Zipf)."""
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


_GENERATORS = ("prefixes.py", "sample.py", "shop.py", "switches.py")


class Samples:
    """The sample's files in a folder; each is made when it is first asked for."""

    def __init__(self, folder: Path | None = None, world: World = FULL) -> None:
        # Other generators or another format of decks make other files: a hash of both is in the folder's name.
        made_by = [*(Path(__file__).with_name(name) for name in _GENERATORS), Path(deck_format.__file__)]
        source = b"".join(file.read_bytes() for file in made_by)
        mark = hashlib.sha256(source).hexdigest()[:12]
        self.folder = (
            folder or Path(tempfile.gettempdir()) / "forfait-benchmarks"
        ) / f"{mark}-{world.clients}-{world.accounts}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.world = world

    def deck(self, size: int) -> Path:
        """A deck as CSV."""
        return self.cached(f"deck-{size}.csv", lambda: deck_text(size))

    def compiled(self, size: int) -> Path:
        """A deck as it is stored in S3 after it was published."""
        return self.cached(f"deck-{size}.deck", lambda: [compile_deck(deck_lines(size))])

    def calls(self, lines: int, span: Span | None = None) -> Path:
        """A CDR file."""
        where = "" if span is None else f"-{span.first}-{span.minutes}-{'all' if span.client is None else span.client}"
        return self.cached(f"calls-{lines}{where}.csv", lambda: call_text(lines, self.world, span))

    def cached(self, name: str, make: Callable[[], Iterator[str] | list[bytes]]) -> Path:
        """A file of this name, made unless it is there."""
        path = self.folder / name
        if not path.exists():
            new = path.with_name(name + ".new")
            with new.open("wb") as file:
                for part in make():
                    file.write(part.encode() if isinstance(part, str) else part)
            new.replace(path)
        return path
