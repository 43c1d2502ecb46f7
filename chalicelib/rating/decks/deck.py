"""Rate decks: the operator's table of costs, compiled and searched for the line that prices a number.

A deck is compiled once, when it is published. A number of up to 15 digits, filled up with zeros on the right, is a
point in 0 .. 10**15, and a prefix is an interval of such points. Compiling turns prefixes that contain each other into
disjoint intervals, each of the longest prefix that covers it, so the longest match of a number is one bisection.

A *number line* (``match=number``) prices one number and no other: a short one as it is dialled (411), or an E.164
number. Number lines are kept apart from the prefixes, sorted by ``number_key``, and are searched first.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from chalicelib import numbers
from chalicelib.rating.decks import container

ROUTES = ("value", "premium")
"""The decks that a package can name for a destination."""
DIGITS = 15
"""E.164 numbers have at most 15 digits; longer numbers are matched by their first 15."""
SHORT_DIGITS = numbers.E164_LEAST - 1
"""The most digits of a short number, such as 411 or 118712. A number line with more digits is of an E.164 number."""
PREFIX, NUMBER = "prefix", "number"
"""What a line matches: all numbers that begin with its digits, or the number with exactly these digits."""


class DeckLine(NamedTuple):
    """The cost of calls to the numbers that a line matches: rate per minute, pulse in seconds, fee per call.

    ``prefix`` has the digits of a prefix or of a number, as ``match`` says. ``homes``: the home countries (ISO alpha-2,
    sorted) of the resellers to whom a number line applies; empty: to all who have no line of their own country.
    """

    prefix: str
    destination: str
    rate_e10: int
    initial: int
    increment: int
    fee_e8: int
    match: str = PREFIX
    homes: tuple[str, ...] = ()


def compile_deck(lines: Iterable[DeckLine]) -> bytes:
    """Deck lines in any order -> the bytes that ``Deck.load`` reads.

    Raises ``ValueError`` if a prefix comes twice, or a number twice for the same home country.
    """
    given = list(lines)
    # In this order a prefix comes right before all the longer ones that begin with it.
    prefixes = sorted((line for line in given if line.match == PREFIX), key=itemgetter(0))
    exact = sorted((line for line in given if line.match == NUMBER), key=lambda line: (number_key(line.prefix), line))
    ordered = [*prefixes, *exact]
    starts, owners, values, parents = intervals([line.prefix for line in prefixes])
    values.extend(number_key(line.prefix) >> 4 for line in exact)
    destinations: dict[str, int] = {}
    places = array("i", [destinations.setdefault(line.destination, len(destinations)) for line in ordered])
    blob, ends = bytearray(), array("i", [0])
    for destination in destinations:
        blob += destination.encode("utf-8")
        ends.append(len(blob))
    return container.pack(
        {
            "starts": starts,
            "owners": owners,
            "values": values,
            "parents": parents,
            "lengths": array("i", [len(line.prefix) for line in ordered]),
            "rates_e10": array("q", [line.rate_e10 for line in ordered]),
            "fees_e8": array("q", [line.fee_e8 for line in ordered]),
            "initials": array("i", [line.initial for line in ordered]),
            "increments": array("i", [line.increment for line in ordered]),
            "destinations": places,
            "destination_ends": ends,
            "destination_text": bytes(blob),
            **_number_arrays(exact, len(prefixes)),
        }
    )


def _number_arrays(exact: Sequence[DeckLine], first: int) -> dict[str, array[int]]:
    """The arrays of number lines: one item per line and home country, sorted; ``first``: index of the first line."""
    items = sorted(
        (number_key(line.prefix), home_code(home), index)
        for index, line in enumerate(exact, first)
        for home in line.homes or ("",)
    )
    for (key, home, index), (next_key, next_home, _) in pairwise(items):
        if (key, home) == (next_key, next_home):
            raise ValueError(f"number {exact[index - first].prefix} comes twice")
    keys, homes, indexes = zip(*items, strict=True) if items else ((), (), ())
    longer = sum(len(line.prefix) > SHORT_DIGITS for line in exact)
    return {
        "number_keys": array("q", keys),
        "number_homes": array("i", homes),
        "number_lines": array("i", indexes),
        "long_numbers": array("i", [longer]),
    }


def short_numbers(lines: Iterable[DeckLine]) -> dict[str, list[str]]:
    """The short numbers that deck lines price, each with the home countries to which that applies; empty: to all."""
    found: dict[str, list[str]] = {}
    everywhere = set[str]()
    for line in lines:
        if line.match == NUMBER and len(line.prefix) <= SHORT_DIGITS:
            found.setdefault(line.prefix, []).extend(line.homes)
            if not line.homes:
                everywhere.add(line.prefix)
    return {digits: [] if digits in everywhere else homes for digits, homes in found.items()}


def number_key(digits: str) -> int:
    """Up to 15 digits and their count as one integer: different for 0 and 00."""
    return int(digits.ljust(DIGITS, "0")) << 4 | len(digits)


def home_code(country: str) -> int:
    """A country (ISO alpha-2) as an integer; 0 for the empty text, which means all countries."""
    return int.from_bytes(country.encode("ascii"), "big")


def intervals(prefixes: Sequence[str]) -> tuple[array[int], array[int], array[int], array[int]]:
    """Sorted prefixes -> the starts and owners of the intervals, and the value and parent of each prefix.

    Interval ``k`` ends before ``starts[k + 1]``; its owner is the index of the longest prefix that covers it, or -1.
    The value is the prefix filled up with zeros; its parent is the index of the longest other prefix that it begins
    with, or -1.
    """
    starts, owners = array("q", [0]), array("i", [-1])
    values, parents = array("q"), array("i")

    def emit(start: int, owner: int) -> None:
        if starts[-1] == start:
            owners[-1] = owner
        else:
            starts.append(start)
            owners.append(owner)

    open_ends: list[tuple[int, int]] = []
    before = ""
    for index, prefix in enumerate(prefixes):
        if prefix == before:
            raise ValueError(f"prefix {prefix} comes twice")
        before = prefix
        width = 10 ** (DIGITS - len(prefix))
        start = int(prefix) * width
        while open_ends and open_ends[-1][0] <= start:
            end, _ = open_ends.pop()
            emit(end, open_ends[-1][1] if open_ends else -1)
        values.append(start)
        parents.append(open_ends[-1][1] if open_ends else -1)
        emit(start, index)
        open_ends.append((start + width, index))
    while open_ends:
        end, _ = open_ends.pop()
        emit(end, open_ends[-1][1] if open_ends else -1)
    return starts, owners, values, parents


class Deck:
    """A compiled deck. A line is named by its index: first prefixes as sorted text, then numbers by ``number_key``.

    ``prefix_count``: the lines with prefixes. ``long_numbers``: the number lines of E.164 numbers.
    """

    def __init__(self, views: dict[str, memoryview[int]]) -> None:
        self._views = views
        # Not copied into a list: that takes a loop, and bisection in a list is not faster.
        self._starts, self._owners = views["starts"], views["owners"]
        self._lengths, self._parents = views["lengths"], views["parents"]
        self._keys, self._homes = views["number_keys"], views["number_homes"]
        self.prefix_count = len(self._parents)
        self.long_numbers = views["long_numbers"][0]
        self._lines: dict[int, DeckLine] = {}

    @classmethod
    def load(cls, data: bytes) -> Deck:
        """Read what ``compile_deck`` returned; ``ValueError`` for anything else, or if it is cut short."""
        views = container.unpack(data)
        if "starts" not in views or "number_keys" not in views:
            raise ValueError("is not a compiled deck")
        return cls(views)

    def __len__(self) -> int:
        return len(self._lengths)

    def find(self, digits: str, home: str) -> int:
        """Digits of an E.164 number -> index of the line that prices it for a reseller with this home, or -1."""
        if self.long_numbers:
            index = self.number(digits, home)
            if index >= 0:
                return index
        return self.match(digits)

    def match(self, digits: str) -> int:
        """Digits of a number, without ``+`` -> index of the longest prefix that it begins with, or -1."""
        digits = digits[:DIGITS]
        size = len(digits)
        index = self._owners[bisect_right(self._starts, int(digits.ljust(DIGITS, "0"))) - 1]
        # The zeros that fill up a short number may match a longer prefix: go to the parent until one is short enough.
        while index >= 0 and self._lengths[index] > size:
            index = self._parents[index]
        return index

    def number(self, digits: str, home: str) -> int:
        """Index of the number line of exactly these digits for a reseller with this home country, or -1.

        A line that names the country goes before one for all countries.
        """
        key = number_key(digits)
        # The item for all countries is the first of a number, because its home is 0.
        first = place = bisect_left(self._keys, key)
        code = home_code(home)
        while place < len(self._keys) and self._keys[place] == key:
            if self._homes[place] == code:
                return self._views["number_lines"][place]
            place += 1
        return self._views["number_lines"][first] if place > first and not self._homes[first] else -1

    def find_all(self, digits: str) -> int | None:
        """The ``find`` of all longer numbers that begin with these digits, at least 7; ``None`` if they differ."""
        start = int(digits.ljust(DIGITS, "0"))
        end = start + 10 ** (DIGITS - len(digits))
        place = bisect_right(self._starts, start)
        if place < len(self._starts) and self._starts[place] < end:
            return None
        if self.long_numbers:
            at = bisect_left(self._keys, start << 4 | len(digits))
            if at < len(self._keys) and self._keys[at] < end << 4:
                return None
        return self._owners[place - 1]

    def line(self, index: int) -> DeckLine:
        """The line at an index; the same object every time, so that callers can use it as a key."""
        line = self._lines.get(index)
        if line is None:
            if not 0 <= index < len(self):
                raise IndexError(index)
            line = self._lines[index] = self._read(index)
        return line

    def lines(self) -> Iterator[DeckLine]:
        """All lines, in the order of their indexes."""
        (places, names), count = self.destinations(), self.prefix_count
        columns = (map(self.prefix, range(count)), places[:count], *(each[:count] for each in self.costs()))
        for prefix, place, rate, fee, initial, increment in zip(*columns, strict=True):
            # Past the constructor written in Python: a deck has 200,000 lines.
            yield tuple.__new__(DeckLine, (prefix, names[place], rate, initial, increment, fee, PREFIX, ()))
        yield from map(self._read, range(count, len(self)))

    def prefix(self, index: int) -> str:
        """The digits of the line at an index."""
        size = self._lengths[index]
        return str(self._views["values"][index] // 10 ** (DIGITS - size)).zfill(size)

    def prefixes(self) -> tuple[memoryview[int], memoryview[int], memoryview[int]]:
        """The starts (64 bits) and owners (32 bits) of the intervals, and the lengths of all lines (32 bits)."""
        return self._starts, self._owners, self._lengths

    def number_items(self) -> tuple[memoryview[int], memoryview[int], memoryview[int]]:
        """Per number line and home: ``number_key`` (64 bits), ``home_code`` and index of the line (32 bits), sorted."""
        return self._keys, self._homes, self._views["number_lines"]

    def costs(self) -> tuple[memoryview[int], memoryview[int], memoryview[int], memoryview[int]]:
        """Per line the rate ``_e10`` and fee ``_e8`` (64 bits), and initial and increment seconds (32 bits)."""
        views = self._views
        return views["rates_e10"], views["fees_e8"], views["initials"], views["increments"]

    def destinations(self) -> tuple[memoryview[int], list[str]]:
        """Per line the index of its destination (32 bits), and the destinations."""
        ends = self._views["destination_ends"]
        text = bytes(self._views["destination_text"])
        return self._views["destinations"], [text[a:b].decode("utf-8") for a, b in pairwise(ends)]

    def _read(self, index: int) -> DeckLine:
        views = self._views
        place, ends = views["destinations"][index], views["destination_ends"]
        return DeckLine(
            self.prefix(index),
            bytes(views["destination_text"][ends[place] : ends[place + 1]]).decode("utf-8"),
            views["rates_e10"][index],
            views["initials"][index],
            views["increments"][index],
            views["fees_e8"][index],
            *((NUMBER, self._homes_of(index)) if index >= self.prefix_count else ()),
        )

    def _homes_of(self, index: int) -> tuple[str, ...]:
        """The home countries that a number line names."""
        key = self._views["values"][index] << 4 | self._lengths[index]
        items = range(bisect_left(self._keys, key), bisect_right(self._keys, key))
        codes = [self._homes[item] for item in items if self._views["number_lines"][item] == index]
        return tuple(code.to_bytes(2, "big").decode("ascii") for code in codes if code)
