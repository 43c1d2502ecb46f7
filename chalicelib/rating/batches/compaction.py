"""Joins many small segments of a client-day into one, and separates a batch's calls again before it is re-rated.

Both exchange segments of a client for others with the same rows, by one transaction under the client's version. The
rating function compacts each day that its batch has left with more than ``MOST`` segments, after the batch is done. If
it is killed, an object stays that no index item names, and the next batch of that day compacts the day.

Rows of an open batch are never compacted, and ``set_apart`` raises the client's version first. So a compaction that
read the client before that loses the race, and one that reads it afterwards sees the open batch. Therefore what was
separated stays so until the batch is done.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from chalicelib.accounts.ledger import posting, usage
from chalicelib.accounts.service import term_versions
from chalicelib.aws import multipart
from chalicelib.aws import objects as aws_objects
from chalicelib.aws.transactions import Change, Put, Remove, Scope, Write, commit, new_id, settle, settled
from chalicelib.calls import merge
from chalicelib.calls import store as call_store
from chalicelib.calls.format import RatedCall, decode, unpacked
from chalicelib.calls.index import object_key, span
from chalicelib.calls.store import COMPACTED, Segment
from chalicelib.calls.totals import Totals
from chalicelib.client_month import ClientMonth
from chalicelib.errors import LostRace

log = logging.getLogger(__name__)

MOST = 16
"""Segments that a client-day may have."""
LEFT = 8
"""How many remain after the smallest were joined; the largest stay, so that no call is copied too often."""
AT_ONCE = 80
"""Segments that one transaction joins; it may have 100 writes."""
IN_MEMORY = 8 << 20


def compact(scope: Scope, reseller_id: str, client_id: str, day: str) -> int:
    """Join the smallest segments of a UTC day until at most ``MOST`` are left; returns how many were joined.

    If other writes to the client always win the race, its segments stay as they are, and the next batch tries again.
    """
    merger, total = _Merger(scope, reseller_id, client_id, day), 0
    try:
        while done := settle(merger.once):
            total += done
    except LostRace:
        log.warning("client %s: %s stays as it is, all races with other writes were lost", client_id, day)
    return total


class _Merger:
    """The compaction of one client-day. What was written before a lost race is used if it has the same segments."""

    def __init__(self, scope: Scope, reseller_id: str, client_id: str, day: str) -> None:
        self._scope, self._reseller_id, self._client_id, self._day = scope, reseller_id, client_id, day
        self._written: tuple[list[str], Segment] | None = None

    def once(self) -> int:
        """Join some segments by one transaction; returns how many, 0 when there is nothing to do."""
        client = posting.get_client(self._reseller_id, self._client_id)
        head = term_versions.head_of(self._reseller_id)
        found = call_store.segments_of(self._client_id, self._day, self._day)
        chosen = choose(found, head.open_batches or ())
        if not chosen:
            return 0
        # Not by their keys: what ``set_apart`` leaves of a segment stays under the same key.
        objects = [str(segment.object_key) for segment in chosen]
        if self._written is None or self._written[0] != objects:
            self._written = objects, _merge(self._scope, self._reseller_id, chosen)
        swap: list[Write] = [Put(self._written[1]), *map(_removed, chosen)]
        commit(self._scope, [posting.owner_change(client, client.account()), *swap])
        log.info("client %s: %d segments of %s are one", self._client_id, len(chosen), self._day)
        return len(chosen)


def choose(found: Sequence[Segment], open_batches: Any) -> list[Segment]:
    """Which segments of a day to join: the smallest of the local month with most of them; none if they are few."""
    if len(found) <= MOST:
        return []
    closed = [segment for segment in found if segment.batch_id not in open_batches]
    by_month = [list(some) for _, some in groupby(sorted(closed, key=_month), key=_month)]
    most = max(by_month, key=len, default=[])
    smallest = sorted(most, key=lambda segment: (segment.rows, segment.sk))[: min(len(found) - LEFT + 1, AT_ONCE)]
    return sorted(smallest, key=lambda segment: str(segment.sk)) if len(smallest) > 1 else []


def set_apart(scope: Scope, reseller_id: str, client_id: str, batch_id: str) -> None:
    """Put the calls that an open batch has billed to a client into segments of their own again.

    To be called before the next generation charges this client. Then the batch's segments are as before compaction.
    """
    _raise_version(scope, reseller_id, client_id)
    for generation, month, rows in usage.parts_of_client(client_id, batch_id):
        in_month = call_store.segments_of_month(ClientMonth(client_id, month))
        if sum(each.rows for each in in_month if each.batch_id == batch_id) == rows:
            continue
        for segment in in_month:
            if segment.is_compacted:
                _split(scope, reseller_id, client_id, segment, batch_id, generation)


def _month(segment: Segment) -> str:
    return str(segment.month)


@settled
def _raise_version(scope: Scope, reseller_id: str, client_id: str) -> None:
    """Write nothing but the client's next version."""
    client = posting.get_client(reseller_id, client_id)
    commit(scope, [posting.owner_change(client, client.account())])


