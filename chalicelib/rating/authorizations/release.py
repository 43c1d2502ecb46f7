"""Holds of calls that are rated now: let go after the debit, so that nobody can spend the money in between.

It is done after the client-month's own transaction, not in it: calls that are asked for at the same moment would make
that one fail, and a client-month can have more calls than a transaction takes. A try that dies in between is made up
for by the next one, which finds the client-month committed and comes here again. A hold goes together with its share of
the sums, so once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chalicelib.aws.transactions import Put, Remove, Scope, commit, find_many, settle
from chalicelib.rating.authorizations import holds, store
from chalicelib.rating.authorizations.holds import Called, Match
from chalicelib.rating.authorizations.store import Done, Hold

AT_ONCE = 90
"""Holds and records that one transaction settles; with the head they must fit one."""
TRIES = 500
"""It competes with every call that the client asks for meanwhile."""


def release(scope: Scope, rated: Sequence[tuple[str, Iterable[Called]]]) -> None:
    """Release the open holds of calls that are rated now: by client, its outbound calls in the order of the file.

    The calls of a client without an open hold are not read.
    """
    heads = store.heads_of([f"H#{client_id}" for client_id, _ in rated])
    for (client_id, calls), head in zip(rated, heads, strict=True):
        if head.sums().any_open(scope.now):
            _release(scope, f"H#{client_id}", calls)


def _release(scope: Scope, pk: str, calls: Iterable[Called]) -> None:
    while store.head_of(pk).sums().any_open(scope.now):
        waiting = [hold.open() for hold in store.open_holds(pk, scope.now)]
        # A record that has ended a hold ends no other, whoever rates it again.
        calls = _not_done(pk, holds.concerned(waiting, calls) if waiting else [])
        found = holds.matches(waiting, calls)
        for some in _portions(found):
            settle(lambda some=some: _let_go(scope, pk, some), TRIES)  # type: ignore[misc]
        if not found:
            return


def _portions(found: Sequence[Match]) -> Iterator[list[Match]]:
    """As many matches at a time as one transaction takes."""
    some, writes = list[Match](), 0
    for match in found:
        more = 1 + len(match.names)
        if writes + more > AT_ONCE:
            yield some
            some, writes = [], 0
        some.append(match)
        writes += more
    if some:
        yield some


def _not_done(pk: str, calls: Sequence[Called]) -> list[Called]:
    keys = {call: store.done_of(pk, call).sk for call in calls}
    done = find_many([(pk, sk) for sk in keys.values()], Done) if keys else {}
    return [call for call, sk in keys.items() if (pk, sk) not in done]


def _let_go(scope: Scope, pk: str, some: Sequence[Match]) -> None:
    """End the holds of these records that are still there; a record whose holds are gone looks for others next."""
    wanted = [(pk, name) for match in some for name in match.names]
    there = {sk: hold for (_, sk), hold in find_many(wanted, Hold).items() if int(hold.expires_at or 0) > scope.now}
    left = set(_not_done(pk, [match.call for match in some]))
    ended = [match for match in some if match.call in left and any(name in there for name in match.names)]
    gone = [there[name] for name in dict.fromkeys(name for match in ended for name in match.names) if name in there]
    if gone:
        # The head last, so that few calls come in between; what each hold holds is a condition of its own then.
        head = store.head_of(pk)
        after = store.next_head(head, scope.now, [(hold, -hold.amount_e8) for hold in gone])
        notes = [Put(store.done_of(pk, match.call)) for match in ended]
        commit(scope, [after, *notes, *(Remove(hold, Hold.amount_e8 == hold.amount_e8) for hold in gone)])
