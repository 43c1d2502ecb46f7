"""A client-day too large for memory (with small bounds): written in slices and pieces, and read like any other."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from typing import Any

import faults
import pytest
from builders import World, csv_file, line

from chalicelib.aws import objects

DAY = "2026-09-10"
SEPTEMBER, OCTOBER = 1788220800, 1790812800


def many(first: int = 0) -> list[str]:
    """40 calls of one client and day and copies of a third of them, some seconds with several calls."""
    calls = [
        line(f"id{n * 7 % 40}", "free", 30 + n, start=f"{DAY}T{n * 5 % 24:02d}:00:{n // 20:02d}Z")
        for n in range(first, first + 40)
    ]
    return [*calls, *calls[::3], line("id1", "bob"), line("id1", "bob")]


@pytest.fixture
def small(monkeypatch) -> Any:
    """Puts the small bounds in force."""
    from chalicelib.calls import format as call_format
    from chalicelib.calls import index as reading
    from chalicelib.rating.batches import client_day, duplicates
    from chalicelib.rating.batches import write as batch_write

    def bounds() -> None:
        monkeypatch.setattr(client_day, "SLICE_ROWS", 6)
        monkeypatch.setattr(duplicates, "PARTITION_KEYS", 4)
        monkeypatch.setattr(call_format, "ROWS_PER_MEMBER", 2)
        monkeypatch.setattr(call_format, "MOST_MEMBERS", 10)
        monkeypatch.setattr(batch_write, "OBJECT_BYTES", 400)
        monkeypatch.setattr(reading, "ROWS_AT_ONCE", 5)

    return bounds


def with_free_minutes(world: World) -> World:
    world.package("minutes", free_minutes=15)
    world.client("free", "minutes")
    return world


def read_back(world: World) -> list[tuple[str, int]]:
    """What a page and the lake have of the client's calls."""
    from chalicelib.calls import lake, search
    from chalicelib.calls.format import decode

    client_id = world.clients["free"]
    selection = search.Selection(SEPTEMBER, OCTOBER, client_id)
    page = [(call.call_id, call.free_seconds) for call in search.page(world.reseller_id, selection, None, 1_000)]
    lake.publish(world.scope, world.reseller_id, client_id, 0)
    key = f"lake/reseller={world.reseller_id}/client={client_id}/month=2026-09/calls.csv.gz"
    assert sorted(page) == sorted((call.call_id, call.free_seconds) for call in decode(objects.read(key)))
    return page


def test_a_day_in_slices_has_the_books_of_one_charged_at_once_and_is_found_and_rated_again(worlds, small):
    from chalicelib.calls.store import segments_of

    at_once = with_free_minutes(worlds())
    at_once.rate(csv_file(*many()))
    expected, page = at_once.books(), read_back(at_once)
    assert any(free > 0 for _, free in page) and any(not free for _, free in page)
    small()
    world = with_free_minutes(worlds())
    with faults.counted() as made:
        batch = world.rate(csv_file(*many()))
    assert "UploadPart" in made
    [segment] = segments_of(world.clients["free"], DAY, DAY)
    assert len(segment.members) > 5 and {member[2] for member in segment.members} <= {1, 2, 3, 4}
    assert (world.books(), read_back(world)) == (expected, page)
    world.rerate(batch)
    assert world.books()["calls of free"] == expected["calls of free"]
    again = world.rate(csv_file(*many(), line("new", "free", start=f"{DAY}T23:59:59Z")))
    assert (again.rated, again.duplicates) == (1, len(many()))


@pytest.mark.parametrize("last", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_killed_while_a_day_is_uploaded_in_pieces_the_next_try_uploads_it_again(worlds, small, last):
    small()
    undisturbed = with_free_minutes(worlds())
    undisturbed.rate(csv_file(*many()))
    world = with_free_minutes(worlds())
    dropped = world.drop(csv_file(*many()))

    def answer_lost(operation: str, send: Callable[[], Any]) -> Any:
        answer = send()
        if operation == last:
            raise faults.Killed
        return answer

    with pytest.raises(faults.Killed), faults.between(answer_lost):
        world.rate(*dropped)
    assert world.books()["calls of free"] == []
    world.rate(*dropped)
    assert world.books() == undisturbed.books()


class Full(io.BytesIO):
    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("seconds", [60, 7], ids=["duplicates", "conflicts"])
def test_a_disk_that_is_full_fails_the_batch_with_that_reason(world, monkeypatch, seconds):
    from chalicelib.rating.batches.column_file import ColumnFile
    from chalicelib.rating.engine.call_keys import Said

    # The file of conflicting lines has one column, that of the search for duplicates has these.
    append, columns_of_the_file = ColumnFile.append, 2 + len(Said._fields) if seconds == 60 else 1
    dropped = world.drop(csv_file(line("one"), line("two", "bob"), line("two", "bob", seconds=seconds)))

    def full(file: ColumnFile, columns: Any) -> Any:
        if len(columns) == columns_of_the_file:
            file._file = Full()
        return append(file, columns)

    with monkeypatch.context() as patched:
        patched.setattr(ColumnFile, "append", full)
        batch = world.rate(*dropped)
    assert batch.status == "failed" and "Split it" in batch.reason
    done = world.rate(*dropped)
    assert (done.status, done.rated, done.duplicates) == ("done", 2, 1)


def test_a_disk_that_is_full_of_refused_lines_fails_the_batch_with_that_reason(world, monkeypatch):
    from chalicelib.rating.batches import rate

    monkeypatch.setattr(rate.tempfile, "SpooledTemporaryFile", lambda _: Full())
    batch = world.rate(csv_file(line("one", "nobody")))
    assert batch.status == "failed" and "Split it" in batch.reason
