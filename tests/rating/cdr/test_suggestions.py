"""A suggestion never makes a wrong call of a line of any file: the call is right, refused, or a question."""

from __future__ import annotations

import copy
import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from examples import examples
from hypothesis import Phase, given
from hypothesis import strategies as st
from test_corpus import World, meant

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.cdr.suggest import suggest
from chalicelib.rating.cdr.suggest.found import Suggestion
from chalicelib.rating.cdr.suggest.titles import DISPOSITIONS, TITLES

UNITS = {"s": lambda seconds: str(seconds), "ms": lambda seconds: str(1000 * seconds), "min": lambda n: f"{n / 60:.2f}"}
"""How a length is written in each unit."""
ACCOUNTS, DID = ("1001", "1002", "acme"), "+15145550100"
FORMATS = {
    "{y:04}-{M:02}-{d:02} {H:02}:{m:02}:{s:02}": "auto",
    "{y:04}-{M:02}-{d:02}T{H:02}:{m:02}:{s:02}Z": "auto",
    "{d}/{M}/{y} {H}:{m:02}:{s:02}": "d/M/y H:m:s",
    "{M}/{d}/{y} {H}:{m:02}:{s:02}": "M/d/y H:m:s",
    "{d:02}.{M:02}.{y} {H:02}:{m:02}:{s:02}": "d.M.y H:m:s",
    "{y2:02}/{M:02}/{d:02} {H:02}:{m:02}:{s:02}": "yy/M/d H:m:s",
    "{d:02}/{M:02}/{y2:02} {H:02}:{m:02}:{s:02}": "d/M/yy H:m:s",
    "{y:04}{M:02}{d:02}-{H:02}{m:02}{s:02}": "auto",
    "{y:04}-{M:02}-{d:02} {H:02}:{m:02}:{s:02} -0500": "auto",
    "{epoch}": "epoch_s",
}
"""How starts are written -> the date format of a source that reads them."""
SHIFTS = {form: 0 for form in FORMATS if form.endswith(("Z", "epoch}"))} | {
    form: -5 * 3600 for form in FORMATS if "-0500" in form
}
"""Formats that say their offset from UTC, in seconds."""
ZONES = ("UTC", "America/Toronto", "Asia/Kolkata")
SECONDS = re.compile("(?<!m)(sec|seg)")
"""What of a title says seconds."""
WORDS = {ours: sorted(word for word, of in DISPOSITIONS.items() if of == ours) for ours in set(DISPOSITIONS.values())}
NEEDED = ("start", "from", "to", "account", "seconds", "disposition")
EXTRA = ("duration", "direction", "call_id", "noise", "answer", "end")


def written(form: str, at: int, zone: str) -> str:
    """An instant as a switch in a zone writes it."""
    shift = SHIFTS.get(form)
    clock = dt.datetime.fromtimestamp(at + (shift or 0), ZoneInfo(zone) if shift is None else dt.UTC)
    day, y2 = {"y": clock.year, "M": clock.month, "d": clock.day}, clock.year % 100
    return form.format(**day, y2=y2, H=clock.hour, m=clock.minute, s=clock.second, epoch=at)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    inbound = draw(st.booleans())
    ended = draw(st.sampled_from(sorted(WORDS)))
    seconds = draw(st.integers(1, 4000)) if ended == "ANSWERED" else 0
    return {
        "start": draw(st.integers(1_767_230_000, 1_790_000_000)) // 60 * 60 + draw(st.integers(0, 59)),
        "direction": "inbound" if inbound else "outbound",
        "account": draw(st.sampled_from(("", *ACCOUNTS))) if inbound else draw(st.sampled_from(ACCOUNTS)),
        "from": "+14165550123" if inbound else draw(st.sampled_from(("1001", "+15145550100"))),
        "to": DID if inbound else draw(st.sampled_from(("+12125550100", "+442079460000", "1002"))),
        "disposition": ended,
        "seconds": seconds,
        "duration": seconds + draw(st.integers(1 if ended == "NO ANSWER" else 0, 30)),
    }


