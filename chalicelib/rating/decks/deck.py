"""Rate decks: the operator's table of prefix -> cost, read from CSV, compiled once, matched by bisection.

A deck is compiled when it is uploaded, never when a call is priced. Every number of up to 15 digits is a point on the
line 0 .. 10**15 (its digits, filled up with zeros on the right) and every prefix an interval on it; nested prefixes
become disjoint intervals, each owned by the longest prefix that covers it. The longest match of a number is then one
bisection. Quotes, authorisations and batches read the same artefact.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from chalicelib.money import MAX_FEE, MAX_RATE, parse_amount, parse_rate
from chalicelib.rating.decks import container

ROUTES = ("value", "premium")
"""The decks that a package can name for a destination."""
DIGITS = 15
"""E.164 numbers have at most 15 digits; longer ones are matched by their first 15."""
MAX_INCREMENT = 3600
MAX_DESTINATION = 200
REQUIRED = ("prefix", "destination", "rate_per_minute", "initial", "increment")
OPTIONAL = ("connect_fee",)

_PREFIX = re.compile(r"\+?([1-9][0-9]{0,14})", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class DeckLine(NamedTuple):
    """What calls under ``prefix`` cost: per minute, billed ``initial``/``increment`` seconds, plus a fee per call."""

    prefix: str
    destination: str
    rate_e10: int
    initial: int
    increment: int
    fee_e8: int


class BadLine(NamedTuple):
    """One thing wrong with one line; ``field`` is the column's name, ``message`` goes on from it ("must be ...")."""

    line: int
    field: str
    message: str


def parse_deck(records: Iterable[tuple[int, Sequence[str]]]) -> tuple[list[DeckLine], list[BadLine]]:
    """``(line number, fields)``, the header first -> the good lines in file order, and everything that is wrong.

    A deck is good only when the second list is empty: with one bad line the whole deck is to be refused. The columns
    may stand in any order; ``connect_fee`` may be left out or blank (no fee).
    """
    rows = iter(records)
    header = next(rows, None)
    if header is None:
        return [], [BadLine(1, "prefix", "is missing: the file is empty")]
    names = [name.strip().lower() for name in header[1]]
    bad = list(_header_problems(header[0], names))
    if bad:
        return [], bad
    places = {name: names.index(name) for name in names}
    lines: list[DeckLine] = []
    first_seen: dict[str, int] = {}
    for number, fields in rows:
        if len(fields) != len(names):
            bad.append(BadLine(number, "", f"has {len(fields)} columns where the header has {len(names)}"))
            continue
        parsed = _parse_line({name: fields[place].strip() for name, place in places.items()})
        if isinstance(parsed, DeckLine):
            first = first_seen.setdefault(parsed.prefix, number)
            if first == number:
                lines.append(parsed)
            else:
                bad.append(BadLine(number, "prefix", f"{parsed.prefix} is already on line {first}"))
        else:
            bad.extend(BadLine(number, field, message) for field, message in parsed)
    if not lines and not bad:
        bad.append(BadLine(header[0], "prefix", "is missing: the deck has no lines under its header"))
    return lines, bad


def _header_problems(line: int, names: Sequence[str]) -> Iterator[BadLine]:
    for name in REQUIRED:
        if name not in names:
            yield BadLine(line, name, "is missing from the header")
    for place, name in enumerate(names):
        if name not in REQUIRED + OPTIONAL:
            # A misspelt fee column would be money lost in silence, so unknown columns are not skipped.
            yield BadLine(line, name, f"is not a column of a deck; they are {', '.join(REQUIRED + OPTIONAL)}")
        elif name in names[:place]:
            yield BadLine(line, name, "stands twice in the header")


