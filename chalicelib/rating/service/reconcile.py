"""Does everything add up? Run by tests, every night, and by the operator; it only reads.

Level 1 compares sums: entries with balances and months, markers with months, the index of segments with both, finished
batches with the reseller's entries. Level 2 reads every segment again and compares it with its index.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from chalicelib import periods
from chalicelib.accounts.service import months, posting
from chalicelib.accounts.service import terms as accounts
from chalicelib.accounts.service.months import Difference
from chalicelib.rating import store
from chalicelib.rating.service import lake, segments
from chalicelib.rating.store import Batch, Segment, Verified
from chalicelib.tables import Put, Scope, commit, event

log = logging.getLogger(__name__)

FIRST_DAY, LAST_DAY = "0000", "9999"


def nightly(scope: Scope) -> list[Difference]:
    """Level 2 for every reseller that is not being rated just now, over the segments written since the last time.

    Differences are told in the reseller's events and come back; a reseller with none gets its new calls into the lake
    and is marked as verified.
    """
    found: list[Difference] = []
    for reseller_id in months.reseller_ids():
        head = accounts.head(reseller_id)
        if head is None or head.open_batches:
            log.warning("reseller %s is not checked: batches are open", reseller_id)
            continue
        place = ("R#" + reseller_id, "VERIFIED")
        before = Verified.find(*place)
        differences = reconcile(reseller_id, 2, int(before.upto) if before else 0)
        if differences:
            listing = {"differences": [asdict(one) for one in differences[:20]]}
            commit(scope, [event(scope, reseller_id, "books.differ", reseller_id, listing)])
            found += differences
        else:
            for client_id in months.client_ids(reseller_id):
                lake.publish(reseller_id, client_id, int(before.upto) if before else 0)
            # An hour back: a try that was killed may have left its clock behind ours.
            commit(scope, [Put(Verified(*place, upto=scope.now - 3600), anyway=True)])
    return found


def reconcile(reseller_id: str, level: int = 1, since: int = 0) -> list[Difference]:
    """Every difference in a reseller's books; none is good news. Wrong while batches are being rated: they move.

    Level 2 reads the client-days again that have a segment written at or after ``since`` (0: all of them).
    """
    found = months.check(posting.reseller_of(reseller_id))
    for client_id in months.client_ids(reseller_id):
        found += months.check(posting.client_of(reseller_id, client_id))
        index = store.segments_of(client_id, FIRST_DAY, LAST_DAY)
        found += _usage(client_id, index)
        if level >= 2:
            found += _contents(client_id, index, since)
    return [*found, *_costs(reseller_id)]


def _usage(client_id: str, index: Iterable[Segment]) -> Iterator[Difference]:
    by_month = months.usage(client_id)
    marked = months.marked(client_id)
    indexed: dict[str, dict[str, int]] = {}
    for segment in index:
        sums = indexed.setdefault(segment.month, {"calls": 0, "seconds": 0, "revenue_e8": 0, "cost_e8": 0})
        sums["calls"] += int(segment.rows)
        sums["seconds"] += int(segment.seconds)
        sums["revenue_e8"] += int(segment.amount_e8)
        sums["cost_e8"] += int(segment.cost_e8)
    for month in sorted({*by_month, *marked, *indexed}):
        for name, value in indexed.get(month, {}).items():
            yield from _differ(
                client_id, f"{name} of {month}, index against month", value, by_month[month].get(name, 0)
            )
        for name, value in marked.get(month, {}).items():
            yield from _differ(
                client_id, f"{name} of {month}, markers against month", value, by_month[month].get(name, 0)
            )
        if month not in indexed:
            calls = by_month.get(month, {}).get("calls", 0)
            yield from _differ(client_id, f"calls of {month} without a segment", 0, calls)
    revenue = sum(sums["revenue_e8"] for sums in indexed.values())
    yield from _differ(client_id, "call_usage entries against segments", revenue, months.debited(client_id))


def _contents(client_id: str, index: Sequence[Segment], since: int) -> Iterator[Difference]:
    seen: dict[str, set[str]] = {}
    days = {segment.day for segment in index if segment.written_at >= since}
    for segment in index:
        if segment.day not in days:
            continue
        calls = segments.read(segment)
        what = f"segment {segment.sk}"
        sums = {
            "rows": len(calls),
            "seconds": sum(call.seconds for call in calls),
            "billed_seconds": sum(call.billed_seconds for call in calls),
            "amount_e8": sum(call.amount_e8 for call in calls),
            "cost_e8": sum(call.cost_e8 for call in calls),
        }
        for name, value in sums.items():
            yield from _differ(client_id, f"{name} of {what}", value, int(getattr(segment, name)))
        strays = [c for c in calls if c.client_id != client_id or periods.utc_day(c.start) != segment.day]
        yield from _differ(client_id, f"calls of others in {what}", 0, len(strays))
        billed_by = segment.sk.split("#")[2]
        strays = [c for c in calls if c.batch_id != billed_by]
        yield from _differ(client_id, f"calls of other batches in {what}", 0, len(strays))
        keys = {segments.key_of_call(call) for call in calls}
        twice = len(calls) - len(keys) + len(keys & seen.setdefault(segment.day, set()))
        yield from _differ(client_id, f"calls billed twice in {what}", 0, twice)
        seen[segment.day] |= keys


def _costs(reseller_id: str) -> Iterator[Difference]:
    """Finished batches against what they have debited the reseller."""
    batches = Batch.under(f"R#{reseller_id}", "BATCH#")
    cost = sum(int(batch.cost_e8) for batch in batches if batch.status == "done")
    if all(batch.status == "done" for batch in batches):
        yield from _differ(reseller_id, "costs of batches against entries", cost, months.debited(reseller_id))
    for batch in batches:
        if batch.status == "done":
            counted = int(batch.rated) + int(batch.rejected) + int(batch.duplicates)
            yield from _differ(reseller_id, f"lines of batch {batch.batch_id}", int(batch.lines), counted)


def _differ(owner_id: str, what: str, expected: int, found: int) -> Iterator[Difference]:
    if expected != found:
        yield Difference(owner_id, what, expected, found)