@dataclass
class Drawn:
    """A file, and what it means. ``order``: what its columns are; ``titles``: theirs, empty without a header;
    ``form`` and ``zone``: of its dates; ``counts``: whether some column has the billable seconds; ``calls``: in the
    order of its lines, with their numbers; ``unit``: of its lengths; ``home``: the reseller's zone; ``declared``: the
    source that holds for it already."""

    text: str
    order: list[str]
    titles: dict[str, str]
    form: str
    zone: str
    counts: bool
    calls: list[dict[str, Any]]
    unit: str
    home: str
    declared: dict[str, Any]

    @property
    def names_callers(self) -> bool:
        """Whether its column of accounts never names who answered a call."""
        return "direction" in self.order or not any(c["account"] and c["direction"] == "inbound" for c in self.calls)

    @property
    def world(self) -> World:
        told = {
            "home": "US",
            "zone": self.home,
            "source": self.declared,
            "accounts": list(ACCOUNTS),
            "dids": [DID],
            "callers": {},
        }
        return World(self.text.encode(), told)


@st.composite
def files(draw: st.DrawFn) -> Drawn:
    truth = draw(st.lists(calls(), min_size=1, max_size=8))
    form, zone = draw(st.sampled_from(sorted(FORMATS))), draw(st.sampled_from(ZONES))
    order = draw(st.permutations([*NEEDED, *draw(st.sets(st.sampled_from(EXTRA)))]))
    lengths = draw(st.sampled_from(("seconds", "seconds", "from the answer on", "with the ringing")))
    if lengths != "seconds":
        # The file has no billable seconds, but only a duration.
        order = [name for name in order if name != "duration"]
        order[order.index("seconds")] = "duration"
    delimiter, titled = draw(st.sampled_from(",;\t")), draw(st.booleans())
    unit, home = draw(st.sampled_from(("s", "s", *UNITS))), draw(st.sampled_from((zone, "America/Vancouver")))
    declared: dict[str, Any] = {"time_zone": zone} if home != zone else draw(st.sampled_from(({}, {"strip": ["*67"]})))
    titles, lines = dict[str, str](), []
    if titled:
        titles = {ours: draw(st.sampled_from(" ".join(groups).split())) for ours, groups in TITLES.items()}
        # A column whose title says seconds has seconds: a file that belies its own titles shows it to no reader.
        unit = "s" if any(SECONDS.search(titles[name]) for name in ("seconds", "duration") if name in order) else unit
        if form.count(" ") == 1 and "-0500" not in form and draw(st.booleans()):
            order.insert(order.index("start") + draw(st.integers(0, 1)), "time")
            titles |= {"start": "Date", "time": "Time"}
        titles |= {"answer": "Answer time", "end": "End time"}
        titles = {name: titles.get(name, "Remark") for name in order}
        lines.append(delimiter.join(titles.values()))
    for n, call in enumerate(truth):
        end = call["start"] + call["duration"]
        shown = {
            **call,
            "seconds": UNITS[unit](call["seconds"]),
            "duration": UNITS[unit](call["seconds" if lengths == "from the answer on" else "duration"]),
            "start": written(form, call["start"], zone),
            "answer": written(form, end - call["seconds"], zone) if call["seconds"] else "",
            "end": written(form, end, zone),
            "disposition": draw(st.sampled_from(WORDS[call["disposition"]])),
            "call_id": f"{1_795_440_600 + n}.{n}",
            "noise": draw(st.sampled_from(("", "x", "17"))),
        }
        if "time" in order:
            shown["start"], shown["time"] = shown["start"].split(" ")
        lines.append(delimiter.join(str(shown[name]) for name in order))
        call["line"] = len(lines)
    return Drawn(
        "\n".join([*lines, ""]), order, titles, form, zone, lengths != "with the ringing", truth, unit, home, declared
    )


