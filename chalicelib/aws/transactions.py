"""The one DynamoDB table and the one way to write to it.

All items live in a single table (``pk``, ``sk``), described model by model in each room's store. Everything that
changes data goes through ``commit``: one ``TransactWriteItems`` whose writes were decided purely beforehand. Whoever
loses a race gets ``LostRace`` and decides again on fresh data (``settle`` does that loop), so no rule of money is ever
checked outside the write that depends on it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite
from ulid import ULID

from chalicelib.aws.items import IntegerAttribute, Key
from chalicelib.aws.items import Item as Item
from chalicelib.aws.items import find_each as find_each
from chalicelib.aws.items import find_many as find_many
from chalicelib.errors import ForfaitError, LostRace

MAX_WRITES = 100
"""DynamoDB's limit of actions in one transaction."""
KEPT_SECONDS = 7 * 86_400
"""How long the answer to an Idempotency-Key is kept."""
_RETRYABLE = {
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}
_RETRYABLE_CALLS = {
    "TransactionConflictException",
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
}
_AMBIGUOUS = {"InternalServerError", "TransactionInProgressException"}
"""The transaction may have been applied, or be about to be: only the very same one may be sent again."""
_SAME_AGAIN = 5
ATTEMPTS = 40
"""How often a decision is made again after a lost race, before ``LostRace`` reaches the caller."""

_TRAIL = "E#"

_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True)
class Put:
    """Write a whole item; by default only where none stands yet."""

    item: Item
    condition: Condition | None = None
    anyway: bool = False


@dataclass(frozen=True)
class Change:
    """Change attributes of an item under a condition."""

    item: Item
    actions: Sequence[Action]
    condition: Condition


@dataclass(frozen=True)
class Remove:
    item: Item
    condition: Condition


@dataclass(frozen=True)
class Require:
    """Write nothing, but fail unless the condition holds."""

    item: Item
    condition: Condition


Write = Put | Change | Remove | Require


class Answer(Item):
    """``IDEM#<tenant>`` / ``<route>#<Idempotency-Key>``: the answer to a request, without its secrets

    ``fingerprint``: SHA-256 of the request's body. ``status``: HTTP status. ``body``: JSON.
    """

    fingerprint = UnicodeAttribute()
    status = IntegerAttribute()
    body = JSONAttribute(null=True)

    @staticmethod
    def key(tenant: str, route: str, idempotency_key: str) -> Key:
        return Key(f"IDEM#{tenant}", f"{route}#{idempotency_key}")


class Event(Item):
    """``E#<reseller_id or operator>`` / ``<at, 12 digits>#<ulid>``: who changed what, when: the audit trail.

    ``changes`` holds new values by field name, ``before`` the old values of those fields that had one.
    """

    kind = UnicodeAttribute()
    subject = UnicodeAttribute()
    actor = UnicodeAttribute()
    role = UnicodeAttribute(null=True)
    label = UnicodeAttribute(null=True)
    at = IntegerAttribute()
    changes: Any = JSONAttribute(null=True)
    before: Any = JSONAttribute(null=True)

    @staticmethod
    def key(owner_id: str, at: int, event_id: str) -> Key:
        return Key(f"{_TRAIL}{owner_id}", f"{at:012d}#{event_id}")

    @staticmethod
    def of_owner(owner_id: str) -> Key:
        return Key(f"{_TRAIL}{owner_id}", "")

    @property
    def owner_id(self) -> str:
        return self.pk.removeprefix(_TRAIL)

    @property
    def event_id(self) -> str:
        return self.sk.rpartition("#")[2]


class AlreadyAnswered(ForfaitError):
    """A twin of this very request was committed first: its stored answer is the answer."""


@dataclass(frozen=True)
class Guard:
    """The Idempotency-Key of a request that was not answered before: the key of its ``Answer`` and two fields of it."""

    key: Key
    fingerprint: str
    status: int


@dataclass
class Scope:
    """Who acts, when, and under which Idempotency-Key; made by the edge, handed to every service call.

    ``now`` is the only clock that services and stores see. ``guard`` is spent by the first commit, which stores
    ``render(result)`` as the answer that a repeat of the request will get.
    """

    actor: str
    now: int
    role: str = ""
    label: str = ""
    guard: Guard | None = None
    render: Callable[[Any], dict[str, Any] | None] = field(default=lambda result: None, repr=False)

    def answer(self, result: Any) -> list[Write]:
        """The write that keeps the answer to this request, if it came with an Idempotency-Key."""
        if self.guard is None:
            return []
        record = Answer(
            *self.guard.key,
            fingerprint=self.guard.fingerprint,
            status=self.guard.status,
            body=self.render(result),
            expires_at=self.now + KEPT_SECONDS,
        )
        return [Put(record, Answer.pk.does_not_exist() | (Answer.expires_at < self.now), anyway=True)]


