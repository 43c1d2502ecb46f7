"""Finds what the columns of a file hold: by their titles or, without a header, by what is in them."""

from __future__ import annotations

import re
from collections.abc import Collection

from chalicelib.calls.format import ANSWERED, NO_ANSWER
from chalicelib.rating.cdr.declaration import read
from chalicelib.rating.cdr.mapping import TIME, plain
from chalicelib.rating.cdr.suggest import dates
from chalicelib.rating.cdr.suggest.found import CERTAIN, LIKELY, Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid
from chalicelib.rating.cdr.suggest.lengths import is_length, pairs, seconds_format, seconds_of
from chalicelib.rating.cdr.suggest.places import Places
from chalicelib.rating.cdr.suggest.titles import (
    ANSWER_TITLES,
    CONNECTED,
    DIRECTIONS,
    DISPOSITIONS,
    END_TITLES,
    LISTS,
    START_TITLES,
    TITLES,
    bare,
)
from chalicelib.rating.cdr.suggest.units import is_number, unit

_COST = re.compile(r"\d{1,9}(?:\.\d{1,8})?", re.ASCII)
_CHANNEL = re.compile(r"(?:SIP|PJSIP|IAX2|Local|DAHDI|Zap|SCCP|Skinny|mISDN|Khomp|sofia)/\S+", re.IGNORECASE)
_CALLER = re.compile(r".*<([^<>]*)>\s*", re.DOTALL)
_UNIQUE = re.compile(r"(?:\S+-)?\d{9,10}\.\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[CA]{2}[0-9a-f]{32}")
_NUMBER = re.compile(r"(?:sips?:|tel:)?[+*#0-9][*#0-9().\s-]{1,24}(?:@.*)?")
_MOSTLY = 0.9


def columns(grid: Grid, found: Suggestion, accounts: Collection[str] = ()) -> Places:
    """Where each column is; what is certain or likely is declared in ``found``, what is neither is asked.

    ``accounts``: the user names of the reseller's sub-accounts.
    """
    places = Places(titles=grid.titles)
    if "columns" in found.declared:
        return _declared(grid, places, found)
    sure = (
        _by_titles(grid, places, found)
        if grid.titles
        else _by_list(grid, places) or _by_content(grid, places, found, accounts)
    )
    if "start" not in places.of and (both := dates.date_and_time(grid, START_TITLES)):
        places.of["start"], places.of[TIME] = both
        found.say("columns.start", [places.name(place) for place in both], CERTAIN if grid.titles else LIKELY)
    _billable(grid, places, found)
    seconds_format(grid, _lengths(grid, places, found), found)
    if grid.titles or not sure:
        # A system that is known by its list of columns writes seconds.
        unit(grid, places, _lengths(grid, places, found), found)
    if "call_id" in places.of and not _all_different(grid, places.of["call_id"]):
        # A call with several rows of one id: without an id a row is known by all its columns.
        del places.of["call_id"]
    if "cost" in places.of and not all(_COST.fullmatch(text) for text in grid.column(places.of["cost"]) if text):
        del places.of["cost"]
    for ours in TITLES:
        if ours in places.of and not (ours == "start" and TIME in places.of):
            found.say(f"columns.{ours}", places.name(places.of[ours]), CERTAIN if sure else LIKELY)
    for ours in ("start", "to", "seconds"):
        if ours not in places.of and f"columns.{ours}" not in found.confidence:
            found.ask("no_column", f"columns.{ours}", [])
    return places


def _declared(grid: Grid, places: Places, found: Suggestion) -> Places:
    """The columns that a source names already; none is added, because its other files have columns of their own."""
    titles = [plain(title) for title in grid.titles or ()]
    for ours, theirs in read(found.declared).mapping.columns.items():
        if isinstance(theirs, int) and theirs <= grid.width:
            places.of[ours] = theirs - 1
        elif isinstance(theirs, str) and titles.count(plain(theirs)) == 1:
            places.of[ours] = titles.index(plain(theirs))
        else:
            found.ask("other_columns", "pattern", [str(theirs)], [])
            return Places(titles=grid.titles)
    for ours in TITLES:
        if ours not in places.of and titles.count(ours) == 1:
            places.of[ours] = titles.index(ours)
    seconds_format(grid, _lengths(grid, places, found), found)
    return places


def _lengths(grid: Grid, places: Places, found: Suggestion) -> list[int]:
    """The column of the billable seconds or, where that is asked, the columns that may be it."""
    if "seconds" in places.of:
        return [places.of["seconds"]]
    asked = next((one.candidates for one in found.questions if one.part == "columns.seconds"), [])
    if grid.titles and asked:
        return [n for n in range(grid.width) if str(places.name(n)) in asked]
    free = [n for n in range(grid.width) if n not in places.of.values()]
    return [
        n for n in free if any(texts := grid.column(n)) and _share([t for t in texts if t], _is_any_length) >= _MOSTLY
    ]


