"""Suggests what a file's directions and words mean, and which rows are no calls; asks who made the calls if unclear."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from chalicelib.calls.format import ANSWERED, OUTBOUND
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import dispositions, owning
from chalicelib.rating.cdr.declaration import ACCOUNT_RULES, read
from chalicelib.rating.cdr.owning import Known, Owning
from chalicelib.rating.cdr.suggest.found import LIKELY, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid, Row
from chalicelib.rating.cdr.suggest.places import Places
from chalicelib.rating.cdr.suggest.titles import DIRECTIONS, DISPOSITIONS, INSIDE, TRUNKS, bare

_FEATURE = re.compile(r"[siht]|[*#]+[0-9]{0,5}[*#]*")
_MOST_SHOWN = 10
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
            if bare(text) in settled or (is_known and part == "disposition" and dispositions.read(text)):
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


def _of_words(grid: Grid, places: Places) -> list[int]:
    """The columns of a few words each that are nothing else: one may say how calls ended."""
    free = [n for n in range(grid.width) if n not in places.of.values()]
    columns = {n: {text for text in grid.column(n) if text} for n in free}
    return [n for n, texts in columns.items() if 0 < len(texts) <= _MOST_WORDS and all(map(_WORD.fullmatch, texts))]


def is_feature(text: str) -> bool:
    """Whether a text called is a feature code (``*97``) or a special extension of Asterisk (``s``, ``i``, ``h``)."""
    return _FEATURE.fullmatch(text.strip()) is not None


def owners(grid: Grid, places: Places, known: Known, plan: DialPlan, found: Suggestion) -> None:
    """Declare the sides of a file by the contexts that switches ship with, and the rows that are no calls.

    Rows whose owner is then still not known are asked for. A caller's number alone decides nothing.
    """
    looked_at = {"column": "account", "channel": "channel", "caller": "from"}
    # A rule about a column that is asked for counts as soon as the question is answered.
    rules = [rule for rule in ACCOUNT_RULES if f"columns.{looked_at[rule]}" in found.confidence]
    if rules and "columns" not in found.declared:
        found.say("account", rules, LIKELY)
    open_rows = _without_owner(grid, places, known, plan, found)
    if open_rows and "context" in places.of and "direction" not in places.of:
        used = {row.fields[places.of["context"]].strip() for row in grid.rows}
        for side, names in (("inside", INSIDE), ("trunks", TRUNKS)):
            contexts = sorted(name for name in used if name.lower() in names or _is_did(name, side))
            if contexts:
                found.say(f"direction.{side}", {"contexts": contexts})
        open_rows = _without_owner(grid, places, known, plan, found)
    features = Counter(called for row in open_rows if is_feature(called := _field(row, places, "to")))
    if features:
        found.say("skip.numbers", sorted(features))
        found.features = dict(features)
    rest = [row for row in open_rows if not is_feature(_field(row, places, "to"))]
    if rest and "account" not in _asked(found):
        texts = Counter(_said(row, places) for row in rest)
        found.ask("account", "account", [text for text, _ in texts.most_common(_MOST_SHOWN)], [r.line for r in rest])


def _asked(found: Suggestion) -> set[str]:
    """The columns that are asked for: who made the calls is seen only when these questions are answered."""
    return {question.part.removeprefix("columns.") for question in found.questions}


def _is_did(context: str, side: str) -> bool:
    """Grandstream names the contexts of its trunks after them: ``ext-did-0001``."""
    return side == "trunks" and context.lower().startswith("ext-did")


def _without_owner(grid: Grid, places: Places, known: Known, plan: DialPlan, found: Suggestion) -> list[Row]:
    """The rows for which no known sub-account and no held DID is found with what is declared so far."""
    rules = Owning(read(found.source), known, plan)
    meant = found.source.get("words", {}).get("direction", {})
    open_rows = []
    for row in grid.rows:
        direction = _field(row, places, "direction")
        direction = meant.get(direction.lower(), direction)
        called, caller = _field(row, places, "to"), _field(row, places, "from")
        stem = owning.stem_of(_field(row, places, "channel"))
        said = rules.found(direction, _field(row, places, "account"), stem, _field(row, places, "context"))
        settled = rules.settled(said, caller, called)
        direction, account = settled or ("", "")
        is_owned = account in known.accounts if direction == OUTBOUND else rules.is_held(called)
        if not (direction and is_owned):
            open_rows.append(row)
    return open_rows


def _field(row: Row, places: Places, ours: str) -> str:
    place = places.of.get(ours)
    return "" if place is None else row.fields[place].strip()


def _said(row: Row, places: Places) -> str:
    """What a row says about who made the call, of the fields that it has."""
    said = {ours: _field(row, places, ours) for ours in ("account", "channel", "from")}
    said["channel"] = owning.stem_of(said["channel"])
    return ", ".join(f"{ours} {text}" for ours, text in said.items() if text) or "nothing"
