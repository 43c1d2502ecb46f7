"""Rows that are written column by column have the same bytes as rows written one by one."""

from __future__ import annotations

import numpy as np
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rated_rows import row_of

from chalicelib.calls.format import RatedCall, decode, pack, quoted
from chalicelib.rating.batches.rated_csv import RatedRows, render
from chalicelib.rating.engine.columns import CODES, Texts
from chalicelib.rating.engine.term_columns import TermColumns, texts

DAY = 1795392000
word = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12) | st.sampled_from(
    ['"', ",", "\r\n", 'a"b', "é", "x" * 128]
)
count = st.integers(0, 99_999)
edge = st.sampled_from([0, 1, 9, 10, 99, 100, 9_999, 10_000, 10_001, 99_990_000, 10**8 - 1, 10**8, 10**12, 10**16])
amount = st.integers(0, 10**18) | edge | st.integers(-100, 10**10)
line = st.integers(1, 10**9) | edge
rated = st.builds(
    RatedCall, st.integers(DAY, DAY + 86_399), st.sampled_from(["outbound", "inbound"]),
    st.sampled_from(["ANSWERED", "NO ANSWER", "BUSY", "FAILED"]), word, word, word, word, count, count, count,
    amount, amount, line, st.just("cl_1"), word, word, word, word, st.integers(0, 10**13) | edge, st.just("b1"),
)  # fmt: skip


def rows_of(calls: list[RatedCall]) -> RatedRows:
    def numbers(name: str) -> np.ndarray:
        return np.array([getattr(call, name) for call in calls], np.int64)

    def words(name: str) -> np.ndarray:
        return texts([getattr(call, name) for call in calls])

    return RatedRows(
        Texts(words("call_id"), words("account"), words("from_number"), words("to_number")),
        numbers("start"),
        np.array([CODES[call.direction, call.disposition] for call in calls]),
        numbers("seconds"),
        numbers("billed_seconds"),
        numbers("free_seconds"),
        numbers("amount_e8"),
        numbers("cost_e8"),
        numbers("line"),
        TermColumns(
            *map(words, ("package_id", "destination", "country", "rule")), numbers("rate_e10"), numbers("line") < 0
        ).at,
        b",cl_1,",
        b",b1\r\n",
    )


@given(calls=st.lists(rated, min_size=1, max_size=12), first=st.integers(0, 5))
@examples(300)
def test_many_rows_at_once_read_as_one_by_one(calls: list[RatedCall], first: int):
    first = min(first, len(calls) - 1)
    rendered = render(rows_of(calls), first, len(calls))
    assert rendered.decode() == "".join(row_of(call) + "\r\n" for call in calls[first:])
    assert list(decode(pack(rendered))) == calls[first:]


def test_texts_keep_the_quotes_that_csv_needs():
    assert texts(["a,b", 'c"d', "e", ""]).tolist() == [quoted(each).encode() for each in ("a,b", 'c"d', "e", "")]