def _by_titles(grid: Grid, places: Places, found: Suggestion) -> bool:
    names = [bare(title).removesuffix("utc").removesuffix("gmt") for title in grid.titles or ()]
    taken = set[int]()
    for ours, groups in TITLES.items():
        for group in groups:
            fitting = [n for n, name in enumerate(names) if name in group.split() and _may_be(ours, grid.column(n))]
            fitting = [n for n in fitting if n not in taken] if ours not in ("account", "from") else fitting
            if len(fitting) > 1 and len({tuple(grid.column(n)) for n in fitting}) > 1:
                better = _first_title(group, names, fitting) if ours in ("call_id", "account") else None
                if better is None:
                    found.ask("column", f"columns.{ours}", [str(places.name(n)) for n in fitting])
                    break
                fitting = [better]
            if fitting:
                places.of[ours] = fitting[0]
                taken.add(fitting[0])
                break
    for ours, known in (("answer", ANSWER_TITLES), ("end", END_TITLES)):
        at = [n for n, name in enumerate(names) if name in known and n not in taken]
        if len(at) == 1:
            places.of[ours] = at[0]
    return True


def _first_title(group: str, names: list[str], fitting: list[int]) -> int:
    """Of columns that differ, the one whose title comes first in the list."""
    order = group.split()
    return min(fitting, key=lambda n: order.index(names[n]))


def _may_be(ours: str, texts: list[str]) -> bool:
    """Whether what is in a column with a fitting title can be that column."""
    given = [text for text in texts if text]
    if not given:
        return ours in ("account", "call_id", "channel", "destination_channel", "context", "application", "from", "did")
    if ours == "start":
        return dates.are_dates(given)
    if ours in ("seconds", "duration"):
        return _share(given, _is_any_length) >= _MOSTLY
    if ours == "direction":
        return _share(given, lambda text: bare(text) in DIRECTIONS) > 0
    if ours == "disposition":
        return len({bare(text) for text in given}) <= 20
    if ours == "to":
        return _share(given, lambda text: any(c.isdigit() for c in text) or len(text) == 1) >= 0.5
    return True


def _is_any_length(text: str) -> bool:
    return is_length(text) or is_number(text)


def _share(texts: list[str], fits: object) -> float:
    return sum(1 for text in texts if fits(text)) / len(texts) if texts and callable(fits) else 0.0


def _all_different(grid: Grid, place: int) -> bool:
    given = [text for text in grid.column(place) if text]
    return len(set(given)) == len(given)


def _by_list(grid: Grid, places: Places) -> bool:
    """The columns of a system that writes no header, if every one that can be checked fits."""
    for groups in LISTS.values():
        names = groups[0].split()
        if grid.width < len(names):
            continue
        at = {name: n for n, name in enumerate(names) if name != "-"}
        checked = {"duration": is_length, "seconds": is_length, "disposition": _is_ended}
        if dates.are_dates(grid.column(at["start"])) and all(
            _share([t for t in grid.column(at[n]) if t], fits) >= _MOSTLY for n, fits in checked.items()
        ):
            places.of.update({name: n for name, n in at.items() if name != "clid"})
            return True
    return False


def _is_ended(text: str) -> bool:
    return bare(text) in DISPOSITIONS or re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(?:[ _-][A-Za-z0-9]+)*", text) is not None


def _by_content(grid: Grid, places: Places, found: Suggestion, accounts: Collection[str]) -> bool:
    texts = [grid.column(n) for n in range(grid.width)]
    given = [[text for text in column if text] for column in texts]
    free = set(range(grid.width))

    def all_of(fits: object) -> list[int]:
        return [n for n in sorted(free) if given[n] and _share(given[n], fits) >= _MOSTLY]

    def take(ours: str, fitting: list[int]) -> None:
        free.difference_update(fitting)
        if len(fitting) == 1 or (fitting and len({tuple(texts[n]) for n in fitting}) == 1):
            places.of[ours] = fitting[0]
        elif fitting:
            found.ask("column", f"columns.{ours}", [str(n + 1) for n in fitting])

    unique = all_of(lambda text: bool(_UNIQUE.fullmatch(text)))
    take("call_id", [n for n in unique if _all_different(grid, n)][:1])
    free.difference_update(unique)
    dated = [n for n in sorted(free) if dates.are_dates(texts[n])]
    free.difference_update(dated)
    take("start", _earliest([n for n in dated if len(given[n]) == len(texts[n])], texts))
    take("disposition", all_of(lambda text: bare(text) in DISPOSITIONS))
    take("direction", all_of(lambda text: bare(text) in DIRECTIONS))
    channels = all_of(lambda text: bool(_CHANNEL.fullmatch(text)))
    free.difference_update(channels)
    full = [n for n in channels if len(given[n]) == len(texts[n])]
    if len(full) == 1:
        places.of["channel"] = full[0]
    callers = all_of(lambda text: bool(_CALLER.fullmatch(text)))
    free.difference_update(callers)
    named = [n for n in sorted(free) if any(text in accounts for text in given[n])]
    if named:
        # Never taken for sure: callers and numbers called may be extensions, too.
        found.ask("column", "columns.account", [str(n + 1) for n in named])
    take("seconds", all_of(is_length))
    _numbers(texts, all_of(lambda text: bool(_NUMBER.fullmatch(text)) or len(text) == 1), callers, places, found)
    return False


