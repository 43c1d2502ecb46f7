"""Duplicates that say something else than the call that was billed are listed, and the list survives kills."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from typing import Any

import faults
import pytest
from builders import World, csv_file, line

from chalicelib.aws import objects

AUGUST, SEPTEMBER, LATER = "2026-08-20T12:00:00Z", "2026-09-10T12:00:00Z", "2026-09-10T12:00:01Z"


def listed(batch: Any) -> list[dict[str, str]]:
    if batch.conflicts_key is None:
        return []
    return list(csv.DictReader(io.StringIO(objects.read(batch.conflicts_key).decode())))


def short(batch: Any) -> list[tuple[str, ...]]:
    names = ("line", "differs", "billed_line", "billed_to", "billed_seconds", "billed_disposition")
    return [tuple(row[name] for name in names) for row in listed(batch)]


def test_a_copy_in_the_same_file_that_says_something_else_is_listed_with_both_lines(world):
    other = line("1", to="+12125550101")
    batch = world.rate(csv_file(line("1"), line("1"), other, line("1", seconds=61), line("2"), line("1", start=LATER)))
    assert (batch.lines, batch.rated, batch.rejected, batch.duplicates, batch.conflicting) == (6, 2, 0, 4, 3)
    won = ("2", "+12125550100", "60", "ANSWERED")
    assert short(batch) == [("4", "to", *won), ("5", "seconds", *won), ("7", "start", *won)]
    assert listed(batch)[0] == {
        "line": "4",
        "original": other,
        "differs": "to",
        "billed_batch_id": batch.batch_id,
        "billed_line": "2",
        "billed_start": SEPTEMBER,
        "billed_disposition": "ANSWERED",
        "billed_to": "+12125550100",
        "billed_seconds": "60",
    }


def test_a_copy_of_a_call_of_an_earlier_batch_is_compared_with_that_call(world):
    first = world.rate(csv_file(line("1"), line("2", disposition="BUSY", seconds=0)))
    again = csv_file(
        line("1"), line("1", seconds=90), line("1", seconds=90), line("2", disposition="FAILED", seconds=0)
    )
    batch = world.rate(again)
    assert (batch.rated, batch.duplicates, batch.conflicting) == (0, 4, 3)
    assert short(batch) == [
        ("3", "seconds", "2", "+12125550100", "60", "ANSWERED"),
        ("4", "seconds", "2", "+12125550100", "60", "ANSWERED"),
        ("5", "disposition", "3", "+12125550100", "0", "BUSY"),
    ]
    assert {row["billed_batch_id"] for row in listed(batch)} == {first.batch_id}


def test_without_a_conflicting_copy_there_is_no_list(world):
    world.rate(csv_file(line("1")))
    batch = world.rate(csv_file(line("1"), line("2"), line("2")))
    assert (batch.duplicates, batch.conflicting, batch.conflicts_key) == (2, 0, None)


@pytest.mark.parametrize("placeholder", ["NULL", "0", "#REF!", "4.83249E+09", "00000000-0000-0000-0000-000000000000"])
def test_calls_that_share_a_placeholder_are_all_rated(world, placeholder: str):
    lines = [line(placeholder, to=f"+1212555010{n}") for n in range(5)]
    batch = world.rate(csv_file(*lines, lines[0]))
    assert (batch.rated, batch.duplicates, batch.conflicting) == (5, 1, 0)
    again = world.rate(csv_file(*lines))
    assert (again.rated, again.duplicates, again.conflicting) == (0, 5, 0)


def test_one_uuid_of_freeswitch_on_three_numbers_is_listed(world):
    row = '"A","1001","{}","default","2026-09-10 08:30:00","2026-09-10 08:30:07","2026-09-10 08:31:08","68","61",'
    row += '"NORMAL_CLEARING","7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11","","alice"'
    batch = world.rate("\n".join(row.format(f"1212555010{n}") for n in range(3)).encode())
    assert (batch.rated, batch.duplicates, batch.conflicting) == (1, 2, 2)
    assert [(each["line"], each["differs"], each["billed_to"]) for each in listed(batch)] == [
        ("2", "to", "+12125550100"),
        ("3", "to", "+12125550100"),
    ]


def test_cells_of_the_list_are_inert_and_its_lines_may_span_lines(world):
    batch = world.rate(
        csv_file(line("=1+1"), line("=1+1", seconds=9), line('"a\n=b;@c"'), line('"a\n=b;@c"', seconds=7))
    )
    assert batch.conflicting == 2
    assert [row["original"] for row in listed(batch)] == [
        "'" + line("=1+1", seconds=9),
        line("\"a\n'=b;'@c\"", seconds=7),
    ]


def conflicting() -> bytes:
    """Two clients and two months with conflicts, one with copies only, and a refused line."""
    return csv_file(
        line("1", start=AUGUST),
        line("1", start=AUGUST, seconds=7),
        line("2", start=SEPTEMBER),
        line("3", "bob", start=SEPTEMBER),
        line("2", start=SEPTEMBER, to="+12125550101"),
        line("3", "bob", start=SEPTEMBER, seconds=8),
        line("3", "bob", start=SEPTEMBER),
        line("4", "unknown"),
    )


def outcome(world: World, batch: Any) -> tuple[Any, ...]:
    rows = [{**row, "billed_batch_id": row["billed_batch_id"] == batch.batch_id} for row in listed(batch)]
    return batch.conflicting, rows, world.books()


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_and_delivered_again_the_list_is_the_same(worlds, answered: bool):
    undisturbed = worlds()
    dropped = undisturbed.drop(conflicting())
    with faults.counted() as made:
        batch = undisturbed.rate(*dropped)
    expected = outcome(undisturbed, batch)
    assert expected[0] == 3
    assert [row["line"] for row in expected[1]] == ["3", "6", "7"]
    for kill in faults.kills(made, answered=answered):
        world = worlds()
        dropped = world.drop(conflicting())
        with suppress(faults.Killed), kill():
            world.rate(*dropped)
        assert outcome(world, world.rate(*dropped)) == expected, str(kill)


def test_a_batch_that_is_rated_again_is_compared_again(world):
    first = world.rate(csv_file(line("1"), line("2")))
    batch = world.rate(csv_file(line("1", seconds=61), line("2"), line("3"), line("3", seconds=7)))
    assert short(batch) == [
        ("2", "seconds", "2", "+12125550100", "60", "ANSWERED"),
        ("5", "seconds", "4", "+12125550100", "60", "ANSWERED"),
    ]
    begun = world.begin(batch)
    assert world.found(batch).conflicting == 2, "the counts of the previous generation, until the next one is done"
    again = world.rate(*begun)
    assert (again.generation, again.conflicting) == (1, 2)
    assert listed(again) == listed(batch)
    # The first file's own calls are no copies when it is rated again.
    assert (world.rerate(first).duplicates, world.found(first).conflicting) == (0, 0)


def test_a_batch_without_conflicts_when_it_is_rated_again_has_no_list(world):
    world.rate(csv_file(line("1")))
    batch = world.rate(csv_file(line("1", seconds=61)))
    assert (batch.rated, batch.conflicting) == (0, 1)
    # The account was another client's all the time, so the line is no copy of what the first one was billed.
    world.client("carol")
    world.assign("SUB#alice", client_id=world.clients["carol"], package_id="p1")
    again = world.rerate(batch)
    assert (again.rated, again.duplicates, again.conflicting, again.conflicts_key) == (1, 0, 0, None)


def test_many_conflicts_are_listed_in_the_order_of_the_lines(world, monkeypatch):
    from chalicelib.rating.batches import conflicts

    monkeypatch.setattr(conflicts, "_AT_ONCE", 7)
    lines = [
        line(f"c{n % 10}", ("alice", "bob")[n % 2], seconds=n, start=(AUGUST, SEPTEMBER)[n % 3 > 0]) for n in range(90)
    ]
    batch = world.rate(csv_file(*lines))
    rows = listed(batch)
    assert batch.conflicting == len(rows) == 90 - batch.rated
    assert [int(row["line"]) for row in rows] == sorted(int(row["line"]) for row in rows)
    assert all(lines[int(row["line"]) - 2] == row["original"] for row in rows)
