"""Compares how a file is read before and after its suggestion is declared: what changes, and which lines it cures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Protocol

from chalicelib.rating.cdr.call import Rejection
from chalicelib.rating.cdr.suggest.found import QUESTION, Suggestion, extended


class Read(Protocol):
    """A line as it is read: a call, a line that is no call, or a ``Rejection``; equal ones are read alike."""

    @property
    def line(self) -> int: ...


Reader = Callable[[Mapping[str, Any]], Iterable[Read | Rejection]]
"""The parts of a source -> each line of the file as it is read by them."""


def kept(found: Suggestion, read: Reader) -> tuple[Suggestion, dict[int, str]]:
    """A suggestion without the parts that change a line that is read already, and what it cures: refused line -> the
    reason for which it is refused then, "" if it is not.

    A part that is left out is a question.
    """
    if not found.source:
        return found, {}
    before = {each.line: each for each in read(found.declared)}
    standing = {line: each for line, each in before.items() if not isinstance(each, Rejection)}
    after = {each.line: each for each in read(found.source)}
    if any(after.get(line) != each for line, each in standing.items()):
        found = _without_changes(found, standing, read)
        after = {each.line: each for each in read(found.source or found.declared)}
    then = {line: each.reason for line, each in after.items() if isinstance(each, Rejection)}
    return found, {line: then.get(line, "") for line in before if line not in standing}


def _without_changes(found: Suggestion, standing: Mapping[int, Read], read: Reader) -> Suggestion:
    """Parts are added one by one; one that changes a line in ``standing`` is asked for instead."""
    source = deepcopy(dict(found.declared))
    result = replace(found, source=source, confidence=dict(found.confidence), questions=list(found.questions))
    for part, more in _parts(found.source, found.declared):
        tried = extended(source, more)
        lines = {each.line: each for each in read(tried)}
        changed = [line for line, each in standing.items() if lines.get(line) != each]
        if not changed:
            source = tried
        elif result.confidence.get(part) != QUESTION:
            result.confidence[part] = QUESTION
            shown = [str(value) for value in _texts(more)]
            result.ask("changes", part, shown, changed)
    result.source = source
    return result.added()


def _parts(source: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of a suggestion beside what is declared, each as a source that has it alone."""
    for whole, value in source.items():
        if value == declared.get(whole):
            continue
        if isinstance(value, Mapping):
            yield from ((f"{whole}.{inner}", {whole: {inner: one}}) for inner, one in value.items())
        else:
            yield whole, {whole: value}


def _texts(value: Any) -> Iterator[Any]:
    """The values within a part."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        yield from value
    else:
        yield value
