"""Holds of calls that are rated now: let go after the debit, so that nobody can spend the money in between.

It is done after the part's own transaction, not in it: calls that are asked for at the same moment would make that
one fail, and a part can have more calls than a transaction takes. A try that dies in between is made up for by the
next one, which finds the part committed and comes here again. A hold goes together with its share of the sums, so
once.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from chalicelib import periods
from chalicelib.rating import hold_store, holds
from chalicelib.rating.hold_store import Hold
from chalicelib.rating.holds import Called
from chalicelib.rating.spill import Spill
from chalicelib.tables import Remove, Scope, commit, find_many, settle

AT_ONCE = 90
"""Holds that one transaction lets go of."""
TRIES = 500
"""It competes with every call that the client asks for meanwhile."""
_INBOUND = 1


def release(scope: Scope, spill: Spill, part: tuple[str, str]) -> None:
    """Let go of every open hold whose call is in a part (client and month) of a batch."""
    pk = f"H#{part[0]}"
    if not hold_store.head_of(pk).sums().any_open(scope.now):
        return
    waiting = [hold.open() for hold in hold_store.open_holds(pk, scope.now)]
    names = holds.settled(waiting, _calls(scope.now, spill, part)) if waiting else []
    for first in range(0, len(names), AT_ONCE):
        some = [(pk, name) for name in names[first : first + AT_ONCE]]
        settle(lambda some=some: _let_go(scope, pk, some), TRIES)  # type: ignore[misc]


def _let_go(scope: Scope, pk: str, keys: list[tuple[str, str]]) -> None:
    found = [hold for hold in find_many(keys, Hold).values() if int(hold.expires_at or 0) > scope.now]
    if found:
        # The head last, so that few calls come in between; what each hold holds is a condition of its own then.
        head = hold_store.head_of(pk)
        gone = hold_store.next_head(head, scope.now, [(hold, -int(hold.amount_e8)) for hold in found])
        commit(scope, [gone, *(Remove(hold, Hold.amount_e8 == int(hold.amount_e8)) for hold in found)])


def _calls(now: int, spill: Spill, part: tuple[str, str]) -> Iterator[Called]:
    """The outbound calls of a part that may have an open hold: none is older than holds get."""
    since = (now - holds.KEPT_SECONDS) // periods.DAY_SECONDS - 1
    for day in (day for day in spill.days(part) if day >= since):
        rows, texts = spill.lines(part, day)
        for text, start, seconds, code in zip(
            texts, rows["start"].tolist(), rows["seconds"].tolist(), rows["code"].tolist(), strict=True
        ):
            if not code & _INBOUND:
                call_id, account, _, number = next(csv.reader([text])) if '"' in text else text.split(",")
                yield Called(call_id, account, number, start, seconds)
