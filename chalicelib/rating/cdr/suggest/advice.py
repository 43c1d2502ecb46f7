"""What to do about refused lines: one piece of advice per reason, with the count of lines. Plain words by code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chalicelib.rating.cdr.call import Rejection
from chalicelib.rating.cdr.suggest.found import Suggestion

NOTHING: Mapping[int, str] = MappingProxyType({})
ADVICE = {
    "declare_suggestion": "{count} lines are refused as {reason}: PUT the suggestion as a source and try again",
    "answer_questions": "{count} lines are refused as {reason}: answer the questions, then PUT the source",
    "feature_codes": "{count} rows call {examples}: feature codes; they are internal, and the suggestion skips them",
    "only_format": "the dates fit {format} alone; line {line}, {example}, leaves no other reading",
    "only_minutes": "lengths are minutes and seconds: line {line}, {example}, cannot be hours and minutes",
    "several_formats": "the dates fit {formats}; declare the one that the system writes as date_format",
    "add_owner": "{count} lines name no sub-account and no DID that a client held: add it, or declare account rules",
    "write_number": "{count} numbers called cannot be read, such as line {line}: declare strip or local_numbers",
    "publish_rate": "no deck has a rate for the numbers of {count} lines: publish one that has",
    "mend_line": "{count} lines are damaged, from line {line} on: export the file again, or correct them",
    "correct_field": "{count} lines are refused as {reason}, from line {line} on: correct the field",
    "name_columns": "{count} lines are of no known format: declare at least the columns start, to and seconds",
}
"""The sentence of each piece of advice by its code."""

_DAMAGED = frozenset(
    ("bad_columns", "bad_encoding", "control_character", "line_too_long", "truncated", "unclosed_quote")
)
_OWNERS = frozenset(("no_owner", "unknown_account", "missing_account"))
_BY_REASON = {
    **dict.fromkeys(_DAMAGED, "mend_line"),
    **dict.fromkeys(_OWNERS, "add_owner"),
    **dict.fromkeys(("bad_number", "ambiguous_number"), "write_number"),
    "no_rate": "publish_rate",
    "unknown_format": "name_columns",
}
_PARTS = {
    "unknown_format": ("columns",),
    "bad_columns": ("columns",),
    "bad_start": ("date_format", "columns"),
    "bad_seconds": ("seconds_format", "columns"),
    "bad_disposition": ("words", "columns"),
    "bad_direction": ("words", "columns"),
    "bad_number": ("strip", "local_numbers", "skip"),
    "no_owner": ("direction", "account", "columns.account", "local_numbers", "skip"),
    "missing_account": ("direction", "account", "columns.account", "skip"),
    "unknown_account": ("account", "skip"),
}
"""A reason -> the parts of a source that may take it away."""


class Advice(NamedTuple):
    """``reason``: of the refused lines, or None where none is refused; ``lines``: how many lines it is about."""

    code: str
    reason: str | None
    lines: int
    parameters: dict[str, str]

    @property
    def message(self) -> str:
        given = {"reason": self.reason or "", "count": str(self.lines), **self.parameters}
        return ADVICE[self.code].format(**given)


def advise(refused: Iterable[Rejection], found: Suggestion, then: Mapping[int, str] = NOTHING) -> list[Advice]:
    """Refused lines and the suggestion for their file -> what to do, per reason, the most lines first.

    ``then``: a refused line -> the reason for which it is refused once the suggestion is declared as it is, "" if it
    is not refused any more.
    """
    lines: dict[tuple[str, bool], list[int]] = {}
    for row in refused:
        reason = then.get(row.line, row.reason)
        lines.setdefault((reason or row.reason, not reason), []).append(row.line)
    advice = []
    for (reason, is_cured), at in sorted(lines.items(), key=lambda one: (-len(one[1]), one[0])):
        code = "declare_suggestion" if is_cured else _code(reason, found)
        advice.append(Advice(code, reason, len(at), {"line": str(at[0])}))
    return advice + _of_suggestion(found)


def _code(reason: str, found: Suggestion) -> str:
    parts = _PARTS.get(reason, ())
    if any(part in parts for one in found.questions for part in (one.part, one.part.partition(".")[0])):
        return "answer_questions"
    return _BY_REASON.get(reason, "correct_field")


def _of_suggestion(found: Suggestion) -> list[Advice]:
    """What the suggestion itself explains: rows that it skips, and why it reads the dates as it does."""
    advice = []
    if found.features:
        codes = sorted(found.features, key=lambda text: (-found.features[text], text))
        advice.append(Advice("feature_codes", None, sum(found.features.values()), {"examples": ", ".join(codes[:10])}))
    for part, line, text in found.evidence:
        parameters = {"format": str(found.source.get(part, "")), "line": str(line), "example": text}
        code = "only_minutes" if part == "seconds_format" else "only_format"
        advice.append(Advice(code, None, 1, parameters))
    for question in found.questions:
        if question.code == "date_format":
            formats = {"formats": " and ".join(question.candidates)}
            advice.append(Advice("several_formats", "bad_start", len(question.lines), formats))
    return advice
