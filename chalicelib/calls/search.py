"""Finds rated calls by client and filters: pages of them, newest first, and the totals of a whole selection.

A page reads only the gzip members that can contain its calls. Totals come from the index wherever a whole segment is
selected, so calls are read one by one only at the edges of a selection and for filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple

from chalicelib import periods
from chalicelib.calls import index
from chalicelib.calls import store as call_store
from chalicelib.calls.format import INBOUND, RatedCall
from chalicelib.calls.store import Segment
from chalicelib.calls.totals import Totals


class Place(NamedTuple):
    """The place of a call in the order of the report; what is greater comes before it."""

    start: int
    call_id: str
    client_id: str
    direction: str
    disposition: str


@dataclass(frozen=True)
class Selection:
    """Calls that start in ``[start, end)``. A filter that is ``None`` selects all.

    ``did``: the number called (inbound) or calling; ``billing`` is ``free`` (amount 0) or ``billed``.
    """

    start: int
    end: int
    client_id: str | None = None
    account: str | None = None
    did: str | None = None
    direction: str | None = None
    disposition: str | None = None
    country: str | None = None
    number_prefix: str | None = None
    billing: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether there is no filter but the time span and the client."""
        own = ("start", "end", "client_id")
        return all(getattr(self, field.name) is None for field in fields(self) if field.name not in own)

    def wants(self, call: RatedCall) -> bool:
        return (
            self.start <= call.start < self.end
            and self.account in (None, call.account)
            and (self.did is None or (self.did == call.to_number and call.direction == INBOUND))
            and self.direction in (None, call.direction)
            and self.disposition in (None, call.disposition)
            and self.country in (None, call.country)
            and (self.number_prefix is None or call.to_number.lstrip("+").startswith(self.number_prefix))
            and self.billing in (None, "billed" if call.amount_e8 else "free")
        )


def place_of(call: RatedCall) -> Place:
    return Place(call.start, call.call_id, call.client_id, call.direction, call.disposition)


def page(reseller_id: str, selection: Selection, after: Place | None, limit: int) -> list[RatedCall]:
    """Up to ``limit`` calls, newest first, of those that come behind ``after``."""
    return list(islice(_newest_first(reseller_id, selection, after), limit))


def totals(reseller_id: str, selection: Selection) -> Totals:
    """The totals of the whole selection."""
    sums = Totals()
    for segment in _segments(reseller_id, selection, selection.end):
        if selection.is_whole and selection.start <= segment.first and segment.last < selection.end:
            sums += segment.totals
        else:
            sums += Totals.of(filter(selection.wants, index.calls(segment)))
    return sums


def _newest_first(reseller_id: str, selection: Selection, after: Place | None) -> Iterator[RatedCall]:
    end = selection.end if after is None else min(selection.end, after.start + 1)
    for _, day in groupby(_segments(reseller_id, selection, end), attrgetter("day")):
        members = [
            (member, segment)
            for segment in day
            for member in segment.members
            if member[4] >= selection.start and member[3] < end
        ]
        members.sort(key=lambda pair: pair[0][4], reverse=True)
        for call in _merged(members):
            if selection.wants(call) and (after is None or place_of(call) < after):
                yield call


def _merged(members: Sequence[tuple[Sequence[int], Segment]]) -> Iterator[RatedCall]:
    """Members by last start, latest first -> their calls, newest first; each member is read only when it is needed."""
    waiting: list[RatedCall] = []
    for turn, (member, segment) in enumerate(members):
        waiting += index.read(segment, [member])
        bound = members[turn + 1][0][4] if turn + 1 < len(members) else None
        # The members still to come have no call after their last start, so calls after that are complete.
        ready = [call for call in waiting if bound is None or call.start > bound]
        waiting = [call for call in waiting if bound is not None and call.start <= bound]
        yield from sorted(ready, key=place_of, reverse=True)


def _segments(reseller_id: str, selection: Selection, end: int) -> Iterator[Segment]:
    """The segments that may have calls of a selection before the instant ``end``, latest UTC day first."""
    if selection.start < end:
        first, last = periods.utc_day(selection.start), periods.utc_day(end - 1)
        yield from call_store.newest_of(reseller_id, selection.client_id, first, last)