def suggested(file: Drawn) -> Suggestion:
    """What the preview suggests for a file, with the source that is declared already."""
    world = file.world
    source = world.source()
    layout, first = next(formats.laid_out(world.parts, source))
    found = suggest(first, layout.name != "unknown", world.known, source.plan, file.declared)
    found.source = found.source or file.declared
    assert file.declared.items() <= found.source.items()
    return found


def answered(file: Drawn, found: Suggestion) -> dict[str, Any]:
    """The suggested source after a person who knows the file has answered its questions."""
    source = copy.deepcopy(found.source)
    for question in found.questions:
        whole, _, part = question.part.partition(".")
        if part == "account" and not file.names_callers:
            continue
        if whole == "columns":
            ours = part if part in file.order else "duration"
            if ours in file.order and (ours == part or (part == "seconds" and file.counts)):
                source.setdefault("columns", {})[part] = file.titles.get(ours) or file.order.index(ours) + 1
        elif question.code == "unit":
            source["seconds_format"] = file.unit
        elif question.part == "date_format":
            source["date_format"] = FORMATS[file.form]
        elif question.part == "account" and file.names_callers:
            source.setdefault("columns", {})["account"] = file.titles.get("account") or file.order.index("account") + 1
            source["account"] = ["column"]
    return source


def right(file: Drawn, source: dict[str, Any]) -> int:
    """How many lines of a file are read; each of them must be the call that it means."""
    world = file.world
    world.told["source"] = source
    found, *_ = meant(world)
    truth = {call["line"]: call for call in file.calls}
    for call in found:
        expected = {name: truth[call["line"]][name] for name in ("direction", "to", "disposition", "seconds")}
        expected["start"] = periods.format_instant(truth[call["line"]]["start"])
        assert {name: call[name] for name in expected} == expected, file.text
        assert call["account"] == truth[call["line"]]["account"] or call["direction"] == "inbound"
    return len(found)


@given(files())
@examples(400)
def test_a_suggestion_never_makes_a_wrong_call(file: Drawn) -> None:
    assert right(file, suggested(file).source) <= len(file.calls)


def test_files_are_read_once_the_questions_are_answered() -> None:
    read: list[bool] = []

    @given(files())
    @examples(400, 100, database=None, phases=[Phase.generate])
    def each(file: Drawn) -> None:
        lines = right(file, answered(file, suggested(file)))
        assert file.counts or lines == 0
        if file.counts and file.names_callers:
            read.append(lines == len(file.calls))

    each()
    assert len(read) >= 30
    assert sum(read) >= 0.95 * len(read)


def headerless(*rows: str) -> Suggestion:
    known = Known(frozenset(ACCOUNTS), frozenset((DID,)), {})
    return suggest(Chunk(1, "\n".join([*rows, ""]).encode()), False, known, DialPlan("US", accounts=known.accounts))


def test_extensions_are_not_taken_for_the_seconds_of_the_whole_call() -> None:
    found = headerless(
        "2026-01-14 06:04:58,1001,+442079460000,1002,21,answered",
        "2026-01-15 06:04:58,1002,+442079460000,1001,30,answered",
    )
    assert not {"seconds", "duration"} & set(found.source["columns"])
    asked = {question.part: question.candidates for question in found.questions}
    assert asked["columns.seconds"] == ["2", "4", "5"]
    assert asked["columns.account"] == ["2", "4"]


def test_a_call_that_failed_at_once_does_not_show_what_a_duration_counts() -> None:
    rows = ("2026-01-14 06:04:58,acme,+442079460000,21,answered", "2026-01-14 06:04:58,acme,+442079460000,0,{}")
    assert headerless(rows[0], rows[1].format("failed")).confidence["columns.seconds"] == "question"
    assert headerless(rows[0], rows[1].format("no answer")).source["columns"]["seconds"] == 4


