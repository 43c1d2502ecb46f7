"""Does everything add up? Run by tests, every night, and by the operator; it only reads.

Level 1 compares sums: entries with balances and months, markers with months, the index of segments with both, open
holds with their sums, each finished batch with its own markers and with what it has debited the reseller. Level 2 reads
segments again and compares them with their index. It may run while files are being rated: a client that moved while it
was read is read again, and batches that are not finished are left for the next night.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from itertools import groupby

from chalicelib import periods
from chalicelib.accounts.ledger import months, posting, queries
from chalicelib.accounts.ledger.months import Difference
from chalicelib.accounts.ledger.queries import Marked
from chalicelib.aws import objects
from chalicelib.aws.transactions import Put, Scope, commit, event, settle
from chalicelib.calls import identity, lake
from chalicelib.calls import index as call_index
from chalicelib.calls import store as call_store
from chalicelib.calls.store import Segment
from chalicelib.errors import LostRace
from chalicelib.rating.authorizations import store as hold_store
from chalicelib.rating.batches import store
from chalicelib.rating.batches.store import Batch
from chalicelib.rating.nightly.store import Verified

log = logging.getLogger(__name__)

FIRST_DAY, LAST_DAY = "0000", "9999"
_HEAPS = 64
"""A day's calls are compared with each other in so many heaps, one after the other."""


def nightly(scope: Scope, clock: int | None = None, reseller_ids: Iterable[str] | None = None) -> list[Difference]:
    """Level 2 for every reseller, or for these, over the segments written since the last time.

    ``clock`` is the real time, where ``scope.now`` may be a date to pretend: segments are written by the clock.

    Differences are told in the reseller's events and come back; a reseller with none gets its new calls into the lake
    and is marked as verified.
    """
    found: list[Difference] = []
    # An hour back: a try that was killed may have left its clock behind ours.
    upto = min(scope.now, scope.now if clock is None else clock) - 3600
    for reseller_id in queries.reseller_ids() if reseller_ids is None else reseller_ids:
        place = ("R#" + reseller_id, "VERIFIED")
        before = Verified.find(*place)
        since = before.upto if before else 0
        try:
            differences = reconcile(reseller_id, 2, since, scope.now) or list(_publish(scope, reseller_id, since))
        except LostRace:
            log.warning("reseller %s is not checked: a ledger moved each time it was looked at", reseller_id)
            continue
        if differences:
            listing = {"differences": [asdict(one) for one in differences[:20]]}
            commit(scope, [event(scope, reseller_id, "books.differ", reseller_id, listing)])
            found += differences
        else:
            commit(scope, [Put(Verified(*place, upto=upto), anyway=True)])
    return found


def _publish(scope: Scope, reseller_id: str, since: int) -> Iterator[Difference]:
    """New calls into the lake; a client's month of which an older object is gone can not be put together."""
    for client_id in queries.client_ids(reseller_id):
        try:
            lake.publish(scope, reseller_id, client_id, since)
        except objects.Missing as problem:
            yield Difference(client_id, f"{problem}, wanted for the lake and not in the bucket", 1, 0)


def reconcile(reseller_id: str, level: int = 1, since: int = 0, now: int = 0) -> list[Difference]:
    """Every difference in a reseller's books; none is good news. ``LostRace`` for a ledger that never holds still.

    Level 2 reads the client-days again that have a segment written at or after ``since`` (0: all of them). What is held
    for calls in progress is compared as of ``now`` (0: not at all).
    """
    # First, because a finished batch has all its markers: whatever is read of clients afterwards has them too.
    batches = Batch.under(*Batch.of_reseller(reseller_id))
    found = months.check(partial(posting.get_reseller, reseller_id))
    marked: dict[str, list[Marked]] = {}
    for client_id in queries.client_ids(reseller_id):
        found += months.check(partial(posting.get_client, reseller_id, client_id))
        index, markers, differences = settle(partial(_still, reseller_id, client_id))
        found += differences
        for marker in markers:
            marked.setdefault(marker.batch_id, []).append(marker)
        if now:
            found += settle(partial(_held, client_id, now))
        if level >= 2:
            found += _contents(client_id, index, since)
    return [*found, *_batches(reseller_id, batches, marked)]


def of_client(reseller_id: str, client_id: str) -> list[Difference]:
    """Level 1 of one client: its ledger, its months, its index of calls."""
    _, _, found = settle(partial(_still, reseller_id, client_id))
    return [*months.check(partial(posting.get_client, reseller_id, client_id)), *found]


def _still(reseller_id: str, client_id: str) -> tuple[list[Segment], list[Marked], list[Difference]]:
    """A client's index and markers, and what is wrong with them; ``LostRace`` when it moved meanwhile."""
    read = partial(posting.get_client, reseller_id, client_id)
    version = int(read().version)
    index = call_store.segments_of(client_id, FIRST_DAY, LAST_DAY)
    markers = queries.marked(client_id)
    found = list(_usage(client_id, index, markers))
    if int(read().version) != version:
        raise LostRace()
    return index, markers, found


def _usage(client_id: str, index: Iterable[Segment], markers: Iterable[Marked]) -> Iterator[Difference]:
    by_month = queries.usage_by_month(client_id)
    indexed: dict[str, dict[str, int]] = {}
    for segment in index:
        sums = {"calls": segment.rows, "revenue_e8": segment.amount_e8, "cost_e8": segment.cost_e8}
        _add(indexed, segment.month, {**sums, "seconds": segment.seconds})
    marked: dict[str, dict[str, int]] = {}
    for marker in markers:
        sums = {"calls": marker.calls, "revenue_e8": marker.revenue_e8, "cost_e8": marker.cost_e8}
        _add(marked, marker.month, sums)
    for month in sorted({*by_month, *marked, *indexed}):
        usage = by_month.get(month, {})
        for what, found in (("index", indexed), ("markers", marked)):
            for name, value in found.get(month, {}).items():
                yield from _differ(client_id, f"{name} of {month}, {what} against month", value, usage.get(name, 0))
        if month not in indexed:
            yield from _differ(client_id, f"calls of {month} without a segment", 0, usage.get("calls", 0))
    revenue = sum(sums["revenue_e8"] for sums in indexed.values())
    debited = sum(queries.debited(client_id).values())
    yield from _differ(client_id, "call_usage entries against segments", revenue, debited)