def new_id() -> str:
    """A ULID: sorts by time of making."""
    return str(ULID())


def event(
    scope: Scope,
    owner_id: str,
    kind: str,
    subject: str,
    changes: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
) -> Put:
    """The record of one change; ``owner_id`` is the reseller whose trail it belongs to.

    ``changes`` names fields and their new values, ``before`` their old ones; what is the same in both is left out.
    Field names carry their unit (``_e8``). No secret goes in here.
    """
    if changes and before:
        changes = {name: value for name, value in changes.items() if name not in before or before[name] != value}
        before = {name: value for name, value in before.items() if name in changes}
    recorded = Event(
        *Event.key(owner_id, scope.now, new_id()),
        kind=kind,
        subject=subject,
        actor=scope.actor,
        role=scope.role or None,
        label=scope.label or None,
        at=scope.now,
        changes=changes or None,
        before=before or None,
    )
    return Put(recorded)


def commit(scope: Scope, writes: Iterable[Write], result: Any = None) -> None:
    """All writes, or none; ``result``, the answer to the request's Idempotency-Key, goes with them.

    Raises ``LostRace`` when a condition did not hold or another transaction was in the way, ``AlreadyAnswered`` when
    a twin with the same Idempotency-Key came first.
    """
    guard = scope.answer(result)
    # PynamoDB sends checks, deletes, puts, updates in this order, and the reasons come back in it.
    order = {Require: 0, Remove: 1, Put: 2, Change: 3}
    ordered = sorted([*writes, *guard], key=lambda write: order[type(write)])
    if len(ordered) > MAX_WRITES:
        raise ValueError(f"{len(ordered)} writes do not fit one transaction")
    try:
        _send(ordered)
    except TransactWriteError as problem:
        reasons = _reasons(problem)
        if guard and reasons and reasons[ordered.index(guard[0])] == "ConditionalCheckFailed":
            raise AlreadyAnswered() from problem
        raise LostRace(reasons) from problem
    scope.guard = None


def _send(writes: Sequence[Write]) -> None:
    """One transaction; after an answer that leaves its fate open it is sent again under the same token.

    DynamoDB applies one token once. When the answer stays open, the error gets out: deciding anew could act twice.
    """
    token = new_id()
    for attempt in range(_SAME_AGAIN):
        try:
            connection = Item._get_connection().connection
            with TransactWrite(connection=connection, client_request_token=token) as transaction:
                for write in writes:
                    _add(transaction, write)
            return
        except TransactWriteError as problem:
            if problem.cause_response_code not in _AMBIGUOUS or attempt == _SAME_AGAIN - 1:
                raise
            time.sleep(0.05 * 2**attempt)


def settle(decide: Callable[[], _T], attempts: int = ATTEMPTS) -> _T:
    """Run ``decide`` (read, decide, commit) until it does not lose a race; raises the last ``LostRace``."""
    for attempt in range(attempts):
        try:
            return decide()
        except LostRace:
            if attempt == attempts - 1:
                raise
            time.sleep(random.random() * min(0.5, 0.005 * 2**attempt))
    raise AssertionError("unreachable")


def settled(decide: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorator: the function reads, decides and commits, and is run until it does not lose a race (``settle``)."""
    return settled_within(ATTEMPTS)(decide)


def settled_within(attempts: int) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Like ``settled``, with at most so many attempts."""

    def decorate(decide: Callable[_P, _T]) -> Callable[_P, _T]:
        @wraps(decide)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            return settle(partial(decide, *args, **kwargs), attempts)

        return run

    return decorate


def replay(key: Key, now: int) -> Answer | None:
    """The stored answer of an Idempotency-Key; ``None`` if there is none or it has expired."""
    stored = Answer.find(*key)
    return stored if stored and (stored.expires_at or 0) >= now else None


def _add(transaction: TransactWrite, write: Write) -> None:
    if isinstance(write, Put):
        guard = None if write.anyway and write.condition is None else write.condition
        if guard is None and not write.anyway:
            guard = Item.pk.does_not_exist()
        transaction.save(write.item, condition=guard)
    elif isinstance(write, Change):
        transaction.update(write.item, list(write.actions), condition=write.condition)
    elif isinstance(write, Remove):
        transaction.delete(write.item, condition=write.condition)
    else:
        transaction.condition_check(type(write.item), write.item.pk, write.item.sk, condition=write.condition)


def _reasons(problem: TransactWriteError) -> tuple[str, ...]:
    """The reasons of a cancelled transaction; re-raises what is not about a race."""
    code = problem.cause_response_code
    reasons = tuple(reason.code if reason else "None" for reason in problem.cancellation_reasons)
    if code in _RETRYABLE_CALLS:
        return reasons
    if code == "TransactionCanceledException" and all(r == "None" or r in _RETRYABLE for r in reasons):
        return reasons
    raise problem
