"""Suggests how a file's called numbers are dialled: prefixes to take off, and what local numbers begin with."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection

from chalicelib.dialling import DialPlan, user_of
from chalicelib.rating.cdr.suggest.found import CERTAIN, LIKELY, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid
from chalicelib.rating.cdr.suggest.owners import is_feature
from chalicelib.rating.cdr.suggest.places import Places

_TECHNICAL = re.compile(r"([0-9*]{1,11}#)\+?[0-9]{7,15}")
_PREFIXES = ("9", "*67", "*82", "1010288", "0", "8", "00")
"""Dialled before a number: for an outside line, to hide or show the caller's number, to choose a carrier."""
_LEAST = 2
"""A prefix is suggested when so many different numbers have it."""
_LEAST_LOCAL = 3
"""Local numbers are suggested when so many different ones, and no others, are the end of a number held."""
_LOCAL = range(4, 9)


def numbers(grid: Grid, places: Places, dids: Collection[str], plan: DialPlan, found: Suggestion) -> None:
    """Declare ``strip`` and ``local_numbers`` where they make numbers readable that are not; ``dids``: those held."""
    if "to" not in places.of:
        return
    lines: dict[str, list[int]] = defaultdict(list)
    for row, text in zip(grid.rows, grid.column(places.of["to"]), strict=True):
        lines[user_of(text)].append(row.line)
    _local(lines, dids, plan, found)
    _strip(lines, plan, found)


def _strip(lines: dict[str, list[int]], plan: DialPlan, found: Suggestion) -> None:
    texts = [text for text in lines if not is_feature(text)]
    fixed = {prefix: [t for t in texts if _needs(t, prefix, plan)] for prefix in {*_PREFIXES, *_technical(texts)}}
    # A longer prefix may be needed by numbers that a shorter one also helps.
    chosen = [prefix for prefix, needed in sorted(fixed.items()) if len(needed) >= _LEAST]
    rivals = {text: [prefix for prefix in chosen if text in fixed[prefix]] for text in texts}
    if any(len({_read(text.removeprefix(p), plan) for p in ways}) > 1 for text, ways in rivals.items()):
        several = sorted({prefix for ways in rivals.values() if len(ways) > 1 for prefix in ways})
        found.ask("strip", "strip", several, [n for text, ways in rivals.items() if len(ways) > 1 for n in lines[text]])
        return
    alone = sorted(prefix for prefix, needed in fixed.items() if needed)
    if alone and not chosen:
        needed = {line for prefix in alone for text in fixed[prefix] for line in lines[text]}
        found.ask("prefix", "strip", alone, sorted(needed))
    if chosen:
        both = [t for t in texts for p in chosen if t.startswith(p) and _read(t, plan) and _read(t[len(p) :], plan)]
        found.say("strip", chosen, LIKELY if both else CERTAIN)


def _technical(texts: list[str]) -> set[str]:
    return {match[1] for text in texts if (match := _TECHNICAL.fullmatch(text))}


def _needs(text: str, prefix: str, plan: DialPlan) -> bool:
    """Whether a text is a number only without this prefix."""
    return text.startswith(prefix) and not _read(text, plan) and bool(_read(text[len(prefix) :], plan))


def _read(text: str, plan: DialPlan) -> str:
    """The full number that a text means (``+`` and digits); "" for an internal number and for none."""
    try:
        number = plan.read(text)
    except ValueError:
        return ""
    return number if number[:1] == "+" else ""


def _local(lines: dict[str, list[int]], dids: Collection[str], plan: DialPlan, found: Suggestion) -> None:
    """Numbers of few digits that are the end of a DID held."""
    beginnings: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    held: dict[int, set[str]] = defaultdict(set)
    others: dict[int, set[str]] = defaultdict(set)
    for text, at in lines.items():
        if text.isdigit() and len(text) in _LOCAL and not _read(text, plan) and text not in plan.accounts:
            for did in dids:
                if did.endswith(text):
                    held[len(text)].add(text)
                    beginnings[len(text)][did[: -len(text)]] += at
            if text not in held[len(text)]:
                others[len(text)].add(text)
    rules = []
    for digits, prefixes in sorted(beginnings.items()):
        if len(prefixes) > 1:
            where = sorted(line for at in prefixes.values() for line in at)
            found.ask("local_numbers", "local_numbers", sorted(prefixes), where, digits=str(digits))
        elif len(held[digits]) < _LEAST_LOCAL or others[digits]:
            # Any number ends as another by chance, and one of another area would be called in the wrong one.
            where = sorted(line for at in prefixes.values() for line in at)
            found.ask("local_area", "local_numbers", sorted(prefixes), where, digits=str(digits))
        elif not any(name.isdigit() and len(name) == digits for name in plan.accounts):
            rules.append({"digits": digits, "prefix": next(iter(prefixes))})
    if rules:
        found.say("local_numbers", rules, LIKELY)
