"""The file of refused lines: of any size, in bounded memory, and the same each time it is written."""

from __future__ import annotations

import csv
import io
import tempfile
import tracemalloc

import faults
import pytest
from builders import csv_file, line

from chalicelib.aws import objects


def spoilt(lines: int) -> bytes:
    """Lines with a column too many, near the longest that is taken."""
    return csv_file(line("ok"), *[line(str(n)) + "," + "x" * 60_000 for n in range(lines)])


def rejects_of(batch) -> bytes:
    from chalicelib.rating.batches.store import rejects_key

    return objects.read(rejects_key(batch.batch_id))


def test_many_refused_lines_are_written_in_parts_and_a_kill_at_any_of_them_does_no_harm(worlds):
    body = spoilt(300)
    undisturbed = worlds()
    with faults.counted() as made:
        batch = undisturbed.rate(body)
    assert batch.rejected == 300
    written = rejects_of(batch)
    assert len(written) > 300 * 60_000
    assert written.count(b"\nx") == 0
    assert written.count(b"bad_columns") == 300
    in_parts = [call for call, operation in enumerate(made) if "Multipart" in operation or operation == "UploadPart"]
    assert len(in_parts) == 4
    for call in in_parts:
        world = worlds()
        dropped = world.drop(body)
        with pytest.raises(faults.Killed), faults.killed_at(call, answered=True):
            world.rate(*dropped)
        assert rejects_of(world.rate(*dropped)) == written
        assert world.books() == undisturbed.books()


@pytest.mark.system
def test_a_file_is_uploaded_in_bounded_memory(monkeypatch):
    """To an emulator in a process of its own, so that what it keeps is not counted."""
    from chalicelib.aws import multipart
    from chalicelib.config import settings
    from local import provision
    from local.emulator import Emulator

    with Emulator() as emulator, tempfile.TemporaryFile() as file:
        s3 = emulator.client("s3")
        provision.bucket(s3, settings.bucket)
        for name in ("s3", "writer"):
            monkeypatch.setattr(objects, name, lambda: s3)
        for n in range(160):
            file.write(bytes([n]) * (1 << 20))
        tracemalloc.start()
        multipart.upload("rejected/cdr/large.csv", file, "text/csv")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * objects.PART_BYTES
        head = s3.head_object(Bucket=settings.bucket, Key="rejected/cdr/large.csv")
        assert (head["ContentLength"], head["ContentType"]) == (160 << 20, "text/csv")
        assert objects.read("rejected/cdr/large.csv", 159 << 20, 2) == bytes([159, 159])


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ('=cmd|" /C calc"!A0,x', '\'=cmd|" /C calc"!A0,x'),
        ("＝1+1,x", "'＝1+1,x"),
        ("\t=1,x", "'\t'=1,x"),
        ("a;=1;b,x", "a;'=1;b,x"),
        ("a;+15145550100;b,x", "a;+15145550100;b,x"),
    ],
)
def test_a_refused_line_is_no_formula_and_readable(world, sent: str, shown: str):
    batch = world.rate(csv_file(line("1"), sent))
    (refused,) = csv.DictReader(io.StringIO(rejects_of(batch).decode(), newline=""))
    assert (batch.rated, batch.rejected, refused["original"]) == (1, 1, shown)


def test_refused_lines_that_are_mended_can_be_dropped_again(world):
    """The apostrophes that were put before formulas are taken out, as the docs say."""
    batch = world.rate(csv_file(line("1"), line("=2", seconds=-1), line("+3", to="x")))
    assert (batch.rated, batch.rejected) == (1, 2)
    originals = [row["original"] for row in csv.DictReader(io.StringIO(rejects_of(batch).decode()))]
    assert [text[:3] for text in originals] == ["'=2", "'+3"]
    mended = [text.removeprefix("'").replace(",-1", ",60").replace(",x,", ",+12125550100,") for text in originals]
    again = world.rate(csv_file(line("1"), *mended))
    assert (again.rated, again.rejected, again.duplicates, again.conflicting) == (2, 0, 1, 0)
