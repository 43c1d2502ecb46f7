"""Decks of 200,000 lines through a local stack: previews over HTTP, and publication from the end of the upload.

Each is measured for a first deck of a route, and for one that replaces another of that size while calls of the last
30 days are there to weigh it by. ``python -m benchmarks.decks FILE [OTHER CALLS]`` reads and examines one file in its
own process, without AWS: there a preview's memory is measured, because the API of a stack shares its process with the
emulated AWS.
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from benchmarks import baselines, machine, whole
from benchmarks.plan import FULL, FULL_SIZE, Plan
from benchmarks.sample import DAYS, FIRST, Samples, Span, deck_lines
from benchmarks.shop import DECK_DAY, World, over_http
from benchmarks.table import NOT_JUDGED, Row, judged, seconds
from chalicelib.rating.decks import reading
from chalicelib.rating.decks.deck import Deck, DeckLine, compile_deck
from chalicelib.rating.decks.difference import difference
from chalicelib.rating.decks.suspicions import suspicions

CALLS = 100_000
"""Calls by which a new deck is weighed: the product reads no more of them."""
FIRST_DECK, REPLACES = "first deck", "replaces one"
_ENDED = ("published", "held", "refused")
_LOOK_EVERY = 0.1
_WHOLE = 1_000
"""The sample's decks begin with fewer prefixes of whole countries and area codes than this."""


