"""The first rows of a carrier's file -> the deck format that reads it, and a question for each part that could be
otherwise. Nothing is guessed between two readings that both fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chalicelib.numbers import country_prefixes
from chalicelib.rating.decks import cells, titles
from chalicelib.rating.decks.formats import DeckFormat

DELIMITERS = (";", "\t", ",")
MOST_TITLED = 30
"""Rows at the beginning among which the header is looked for."""
DATE_FORMATS = (
    "y-M-d",
    "y/M/d",
    "y.M.d",
    "yyyyMMdd",
    "d/M/y",
    "M/d/y",
    "d.M.y",
    "d-M-y",
    "M-d-y",
    "d-MMM-y",
    "d MMM y",
)
_MOSTLY = 0.9
"""The share of rows that decides about a column; other rows are listed as errors when the file is read."""
_DECIMAL = re.compile(r"[0-9]*[.,][0-9]+", re.ASCII)
_PRICE = re.compile(r"[0-9]*[.,]?[0-9]+", re.ASCII)
_PREFIXES = re.compile(r"\+?[1-9][0-9]*(?:\s*[,;|/-]\s*\+?[1-9][0-9]*)*", re.ASCII)
_PAIR = re.compile(r"[0-9]{1,4}\s*[/:+-]\s*[0-9]{1,4}", re.ASCII)
_SECONDS = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_EITHER = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_NPANXX = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{2,3}", re.ASCII)
_DASHED = re.compile(r"([0-9]+)\s*-\s*([0-9]+)", re.ASCII)
Row = tuple[int, Sequence[str]]


class Question(NamedTuple):
    """What only a person can decide. ``choices``: parts of a format; each answers the question (may be empty)."""

    code: str
    message: str
    choices: list[dict[str, Any]]


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
        self._increments()
        self._plain("destination", "connect_fee", "match", "home", "effective_from")
        self._dates()
        self._writing(price, prefixes)
        return Guess(self._form, self._questions)

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
            elif any(all(cells.fits_date(each, text) for text in found) for each in DATE_FORMATS) and found:
                column = "effective_from"
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
        elif prices:
            self._ask_column("rate_per_minute", prices)
        return prices[0] if prices else None

    def _ask_column(self, column: str, places: Sequence[int]) -> None:
        names = [self._name(place) for place in places]
        message = f"the columns {', '.join(map(str, names))} could each be {column}; choose one"
        self._questions.append(Question(f"which_{column}", message, [{"columns": {column: name}} for name in names]))

    def _plain(self, *columns: str) -> None:
        for column in columns:
            places = self._meant.get(column, [])
            if len(places) == 1 or (column == "destination" and places):
                self._columns[column] = self._name(places[0])
            elif places:
                self._ask_column(column, places)

    def _increments(self) -> None:
        pairs, first, then = (self._meant.get(name, []) for name in ("increments", "initial", "increment"))
        if first and then:
            self._plain("initial", "increment")
        elif len(one := pairs or then) == 1:
            self._columns["increments"] = self._name(one[0])
        else:
            message = "the file does not say in which steps calls are billed; declare increments, or a column of them"
            choices: list[dict[str, Any]] = [{"increments": each} for each in ("60/60", "6/6", "1/1", "30/6")]
            self._questions.append(Question("increments", message, choices))

    # --- how cells are written

    def _writing(self, price: int, prefixes: Sequence[str]) -> None:
        prices = self._cells(price)
        self._form["price_per"] = "second" if self._titles and titles.per_second(self._titles[price]) else "minute"
        fees = self._meant.get("connect_fee", [])
        self._decimal([*prices, *(text for place in fees for text in self._cells(place))])
        whole = [int(text) for text in prices if text.isascii() and text.isdigit()]
        if len(whole) == len(prices) and max(whole, default=0) >= 1:
            message = "all prices are whole numbers; they may count parts of the currency, such as 1/10000"
            units: list[dict[str, Any]] = [{"price_unit": unit} for unit in (10_000, 100)]
            self._questions.append(Question("price_unit", message, [*units, {"price_unit": 1}]))
        self._dash(prefixes)
        if self._titles and "prefix" in self._columns:
            place = self._meant["prefix"][0] if self._meant.get("prefix") else -1
            if place >= 0 and titles.is_npanxx(self._titles[place]) and self._all(place, _NPANXX):
                self._form["prefix_add"] = "1"

    def _decimal(self, prices: Sequence[str]) -> None:
        signs = {sign for text in prices for sign in ".," if sign in text}
        last = {text[max(text.rfind("."), text.rfind(","))] for text in prices if "." in text and "," in text}
        if len(last) == 1:
            self._form["decimal"] = last.pop()
            return
        written = [text for text in prices if "." in text or "," in text]
        if len(signs) == 1 and all(map(_EITHER.fullmatch, written)):
            sign = signs.pop()
            message = f"{written[0]} may have the decimal sign {sign}, or {sign} between thousands"
            choices: list[dict[str, Any]] = [{"decimal": sign}, {"decimal": "," if sign == "." else "."}]
            self._questions.append(Question("decimal", message, choices))
        else:
            commas = sum("," in text for text in written)
            self._form["decimal"] = "," if 2 * commas > len(written) else "."

    def _dash(self, prefixes: Sequence[str]) -> None:
        pairs = [match.groups() for text in prefixes if (match := _DASHED.search(text))]
        ranges = [len(first) == len(last) and first < last for first, last in pairs]
        codes = country_prefixes()
        joined = [first in codes for first, _ in pairs]
        if pairs and all(ranges) and all(joined):
            message = f"{'-'.join(pairs[0])} may be a range of prefixes, or one prefix written with a dash"
            self._questions.append(Question("dash", message, [{"dash": "range"}, {"dash": "join"}]))
        elif pairs:
            self._form["dash"] = "join" if all(joined) else "range"

    def _dates(self) -> None:
        places = self._meant.get("effective_from", [])
        written = self._cells(places[0]) if len(places) == 1 else []
        if not written:
            return
        readings: dict[tuple[str, ...], str] = {}
        for pattern in DATE_FORMATS:
            if all(cells.fits_date(pattern, text) for text in written):
                readings.setdefault(tuple(map(cells.date_reader(pattern), written)), pattern)
        if len(readings) == 1:
            self._form["date_format"] = next(iter(readings.values()))
            return
        message = f"the dates, such as {written[0]}, fit {' and '.join(readings.values()) or 'no known pattern'}"
        choices: list[dict[str, Any]] = [{"date_format": pattern} for pattern in readings.values()]
        self._questions.append(Question("date_format", f"{message}; declare date_format", choices))


def _is_header(fields: Sequence[str]) -> bool:
    meanings = {titles.meaning(title) for title in fields}
    prefixed = meanings & {"prefix", "country_code", "area_codes"}
    return bool(prefixed and meanings & {titles.RATE, titles.MAYBE_PRICE})
