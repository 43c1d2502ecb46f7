"""Pages and totals of calls over days and months, beside a plain search through all calls."""

from __future__ import annotations

from itertools import product
from typing import Any

from builders import World, csv_file, line

from chalicelib import periods
from chalicelib.calls import search
from chalicelib.calls.search import Selection
from chalicelib.calls.totals import Totals

DAYS = ("2026-07-31", "2026-08-01", "2026-08-31", "2026-09-01", "2026-09-10")


def instant(day: str) -> int:
    return periods.calendar("UTC").day_start(day)


def test_pages_and_totals_of_any_span_are_those_of_its_calls(world: World) -> None:
    starts = [f"{day}T{time}Z" for day, time in product(DAYS, ("00:00:00", "12:30:00", "23:59:59"))]
    for part in (starts[::2], starts[1::2]):
        lines = [line(f"{who}-{start}", who, 60, start=start) for start in part for who in ("alice", "bob")]
        assert world.rate(csv_file(*lines)).rejected == 0
    whole = Selection(instant(DAYS[0]), instant("2026-09-11"))
    every = search.page(world.reseller_id, whole, None, 100)
    assert len(every) == 2 * len(starts)
    bounds = [instant(day) + more for day in DAYS for more in (0, 45_000)] + [whole.end]
    for first, last in product(bounds, bounds):
        for client_id in (None, world.clients["alice"]):
            selection = Selection(first, last, client_id=client_id)
            wanted = [call for call in every if selection.wants(call) and client_id in (None, call.client_id)]
            assert search.totals(world.reseller_id, selection) == Totals.of(wanted)
            found: list[Any] = []
            while page := search.page(world.reseller_id, selection, search.place_of(found[-1]) if found else None, 7):
                found += page
            assert found == wanted