def carrier_lines(size: int, change: int) -> Iterator[DeckLine]:
    """The deck of a carrier, by destination as carriers send it.

    With ``change`` 1 every third price is 5 % higher, and one prefix in a hundred is another one; those of whole
    countries and area codes stay.
    """
    given = (
        line._replace(rate_e10=line.rate_e10 * 21 // 20) if change and place % 3 == 0 else line
        for place, line in enumerate(deck_lines(size + size // 50))
        if place < _WHOLE or place % 100 != (50 if change else 0)
    )
    return iter(sorted(islice(given, size), key=attrgetter("destination", "prefix")))


def carrier_text(size: int, change: int) -> Iterator[str]:
    """It as a carrier sends it: semicolons, decimal commas, increments in one cell, and a column of no use."""
    yield "Destination;Dial Code;Rate per min;Billing Increment;Remark\n"
    for line in carrier_lines(size, change):
        price = f"{line.rate_e10 // 10**10},{line.rate_e10 % 10**10:010d}"
        yield f"{line.destination};{line.prefix};{price};{line.initial}/{line.increment};\n"


def carrier_file(samples: Samples, size: int, change: int) -> Path:
    return samples.cached(f"carrier-{size}-{change}-sorted.csv", partial(carrier_text, size, change))


class _Decks:
    """The operator's requests about decks to a stack."""

    def __init__(self, on: whole.Bench) -> None:
        self._on = on

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        return over_http(self._on.stack.url, self._on.stack.operator_key)(method, path, body)

    def preview(self, file: Path, route: str, day: str) -> dict[str, Any]:
        """``wall`` seconds of a preview that finds nothing wrong; ``RuntimeError`` for any other."""
        packed = base64.b64encode(gzip.compress(file.read_bytes(), 6)).decode()
        body = {"text": packed, "base64": True, "filename": "a.csv", "route": route, "effective_from": day}
        began = time.perf_counter()
        answer = self._send("POST", "/v1/deck-preview", body)
        wall = time.perf_counter() - began
        if answer["wrong"] or answer["questions"] or answer["prefixes"] != answer["lines"]:
            raise RuntimeError(f"the preview went wrong: {answer['errors'] or answer['questions']}")
        return {"wall": wall, "difference": answer["difference"]}

    def publish(self, file: Path, route: str, day: str, number: int) -> dict[str, Any]:
        """``wall`` seconds from the end of the upload until the deck is published, with the confirmation if it is
        held; ``confirmed``: those of the confirmation."""
        key = f"incoming/decks/{route}/{day}-{number}.csv"
        with file.open("rb") as body:
            self._on.stack.client("s3").put_object(Bucket=whole.BUCKET, Key=key, Body=body)
        began, deck = time.perf_counter(), None
        while deck is None:
            time.sleep(_LOOK_EVERY)
            if time.perf_counter() - began > whole.PATIENCE_SECONDS:
                raise RuntimeError(f"{key} was not read in time")
            found = self._send("GET", "/v1/decks")["items"]
            deck = next(
                (one for one in found if one["file"] == key.rpartition("/")[2] and one["status"] in _ENDED), None
            )
        read = time.perf_counter()
        if deck["status"] == "held":
            shown = self._send("GET", f"/v1/decks/{deck['id']}")
            accept = {"accept": [each["code"] for each in shown["suspicions"]]}
            deck = self._send("POST", f"/v1/decks/{deck['id']}/publish", accept)
        if deck["status"] != "published":
            raise RuntimeError(f"{key} became {deck['status']}")
        return {"wall": time.perf_counter() - began, "confirmed": time.perf_counter() - read}


def measure(samples: Samples, size: int, rounds: int) -> dict[str, Any]:
    """``csv.reader``, then previews and publications by ``FIRST_DECK`` and ``REPLACES``, in turn; ``memory`` of the
    rating process, and of the previews."""
    files = [carrier_file(samples, size, change) for change in (0, 1)]
    found: dict[str, Any] = {"csv.reader": [], "memory": {}}
    today = datetime.now(UTC).date()
    with whole.bench(samples, 1_000) as on:
        decks, worker = _Decks(on), machine.child_running(on.stack.running.pid, "worker")
        first_day = today - timedelta(days=700)
        for number in range(rounds):
            # Each is for an earlier day than the one before, so no deck is in force on its first day.
            day = (first_day - timedelta(days=number)).isoformat()
            _turn(found, FIRST_DECK, decks, files[number % 2], "premium", day, number)
        found["memory"]["publish", FIRST_DECK] = on.worker_mb()
        decks.publish(files[0], "value", DECK_DAY, 0)
        since = (today - timedelta(days=DAYS) - FIRST.date()).days * 1440
        on.rate(samples.calls(CALLS, Span(since)), "weighing.csv")
        # Compaction, which follows, is no part of what is measured.
        on.rest()
        if worker:
            machine.forget_peak(worker)
        for number in range(rounds):
            day = (today + timedelta(days=1 + number)).isoformat()
            _turn(found, REPLACES, decks, files[(number + 1) % 2], "value", day, number)
        found["memory"]["publish", REPLACES] = on.worker_mb()
    old = samples.cached(f"carrier-{size}-0-sorted.deck", lambda: [compile_deck(carrier_lines(size, 0))])
    for case, more in ((FIRST_DECK, ()), (REPLACES, (old, samples.calls(CALLS)))):
        examined = machine.in_child("decks", files[1], *more)
        found["memory"]["preview", case] = examined["peak_mb"]
    return found


def _turn(found: dict[str, Any], case: str, decks: _Decks, file: Path, route: str, day: str, number: int) -> None:
    found["csv.reader"].append(baselines.measure("csv.reader", file))
    found.setdefault(("preview", case), []).append(decks.preview(file, route, day))
    found.setdefault(("publish", case), []).append(decks.publish(file, route, day, number))


def rows(samples: Samples, plan: Plan) -> list[Row]:
    """Previews and publications beside ``csv.reader`` on the same file, and their memory."""
    size, of_one_client = plan.deck_file, Samples(samples.folder.parent, World(1, 4, 2))
    found = measure(of_one_client, size, plan.rounds)
    base = machine.middle(found["csv.reader"], "wall")
    shown = [Row("decks", f"baseline csv.reader, deck of {size:,} lines", seconds(base), base)]
    for what, most, memory in (("preview", 5, 1024), ("publish", 10, 3008)):
        for case in (FIRST_DECK, REPLACES):
            taken = machine.middle(found[what, case], "wall")
            row = Row(
                "decks", f"{what}, {case}", seconds(taken), taken, f"<= {most} s", f"{taken / base:.0f} x csv.reader"
            )
            big = size >= FULL.deck_file
            shown.append(
                replace(row, verdict=judged(taken, most) if big else NOT_JUDGED, note="" if big else FULL_SIZE)
            )
            peak = found["memory"][what, case]
            if peak is not None:
                row = Row("decks", "  most memory", f"{peak:,.0f} MB", peak, f"<= {memory} MB of the function")
                shown.append(replace(row, verdict=judged(peak, memory)))
    return shown


def examine(file: Path, old: Path | None = None, calls: Path | None = None) -> int:
    """What a preview does without AWS; the number of lines."""
    read = reading.read_file([file.read_bytes()], file.name, DECK_DAY, None, assume=True).read
    before = list(Deck.load(old.read_bytes()).lines()) if old else []
    suspicions(read.lines, before)
    if calls:
        difference(before, read.lines, _called(calls))
    return len(read.lines)


def _called(calls: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    with calls.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            digits = row["to"].removeprefix("+")
            found[digits] = found.get(digits, 0) + int(row["seconds"])
    return found


def main() -> None:
    """In the child: examine one file, print the measure."""
    paths = list(map(Path, sys.argv[1:]))
    print(json.dumps(machine.timed(lambda: examine(*paths))))


if __name__ == "__main__":
    main()
