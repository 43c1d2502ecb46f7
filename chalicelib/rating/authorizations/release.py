"""End the holds of calls that were just rated: after the debit, so that the money is never free in between.

It is done after the transaction of a client-month, not in it: holds that are made at the same moment would make that
transaction fail, and a client-month can have more calls than fit one. When a try is killed in between, the next one
finds the client-month committed and ends the holds. A hold is removed in one transaction with its share of the sums,
so it is subtracted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from chalicelib.aws.transactions import Put, Remove, Scope, commit, find_many, settle
from chalicelib.rating.authorizations import holds, store
from chalicelib.rating.authorizations.holds import Called, Match
from chalicelib.rating.authorizations.store import Done, Hold

AT_ONCE = 90
"""Holds and records in one transaction, beside the head."""
TRIES = 500
"""Attempts at one transaction: it competes with every hold that the client's calls make meanwhile."""


def release(scope: Scope, rated: Sequence[tuple[str, Iterable[Called]]]) -> None:
    """End the open holds of rated calls. ``rated``: clients with their calls in the order of the file.

    The calls of a client without an open hold are not read.
    """
    heads = store.heads_of([client_id for client_id, _ in rated])
    for (client_id, calls), head in zip(rated, heads, strict=True):
        if head.sums().any_open(scope.now):
            _release(scope, client_id, calls)


def _release(scope: Scope, client_id: str, calls: Iterable[Called]) -> None:
    while store.head_of(client_id).sums().any_open(scope.now):
        waiting = [hold.open() for hold in store.open_holds(client_id, scope.now)]
        # A record that has ended a hold ends no other when it is rated again.
        calls = _not_done(client_id, holds.concerned(waiting, calls) if waiting else [])
        matches = holds.matches(waiting, calls)
        for portion in _portions(matches):
            settle(partial(_end_holds, scope, client_id, portion), TRIES)
        if not matches:
            return


def _portions(matches: Iterable[Match]) -> Iterator[list[Match]]:
    """As many matches at a time as one transaction takes."""
    portion, writes = list[Match](), 0
    for match in matches:
        more = 1 + len(match.names)
        if writes + more > AT_ONCE:
            yield portion
            portion, writes = [], 0
        portion.append(match)
        writes += more
    if portion:
        yield portion


def _not_done(client_id: str, calls: Sequence[Called]) -> list[Called]:
    """The calls whose records have not ended a hold yet, each once."""
    keys = {call: Done.key(client_id, call) for call in calls}
    done = find_many(list(keys.values()), Done)
    return [call for call, key in keys.items() if key not in done]


def _end_holds(scope: Scope, client_id: str, matches: Sequence[Match]) -> None:
    """End the matched holds that still exist. A record that finds none of its holds is matched again afterwards."""
    keys = [Hold.key(client_id, name) for match in matches for name in match.names]
    by_name = {hold.name: hold for hold in find_many(keys, Hold).values() if hold.is_open(scope.now)}
    not_done = set(_not_done(client_id, [match.call for match in matches]))
    ended = [match for match in matches if match.call in not_done and any(name in by_name for name in match.names)]
    names = dict.fromkeys(name for match in ended for name in match.names)
    removed = [by_name[name] for name in names if name in by_name]
    if removed:
        # The head is read last, to leave little time for other writes; what each hold holds is a condition as well.
        head = store.head_of(client_id)
        after = store.next_head(head, scope.now, [(hold, -hold.amount_e8, -hold.free_seconds) for hold in removed])
        notes = [Put(store.done_of(client_id, match.call)) for match in ended]
        commit(scope, [after, *notes, *(Remove(hold, hold.unchanged()) for hold in removed)])