def _parse_line(row: dict[str, str]) -> DeckLine | list[tuple[str, str]]:
    """One line by column name -> the deck line, or ``(field, message)`` for every field that is wrong."""
    wrong: list[tuple[str, str]] = []
    prefix = _PREFIX.fullmatch(row["prefix"])
    if not prefix:
        wrong.append(("prefix", "must be 1 to 15 digits without a leading 0, such as 1305"))
    destination = " ".join(row["destination"].split())
    if len(destination) > MAX_DESTINATION or _CONTROL.search(destination):
        wrong.append(("destination", f"must be text of at most {MAX_DESTINATION} characters"))
    numbers = []
    for field, limit in (("rate_per_minute", MAX_RATE), ("connect_fee", MAX_FEE)):
        try:
            text = row.get(field, "")
            value = 0 if field in OPTIONAL and not text else (parse_rate if limit is MAX_RATE else parse_amount)(text)
            if not 0 <= value <= limit:
                raise ValueError("must be 0 to 1000")
            numbers.append(value)
        except ValueError as problem:
            wrong.append((field, str(problem)))
    for field in ("initial", "increment"):
        text = row[field]
        if _SECONDS.fullmatch(text) and 1 <= int(text) <= MAX_INCREMENT:
            numbers.append(int(text))
        else:
            wrong.append((field, f"must be whole seconds, 1 to {MAX_INCREMENT}"))
    if wrong or not prefix:
        return wrong
    rate_e10, fee_e8, initial, increment = numbers
    return DeckLine(prefix.group(1), destination, rate_e10, initial, increment, fee_e8)


def compile_deck(lines: Iterable[DeckLine]) -> bytes:
    """Deck lines in any order -> the artefact that ``Deck.load`` opens. ``ValueError`` when a prefix comes twice."""
    # Sorted digit strings are the trie in pre-order: a prefix comes right before everything it contains.
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
    """Sorted prefixes -> interval starts, the owner of each, and per prefix its left-aligned value and its parent.

    Interval ``k`` runs from ``starts[k]`` up to ``starts[k + 1]``; its owner is an index of ``prefixes``, or -1. The
    parent is the longest other prefix that the prefix begins with, or -1.
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
    """A compiled deck, open for matching. Lines are known by their index in the order of their prefixes."""

    def __init__(self, views: dict[str, memoryview[int]]) -> None:
        self._views = views
        # A list would not be searched faster than the view (its integers lie scattered) and would cost a loop to make.
        self._starts = views["starts"]
        self._owners = views["owners"]
        self._lengths = views["lengths"]
        self._parents = views["parents"]
        self._lines: dict[int, DeckLine] = {}

    @classmethod
    def load(cls, data: bytes) -> Deck:
        """Opens what ``compile_deck`` made; ``ValueError`` when it is something else or cut short."""
        views = container.unpack(data)
        if "starts" not in views or "destination_text" not in views:
            raise ValueError("is not a compiled deck")
        return cls(views)

    def __len__(self) -> int:
        return len(self._lengths)

    def match(self, digits: str) -> int:
        """Digits of a number, without ``+`` -> index of the longest prefix it begins with, or -1."""
        digits = digits[:DIGITS]
        size = len(digits)
        index = self._owners[bisect_right(self._starts, int(digits.ljust(DIGITS, "0"))) - 1]
        # The zeros that fill a short number up may look like digits of a longer prefix: step back to one that fits.
        while index >= 0 and self._lengths[index] > size:
            index = self._parents[index]
        return index

    def match_all(self, digits: str) -> int | None:
        """The ``match`` of all longer numbers that begin with these digits; ``None`` where it is not the same."""
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
        """The line at an index of ``match``; the same object every time, so that callers can keep it as a key."""
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
        """The prefix of a line; they are in order as text."""
        return str(self._views["values"][index] // 10 ** (DIGITS - self._lengths[index]))

    def prefixes(self) -> tuple[memoryview[int], memoryview[int], memoryview[int]]:
        """Interval starts (64 bits), their owners and the prefixes' lengths (32 bits): for a vectorised search."""
        return self._starts, self._owners, self._lengths

    def costs(self) -> tuple[memoryview[int], memoryview[int], memoryview[int], memoryview[int]]:
        """Per line: rate ``_e10`` and fee ``_e8`` (64 bits), initial and increment seconds (32 bits)."""
        views = self._views
        return views["rates_e10"], views["fees_e8"], views["initials"], views["increments"]

    def destinations(self) -> tuple[memoryview[int], list[str]]:
        """Per line the place of its destination in the list that follows (32 bits)."""
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
