"""How many requests a small file takes: what a file of many clients waits for, and pays."""

from __future__ import annotations

from collections import Counter

import faults
from builders import World, csv_file, line


def requests(world: World, *lines: str) -> Counter[str]:
    with faults.counted() as made:
        assert world.rate(csv_file(*lines)).rated == len(lines)
    return Counter(made)


def test_a_client_more_takes_three_requests_more_and_rereads_nothing_that_was_just_written(world: World) -> None:
    world.rate(csv_file(line("a"), line("b", "bob")))
    one = requests(world, line("c"))
    two = requests(world, line("d"), line("e", "bob"))
    assert two - one == {"Query": 2, "TransactWriteItems": 1}
    assert one["GetObject"] == 1


def test_calls_of_another_container_are_read_once(world: World) -> None:
    from chalicelib.rating.batches import billed

    world.rate(csv_file(line("a")))
    billed._cache.clear()
    assert requests(world, line("b"))["GetObject"] == 2
    assert requests(world, line("c"))["GetObject"] == 1
