"""A suggestion never makes a wrong call of a line of any file: the call is right, refused, or a question."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from test_corpus import World, meant

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.cdr.suggest import suggest
from chalicelib.rating.cdr.suggest.titles import DISPOSITIONS, TITLES

ACCOUNTS, DID = ("1001", "1002", "acme"), "+15145550100"
FORMATS = (
    "{y:04}-{M:02}-{d:02} {H:02}:{m:02}:{s:02}", "{y:04}-{M:02}-{d:02}T{H:02}:{m:02}:{s:02}Z",
    "{d}/{M}/{y} {H}:{m:02}:{s:02}", "{M}/{d}/{y} {H}:{m:02}:{s:02}", "{d:02}.{M:02}.{y} {H:02}:{m:02}:{s:02}",
    "{y2:02}/{M:02}/{d:02} {H:02}:{m:02}:{s:02}", "{d:02}/{M:02}/{y2:02} {H:02}:{m:02}:{s:02}",
    "{y:04}{M:02}{d:02}-{H:02}{m:02}{s:02}", "{y:04}-{M:02}-{d:02} {H:02}:{m:02}:{s:02} -0500", "{epoch}",
)  # fmt: skip
SHIFTS = {FORMATS[1]: 0, FORMATS[8]: -5 * 3600, FORMATS[9]: 0}
"""Formats that say their offset from UTC, in seconds."""
ZONES = ("UTC", "America/Toronto", "Asia/Kolkata")
WORDS = {ours: sorted(word for word, of in DISPOSITIONS.items() if of == ours) for ours in set(DISPOSITIONS.values())}
NEEDED = ("start", "from", "to", "account", "seconds", "disposition")
EXTRA = ("duration", "direction", "call_id", "noise")


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
        "account": "" if inbound else draw(st.sampled_from(ACCOUNTS)),
        "from": "+14165550123" if inbound else draw(st.sampled_from(("1001", "+15145550100"))),
        "to": DID if inbound else draw(st.sampled_from(("+12125550100", "+442079460000", "1002"))),
        "disposition": ended,
        "seconds": seconds,
        "duration": seconds + draw(st.integers(1 if ended == "NO ANSWER" else 0, 30)),
    }


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, list[dict[str, Any]]]:
    """The text of a file, the zone of its clocks, and the calls that it means, in the order of its lines."""
    truth = draw(st.lists(calls(), min_size=1, max_size=8))
    form, zone = draw(st.sampled_from(FORMATS)), draw(st.sampled_from(ZONES))
    order = draw(st.permutations([*NEEDED, *draw(st.sets(st.sampled_from(EXTRA)))]))
    if draw(st.booleans()):
        # A file that has no billable seconds, but only those of the whole call.
        order = [name for name in order if name != "duration"]
        order[order.index("seconds")] = "duration"
    delimiter, titled = draw(st.sampled_from(",;\t")), draw(st.booleans())
    lines = []
    if titled:
        titles = {ours: draw(st.sampled_from(" ".join(groups).split())) for ours, groups in TITLES.items()}
        lines.append(delimiter.join(titles.get(name, "Remark") for name in order))
    for n, call in enumerate(truth):
        shown = {
            **call,
            "start": written(form, call["start"], zone),
            "disposition": draw(st.sampled_from(WORDS[call["disposition"]])),
            "call_id": f"{1_795_440_600 + n}.{n}",
            "noise": draw(st.sampled_from(("", "x", "17"))),
        }
        lines.append(delimiter.join(str(shown[name]) for name in order))
        call["line"] = len(lines)
    return "\n".join([*lines, ""]), zone, truth


@given(files())
@examples(400)
def test_a_suggestion_never_makes_a_wrong_call(file: tuple[str, str, list[dict[str, Any]]]) -> None:
    text, zone, truth = file
    told = {"home": "US", "zone": zone, "accounts": list(ACCOUNTS), "dids": [DID], "callers": {}, "suggested": True}
    found, *_ = meant(World(text.encode(), told))
    right = {call["line"]: call for call in truth}
    for call in found:
        expected = {name: right[call["line"]][name] for name in ("direction", "to", "disposition", "seconds")}
        expected["start"] = periods.format_instant(right[call["line"]]["start"])
        assert {name: call[name] for name in expected} == expected, text
        assert call["account"] == right[call["line"]]["account"] or call["direction"] == "inbound"


def test_dates_that_fit_two_formats_are_asked_and_not_declared() -> None:
    text = "Start,From,To,Account,Billsec,Status\n1/9/2026 16:33:01,1001,+14165550123,acme,61,answered\n"
    known = Known(frozenset(ACCOUNTS), frozenset((DID,)), {})
    found = suggest(Chunk(1, text.encode()), False, known, DialPlan("US", accounts=known.accounts))
    assert "date_format" not in found.source and found.confidence["date_format"] == "question"
    (asked,) = found.questions
    assert asked.candidates == ["d/M/y H:m:s", "M/d/y H:m:s"]
