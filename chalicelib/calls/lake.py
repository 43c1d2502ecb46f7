"""Committed calls as files that Athena (or zcat) reads whole: ``lake/reseller=R/client=C/month=M/calls.csv.gz``.

Segments are ranges of objects, named by the index, and beside them lie the orphans of killed tries and the calls that a
compaction or a re-rating has replaced. So a query over ``rated/`` would count what was never committed. Here each
client-month is put together from its committed ranges only: gzip members may follow each other, so it is a copy of
bytes. Months that got new calls, or lost some to a re-rating, are made anew every night, after their books were found
right.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import suppress

from chalicelib.aws import objects
from chalicelib.aws.multipart import Growing
from chalicelib.aws.transactions import Remove, Scope, commit
from chalicelib.calls import store as call_store
from chalicelib.calls.index import portions
from chalicelib.calls.store import Emptied, Segment
from chalicelib.errors import LostRace

PREFIX = "lake/"
_NOTHING = zlib.compressobj(wbits=31).flush()
"""A gzip member without a row: a file of no bytes at all is none that every reader takes."""


def publish(scope: Scope, reseller_id: str, client_id: str, since: int) -> int:
    """Make the files of a client's months that have a segment written at or after ``since``, or lost one since then;
    returns how many."""
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
        # Unless another re-rating has left one anew: that month's turn comes with the next night.
        with suppress(LostRace):
            commit(scope, [Remove(note, Emptied.token == note.token)])
    return len(changed)


def _write(key: str, segments: Iterable[Segment]) -> None:
    """Put one file together, piece by piece: a month may have more than memory and disk hold."""
    whole = Growing(key, "application/gzip", objects.PART_BYTES)
    for segment in segments:
        for data in portions(segment, segment.members):
            whole.add(data)
    if not whole.size:
        whole.add(_NOTHING)
    whole.close()