def _earliest(starts: list[int], texts: list[list[str]]) -> list[int]:
    """Of several columns of dates the one that is never behind another, if there is one."""
    if len(starts) < 2:
        return starts
    keys = {n: dates.instants(texts[n]) for n in starts}
    first = [n for n in starts if all(a <= b for m in starts for a, b in zip(keys[n], keys[m], strict=True))]
    return first[:1] if first else starts


def _numbers(texts: list[list[str]], fitting: list[int], callers: list[int], places: Places, found: Suggestion) -> None:
    """Which of two columns of numbers is the caller: the one that is also written ``"Name" <number>``."""
    shown = {_digits(m[1]) for n in callers for text in texts[n] if (m := _CALLER.fullmatch(text))}
    agree = [n for n in fitting if shown and all(_digits(text) in shown for text in texts[n] if text)]
    if len(agree) == 1 and len(fitting) == 2:
        places.of["from"] = agree[0]
        places.of["to"] = next(n for n in fitting if n != agree[0])
    elif fitting:
        for ours in ("from", "to"):
            found.ask("column", f"columns.{ours}", [str(n + 1) for n in fitting])


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text) or text


def _billable(grid: Grid, places: Places, found: Suggestion) -> None:
    """Decide which of several lengths is the billable one, and whether a lone duration is."""
    at = places.of
    open_part = "columns.seconds"
    if open_part in found.confidence:
        question = next(q for q in found.questions if q.part == open_part)
        named = [int(name) - 1 for name in question.candidates] if grid.titles is None else []
        shown = [place for place in named if _counts_from_answer(grid, at, place)]
        if len(shown) == 1:
            at["seconds"] = shown[0]
            whole = [place for place in named if place != shown[0] and _is_longer(grid, place, shown[0])]
            at |= {"duration": whole[0]} if len(whole) == 1 else {}
            found.questions.remove(question)
            del found.confidence[open_part]
        return
    if "seconds" in at or "duration" not in at:
        alone = "seconds" in at and grid.titles is None and "duration" not in at
        if alone and not _counts_from_answer(grid, at, at["seconds"]):
            found.ask("seconds", open_part, [str(at.pop("seconds") + 1)])
        return
    names = {bare(title) for title in grid.titles or ()}
    is_known = any(names >= titles for titles in CONNECTED)
    is_known &= not any(spent for _, spent in _missed(grid, at, at["duration"]))
    if is_known or _counts_from_answer(grid, at, at["duration"]):
        at["seconds"] = at.pop("duration")
    else:
        found.ask("seconds", open_part, [str(places.name(at.pop("duration")))], [row.line for row in grid.rows])


def _is_longer(grid: Grid, whole: int, part: int) -> bool:
    """Whether a column of lengths is never less than another, and has one where the other has one."""
    both = pairs(grid.column(part), grid.column(whole))
    return len(both) == len(grid.rows) and all(one <= other for one, other in both)


def _counts_from_answer(grid: Grid, at: dict[str, int], place: int) -> bool:
    """Whether a column of lengths is 0 in every row that was not answered, and one of these is of a call that rang."""
    missed = _missed(grid, at, place)
    return any(word == NO_ANSWER for word, _ in missed) and all(spent == 0 for _, spent in missed)


def _missed(grid: Grid, at: dict[str, int], place: int) -> list[tuple[str, int | None]]:
    """How each call that was not answered ended, and its length in a column."""
    if "disposition" not in at:
        return []
    ended = [DISPOSITIONS.get(bare(text), ANSWERED) for text in grid.column(at["disposition"])]
    spent = [seconds_of(text) for text in grid.column(place)]
    return [one for one in zip(ended, spent, strict=True) if one[0] != ANSWERED]