def _removed(segment: Segment) -> Remove:
    return Remove(segment, Segment.object_key == segment.object_key)


@settled
def _split(scope: Scope, reseller_id: str, client_id: str, found: Segment, batch_id: str, generation: int) -> None:
    """Move the calls of a batch from a compacted segment into one of their own."""
    client = posting.get_client(reseller_id, client_id)
    whole = Segment.find(found.pk, found.sk)
    if whole is None:
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as ours, tempfile.SpooledTemporaryFile(IN_MEMORY) as others:
        own, rest = merge.Packer(ours, whole.rows), merge.Packer(others, whole.rows)
        totals = Totals.of(_divided(whole, batch_id, own, rest))
        own.flush()
        rest.flush()
        if not own.members:
            return
        writes: list[Write] = [Put(_stored(scope, reseller_id, whole, batch_id, generation, own, totals))]
        if rest.members:
            kept = _stored(scope, reseller_id, whole, whole.batch_id, 0, rest, whole.totals - totals)
            writes.append(Change(kept, kept.set_all(), Segment.object_key == whole.object_key))
        else:
            writes.append(_removed(whole))
    commit(scope, [posting.owner_change(client, client.account()), *writes])


def _merge(scope: Scope, reseller_id: str, chosen: Sequence[Segment]) -> Segment:
    """Write the rows of the segments into a new object; returns its segment."""
    totals = sum((segment.totals for segment in chosen), Totals())
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        packer = merge.Packer(file, totals.calls)
        for row in merge.merged([_rows(segment) for segment in chosen]):
            packer.add(row)
        packer.flush()
        return _stored(scope, reseller_id, chosen[0], f"{COMPACTED}{new_id()}", 0, packer, totals)


def _stored(
    scope: Scope,
    reseller_id: str,
    like: Segment,
    batch_id: str,
    generation: int,
    packer: merge.Packer,
    totals: Totals,
) -> Segment:
    """Upload what was packed; returns its segment, with client, day and month of ``like``."""
    key = object_key(reseller_id, like.client_id, like.month, batch_id)
    multipart.upload(key, packer.file, "application/gzip")
    return call_store.segment_item(
        reseller_id,
        ClientMonth(like.client_id, like.month),
        like.day,
        batch_id,
        generation,
        object_key=key,
        members=[list(member) for member in packer.members],
        totals=totals,
        written_at=scope.now,
    )


def _rows(segment: Segment) -> Iterator[str]:
    """The rows of a segment, member by member."""
    for member in segment.members:
        yield from merge.rows(unpacked(aws_objects.read(segment.object_key, *span([member]))))


def _divided(whole: Segment, batch_id: str, own: merge.Packer, rest: merge.Packer) -> Iterator[RatedCall]:
    """Put the rows of a batch into ``own`` and all others into ``rest``; yields the calls of the batch."""
    for member in whole.members:
        data = aws_objects.read(whole.object_key, *span([member]))
        for row, call in zip(merge.rows(unpacked(data)), decode(data), strict=True):
            if call.batch_id == batch_id:
                own.add(row)
                yield call
            else:
                rest.add(row)
