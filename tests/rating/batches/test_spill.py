"""Spilled lines take only a few bytes of memory each, however many clients they belong to."""

from __future__ import annotations

import tempfile
import tracemalloc

import numpy as np

from chalicelib import periods
from chalicelib.client_month import ClientMonth
from chalicelib.rating.batches import spill
from chalicelib.rating.batches.spill import Spill
from chalicelib.rating.engine.columns import ROW, Columns, Texts
from chalicelib.rating.pricing.ownership import Ownership
from chalicelib.rating.pricing.rate_book import Holder, RateBook
from chalicelib.rating.pricing.terms import Terms

CLIENTS, FIRST = 500, 1_788_220_800


def rate_book() -> RateBook:
    made = RateBook(Ownership({}, {}), Terms([], []), {}, periods.calendar("UTC"))
    for n in range(CLIENTS):
        made.holders.number(Holder(f"sub:{n}", f"c{n:04d}", "p1"))
    made.months.number("2026-09")
    return made


def a_call_of_each(number: int) -> Columns:
    rows = np.zeros(CLIENTS, ROW)
    rows["line"], rows["start"], rows["holder"] = np.arange(CLIENTS) + number * CLIENTS, FIRST, np.arange(CLIENTS)
    texts = Texts(*(np.full(CLIENTS, b"%d" % number) for _ in Texts._fields))
    return Columns(rows, lambda: texts, ())


def test_many_clients_with_a_call_each_in_every_chunk_take_a_few_bytes_a_call(monkeypatch):
    monkeypatch.setattr(spill, "CHUNK_ROWS", CLIENTS)
    with tempfile.TemporaryFile() as file:
        aside = Spill(file, rate_book())
        tracemalloc.start()
        try:
            for number in range(10):
                aside.add(a_call_of_each(number))
            before = tracemalloc.get_traced_memory()[0]
            for number in range(10, 60):
                aside.add(a_call_of_each(number))
            assert tracemalloc.get_traced_memory()[0] - before < 20 * 50 * CLIENTS
        finally:
            tracemalloc.stop()
        (first, *_), day = aside.client_months(), FIRST // 86_400
        assert (len(aside.client_months()), first, aside.days(first), aside.line_count(first)) == (
            CLIENTS,
            ClientMonth("c0000", "2026-09"),
            [day],
            60,
        )
        rows, texts = aside.lines(first, day)
        assert rows["line"].tolist() == [number * CLIENTS for number in range(60)]
        assert texts.call_id.tolist() == [b"%d" % number for number in range(60)]
