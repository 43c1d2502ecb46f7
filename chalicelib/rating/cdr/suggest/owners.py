"""Suggests what a file's directions and words mean, and which rows are no calls; asks who made the calls if unclear."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable

from chalicelib.calls.format import ANSWERED, INBOUND, OUTBOUND
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import dispositions, fusionpbx, owning
from chalicelib.rating.cdr.declaration import ACCOUNT_RULES, read
from chalicelib.rating.cdr.owning import INSIDE, Known, Owning
from chalicelib.rating.cdr.suggest.found import LIKELY, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid, Row
from chalicelib.rating.cdr.suggest.places import Places
from chalicelib.rating.cdr.suggest.titles import DIRECTIONS, DISPOSITIONS, TRUNKS, bare

_FEATURE = re.compile(r"[siht]|[*#]+[0-9]{0,5}[*#]*")
_MOST_SHOWN = 10
_STATED = ("forfait", "voipms")
"""Formats whose rows state direction and account."""
_WORD = re.compile(r"[^\W\d_][^\W\d_ -]{2,24}(?:[ _-][^\W\d_]{2,20}){0,3}")
_MOST_WORDS = 8
"""A column has so few different words for how calls ended."""


def words(grid: Grid, places: Places, found: Suggestion, is_known: bool) -> None:
    """Declare what the words for dispositions and directions mean, and defaults where there is no such column.

    ``is_known``: of a format that Forfait knows, which reads the words that are known everywhere.
    """
    for part, meanings in (("disposition", DISPOSITIONS), ("direction", DIRECTIONS)):
        place = places.of.get(part)
        settled = {bare(theirs) for theirs in found.stated(f"words.{part}") or ()}
        if place is None:
            continue
        lines, mapped = defaultdict[str, list[int]](list), dict[str, str]()
        for row, text in zip(grid.rows, grid.column(place), strict=True):
            ours = meanings.get(bare(text))
            if bare(text) in settled or (part == "disposition" and _is_read(text, is_known)):
                continue
            if ours is None and text:
                lines[text.lower()].append(row.line)
            elif ours is not None and text.lower() != ours.lower():
                mapped[text.lower()] = ours
        if mapped:
            found.say(f"words.{part}", mapped)
        if lines:
            common = sorted(lines, key=lambda word: (-len(lines[word]), word))[:_MOST_SHOWN]
            found.ask("words", f"words.{part}", common, sorted(lines[common[0]]))
    if "disposition" not in places.of and "columns" not in found.declared:
        if maybe := _of_words(grid, places):
            found.ask("column", "columns.disposition", [str(places.name(n)) for n in maybe])
        else:
            found.say("defaults.disposition", ANSWERED, LIKELY)


def _is_read(text: str, is_known: bool) -> bool:
    """Whether a word for how a call ended is read without a declaration."""
    return dispositions.of_cause(text) is not None or (is_known and dispositions.read(text) is not None)


def _of_words(grid: Grid, places: Places) -> list[int]:
    """The columns of a few words each that are nothing else: one may say how calls ended."""
    free = [n for n in range(grid.width) if n not in places.of.values()]
    columns = {n: {text for text in grid.column(n) if text} for n in free}
    return [n for n, texts in columns.items() if 0 < len(texts) <= _MOST_WORDS and all(map(_WORD.fullmatch, texts))]


def is_feature(text: str) -> bool:
    """Whether a text called is a feature code (``*97``) or a special extension of Asterisk (``s``, ``i``, ``h``)."""
    return _FEATURE.fullmatch(text.strip()) is not None


def owners(grid: Grid, places: Places, known: Known, plan: DialPlan, found: Suggestion, layout: str = "") -> None:
    """Declare the sides of a file by the contexts that switches ship with, and the rows that are no calls.

    Rows whose owner is then still not known are asked for. A caller's number alone decides nothing. ``layout``: the
    name of the file's format if Forfait knows it.
    """
    looked_at = {"column": "account", "channel": "channel", "caller": "from"}
    # A rule about a column that is asked for counts as soon as the question is answered.
    rules = [rule for rule in ACCOUNT_RULES if f"columns.{looked_at[rule]}" in found.confidence]
    if rules and not layout and "columns" not in found.declared:
        found.say("account", rules, LIKELY)
    rows = _Rows(grid, places, known, plan, layout)
    open_rows = rows.without_owner(found)
    if open_rows and "context" in places.of and "direction" not in places.of:
        if inside := rows.contexts(lambda name: name.lower() in INSIDE) - rows.contexts_of_strangers():
            found.say("direction.inside", {"contexts": sorted(inside)}, LIKELY)
        if trunks := rows.contexts(_is_trunk):
            found.say("direction.trunks", {"contexts": sorted(trunks)})
        open_rows = rows.without_owner(found)
    features = Counter(called for row, _ in open_rows if is_feature(called := _field(row, places, "to")))
    if features:
        found.say("skip.numbers", sorted(features))
        found.features = dict(features)
    # An inbound row lacks its DID, and rows of some formats name an account that is to be added: nothing to declare.
    rest = [row for row, way in open_rows if way != INBOUND and not is_feature(_field(row, places, "to"))]
    if "account" not in _asked(found) and layout not in _STATED:
        rows.ask(rest, found)


def _asked(found: Suggestion) -> set[str]:
    """The columns that are asked for: who made the calls is seen only when these questions are answered."""
    return {question.part.removeprefix("columns.") for question in found.questions}


def _is_trunk(context: str) -> bool:
    """Grandstream names the contexts of its trunks after them: ``ext-did-0001``."""
    return context.lower() in TRUNKS or context.lower().startswith("ext-did")


class _Rows:
    """The rows of a file, and what a reseller has by which their owners are found."""

    def __init__(self, grid: Grid, places: Places, known: Known, plan: DialPlan, layout: str) -> None:
        self._grid, self._places, self._known, self._plan, self._layout = grid, places, known, plan, layout
        titles = [bare(title) for title in grid.titles or ()]
        self._extension = titles.index("extension") if "extension" in titles else None

    def field(self, row: Row, ours: str) -> str:
        text = _field(row, self._places, ours)
        if ours == "account" and self._layout == "fusionpbx" and self._extension is not None:
            return fusionpbx.account(text, row.fields[self._extension].strip(), self._known.accounts)
        return text

    def without_owner(self, found: Suggestion) -> list[tuple[Row, str]]:
        """The rows for which no known sub-account and no held DID is found with what is declared so far, each with its
        direction, "" if nothing says it."""
        declares = read(found.source)
        by_layout = ("column",) if self._layout == "fusionpbx" and not declares.has_owners else ACCOUNT_RULES
        rules = Owning(declares, self._known, self._plan, by_layout, declares.mapping)
        meant = found.source.get("words", {}).get("direction", {})
        open_rows = []
        for row in self._grid.rows:
            written, did = self.field(row, "direction"), self.field(row, "did")
            called, caller = did or self.field(row, "to"), self.field(row, "from")
            said = rules.found(
                meant.get(written.lower(), written),
                self.field(row, "account"),
                self.stem(row),
                self.field(row, "context"),
                did,
            )
            direction, account = rules.settled(said, caller, called) or (said.direction, "")
            is_owned = account in self._known.accounts if direction == OUTBOUND else rules.is_held(called)
            if not (direction and is_owned):
                open_rows.append((row, direction))
        return open_rows

    def stem(self, row: Row) -> str:
        return owning.stem_of(self.field(row, "channel"))

    def contexts(self, fits: Callable[[str], bool]) -> set[str]:
        """The contexts of the file with a fitting name."""
        return {name for row in self._grid.rows if (name := self.field(row, "context")) and fits(name)}

    def contexts_of_strangers(self) -> set[str]:
        """Contexts in which some channel is that of no known sub-account: a call from a trunk may be put through in
        them, and its caller be forged."""
        return {self.field(row, "context") for row in self._grid.rows if self.is_stranger(row)}

    def is_stranger(self, row: Row) -> bool:
        stem = self.stem(row)
        return bool(stem) and owning.named(stem, False) not in self._known.accounts

    def ask(self, rows: list[Row], found: Suggestion) -> None:
        """Ask for the owners of rows: what their channels are, which contexts are inside, or who is meant."""
        by_caller = Owning(read({}), self._known, self._plan)
        asked = defaultdict[tuple[str, str], list[tuple[str, int]]](list)
        for row in rows:
            context, is_caller = self.field(row, "context"), bool(by_caller.of_caller(self.field(row, "from")))
            stem, account = self.stem(row), self.field(row, "account")
            if not account and self.is_stranger(row) and not stem.lower().startswith("local/"):
                asked["channel", "direction.trunks"].append((stem, row.line))
            elif not account and not stem and context and is_caller:
                asked["inside", "direction.inside"].append((context, row.line))
            elif is_caller and self.field(row, "direction"):
                asked["caller", "account"].append((self.field(row, "from"), row.line))
            else:
                asked["account", "account"].append((_said(row, self._places), row.line))
        for (code, part), said in asked.items():
            texts = Counter(text for text, _ in said)
            found.ask(code, part, [text for text, _ in texts.most_common(_MOST_SHOWN)], [line for _, line in said])


def _field(row: Row, places: Places, ours: str) -> str:
    place = places.of.get(ours)
    return "" if place is None else row.fields[place].strip()


def _said(row: Row, places: Places) -> str:
    """What a row says about who made the call, of the fields that it has."""
    said = {ours: _field(row, places, ours) for ours in ("account", "channel", "from")}
    said["channel"] = owning.stem_of(said["channel"])
    return ", ".join(f"{ours} {text}" for ours, text in said.items() if text) or "nothing"
