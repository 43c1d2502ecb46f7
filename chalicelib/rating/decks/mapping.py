"""The rows of a carrier's file -> deck lines, by a deck format, and everything that is wrong with them.

Prices stay integers of 1e-10; nothing is rounded: a price that has more decimals than that is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from chalicelib.rating.decks import cells, states
from chalicelib.rating.decks.cells import Wrong
from chalicelib.rating.decks.deck import DIGITS, PREFIX, SHORT_DIGITS, DeckLine
from chalicelib.rating.decks.formats import COLUMNS, LEAVE_OUT, PRICE, DeckFormat
from chalicelib.rating.decks.parse import (
    BadLine,
    bad_line,
    bad_width,
    destination_of,
    home_of_prefix,
    homes_of,
    is_service,
    match_of,
    prefix_of_service,
)
from chalicelib.rating.decks.places import places_of
from chalicelib.rating.decks.titles import currency

MOST_LINES = 1_000_000
"""Lines that are kept; a file with more of them, or ranges that are as wide, is refused."""


@dataclass
class Read:
    """What the rows of a file are.

    ``lines`` are complete only if ``bad`` is empty. ``extra``: titles (or ``column 7``) of columns that are not read.
    ``duplicates``: rows that repeat another one's price. ``superseded``: prices with an older date than another one of
    the same prefix. ``ended``: prices whose last day is before the deck's first one; ``blocked``: lines that
    are not offered; both are left out. ``later``: date -> how many prices begin on it, after the deck's first day,
    and are left out.
    ``rows``: rows read, without the header and blank ones. ``currency``: the one that the price's title names, or "".
    """

    lines: list[DeckLine] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    rows: int = 0
    duplicates: int = 0
    superseded: int = 0
    ended: int = 0
    blocked: int = 0
    later: dict[str, int] = field(default_factory=dict)
    currency: str = ""


class _Priced(NamedTuple):
    """The price of a prefix or a number: from which date, and on which line of the file."""

    date: str
    number: int
    line: DeckLine


_PRICES = ("rate_per_minute", "connect_fee")
Rows = Iterable[tuple[int, Sequence[str]]]
_Key = str | tuple[str, str]


def read_deck(rows: Rows, form: DeckFormat, day: str) -> Read:
    """``(line number, fields)`` of each record -> the deck lines in force on ``day`` (ISO), and all that is wrong.

    Of several prices of one prefix, the latest whose date is not after ``day`` counts. Two with different values and
    the same date are errors, and so is a price that begins after ``day`` where the file has none for ``day`` itself.
    """
    given = (row for row in rows if row[0] > form.skip_lines)
    first = next(given, None)
    found = Read()
    if first is None:
        found.bad.append(BadLine(1, "prefix", "is missing: the file has no lines", "empty_file"))
        return found
    titles = [title.strip() for title in first[1]] if form.has_header(first[1]) else None
    places = places_of(form, first, titles, found.bad)
    width = len(first[1])
    used = set(places.values())
    names = titles or [f"column {place}" for place in range(1, width + 1)]
    found.extra = [name or f"column {place + 1}" for place, name in enumerate(names) if place not in used]
    if not found.bad:
        found.currency = currency(titles[places["rate_per_minute"]]) if titles else ""
        _Reader(form, places, width, day, found).read(given if titles else chain([first], given))
    return found


class _Cache(dict[str, Any]):
    """Text of a cell -> its value, or a ``Wrong`` with what ``read`` complains of. Most cells repeat."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Any:
        try:
            value = self._read(text.strip())
        except ValueError as problem:
            value = Wrong(str(problem), text.strip())
        self[text] = value
        return value


