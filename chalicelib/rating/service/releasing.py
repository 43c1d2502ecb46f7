"""Holds of calls that are rated now: let go after the debit, so that nobody can spend the money in between.

It is done after the part's own transaction, not in it: calls that are asked for at the same moment would make that
one fail, and a part can have more calls than a transaction takes. A try that dies in between is made up for by the
next one, which finds the part committed and comes here again. A hold goes together with its share of the sums, so
once.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from chalicelib import periods
from chalicelib.aws.transactions import Put, Remove, Scope, commit, find_many, settle
from chalicelib.rating import hold_store, holds
from chalicelib.rating.hold_store import Done, Hold
from chalicelib.rating.holds import Called, Match
from chalicelib.rating.spill import Spill

AT_ONCE = 90
"""Holds and records that one transaction settles; with the head they must fit one."""
TRIES = 500
"""It competes with every call that the client asks for meanwhile."""
_INBOUND = 1


Part = tuple[str, str]
"""A client and a local month."""


def release(scope: Scope, spill: Spill, parts: Sequence[Part]) -> None:
    """Let go of the open holds whose calls are in some parts of a batch. Most clients have none, so look for all."""
    heads = hold_store.heads_of([_pk(part) for part in parts])
    for part, head in zip(parts, heads, strict=True):
        if head.sums().any_open(scope.now):
            _release(scope, spill, part)


def _pk(part: Part) -> str:
    return f"H#{part[0]}"


def _release(scope: Scope, spill: Spill, part: Part) -> None:
    pk = _pk(part)
    calls: Iterable[Called] = _calls(scope.now, spill, part)
    while hold_store.head_of(pk).sums().any_open(scope.now):
        waiting = [hold.open() for hold in hold_store.open_holds(pk, scope.now)]
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
    keys = {call: hold_store.done_of(pk, call).sk for call in calls}
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
        head = hold_store.head_of(pk)
        after = hold_store.next_head(head, scope.now, [(hold, -hold.amount_e8) for hold in gone])
        notes = [Put(hold_store.done_of(pk, match.call)) for match in ended]
        commit(scope, [after, *notes, *(Remove(hold, Hold.amount_e8 == hold.amount_e8) for hold in gone)])


def _calls(now: int, spill: Spill, part: Part) -> Iterator[Called]:
    """The outbound calls of a part that may have an open hold: none is older than holds get."""
    since = (now - holds.KEPT_SECONDS) // periods.DAY_SECONDS - 1
    for run in (run for day in spill.days(part) if day >= since for run in spill.runs(part, day)):
        rows, texts = spill.read(run)
        some = np.flatnonzero(rows["code"] & _INBOUND == 0)
        some = some[np.argsort(rows["line"][some])]
        rows, texts = rows[some], texts.at(some)
        for call_id, account, number, start, seconds in zip(
            texts.call_id.tolist(),
            texts.account.tolist(),
            texts.called.tolist(),
            rows["start"].tolist(),
            rows["seconds"].tolist(),
            strict=True,
        ):
            yield Called(_plain(call_id), _plain(account), number.decode(), start, seconds)


def _plain(field: bytes) -> str:
    """A field of a CSV row as it was before it became one."""
    text = field.decode()
    return next(csv.reader([text]))[0] if text.startswith('"') else text
