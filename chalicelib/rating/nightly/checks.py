"""The checks of the books. Each compares figures that must be equal, and yields those that are not; it only reads.

A check looks at the books of one client (``CLIENT_CHECKS``) or of the reseller (``RESELLER_CHECKS``). Files may be
rated at the same time: a client that changes while it is read is read again, and unfinished batches are left out.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from typing import TypeVar

from chalicelib import periods
from chalicelib.accounts.ledger import months, posting, queries
from chalicelib.accounts.ledger.months import Difference
from chalicelib.accounts.ledger.queries import Marked
from chalicelib.aws.transactions import settled
from chalicelib.calls import identity
from chalicelib.calls import index as call_index
from chalicelib.calls import store as call_store
from chalicelib.calls.store import Segment
from chalicelib.errors import LostRace
from chalicelib.rating.authorizations import store as hold_store
from chalicelib.rating.batches import store
from chalicelib.rating.batches.store import Batch, Status

FIRST_DAY, LAST_DAY = "0000", "9999"
_PARTITIONS = 64
"""The hashes of a day's calls are divided into so many partitions, which are searched one after the other."""


@dataclass(frozen=True)
class Calls:
    """What the table says of a client's calls, all of one version of the client.

    ``usage``: the months' sums by month. ``debited_e8``: what calls have debited the client.
    """

    segments: list[Segment]
    markers: list[Marked]
    usage: dict[str, dict[str, int]]
    debited_e8: int


@dataclass(frozen=True)
class ClientBooks:
    """The books of one client. ``since``: contents are read of days with a segment written then or later.

    ``now``: the holds that are open at this instant are compared.
    """

    reseller_id: str
    client_id: str
    since: int = 0
    now: int = 0

    @property
    def read_owner(self) -> Callable[[], months.Owner]:
        return partial(posting.get_client, self.reseller_id, self.client_id)

    @cached_property
    def calls(self) -> Calls:
        """Read once, at the first check that needs it."""
        return _calls(self.read_owner, self.client_id)


@dataclass(frozen=True)
class ResellerBooks:
    """The books of a reseller: its batches, and the markers of its clients by batch.

    The batches are read before the markers: a batch that was finished by then has all its markers.
    """

    reseller_id: str
    batches: Sequence[Batch] = ()
    markers: dict[str, list[Marked]] = field(default_factory=dict)

    @property
    def read_owner(self) -> Callable[[], months.Owner]:
        return partial(posting.get_reseller, self.reseller_id)

    def add(self, markers: Iterable[Marked]) -> None:
        """Add the markers of one client."""
        for marker in markers:
            self.markers.setdefault(marker.batch_id, []).append(marker)


@settled
def _calls(read_owner: Callable[[], months.Owner], client_id: str) -> Calls:
    version = read_owner().version
    segments = call_store.segments_of(client_id, FIRST_DAY, LAST_DAY)
    markers = queries.marked(client_id)
    read = Calls(segments, markers, queries.usage_by_month(client_id), sum(queries.debited(client_id).values()))
    if read_owner().version != version:
        raise LostRace()
    return read


def balances(books: ClientBooks | ResellerBooks) -> Iterable[Difference]:
    """The sums of an owner's entries equal its balance, its running balances, and its months."""
    return months.check(books.read_owner)


def usage(books: ClientBooks) -> Iterator[Difference]:
    """Each month's usage equals the sums of its segments and of its markers; usage entries equal all segments."""
    calls, client_id = books.calls, books.client_id
    indexed: dict[str, dict[str, int]] = {}
    for segment in calls.segments:
        sums = {"calls": segment.rows, "revenue_e8": segment.amount_e8, "cost_e8": segment.cost_e8}
        _add(indexed, segment.month, {**sums, "seconds": segment.seconds})
    marked: dict[str, dict[str, int]] = {}
    for marker in calls.markers:
        sums = {"calls": marker.calls, "revenue_e8": marker.revenue_e8, "cost_e8": marker.cost_e8}
        _add(marked, marker.month, sums)
    for month in sorted({*calls.usage, *marked, *indexed}):
        of_month = calls.usage.get(month, {})
        for source, by_month in (("index", indexed), ("markers", marked)):
            for name, value in by_month.get(month, {}).items():
                what = f"{name} of {month}, {source} against month"
                yield from _compare(client_id, what, value, of_month.get(name, 0))
        if month not in indexed:
            yield from _compare(client_id, f"calls of {month} without a segment", 0, of_month.get("calls", 0))
    revenue_e8 = sum(sums["revenue_e8"] for sums in indexed.values())
    yield from _compare(client_id, "call_usage entries against segments", revenue_e8, calls.debited_e8)


def _add(by_month: dict[str, dict[str, int]], month: str, more: Mapping[str, int]) -> None:
    sums = by_month.setdefault(month, {})
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value


@settled
def holds(books: ClientBooks) -> list[Difference]:
    """The client's open holds add up to the sums that its head keeps of them, of money and of free seconds."""
    head, open_holds = hold_store.head_of(books.client_id), hold_store.open_holds(books.client_id, books.now)
    if hold_store.head_of(books.client_id).version != head.version:
        raise LostRace()
    sums, total_e8 = head.sums(), sum(hold.amount_e8 for hold in open_holds)
    free_seconds = sum(hold.free_seconds for hold in open_holds)
    return [
        *_compare(books.client_id, "holds", total_e8, sums.open_e8(books.now)),
        *_compare(books.client_id, "held free seconds", free_seconds, sums.all_free_seconds(books.now)),
    ]