class _Reader:
    """Reads rows by places; ``found`` takes what they are."""

    def __init__(self, form: DeckFormat, places: Mapping[str, int], width: int, day: str, found: Read) -> None:
        self._form, self._width, self._day, self._found = form, width, day, found
        # A column that the file does not have is read from an empty cell behind the others.
        at = {column: places.get(column, width) for column in COLUMNS}
        pulses = at["increments"] if at["increments"] < width else None
        seconds = cells.seconds_reader(form.increments)
        self._columns: list[tuple[str, int, _Cache]] = [
            ("destination", at["destination"], _Cache(destination_of)),
            ("rate_per_minute", at["rate_per_minute"], _Cache(cells.rate_reader(form))),
            *(
                ("increments" if pulses is not None else column, at[column] if pulses is None else pulses, cache)
                for column, cache in (("initial", _Cache(seconds(0))), ("increment", _Cache(seconds(1))))
            ),
            ("connect_fee", at["connect_fee"], _Cache(cells.fee_reader(form))),
            ("match", at["match"], _Cache(match_of)),
            ("home", at["home"], _Cache(homes_of)),
            ("effective_from", at["effective_from"], _Cache(cells.date_reader(form.date_format))),
            ("effective_to", at["effective_to"], _Cache(cells.date_reader(form.date_format))),
            ("status", at["status"], _Cache(lambda text: form.blocked == PRICE or states.counts(text))),
        ]
        self._prefix_at, self._area_at = at["prefix"], at["area_codes"]
        self._status_at = at["status"]
        self._code_at = at["country_code"] if at["prefix"] == width else width
        self._seen: dict[_Key, _Priced] = {}
        self._later: list[tuple[_Key, str, int]] = []

    def read(self, rows: Rows) -> None:
        """Read all rows, then decide about the prices that begin later."""
        width, found = self._width, self._found
        # A column that the file does not have is the same in all rows.
        usual = [cache[""] for _, _, cache in self._columns]
        reads = [(at, place, cache) for at, (_, place, cache) in enumerate(self._columns) if place < width]
        for number, given in rows:
            fields = [*given, ""]
            if len(given) != width:
                fields.pop()
                if not self._fits(number, fields):
                    continue
                fields.append("")
            values = usual.copy()
            for at, place, cache in reads:
                values[at] = cache[fields[place]]
            if Wrong in map(type, values):
                if any(given):
                    found.rows += 1
                    self._complain(number, fields, values)
                continue
            found.rows += 1
            self._take(number, fields, values)
            if len(self._seen) > MOST_LINES:
                found.bad.append(BadLine(number, "file", f"has more than {MOST_LINES} prefixes", "too_many"))
                break
        self._settle()

    def _fits(self, number: int, fields: list[str]) -> bool:
        """Cut blank cells beyond the columns; False for a blank row, and, with an error, for too few or too many."""
        while len(fields) > self._width and not fields[-1].strip():
            fields.pop()
        if len(fields) != self._width and (any(fields) or not fields):
            self._found.rows += 1
            self._found.bad.append(bad_width(number, fields, self._width))
        return len(fields) == self._width

    def _take(self, number: int, fields: Sequence[str], values: Sequence[Any]) -> None:
        """A row whose other cells are right: its prefixes, each with the row's price."""
        destination, rate_e10, initial, increment, fee_e8, match, homes, date, ends, counts = values
        if not counts or (ends and ends < self._day):
            self._leave_out(number, fields, counts)
            return
        try:
            digits = self._digits(fields, match)
        except ValueError as problem:
            self._bad(number, self._prefix_column, str(problem), "bad_prefix", self._prefix_text(fields))
            return
        if match == PREFIX and homes:
            self._bad(number, *home_of_prefix(homes))
            return
        if match == PREFIX:
            for prefix in digits:
                if len(prefix) <= SHORT_DIGITS and is_service(prefix, destination):
                    self._bad(number, *prefix_of_service(prefix))
                else:
                    # Past the constructor written in Python, as in ``_price``: once for each line of the file.
                    fields_of_line = (prefix, destination, rate_e10, initial, increment, fee_e8, PREFIX, ())
                    self._price(number, date, tuple.__new__(DeckLine, fields_of_line), prefix)
            return
        for called in digits:
            for home in homes or ("",):
                line = DeckLine(
                    called, destination, rate_e10, initial, increment, fee_e8, match, (home,) if home else ()
                )
                self._price(number, date, line, (called, home))

    def _leave_out(self, number: int, fields: Sequence[str], counts: bool) -> None:
        """A row that sets no price: it is not offered, or its price ended."""
        if counts:
            self._found.ended += 1
        elif self._form.blocked == LEAVE_OUT:
            self._found.blocked += 1
        else:
            message = "says that the line is not offered; declare blocked leave_out to leave such lines out, or price"
            self._bad(number, "status", message, "blocked_line", fields[self._status_at].strip())

    def _price(self, number: int, date: str, line: DeckLine, key: _Key) -> None:
        if date > self._day:
            self._later.append((key, date, number))
            return
        known = self._seen.get(key)
        if known is None or date > known.date:
            self._seen[key] = tuple.__new__(_Priced, (date, number, line))
        if known is None:
            return
        if date != known.date:
            self._found.superseded += 1
        elif known.line[2:6] == line[2:6]:
            self._found.duplicates += 1
        else:
            message = f"{line.prefix} has another price on line {known.number}; leave one of them out"
            self._bad(number, self._prefix_column, message, "two_prices", line.prefix)

    def _settle(self) -> None:
        """Prices after the deck's first day are left out where the file has one for that day too, else errors."""
        for key, date, number in self._later:
            if key in self._seen:
                self._found.later[date] = self._found.later.get(date, 0) + 1
            else:
                prefix = key if isinstance(key, str) else key[0]
                message = (
                    f"of {prefix} is after the deck's first day, {self._day}, and the file has no price for that day; "
                    f"drop the file for {date}, or add the present price"
                )
                self._bad(number, "effective_from", message, "begins_later", date)
        self._signs()
        self._found.lines = [priced.line for priced in self._seen.values()]
        if not self._found.lines and not self._found.bad:
            self._bad(1, "prefix", "is missing: the deck has no lines", "empty_file", "")

    def _signs(self) -> None:
        """The currency by the signs beside the prices; an error if it is not the one that the title names."""
        signs = cells.currency_signs(chain(*(cache for name, _, cache in self._columns if name in _PRICES)))
        named = {self._found.currency, *map(currency, signs)} - {""}
        if len(named) > 1:
            message = f"is in several currencies: {', '.join(sorted(named))}; a deck has one"
            self._bad(1, "rate_per_minute", message, "bad_currency", "".join(sorted(signs)))
        self._found.currency = next(iter(named), "")

    @property
    def _prefix_column(self) -> str:
        return "prefix" if self._prefix_at < self._width else "area_codes"

    def _prefix_text(self, fields: Sequence[str]) -> str:
        text = fields[self._prefix_at].strip()
        return text or f"{fields[self._code_at].strip()} {fields[self._area_at].strip()}".strip()

    def _digits(self, fields: Sequence[str], match: str) -> Sequence[str]:
        text = fields[self._prefix_at]
        if match != PREFIX:
            return cells.numbers(text.strip())
        form = self._form
        if self._code_at < self._width:
            code, areas = fields[self._code_at].strip(), fields[self._area_at].strip()
            return cells.prefixes(areas, form, form.prefix_add + cells.calling_code(code))
        # What most files hold in nearly all rows.
        if not form.prefix_cut and text.isdigit() and text.isascii():
            whole = form.prefix_add + text
            if whole[0] != "0" and len(whole) <= DIGITS:
                return (whole,)
        return cells.prefixes(text.strip(), form, form.prefix_add)

    def _complain(self, number: int, fields: Sequence[str], values: Sequence[Any]) -> None:
        said: set[tuple[str, str]] = set()
        for (column, _, _), value in zip(self._columns, values, strict=True):
            if isinstance(value, Wrong) and (column, value.message) not in said:
                said.add((column, value.message))
                self._bad(number, column, value.message, f"bad_{column}", value.text)
        try:
            self._digits(fields, PREFIX if isinstance(values[5], Wrong) else values[5])
        except ValueError as problem:
            self._bad(number, self._prefix_column, str(problem), "bad_prefix", self._prefix_text(fields))

    def _bad(self, number: int, column: str, message: str, code: str, value: str = "") -> None:
        self._found.bad.append(bad_line(number, column, message, code, value))
