"""Rate decks: the operator's table of prefix -> cost, compiled and searched for the longest match.

A deck is compiled once, when it is published. A number of up to 15 digits, filled up with zeros on the right, is a
point in 0 .. 10**15, and a prefix is an interval of such points. Compiling turns prefixes that contain each other into
disjoint intervals, each of the longest prefix that covers it, so the longest match of a number is one bisection.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from chalicelib.rating.decks import container

ROUTES = ("value", "premium")
"""The decks that a package can name for a destination."""
DIGITS = 15
"""E.164 numbers have at most 15 digits; longer numbers are matched by their first 15."""


class DeckLine(NamedTuple):
    """The cost of calls to numbers that begin with ``prefix``: rate per minute, pulse in seconds, fee per call."""

    prefix: str
    destination: str
    rate_e10: int
    initial: int
    increment: int
    fee_e8: int


def compile_deck(lines: Iterable[DeckLine]) -> bytes:
    """Deck lines in any order -> the bytes that ``Deck.load`` reads. Raises ``ValueError`` if a prefix comes twice."""
    # In this order a prefix comes right before all the longer ones that begin with it.
    ordered = sorted(lines, key=lambda line: line.prefix)
    starts, owners, values, parents = intervals([line.prefix for line in ordered])
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
        }
    )


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
    """A compiled deck. A line is named by its index in the order of the prefixes."""

    def __init__(self, views: dict[str, memoryview[int]]) -> None:
        self._views = views
        # Not copied into a list: that takes a loop, and bisection in a list is not faster.
        self._starts = views["starts"]
        self._owners = views["owners"]
        self._lengths = views["lengths"]
        self._parents = views["parents"]
        self._lines: dict[int, DeckLine] = {}

    @classmethod
    def load(cls, data: bytes) -> Deck:
        """Read what ``compile_deck`` returned; ``ValueError`` for anything else, or if it is cut short."""
        views = container.unpack(data)
        if "starts" not in views or "destination_text" not in views:
            raise ValueError("is not a compiled deck")
        return cls(views)

    def __len__(self) -> int:
        return len(self._lengths)

    def match(self, digits: str) -> int:
        """Digits of a number, without ``+`` -> index of the longest prefix that it begins with, or -1."""
        digits = digits[:DIGITS]
        size = len(digits)
        index = self._owners[bisect_right(self._starts, int(digits.ljust(DIGITS, "0"))) - 1]
        # The zeros that fill up a short number may match a longer prefix: go to the parent until one is short enough.
        while index >= 0 and self._lengths[index] > size:
            index = self._parents[index]
        return index

    def match_all(self, digits: str) -> int | None:
        """The ``match`` of all longer numbers that begin with these digits; ``None`` if they have different ones."""
        first = int(digits.ljust(DIGITS, "0"))
        place = bisect_right(self._starts, first)
        if place < len(self._starts) and self._starts[place] < first + 10 ** (DIGITS - len(digits)):
            return None
        return self._owners[place - 1]

    def exact(self, digits: str) -> int:
        """Index of the line whose prefix is exactly these digits, or -1."""
        index = self.match(digits)
        return index if index >= 0 and self._lengths[index] == len(digits) else -1

    def line(self, index: int) -> DeckLine:
        """The line at an index; the same object every time, so that callers can use it as a key."""
        line = self._lines.get(index)
        if line is None:
            if not 0 <= index < len(self):
                raise IndexError(index)
            line = self._lines[index] = self._read(index)
        return line

    def lines(self) -> Iterator[DeckLine]:
        """All lines, in the order of their prefixes."""
        return (self._read(index) for index in range(len(self)))

    def prefix(self, index: int) -> str:
        """The prefix of the line at an index; prefixes are sorted as text."""
        return str(self._views["values"][index] // 10 ** (DIGITS - self._lengths[index]))

    def prefixes(self) -> tuple[memoryview[int], memoryview[int], memoryview[int]]:
        """The starts (64 bits) and owners (32 bits) of the intervals, and the lengths of the prefixes (32 bits)."""
        return self._starts, self._owners, self._lengths

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
        )
