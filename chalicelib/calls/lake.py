"""Committed calls as files that Athena (or zcat) reads whole: ``lake/reseller=R/client=C/month=M/calls.csv.gz``.

Objects under ``rated/`` also contain what killed tries left behind and what a compaction or a re-rating has replaced,
so a query over them would count calls that are not committed. Here each client-month has its committed segments only.
Gzip members may follow each other, so this is a copy of bytes. Every night, after the books were found right, the files
are written again of all months that got new calls or lost some to a re-rating.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import suppress

from chalicelib.aws import objects
from chalicelib.aws.multipart import Growing
from chalicelib.aws.transactions import Remove, Scope, commit
from chalicelib.calls import store as call_store
from chalicelib.calls.format import GZIP
from chalicelib.calls.index import portions
from chalicelib.calls.store import Emptied, Segment
from chalicelib.errors import LostRace

PREFIX = "lake/"
_NOTHING = zlib.compressobj(wbits=GZIP).flush()
"""A gzip member without a row, because not every reader accepts an empty file."""


def publish(scope: Scope, reseller_id: str, client_id: str, since: int) -> int:
    """Write the files of a client's months that got a segment at or after ``since`` or lost one; returns how many."""
    emptied = Emptied.under(*Emptied.of_client(client_id))
    months: dict[str, list[Segment]] = {note.month: [] for note in emptied}
    stale = set(months)
    for segment in call_store.segments_of(client_id, "0", "9"):
        months.setdefault(segment.month, []).append(segment)
    changed = [
        month for month, found in months.items() if month in stale or any(one.written_at >= since for one in found)
    ]
    for month in changed:
        _write(f"{PREFIX}reseller={reseller_id}/client={client_id}/month={month}/calls.csv.gz", months[month])
    for note in emptied:
        # If another re-rating has written the note again meanwhile, the month is due the next night.
        with suppress(LostRace):
            commit(scope, [Remove(note, Emptied.token == note.token)])
    return len(changed)


def _write(key: str, segments: Iterable[Segment]) -> None:
    """Write one file, piece by piece: a month may be larger than memory and disk."""
    whole = Growing(key, "application/gzip", objects.PART_BYTES)
    for segment in segments:
        for data in portions(segment, segment.members):
            whole.add(data)
    if not whole.size:
        whole.add(_NOTHING)
    whole.close()