def _held(client_id: str, now: int) -> list[Difference]:
    """A client's open holds against their sums; ``LostRace`` when one was made or let go meanwhile."""
    pk = f"H#{client_id}"
    head, holds = hold_store.head_of(pk), hold_store.open_holds(pk, now)
    if int(hold_store.head_of(pk).version) != head.version:
        raise LostRace()
    return list(_differ(client_id, "holds", sum(hold.amount_e8 for hold in holds), head.sums().open_e8(now)))


def _add(by_month: dict[str, dict[str, int]], month: str, more: Mapping[str, float]) -> None:
    sums = by_month.setdefault(month, {})
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + int(value)


def _contents(client_id: str, index: Sequence[Segment], since: int) -> Iterator[Difference]:
    days = {segment.day for segment in index if segment.written_at >= since}
    # Day by day, as the index is sorted, so that only one day's hashes are held at a time.
    for day, found in groupby(index, key=lambda segment: segment.day):
        if day in days:
            of_day, seen = list(found), [array("q") for _ in range(_HEAPS)]
            for segment in of_day:
                yield from _content(client_id, segment, seen)
            yield from _twice(client_id, of_day, seen)


def _content(client_id: str, segment: Segment, seen: Sequence[array[int]]) -> Iterator[Difference]:
    """A segment read again; ``seen`` gets a hash of each of its calls, in heaps."""
    what, billed_by = f"segment {segment.sk}", segment.batch_id
    sums = dict.fromkeys(("rows", "seconds", "billed_seconds", "amount_e8", "cost_e8"), 0)
    of_others = of_other_batches = 0
    try:
        for call in call_index.calls(segment):
            for name in sums:
                sums[name] += 1 if name == "rows" else getattr(call, name)
            of_others += call.client_id != client_id or periods.utc_day(call.start) != segment.day
            of_other_batches += call.batch_id != billed_by
            hashed = hash(identity.key_of(call))
            seen[hashed % _HEAPS].append(hashed)
    except call_index.UNREADABLE as problem:
        why = f"which can not be read: {type(problem).__name__} {problem}"
        yield Difference(client_id, f"rows of {what}, {why}", segment.rows, sums["rows"])
        return
    for name, value in sums.items():
        yield from _differ(client_id, f"{name} of {what}", value, int(getattr(segment, name)))
    yield from _differ(client_id, f"calls of others in {what}", 0, of_others)
    if not segment.is_compacted:
        yield from _differ(client_id, f"calls of other batches in {what}", 0, of_other_batches)


def _twice(client_id: str, of_day: Sequence[Segment], hashes: Iterable[array[int]]) -> Iterator[Difference]:
    """Calls that a day has more than once. A day may have millions, so only those of equal hashes are looked at."""
    again = set[int]()
    for heap in hashes:
        again.update(hashed for hashed, times in Counter(heap).items() if times > 1)
    seen = set[bytes]()
    for segment in of_day if again else ():
        twice = 0
        with suppress(*call_index.UNREADABLE):
            for key in map(identity.key_of, call_index.calls(segment)):
                if hash(key) in again:
                    twice += key in seen
                    seen.add(key)
        yield from _differ(client_id, f"calls billed twice in segment {segment.sk}", 0, twice)


def _batches(reseller_id: str, batches: Sequence[Batch], marked: dict[str, list[Marked]]) -> Iterator[Difference]:
    """Every finished batch against its own markers, its lines, and what it has debited the reseller."""
    debited = queries.debited(reseller_id)
    for batch in batches:
        cost = debited.pop(f"batch:{batch.batch_id}", 0)
        if batch.status != "done":
            continue
        own = [one for one in marked.get(batch.batch_id, []) if one.generation == batch.generation]
        counted = {
            "rated": sum(one.calls for one in own),
            "duplicates": sum(one.duplicates for one in own),
            "revenue_e8": sum(one.revenue_e8 for one in own),
            "cost_e8": sum(one.cost_e8 for one in own),
        }
        found: list[Difference] = []
        for name, value in counted.items():
            found += _differ(
                reseller_id,
                f"{name} of batch {batch.batch_id}, markers against batch",
                value,
                int(getattr(batch, name)),
            )
        lines = batch.rated + batch.rejected + batch.duplicates
        found += _differ(reseller_id, f"lines of batch {batch.batch_id}", batch.lines, lines)
        found += _differ(reseller_id, f"entries of batch {batch.batch_id}", batch.cost_e8, cost)
        if found and _is_as_it_was(batch):
            yield from found
    for source, cost in debited.items():
        if store.batch(reseller_id, source.removeprefix("batch:")) is None:
            yield from _differ(reseller_id, f"entries of {source}, which is no batch", 0, cost)


def _is_as_it_was(batch: Batch) -> bool:
    """Whether a batch is still in the state that was read; one that is being re-rated moves."""
    now = store.batch(batch.reseller_id, batch.batch_id)
    return now is not None and (now.status, now.generation) == (batch.status, batch.generation)


def _differ(owner_id: str, what: str, expected: int, found: int) -> Iterator[Difference]:
    if expected != found:
        yield Difference(owner_id, what, expected, found)
