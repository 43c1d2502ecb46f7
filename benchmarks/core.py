"""The rating core alone: a file's bytes parsed, matched, priced and added up by client, on one thread.

Nothing is stored and duplicates are not searched for, so only the engine is measured. ``python -m
benchmarks.core ENGINE FILE DECK CLIENTS ACCOUNTS PREFIXES SWITCH`` measures in its own process.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, shop
from benchmarks.sample import Samples, Span
from benchmarks.shop import HOME, ZONE, World
from benchmarks.switches import SWITCHES, written
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import declaration, formats
from chalicelib.rating.cdr.formats import Layout, Source
from chalicelib.rating.cdr.records import Chunk, Cut, chunks, plain_blocks
from chalicelib.rating.engine import reference
from chalicelib.rating.engine.columns import Columns
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector import engine as fast
from chalicelib.rating.engine.vector.words import line_feeds
from chalicelib.rating.pricing.ownership import known_by

BLOCK_BYTES = 1 << 20
DECK_SIZE = 100_000


@dataclass
class Sums:
    """The sums of a file; ``clients``: per client calls, billed seconds, amount and cost in 1e-8."""

    lines: int = 0
    rejected: int = 0
    clients: dict[str, list[int]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """For comparison: two engines are right only when these are equal; money is in 1e-8, by client."""
        amounts = json.dumps(sorted(self.clients.items()))
        return {
            "lines": self.lines,
            "rejected": self.rejected,
            "clients": len(self.clients),
            "sums": hashlib.md5(amounts.encode()).hexdigest(),
            "amounts": {client: found[2] for client, found in sorted(self.clients.items())},
            "cost_e8": sum(found[3] for found in self.clients.values()),
        }


Rate = Callable[[Chunk, Layout, Source, TermTable], Columns]
ENGINES: dict[str, Rate] = {"reference": reference.rate, "numpy": fast.rate}
_SUMMED = ("billed", "amount_e8", "cost_e8")


def add_up(rate: Rate, path: Path, table: TermTable, source: Source) -> Sums:
    """Rate a whole file and add it up by client."""
    sums, layout = Sums(), None
    source = source._replace(known=known_by(table.book.ownership))
    totals = np.zeros((1 << 16, 1 + len(_SUMMED)), np.int64)
    for chunk in _chunks(path):
        layout = layout or formats.detect(chunk, source.mapping)
        columns = rate(chunk, layout, source, table)
        sums.lines += len(columns) + len(columns.rejected)
        sums.rejected += len(columns.rejected)
        holders = columns.rows["holder"]
        # Numbers of 16 bits are sorted ten times as fast; one that had more would lie outside ``totals``.
        order = np.argsort(holders.astype(np.uint16), kind="stable")
        ordered = holders[order]
        firsts = np.flatnonzero(np.diff(ordered, prepend=-1))
        totals[ordered[firsts], 0] += np.diff(np.append(firsts, len(ordered)))
        for place, name in enumerate(_SUMMED, 1):
            totals[ordered[firsts], place] += np.add.reduceat(columns.rows[name][order], firsts)
    for holder, found in zip(table.book.holders.values, totals.tolist(), strict=False):
        of_client = sums.clients.setdefault(holder.client_id, [0] * len(found))
        sums.clients[holder.client_id] = [one + other for one, other in zip(of_client, found, strict=True)]
    sums.clients = {client: found for client, found in sums.clients.items() if any(found)}
    return sums


def _chunks(path: Path) -> Iterator[Chunk]:
    def blocks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block

    for chunk in chunks(plain_blocks(blocks(), path.name, 1 << 40), count=line_feeds):
        if isinstance(chunk, Cut):
            raise ValueError(f"{path} is broken: {chunk.message}")
        yield chunk


def measure(
    name: str, samples: Samples, lines: int, deck_size: int = DECK_SIZE, span: Span | None = None, switch: str = ""
) -> dict[str, Any]:
    """One engine on one file in a fresh process: ``wall``, ``cpu``, ``peak_mb`` and what the file came to."""
    world = samples.world
    counts = (world.clients, world.accounts, world.custom_prefixes)
    file = calls_of(samples, lines, switch) if switch else samples.calls(lines, span)
    return machine.in_child("core", name, file, samples.compiled(deck_size), *counts, switch)


def source_of(switch: str) -> Source:
    """How the files of one of ``SWITCHES`` are read; no name: Forfait's own CSV."""
    declares = declaration.read(SWITCHES[switch].declares if switch else None)
    plan = DialPlan(HOME, strip=declares.strip)
    return Source(plan, ZONE, mapping=declares.mapping or None, declares=declares)


def calls_of(samples: Samples, lines: int, switch: str) -> Path:
    """The sample's calls as one of ``SWITCHES`` writes them."""
    own = samples.calls(lines)
    return samples.cached(f"{switch}-{lines}.csv", lambda: written(switch, own))


def main() -> None:
    """In the child: rate once, print the measure."""
    name, path, deck, *counts, switch = sys.argv[1:]
    rate = ENGINES[name]
    table = TermTable(shop.rate_book(World(*map(int, counts)), Path(deck).read_bytes()))
    found = machine.timed(lambda: add_up(rate, Path(path), table, source_of(switch)))
    sums = found.pop("result")
    print(json.dumps({**found, **sums.summary()}))


if __name__ == "__main__":
    main()
