"""A file that takes long to read shows its progress by bytes, and ends when it takes longer than its size allows."""

from __future__ import annotations

import gzip
from typing import Any

from builders import World, csv_file, line

from chalicelib.rating.batches import rate as batch_rate
from chalicelib.rating.batches import store


def rated(world: World, body: bytes, seconds_a_look: int) -> tuple[Any, list[tuple[int, int]]]:
    """The batch of a file, and ``(bytes read, lines)`` whenever the clock was looked at, which goes on by so much."""
    key, version = world.drop(body)
    now, seen = world.now, list[tuple[int, int]]()

    def clock() -> int:
        nonlocal now
        now += seconds_a_look
        for found in store.Batch.under(*store.Batch.of_reseller(world.reseller_id)):
            seen.append((found.bytes_read, found.lines))
        return now

    return batch_rate.rate_batch(world.scope, key, version, clock), seen


def test_blank_lines_are_progress_too(world: World) -> None:
    body = csv_file(line("first")) + b" \n" * (4 << 20) + csv_file(line("last"))
    batch, seen = rated(world, body, 1)
    assert (batch.status, batch.rated, batch.size, batch.bytes_read) == ("done", 2, len(body), len(body))
    steps = sorted({count for count, _ in seen})
    assert len(steps) > 5 and steps[0] == 0 and all(lines <= 1 for count, lines in seen if count < len(body))


def test_a_file_may_take_a_time_by_its_size_and_no_more(world: World) -> None:
    body = csv_file(line("first")) + b" \n" * (4 << 20) + csv_file(line("last"))
    most = batch_rate.most_seconds(len(body))
    assert most == 60 + 8 * 8
    batch, _ = rated(world, body, 40)
    assert batch.status == "failed" and batch.reason == f"The file takes more than {most} seconds to read; split it."
    assert not world.books()["calls of alice"]
    again, _ = rated(world, body, 1)
    assert (again.status, again.rated) == ("done", 2)


def test_blank_lines_before_the_first_call_are_progress_too(world: World) -> None:
    body = b"\n" * (6 << 20) + csv_file(line("first"))
    batch, seen = rated(world, gzip.compress(body[: 2 << 20]) + gzip.compress(body[2 << 20 :], 0), 1)
    assert (batch.status, batch.rated, batch.bytes_read) == ("done", 1, batch.size)
    assert len({count for count, _ in seen}) > 3
    slow, _ = rated(world, body, 40)
    assert slow.status == "failed" and "seconds to read" in slow.reason
    assert slow.size == len(body) > slow.bytes_read > 0 and slow.finished_at - slow.started_at > 60


def test_a_megabyte_of_packed_blank_lines_is_refused_at_once(world: World) -> None:
    body = gzip.compress(csv_file(line("first")) + b" \n" * (64 << 20))
    batch = world.rate(body)
    assert batch.status == "failed" and "250 times its size" in batch.reason
