"""A dropped file to committed ledgers, on a local stack of its own: everything but AWS's own network and machines.

The emulated AWS, the API and the rating function share this machine's cores, so the figures are an upper bound of what
the product itself needs. The rating function runs in a worker process, whose memory is measured apart from theirs.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.sample import Samples, Span, month_back
from benchmarks.shop import DECK_DAY, Send, Shop, open_shop, over_http
from chalicelib import money
from local import schedule
from local.stack import Stack

BUCKET = "forfait-local"
PATIENCE_SECONDS = 3_600
FIVE_MINUTES = 5
LOOK_EVERY = 0.05
"""Seconds between two requests for a small file's batch: each request uses the same processors as the stack."""


class Taken(NamedTuple):
    """How long a file took, in seconds: from the start and from the end of its upload until its batch was done."""

    from_start: float
    from_end: float
    batch: dict[str, Any]


class Bench:
    """A running stack with the sample's reseller on it."""

    def __init__(self, stack: Stack, samples: Samples, deck_size: int) -> None:
        self.stack, self.samples = stack, samples
        operator = _one_connection_each(stack.url, stack.operator_key)
        self.shop: Shop = open_shop(samples.world, operator, lambda key: _one_connection_each(stack.url, key))
        self._api = _one_connection_each(stack.url, self.shop.key)
        self._publish(operator, deck_size)

    def _publish(self, operator: Send, deck_size: int) -> None:
        deck = self.samples.deck(deck_size).read_bytes()
        self.stack.client("s3").put_object(Bucket=BUCKET, Key=f"incoming/decks/value/{DECK_DAY}.csv", Body=deck)
        until = time.monotonic() + PATIENCE_SECONDS
        while not [each for each in operator("GET", "/v1/decks", None)["items"] if each["status"] == "published"]:
            if time.monotonic() > until:
                raise RuntimeError("the deck was not published in time")
            time.sleep(0.1)

    def worker_mb(self) -> float | None:
        """The most memory that the worker process has held."""
        worker = machine.child_running(self.stack.running.pid, "worker")
        return None if worker is None else machine.peak_mb(worker)

    def worker_cpu(self) -> float:
        """Processor seconds that the worker process has used."""
        worker = machine.child_running(self.stack.running.pid, "worker")
        return 0.0 if worker is None else machine.cpu_seconds(worker)

    def rate(self, file: Path, name: str, look_every: float = LOOK_EVERY) -> Taken:
        """Drop a file and wait for its batch; ``RuntimeError`` unless every line of it was rated."""
        key, began = f"incoming/cdr/{self.shop.reseller_id}/{name}", time.perf_counter()
        with file.open("rb") as body:
            self.stack.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        put, until = time.perf_counter(), time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            newest = self._api("GET", "/v1/batches?limit=1", None)["items"]
            if newest and newest[0]["key"] == key and newest[0]["status"] in ("done", "failed"):
                now, batch = time.perf_counter(), newest[0]
                if batch["status"] == "failed" or batch["rated"] != batch["lines"] or not batch["lines"]:
                    raise RuntimeError(f"the batch went wrong: {batch}")
                return Taken(now - began, now - put, batch)
            time.sleep(look_every)
        raise RuntimeError(f"{name} was not rated in time")

    def rest(self) -> None:
        """Wait until the rating function has nothing to do."""
        while schedule.messages(self.stack.running)["forfait-local-incoming"]:
            time.sleep(LOOK_EVERY)

    def one_batch(self, lines: int, back: int) -> dict[str, Any]:
        """All clients and 28 days in one file: those that begin ``back`` days before the sample's first instant."""
        file, before = self.samples.calls(lines, month_back(back) if back else None), self.worker_cpu()
        taken = self.rate(file, f"whole-{lines}-{back}.csv", LOOK_EVERY if lines <= 10_000 else 0.1)
        return {"wall": taken.from_end, "cpu": self.worker_cpu() - before, "batch": taken.batch}

    def charged(self) -> dict[str, int]:
        """What each client of the world owes by its ledger, in 1e-8; it has paid nothing."""
        world = self.samples.world
        found = [self._api("GET", f"/v1/clients/{client_id}", None) for client_id in self.shop.clients]
        return {world.client_name(n): -money.parse_amount(client["balance"]) for n, client in enumerate(found)}

    def output_of(self, batch_id: str, target: Path) -> Path:
        """What a batch wrote, unpacked into one file: the bytes whose compression the product is compared with."""
        s3 = self.stack.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"rated/{self.shop.reseller_id}/")
        with target.open("wb") as file:
            for page in pages:
                for key in (each["Key"] for each in page.get("Contents", []) if batch_id in each["Key"]):
                    file.write(gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
        return target


def one_day(samples: Samples, millions: int) -> Path:
    """A file in which one client makes all the calls, of one day: the same million, repeated with other ids."""
    header, *lines = samples.calls(1_000_000, Span(0, 1440, 0)).read_bytes().splitlines(keepends=True)
    path = samples.folder / "one-day.csv"
    with path.open("wb") as file:
        file.write(header)
        for number in range(millions):
            # An id begins with a hexadecimal digit.
            file.write(b"".join(b"%x" % number + line[1:] for line in lines))
    return path


def _one_connection_each(url: str, key: str) -> Send:
    """Each request has a connection of its own: on a slow machine an open one is closed before its next use."""

    def send(method: str, path: str, body: Any = None) -> Any:
        return over_http(url, key)(method, path, body)

    return send


@contextmanager
def bench(samples: Samples, deck_size: int) -> Iterator[Bench]:
    """A fresh stack, set up; it and its state are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="forfait-whole-") as folder, Stack(Path(folder)) as stack:
        yield Bench(stack, samples, deck_size)


def small_files(on: Bench, count: int, lines: int, one_client: bool) -> tuple[list[float], list[float]]:
    """Files of five minutes each, one after another through a day: seconds from the start of each upload, to its
    ledgers and to the end of what follows them (compaction). The next file comes after that, as with a real switch.
    """
    client, day = (0, 1440) if one_client else (None, 0)
    taken, worked = [], []
    for number in range(count):
        span = Span(day + number * FIVE_MINUTES, FIVE_MINUTES, client)
        file = on.samples.calls(lines, span)
        began = time.perf_counter()
        taken.append(on.rate(file, f"small-{span.first:06d}-{client}.csv").from_start)
        on.rest()
        worked.append(time.perf_counter() - began)
    return taken, worked


def percentile_95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1]


def starts(count: int) -> dict[str, Any]:
    """Seconds until a stack answers: on a new folder, and the median of starts on a folder with state."""
    with tempfile.TemporaryDirectory(prefix="forfait-start-") as folder:
        stack = Stack(Path(folder))
        taken = []
        for _ in range(count + 1):
            began = time.perf_counter()
            stack.start()
            taken.append(time.perf_counter() - began)
            stack.stop()
    return {"first": taken[0], "warm": sorted(taken[1:])[count // 2]}
