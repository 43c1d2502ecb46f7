"""Starts in every date format: the vector engine reads them as the reference does, and reads them itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from examples import examples, share
from hypothesis import given
from hypothesis import strategies as st
from test_vector_engine import Case, Maker, compare

from chalicelib import periods
from chalicelib.rating.cdr import starts
from chalicelib.rating.cdr.declaration import Declaration
from chalicelib.rating.engine.vector import dates, words

WRITTEN = {
    "d/M/y H:m:s": "%-d/%-m/%Y %-H:%-M:%-S",
    "dd/MM/yy HH:mm": "%d/%m/%y %H:%M",
    "M/d/y, h:m:s a": "%-m/%-d/%Y, %-I:%M:%S %p",
    "d-MMM-yy H:m:s X": "%-d-%b-%y %H:%M:%S +0530",
    "yyyyMMdd-HHmmss": "%Y%m%d-%H%M%S",
    "dd.MM.yyyy HH:mm:ss": "%d.%m.%Y %H:%M:%S",
    "y-M-d H:m:s.SX": "%Y-%m-%d %H:%M:%S.125-03",
    "epoch_s": "%s",
    "epoch_ms": "%s250",
    "auto": "%Y-%m-%d %H:%M",
    "auto ": "%Y/%-m/%-d %-H:%M",
    "auto  ": "%Y-%m-%d %H:%M:%S.123456 UTC",
}
"""Date formats, and how the C library writes them; blanks tell several spellings of one format apart."""
BAD = ["", "x", "0", "31/2/2026 10:00:00", "2026-09-01 25:00", "1/13/2026 13:61:00", "1970-01-01 00:00:00", "9" * 14]
BAD += ["13/13/2026, 13:00:00 PM", "1-XYZ-26 10:00:00 Z", "99999999-999999", " 1/9/2026 10:00:00", "1/9/2026 10:00:00 "]


def written(spelling: str, at: int) -> str:
    if "%s" in spelling:
        return spelling.replace("%s", str(at))
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime(spelling)


class Dated(Maker):
    """Files whose starts are written in one spelling, some of them wrong."""

    spelling, odd = "", 0.03

    def start(self, tail: str, between: str) -> str:
        text = super().start("Z", "T")
        try:
            good = written(self.spelling, periods.parse_instant(text))
        except ValueError:
            return text
        return self.dice.choice([*BAD, good[:-1], good + "0"]) if self.dice.random() < self.odd else good


def case_of(seed: int, name: str) -> Case:
    maker = Dated(seed)
    maker.spelling = WRITTEN[name]
    case = maker.case(300)
    return replace(case, source=case.source._replace(declares=Declaration(date_format=name.strip())))


@pytest.mark.parametrize("name", WRITTEN)
def test_both_engines_agree_on_starts_of_every_format(name: str):
    outcomes = [compare(case_of(seed, name)) for seed in range(share(6))]
    assert sum(plain for _, plain in outcomes) > share(100)


def read(texts: list[str], zone: str, date_format: str) -> tuple[Any, Any]:
    """The instants of texts by columns, and which texts were read."""
    lengths = np.array([len(text) for text in texts], np.int64)
    begins = np.cumsum(lengths + 1) - lengths - 1
    buffer = np.frombuffer(",".join(texts).encode("latin-1") + b",," + bytes(words.PAD), np.uint8)
    book: Any = type("Book", (), {"month": staticmethod(lambda instant: instant // 2_592_000)})
    start, month, good = dates.read(buffer, begins, lengths, np.ones(len(texts), bool), zone, date_format, book)
    assert (month[good] == start[good] // 2_592_000).all()
    return start, good


@pytest.mark.parametrize("name", WRITTEN)
def test_starts_of_every_format_are_all_read_by_columns(name: str):
    instants = list(range(1_767_225_600, 1_830_000_000, 86_400 * 5 + 3_661))
    texts = [written(WRITTEN[name], at) for at in instants]
    start, good = read(texts, "UTC", name.strip())
    assert good.all()
    assert start.tolist() == [starts.reader(name.strip(), periods.calendar("UTC"))(text) for text in texts]


NEAR = st.sampled_from([1_772_953_200, 1_793_511_000, 1_791_039_600, 1_774_746_000, 1_793_494_800])
"""Instants at which clocks change in some of the zones."""


@given(
    name=st.sampled_from(sorted(WRITTEN)),
    zone=st.sampled_from(["America/Toronto", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Kathmandu"]),
    instants=st.lists(
        st.integers(600_000_000, 4_200_000_000) | st.builds(int.__add__, NEAR, st.integers(-90_000, 90_000)),
        min_size=1,
        max_size=30,
    ),
    broken=st.lists(
        st.tuples(st.integers(0, 29), st.sampled_from(BAD) | st.text("0123456789/-: ,apmAPMZ+.T")), max_size=3
    ),
)
@examples(300)
def test_what_is_read_by_columns_is_what_is_read_by_line(
    name: str, zone: str, instants: list[int], broken: list[tuple[int, str]]
):
    texts = [written(WRITTEN[name], at) for at in instants]
    for place, text in broken:
        texts[place % len(texts)] = text
    start, good = read(texts, zone, name.strip())
    by_line = starts.reader(name.strip(), periods.calendar(zone))
    for text, at, known in zip(texts, start.tolist(), good.tolist(), strict=True):
        if known:
            assert at == by_line(text), text


def test_a_few_starts_with_seconds_do_not_send_all_others_to_the_reference():
    start, good = read(["2026-09-01 10:00:00", *["2026-09-01 10:00"] * 9], "UTC", "auto")
    assert good.all()
    assert set(start.tolist()) == {1_788_256_800}


def test_dates_are_read_among_texts_of_many_other_shapes():
    texts = [chr(65 + n % 26) * (n // 26 + 1) for n in range(500)] + ["1/9/2017 16:33:01"] * 3
    start, good = read(texts, "UTC", "d/M/y H:m:s")
    assert not good[:500].any()
    assert start[good].tolist() == [1_504_283_581] * 3


@pytest.mark.parametrize("rest", [b'"' * 7, b"x" * 20_000, b"\xc3", b'"a\nb"'])
def test_a_chunk_without_one_start_is_read_by_both_engines_alike(rest: bytes):
    case = case_of(0, "M/d/y, h:m:s a")
    rated, _ = compare(replace(case, data=case.data + b"\n" + (rest + b"\n") * 3, chunk_bytes=20))
    assert rated > 0
