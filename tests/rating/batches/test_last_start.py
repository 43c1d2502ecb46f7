"""The latest rated call of a sub-account or DID, found in the calls themselves: it may not move before that."""

from __future__ import annotations

import random
from typing import Any

import faults
import pytest
from builders import World, csv_file, line

from chalicelib.calls import index
from chalicelib.calls.index import last_start
from chalicelib.periods import format_instant

SEPTEMBER = 1_788_300_000


def test_it_is_what_looking_at_every_call_finds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two accounts and a number of one client, over days and files, read one member at a time."""
    monkeypatch.setattr(index, "ROWS_AT_ONCE", 1)
    alice, dice = world.clients["alice"], random.Random(5)
    world.assign("SUB#al", client_id=alice, package_id="p1")
    world.assign("DID#+15145550123", client_id=alice)
    made: dict[str, list[int]] = {}
    for _ in range(4):
        lines = []
        for _ in range(60):
            start = SEPTEMBER + dice.randrange(12 * 86_400)
            holder = dice.choice(["sub:alice", "sub:al", "did:+15145550123"])
            made.setdefault(holder, []).append(start)
            told: dict[str, Any] = {"start": format_instant(start)}
            if holder.startswith("did"):
                told |= {"direction": "inbound", "to": "+15145550123"}
            account = holder.removeprefix("sub:") if holder.startswith("sub") else ""
            lines.append(line(f"{start}-{len(made[holder])}", account, **told))
        world.rate(csv_file(*lines))
    for holder in (*made, "sub:bob", "sub:a", "did:+1514555012"):
        for since in (0, *(SEPTEMBER + dice.randrange(13 * 86_400) for _ in range(12)), *made.get(holder, [])[:5]):
            expected = max((start for start in made.get(holder, []) if start >= since), default=None)
            assert last_start(alice, holder, since) == expected


def test_a_batch_whose_call_is_found_is_not_read_any_further(world: World) -> None:
    days = [line(f"{n}", start=f"2026-09-{n:02d}T12:00:00Z") for n in range(1, 21)]
    first, second = world.rate(csv_file(*days)), world.rate(csv_file(days[0], line("x")))
    with faults.counted() as made:
        found = index.batches_with([world.clients["alice"]], "sub:alice", 0)
    assert (found, made.count("GetObject")) == ({first.batch_id, second.batch_id}, 2)


def test_what_is_kept_per_month_and_batch_does_not_grow_with_the_holders(world: World) -> None:
    """DynamoDB's limit is 400 KB per item: a client may have any number of active DIDs."""
    from chalicelib.accounts.store.ledger import Marker, Month
    from chalicelib.accounts.store.terms import Assignment
    from chalicelib.dated import FIRST

    alice = world.clients["alice"]
    numbers = [f"+1514{n:07d}" for n in range(2_000_000, 2_000_500)]
    with Assignment.batch_write() as batch:
        for n, number in enumerate(numbers):
            fields = {"holder": f"DID#{number}", "version": world.version, "effective_from": FIRST, "client_id": alice}
            batch.save(Assignment(f"T#{world.reseller_id}", f"DID#{number}#{n:012d}", rate_e10=10**8, **fields))
    rated = world.rate(csv_file(*[line(number, "", direction="inbound", to=number) for number in numbers]))
    assert (rated.status, rated.rated) == ("done", 500)
    (marker,) = Marker.under(f"L#{alice}", "MARK#")
    for item in (marker, Month.get(f"L#{alice}", "MONTH#2026-09")):
        assert len(str(item.attribute_values)) < 1_000
    assert last_start(alice, f"did:{numbers[-1]}", 0) == 1_789_041_600
    assert world.reconciled() == []
