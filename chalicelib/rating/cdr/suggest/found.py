"""What is answered about a file: the parts of a source, how sure each is, and what a person has to decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chalicelib.rating.cdr.mapping import plain

CERTAIN, LIKELY, QUESTION = "certain", "likely", "question"

QUESTIONS = {
    "column": "several columns may be {part}: {candidates}; say which one is",
    "one_column": "column {candidates} may be {part}; say whether it is",
    "no_column": "no column is surely {part}; name it by its title or its place",
    "changes": "{part} {candidates} would cure some lines, but change others that are read already; say what holds",
    "other_columns": "its source names the column {candidates}, which it has not; PUT one of a longer {part}",
    "seconds": "{candidates} may be the billable seconds or those of the whole call, ringing included; say which",
    "date_format": "the dates fit {candidates}; no line of the sample can be read in one of these ways only",
    "no_date_format": "the dates, such as {example}, fit no known pattern; write it with the letters y M d H m s",
    "seconds_format": "lengths such as {example} are {candidates}, minutes and seconds or hours and minutes; say which",
    "unit": "lengths such as {example} may be {candidates} (s seconds, ms milliseconds, min minutes); say which",
    "words": "{part} has words whose meaning is not known: {candidates}; say what each means",
    "account": "account and channel of some rows name no known sub-account, and a caller alone proves nothing: "
    "{candidates}; add the sub-account, or declare direction and account",
    "caller": "the callers {candidates} are known sub-accounts; declare account [column, caller] if they always show "
    "who made the call",
    "channel": "channels of no known sub-account: {candidates}; declare those of trunks as {part}.channels, and add "
    "the sub-accounts of the others",
    "inside": "rows of context {candidates} have no channel, and callers that are known sub-accounts; declare it as "
    "{part}.contexts if no call from outside has it",
    "names_account": "{candidates} may name who made a call or who answered it; say whether it is {part}",
    "local_numbers": "numbers of {digits} digits are the end of numbers held with different beginnings: {candidates}",
    "local_area": "some numbers of {digits} digits are the end of one held; say whether all begin with {candidates}",
    "prefix": "one number called can be read only without {candidates}; say whether this is dialled before numbers",
    "strip": "some numbers called can be read only without {candidates}, in ways that differ; say which is dialled",
}
"""The sentence of each question by its code."""


class Question(NamedTuple):
    """Two or more readings that all fit. ``part``: of the source; ``lines``: some that show it; ``code``: of
    ``QUESTIONS``."""

    code: str
    part: str
    candidates: list[str]
    lines: list[int]
    parameters: dict[str, str]

    @property
    def message(self) -> str:
        more = {"part": self.part, "candidates": " or ".join(self.candidates), **self.parameters}
        return QUESTIONS[self.code].format(**more)


class Evidence(NamedTuple):
    """Why a part was chosen: the line that leaves no other reading; 0 for the whole sample."""

    part: str
    line: int
    text: str


@dataclass
class Suggestion:
    """``source``: the parts of a CDR source as the API takes them, without id and pattern: all that is ``declared``
    already, and what is added to it; empty where nothing is to be added. ``confidence``: added part -> ``certain``,
    ``likely`` or ``question``. ``features``: a feature code that is called -> the count of its rows."""

    source: dict[str, Any] = field(default_factory=dict)
    confidence: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    features: dict[str, int] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def on(cls, declared: Mapping[str, Any]) -> Suggestion:
        """A suggestion that adds nothing yet to what is ``declared``."""
        return cls(deepcopy(dict(declared)), declared=declared)

    def say(self, part: str, value: Any, confidence: str = CERTAIN) -> None:
        """Declare a part; ``columns.to`` and the like are parts within parts. What is declared already is kept."""
        whole, _, inner = part.partition(".")
        into = self.source.setdefault(whole, {}) if inner else self.source
        name = inner or whole
        both = value
        if self.stated(part) is not None:
            both = into[name] if part in _CHOICES else extended(into[name], value)
            if both == into[name]:
                return
        into[name] = both
        self.confidence[part] = confidence

    def stated(self, part: str) -> Any:
        """The value that is declared already for a part, or None."""
        whole, _, inner = part.partition(".")
        found = self.declared.get(whole)
        return (found or {}).get(inner) if inner else found

    def without(self, questions: Collection[Question]) -> None:
        """Ask these questions no more."""
        self.questions = [one for one in self.questions if one not in questions]
        for one in questions:
            self.confidence.pop(one.part, None)

    def added(self) -> Suggestion:
        """The same without a source, if that would declare nothing new."""
        if self.source == self.declared:
            self.source = {}
        return self

    def ask(
        self, code: str, part: str, candidates: list[str], lines: list[int] | None = None, **parameters: str
    ) -> None:
        """Leave a part open, and ask for it, unless a person has decided it already."""
        whole = part.partition(".")[0]
        if self.stated(part) is not None and (whole == "columns" or part in _DECIDED):
            return
        if code == "column" and len(candidates) == 1:
            code = "one_column"
        self.confidence[part] = QUESTION
        self.questions.append(Question(code, part, candidates, (lines or [])[:5], parameters))


_DECIDED = ("date_format", "seconds_format", "time_zone", "header")
"""Parts that are one value: a declared one is not asked for again."""
_CHOICES = (*_DECIDED, "account", "skip_lines")
"""Declared parts that nothing is added to. ``account`` is a list, but another rule would find other owners."""


def extended(stands: Any, more: Any) -> Any:
    """A declared value with what ``more`` has besides: the value itself wins wherever both say something."""
    if isinstance(stands, Mapping) and isinstance(more, Mapping):
        names = {plain(name): name for name in stands}
        both = {name: extended(value, more[name]) if name in more else value for name, value in stands.items()}
        return {**both, **{name: value for name, value in more.items() if plain(name) not in names}}
    if isinstance(stands, list) and isinstance(more, list):
        ruled = {rule["digits"] for rule in stands if isinstance(rule, Mapping)}
        new = [one for one in more if one not in stands]
        return stands + [one for one in new if not isinstance(one, Mapping) or one["digits"] not in ruled]
    return stands