def test_dates_that_fit_two_formats_are_asked_and_not_declared() -> None:
    text = "Start,From,To,Account,Billsec,Status\n1/9/2026 16:33:01,1001,+14165550123,acme,61,answered\n"
    known = Known(frozenset(ACCOUNTS), frozenset((DID,)), {})
    found = suggest(Chunk(1, text.encode()), False, known, DialPlan("US", accounts=known.accounts))
    assert "date_format" not in found.source and found.confidence["date_format"] == "question"
    (asked,) = found.questions
    assert asked.candidates == ["d/M/y H:m:s", "M/d/y H:m:s"]


@pytest.mark.parametrize("title", ["Extension", "User", "Agent", "Poste", "Account"])
def test_a_column_that_may_name_who_answered_is_a_question(title: str) -> None:
    text = (
        f"Start,{title},From,To,Talk time,Status\n"
        "2026-11-23 08:30:00,1001,1001,+14165550123,61,answered\n"
        f"2026-11-23 08:40:00,1001,+14165550123,{DID[1:]},61,answered\n"
    )
    known = Known(frozenset(ACCOUNTS), frozenset((DID,)), {})
    plan = DialPlan("US", accounts=known.accounts)
    found = suggest(Chunk(1, text.encode()), False, known, plan)
    part, candidates = ("account", ["column"]) if title == "Account" else ("columns.account", [title])
    (asked,) = [question for question in found.questions if question.part == part]
    assert (asked.code, asked.candidates, asked.lines) == ("names_account", candidates, [3])
    assert "account" not in found.source["columns"]
    outbound = "".join(text.splitlines(keepends=True)[:2])
    assert suggest(Chunk(1, outbound.encode()), False, known, plan).source["columns"]["account"] == title


def called(*numbers: str, dids: tuple[str, ...] = (DID,)) -> Suggestion:
    rows = [f"2026-11-23 08:30:{n:02},1001,1001,{number},61,answered" for n, number in enumerate(numbers)]
    text = "\n".join(["Start,Account,From,To,Billsec,Status", *rows, ""])
    known = Known(frozenset(ACCOUNTS), frozenset(dids), {})
    return suggest(Chunk(1, text.encode()), False, known, DialPlan("US", accounts=known.accounts))


HELD = ("+15145550100", "+15145550101", "+15145550102")


@pytest.mark.parametrize(
    "numbers", [("5550100",), ("5550100", "5550101"), ("5550100", "5550101", "5550102", "7771234")]
)
def test_numbers_that_end_as_a_held_one_by_chance_declare_no_area(numbers: tuple[str, ...]) -> None:
    found = called(*numbers, dids=HELD)
    assert "local_numbers" not in found.source
    assert [(each.code, each.candidates) for each in found.questions] == [("local_area", ["+1514"])]


def test_several_numbers_and_no_others_of_one_area_declare_it() -> None:
    found = called("5550100", "5550101", "5550102", dids=HELD)
    assert found.source["local_numbers"] == [{"digits": 7, "prefix": "+1514"}]


def test_one_number_behind_a_prefix_is_a_question() -> None:
    assert [(each.code, each.candidates) for each in called("9+12125550100").questions] == [("prefix", ["9"])]
    assert called("9+12125550100", "9+12125550101").source["strip"] == ["9"]


def test_a_column_of_unknown_words_is_not_taken_for_answered_calls() -> None:
    text = "Start,Account,From,To,Billsec,How\n2026-11-23 08:30:00,1001,1001,+14165550123,61,Gesprochen\n"
    known = Known(frozenset(ACCOUNTS), frozenset((DID,)), {})
    found = suggest(Chunk(1, text.encode()), False, known, DialPlan("US", accounts=known.accounts))
    assert "defaults" not in found.source
    assert [(each.code, each.part) for each in found.questions] == [("one_column", "columns.disposition")]
    assert found.questions[0].message == "column How may be columns.disposition; say whether it is"