def contents(books: ClientBooks) -> Iterator[Difference]:
    """The calls in each segment equal what the index says of it; no call is billed twice in a day."""
    segments = books.calls.segments
    days = {segment.day for segment in segments if segment.written_at >= books.since}
    # Day by day, as the index is sorted, so that only one day's hashes are in memory.
    for day, group in groupby(segments, key=lambda segment: segment.day):
        if day in days:
            of_day, hashes = list(group), [array("q") for _ in range(_PARTITIONS)]
            for segment in of_day:
                yield from _content(books.client_id, segment, hashes)
            yield from _duplicates(books.client_id, of_day, hashes)


def _content(client_id: str, segment: Segment, hashes: Sequence[array[int]]) -> Iterator[Difference]:
    """Read a segment again; the hash of each of its calls is added to its partition of ``hashes``."""
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
            hashes[hashed % _PARTITIONS].append(hashed)
    except call_index.UNREADABLE as problem:
        why = f"which can not be read: {type(problem).__name__} {problem}"
        yield Difference(client_id, f"rows of {what}, {why}", segment.rows, sums["rows"])
        return
    for name, value in sums.items():
        yield from _compare(client_id, f"{name} of {what}", value, getattr(segment, name))
    yield from _compare(client_id, f"calls of others in {what}", 0, of_others)
    if not segment.is_compacted:
        yield from _compare(client_id, f"calls of other batches in {what}", 0, of_other_batches)


def _duplicates(client_id: str, of_day: Sequence[Segment], hashes: Iterable[array[int]]) -> Iterator[Difference]:
    """Calls that a day has more than once. It may have millions: only keys with equal hashes are kept and compared."""
    repeated = set[int]()
    for partition in hashes:
        repeated.update(hashed for hashed, times in Counter(partition).items() if times > 1)
    seen = set[bytes]()
    for segment in of_day if repeated else ():
        duplicates = 0
        with suppress(*call_index.UNREADABLE):
            for key in map(identity.key_of, call_index.calls(segment)):
                if hash(key) in repeated:
                    duplicates += key in seen
                    seen.add(key)
        yield from _compare(client_id, f"calls billed twice in segment {segment.sk}", 0, duplicates)


def batches(books: ResellerBooks) -> Iterator[Difference]:
    """Each finished batch equals the sums of its markers and of its lines, and what it has debited the reseller."""
    debited = queries.debited(books.reseller_id)
    for batch in books.batches:
        cost_e8 = debited.pop(f"batch:{batch.batch_id}", 0)
        if batch.status == Status.DONE:
            differences = list(_batch(batch, books.markers.get(batch.batch_id, []), cost_e8))
            if differences and _is_unchanged(batch):
                yield from differences
    for source, cost_e8 in debited.items():
        if store.batch(books.reseller_id, source.removeprefix("batch:")) is None:
            yield from _compare(books.reseller_id, f"entries of {source}, which is no batch", 0, cost_e8)


def _batch(batch: Batch, markers: Iterable[Marked], debited_e8: int) -> Iterator[Difference]:
    own = [marker for marker in markers if marker.generation == batch.generation]
    counted = {
        "rated": sum(marker.calls for marker in own),
        "internal": sum(marker.internal for marker in own),
        "duplicates": sum(marker.duplicates for marker in own),
        "conflicting": sum(marker.conflicting for marker in own),
        "revenue_e8": sum(marker.revenue_e8 for marker in own),
        "cost_e8": sum(marker.cost_e8 for marker in own),
    }
    for name, value in counted.items():
        what = f"{name} of batch {batch.batch_id}, markers against batch"
        yield from _compare(batch.reseller_id, what, value, getattr(batch, name))
    lines = batch.rated + batch.rejected + batch.duplicates + batch.skipped
    yield from _compare(batch.reseller_id, f"lines of batch {batch.batch_id}", batch.lines, lines)
    yield from _compare(batch.reseller_id, f"entries of batch {batch.batch_id}", batch.cost_e8, debited_e8)


def _is_unchanged(batch: Batch) -> bool:
    """Whether a batch still has the status and generation that were read; a re-rating changes them."""
    now = store.batch(batch.reseller_id, batch.batch_id)
    return now is not None and (now.status, now.generation) == (batch.status, batch.generation)


def _compare(owner_id: str, what: str, expected: int, found: int) -> Iterator[Difference]:
    if expected != found:
        yield Difference(owner_id, what, expected, found)


CLIENT_CHECKS: tuple[Callable[[ClientBooks], Iterable[Difference]], ...] = (balances, usage, holds, contents)
RESELLER_CHECKS: tuple[Callable[[ResellerBooks], Iterable[Difference]], ...] = (balances, batches)
NAMES = tuple(dict.fromkeys(check.__name__ for check in (*CLIENT_CHECKS, *RESELLER_CHECKS)))
"""The names by which an operator can run a check alone."""

_Books = TypeVar("_Books", ClientBooks, ResellerBooks)


def run(
    checks: Iterable[Callable[[_Books], Iterable[Difference]]], names: Iterable[str], books: _Books
) -> Iterator[Difference]:
    """Run those of the checks that are named; yields their differences, each with the name of its check."""
    wanted = set(names)
    for check in checks:
        if check.__name__ in wanted:
            for difference in check(books):
                yield replace(difference, check=check.__name__)
