"""The first rows of a carrier's file -> the deck format that reads it, and a question for each part that could be
otherwise. Nothing is guessed between two readings that both fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.rating.decks import states, titles, units
from chalicelib.rating.decks.cells import without_currency
from chalicelib.rating.decks.formats import DeckFormat
from chalicelib.rating.decks.writing import Found, Question, are_dates, blanks_of, cut_of, dash_of, dates_of, decimal_of

DELIMITERS = (";", "\t", ",")
MOST_TITLED = 30
"""Rows at the beginning among which the header is looked for."""
_MOSTLY = 0.9
"""The share of rows that decides about a column; other rows are listed as errors when the file is read."""
_SIGN = r"[$€£¥₹]?\s*"
_DECIMAL = re.compile(rf"{_SIGN}[0-9]*[.,][0-9]+\s*{_SIGN}", re.ASCII)
_PRICE = re.compile(rf"{_SIGN}[0-9]*[.,]?[0-9]+\s*{_SIGN}", re.ASCII)
_PREFIXES = re.compile(r"\+?[0-9]+(?:\s*[,;|/-]\s*\+?[0-9]+| [0-9]+)*", re.ASCII)
_PAIR = re.compile(
    r"[0-9]{1,4}\s*[a-z]*\s*[/:+-]\s*[0-9]{1,4}\s*[a-z]*|[0-9]{1,4}\s*(?:s|secs?|mins?)", re.ASCII | re.I
)
_SECONDS = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_NPANXX = re.compile(r"[2-9][0-9]{2}[- ]?[2-9][0-9]{2,3}", re.ASCII)
_NPA = re.compile(r"[2-9][0-9]{2}", re.ASCII)
Row = tuple[int, Sequence[str]]


@dataclass
class Guess:
    """``form``: the fields of ``DeckFormat``, without those that a question is about."""

    form: dict[str, Any]
    questions: list[Question] = field(default_factory=list)

    def answered(self) -> DeckFormat | None:
        """The format with the first choice of every question; ``None`` if a question has no choice."""
        form = {**self.form, "columns": dict(self.form["columns"])}
        for question in self.questions:
            if not question.choices:
                return None
            choice = question.choices[0]
            form["columns"].update(choice.get("columns", {}))
            form.update((name, value) for name, value in choice.items() if name != "columns")
        return DeckFormat(**form)


def guess(samples: Mapping[str, Sequence[Row]]) -> Guess | None:
    """The first rows of a file, split by each delimiter -> a format; ``None`` if no prefix or no price is found."""
    found = [each for delimiter in DELIMITERS if (each := _Sample(delimiter, samples.get(delimiter, ())).guess())]
    return min(found, key=lambda each: len(each.questions), default=None)


class _Sample:
    """The first rows of a file, split by one delimiter."""

    def __init__(self, delimiter: str, rows: Sequence[Row]) -> None:
        self._questions: list[Question] = []
        self._columns: dict[str, str | int] = {}
        at = next((at for at, (_, fields) in enumerate(rows[:MOST_TITLED]) if _is_header(fields)), None)
        head = rows[at][1] if at is not None else []
        self._titles = [title.strip() for title in head]
        body = rows[at + 1 :] if at is not None else rows
        widths = [len(fields) for _, fields in body]
        self._width = len(head) or max(set(widths), key=widths.count, default=0)
        self._body = [fields for _, fields in body if len(fields) == self._width and any(fields)]
        self._form: dict[str, Any] = {
            "header": "present" if head else "absent",
            "skip_lines": rows[at][0] - 1 if at is not None else 0,
            "delimiter": delimiter,
            "columns": self._columns,
        }
        self._fits = self._width > 1 and len(self._body) > _MOSTLY * len(body) - 1
        meanings = [titles.meaning(title) for title in self._titles] or [titles.UNKNOWN] * self._width
        self._meant: dict[str, list[int]] = {}
        for place, meaning in enumerate(meanings):
            self._meant.setdefault(meaning, []).append(place)

    def guess(self) -> Guess | None:
        if not self._fits or not self._body:
            return None
        if not self._titles:
            self._by_content()
        prefixes, price = self._prefix(), self._price()
        if not prefixes or price is None:
            return None
        self._status()
        self._end()
        self._increments()
        self._plain("destination", "connect_fee", "match", "home", "effective_from")
        dated = (self._meant.get(name, []) for name in ("effective_from", "effective_to"))
        self._take(dates_of([text for places in dated if len(places) == 1 for text in self._cells(places[0])]))
        self._writing(price, prefixes)
        return Guess(self._form, self._questions)

    def _take(self, found: Found) -> None:
        if isinstance(found, Question):
            self._questions.append(found)
        elif found:
            self._form.update(found)

    # --- columns

    def _cells(self, place: int) -> list[str]:
        return [text for fields in self._body if (text := fields[place].strip())]

    def _all(self, place: int, pattern: re.Pattern[str]) -> bool:
        """Whether nearly all cells of a column that are not blank fit a pattern."""
        found = self._cells(place)
        return bool(found) and sum(map(bool, map(pattern.fullmatch, found))) >= _MOSTLY * len(found)

    def _name(self, place: int) -> str | int:
        """A column by its title; by its position where the title is blank or comes twice."""
        title = self._titles[place] if self._titles else ""
        return title if title and [each.lower() for each in self._titles].count(title.lower()) == 1 else place + 1

    def _by_content(self) -> None:
        """What columns without titles hold."""
        unknown = self._meant.pop(titles.UNKNOWN)
        for place in unknown:
            found = self._cells(place)
            if self._all(place, _DECIMAL):
                column = titles.RATE
            elif self._all(place, _PAIR) and not self._all(place, _SECONDS):
                column = "increments"
            elif are_dates(found):
                column = "effective_from"
            elif found and all(map(states.is_state, found)):
                column = "status"
            elif self._all(place, _PREFIXES):
                distinct = len(set(found)) > _MOSTLY * len(found) or not self._all(place, _SECONDS)
                column = "prefix" if distinct else "seconds"
            else:
                letters = [text for text in found if any(sign.isalpha() for sign in text)]
                column = "destination" if len(letters) > _MOSTLY * len(self._body) else titles.UNKNOWN
            self._meant.setdefault(column, []).append(place)
        seconds = self._meant.pop("seconds", [])
        if len(seconds) == 2 and all(fields[seconds[0]] == fields[seconds[1]] for fields in self._body):
            self._meant["initial"], self._meant["increment"] = seconds[:1], seconds[1:]

    def _prefix(self) -> list[str]:
        """Name the columns of the prefix; returns the prefix cells (none: there is no such column)."""
        whole, codes, areas = (self._meant.get(name, []) for name in ("prefix", "country_code", "area_codes"))
        if len(whole) > 1 or (not whole and len(codes) > 1):
            self._ask_column("prefix", whole or codes)
            return self._cells((whole or codes)[0])
        if whole and codes and not areas:
            pairs = [(fields[codes[0]].strip(), fields[whole[0]].strip()) for fields in self._body]
            inside = sum(prefix.startswith(code) for code, prefix in pairs)
            if inside == 0:
                areas, whole = whole, []
            elif inside < len(pairs):
                split = {"country_code": self._name(codes[0]), "area_codes": self._name(whole[0])}
                choices: list[dict[str, Any]] = [{"columns": {"prefix": split["area_codes"]}}, {"columns": split}]
                message = "it is not clear whether the prefixes contain the calling codes that stand beside them"
                self._questions.append(Question("calling_code", message, choices))
                return self._cells(whole[0])
        if not whole and codes and areas:
            self._columns["country_code"], self._columns["area_codes"] = self._name(codes[0]), self._name(areas[0])
            return self._cells(areas[0]) or self._cells(codes[0])
        place = (whole or codes or areas)[:1]
        if not place:
            return []
        if not whole and not codes:
            message = f"the column {self._name(place[0])} has codes of areas, and no column has the calling code"
            areas_of = {"columns": {"prefix": self._name(place[0])}}
            self._questions.append(Question("calling_code", message, [{**areas_of, "prefix_add": "1"}, areas_of]))
            return self._cells(place[0])
        self._columns["prefix"] = self._name(place[0])
        return self._cells(place[0])

    def _price(self) -> int | None:
        """Name the column of the price, or ask which one it is; its place."""
        sure = self._meant.get(titles.RATE, [])
        maybe = [*self._meant.get(titles.MAYBE_PRICE, [])]
        maybe += [place for place in self._meant.get(titles.UNKNOWN, []) if self._all(place, _DECIMAL)]
        prices = [place for place in [*sure, *maybe] if self._all(place, _PRICE)] or sure
        if len(prices) == 1:
            self._columns["rate_per_minute"] = self._name(prices[0])
            self._units(prices[0])
        elif prices:
            found = [units.unit_of(self._titles[place] if self._titles else "") for place in prices]
            if all(unit == found[0] for unit in found):
                self._ask_column("rate_per_minute", prices)
                self._units(prices[0])
            else:
                self._ask_column("rate_per_minute", prices, [units.parts(unit) for unit in found])
        return prices[0] if prices else None

    def _units(self, place: int) -> None:
        """The unit of the price by its title, and by that of the fee, which is read in the same parts."""
        title = self._titles[place] if self._titles else ""
        unit = units.unit_of(title)
        self._form.update(units.parts(unit))
        self._questions += units.doubts(title, unit)
        for fee in self._meant.get("connect_fee", []) if self._titles else []:
            if any(text.strip("0.,") for text in self._cells(fee)):
                self._questions += units.doubts_of_fee(self._titles[fee], title)

    def _ask_column(self, column: str, places: Sequence[int], more: Sequence[dict[str, Any]] | None = None) -> None:
        """Ask which of some columns is ours; ``more``: the parts of a format that go with each."""
        names = [self._name(place) for place in places]
        message = f"the columns {', '.join(map(str, names))} could each be {column}; choose one"
        parts = more or [{} for _ in names]
        choices = [{"columns": {column: name}, **part} for name, part in zip(names, parts, strict=True)]
        self._questions.append(Question(f"which_{column}", message, choices))

    def _plain(self, *columns: str) -> None:
        for column in columns:
            places = self._meant.get(column, [])
            if len(places) == 1 or (column == "destination" and places):
                self._columns[column] = self._name(places[0])
            elif places:
                self._ask_column(column, places)

    def _looking(self, column: str) -> list[int]:
        """The places of our column by its title, and of columns with other titles that have a word of such a one."""
        unknown = [*self._meant.get(titles.UNKNOWN, []), *self._meant.get(titles.NO_PRICE, [])] if self._titles else []
        alike = [place for place in unknown if titles.looks_like(self._titles[place]) == column]
        return [place for place in [*self._meant.get(column, []), *alike] if self._cells(place)]

    def _status(self) -> None:
        """Name the column that says which lines are blocked; ask if any is, or if a word is not known."""
        unread = [*self._meant.get(titles.UNKNOWN, []), *self._meant.get(titles.NO_PRICE, [])]
        places = self._looking("status")
        places += [each for each in unread if each not in places and any(map(states.is_blocked, self._cells(each)))]
        if len(places) > 1:
            self._ask_column("status", places, [{"blocked": "leave_out"} for _ in places])
        elif places:
            words = sorted(set(self._cells(places[0])))
            self._columns["status"] = self._name(places[0])
            title = self._titles[places[0]] if self._titles else ""
            self._questions += states.doubts(self._name(places[0]), title, words)

    def _end(self) -> None:
        """Name the column of the last day of a price, or ask about a column that may be one."""
        sure = self._meant.get("effective_to", [])
        places = self._looking("effective_to")
        if len(places) > 1:
            self._ask_column("effective_to", places)
        elif sure and places:
            self._columns["effective_to"] = self._name(sure[0])
        elif places:
            message = f"the column {self._name(places[0])} may hold the day at which a price ends"
            dated = [{"columns": {"effective_to": self._name(places[0])}}] if are_dates(self._cells(places[0])) else []
            self._questions.append(Question("effective_to", message, [*dated, {}]))

    def _increments(self) -> None:
        pairs, first, then = (self._meant.get(name, []) for name in ("increments", "initial", "increment"))
        least = [place for place in self._looking("initial") if place not in first]
        least += [place for place in first if not self._all(place, _SECONDS)]
        whole = len(pairs) == 1 and not then and self._all(pairs[0], _SECONDS)
        step = then or (pairs if whole else [])
        in_minutes = [place for place in {*pairs, *first, *then} if self._titles and self._is_in_minutes(place)]
        if first and not least and step and not in_minutes:
            self._meant["increment"] = step
            self._plain("initial", "increment")
            return
        if len(one := pairs or then) == 1 and not in_minutes and not (pairs and then):
            self._columns["increments"] = self._name(one[0])
            for place in sorted({*first, *least}):
                message = f"the column {self._name(place)} may hold the least that is billed; it would not be read"
                self._questions.append(Question("minimum", message, [{}]))
            return
        message = "the file does not say in which steps calls are billed; declare increments, or a column of them"
        if in_minutes or (pairs and then):
            names = ", ".join(str(self._name(place)) for place in sorted({*in_minutes, *pairs, *then}))
            message = f"the columns {names} do not say clearly in which steps of seconds calls are billed"
        choices: list[dict[str, Any]] = [{"increments": each} for each in ("60/60", "6/6", "1/1", "30/6")]
        self._questions.append(Question("increments", message, choices))

    def _is_in_minutes(self, place: int) -> bool:
        """Whether the title of a column of plain numbers says that they are minutes."""
        words = titles.words_of(self._titles[place])
        return len(words) > 1 and bool(titles.MINUTES.intersection(words[1:])) and self._all(place, _SECONDS)

    # --- how cells are written

    def _writing(self, price: int, prefixes: Sequence[str]) -> None:
        prices = [without_currency(text) for text in self._cells(price)]
        fees = [without_currency(text) for place in self._meant.get("connect_fee", []) for text in self._cells(place)]
        self._take(decimal_of([*prices, *fees]))
        whole = [int(text) for text in prices if text.isascii() and text.isdigit()]
        if len(whole) == len(prices) and max(whole, default=0) >= 1 and self._form.get("price_unit") == 1:
            message = "all prices are whole numbers; they may count parts of the currency, such as 1/10000"
            parts: list[dict[str, Any]] = [{"price_unit": unit} for unit in (10_000, 100)]
            self._questions.append(Question("price_unit", message, [*parts, {"price_unit": 1}]))
        named = self._columns.get("prefix") or self._columns.get("country_code")
        at = next((each for each in range(self._width) if self._name(each) == named), -1)
        if self._titles and at >= 0 and titles.is_npanxx(self._titles[at]):
            if self._all(at, _NPANXX) or self._all(at, _NPA):
                self._form["prefix_add"] = "1"
            if any("-" in text for text in prefixes):
                self._form["dash"] = "join"
            return
        self._take(cut_of(prefixes))
        self._take(dash_of(prefixes))
        self._take(blanks_of(prefixes))


def _is_header(fields: Sequence[str]) -> bool:
    meanings = {titles.meaning(title) for title in fields}
    prefixed = meanings & {"prefix", "country_code", "area_codes"}
    return bool(prefixed and meanings & {titles.RATE, titles.MAYBE_PRICE})
