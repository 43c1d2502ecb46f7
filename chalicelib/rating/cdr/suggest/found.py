"""What is answered about a file: the parts of a source, how sure each is, and what a person has to decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

CERTAIN, LIKELY, QUESTION = "certain", "likely", "question"

QUESTIONS = {
    "column": "several columns may be {part}: {candidates}; say which one is",
    "no_column": "no column is surely {part}; name it by its title or its place",
    "seconds": "{candidates} may be the billable seconds or those of the whole call, ringing included; say which",
    "date_format": "the dates fit {candidates}; no line of the sample can be read in one of these ways only",
    "no_date_format": "the dates, such as {example}, fit no known pattern; write it with the letters y M d H m s",
    "seconds_format": "lengths such as {example} are {candidates}, minutes and seconds or hours and minutes; say which",
    "words": "{part} has words whose meaning is not known: {candidates}; say what each means",
    "account": "no column, channel or caller in the sample names a known sub-account; it has {candidates}",
    "local_numbers": "numbers of {digits} digits are the end of numbers held with different beginnings: {candidates}",
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
    """``source``: the parts of a CDR source as the API takes them, without id and pattern; empty where nothing is to
    be declared. ``confidence``: part -> ``certain``, ``likely`` or ``question``. ``features``: a feature code that is
    called -> the count of its rows."""

    source: dict[str, Any] = field(default_factory=dict)
    confidence: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    features: dict[str, int] = field(default_factory=dict)

    def say(self, part: str, value: Any, confidence: str = CERTAIN) -> None:
        """Declare a part; ``columns.to`` and the like are parts within parts."""
        whole, _, inner = part.partition(".")
        if inner:
            self.source.setdefault(whole, {})[inner] = value
        else:
            self.source[whole] = value
        self.confidence[part] = confidence

    def ask(
        self, code: str, part: str, candidates: list[str], lines: list[int] | None = None, **parameters: str
    ) -> None:
        """Leave a part open, and ask for it."""
        self.confidence[part] = QUESTION
        self.questions.append(Question(code, part, candidates, (lines or [])[:5], parameters))
