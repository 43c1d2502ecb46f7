"""The one DynamoDB table, and the one way to write to it.

All items are in a single table (``pk``, ``sk``); the models are in the rooms' stores. Every change of data goes
through ``commit``: one ``TransactWriteItems`` whose writes are decided beforehand, with the conditions that the
decision depends on. If another transaction was first, ``commit`` raises ``LostRace``, and the decision is made again on
what is stored then (``settled``). So a rule of money is always checked by the write that depends on it.
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

from chalicelib.aws.answers import KEPT_SECONDS, Answer, Guard
from chalicelib.aws.items import IntegerAttribute, KeyOf, KeyPart
from chalicelib.aws.items import Item as Item
from chalicelib.aws.items import find_each as find_each
from chalicelib.aws.items import find_many as find_many
from chalicelib.errors import ForfaitError, LostRace

MAX_WRITES = 100
"""DynamoDB's limit of actions in one transaction."""
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
"""Codes that leave open whether the transaction is applied: only the same transaction may be sent again."""
_SENDS = 5
"""How often the same transaction is sent before the error reaches the caller."""
ATTEMPTS = 40
"""How often a decision is made again after a lost race, before ``LostRace`` reaches the caller."""

_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True)
class Put:
    """Write a whole item: if there is none with its key, or under ``condition``, or ``anyway``."""

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
    """Delete an item under a condition."""

    item: Item
    condition: Condition


@dataclass(frozen=True)
class Require:
    """Write nothing; the transaction fails unless the condition holds."""

    item: Item
    condition: Condition


Write = Put | Change | Remove | Require


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

    key = KeyOf("E#<owner_id>", "<at:012d>#<event_id>")
    of_owner = KeyOf("E#<owner_id>", "")
    owner_id = KeyPart(1, str, of="pk")
    event_id = KeyPart(1, str)


class AlreadyAnswered(ForfaitError):
    """A repeat of the request, with the same Idempotency-Key, was committed first: its stored answer is the answer."""


@dataclass
class Scope:
    """Who acts, when, and under which Idempotency-Key; routes and event functions pass it to every service call.

    ``now``: the present instant, the only clock of services and stores. ``guard`` belongs to the first commit, which
    stores ``render(result)`` as the answer to a repeat of the request, and clears ``guard``.
    """

    actor: str
    now: int
    role: str = ""
    label: str = ""
    guard: Guard | None = None
    render: Callable[[Any], dict[str, Any] | None] = field(default=lambda result: None, repr=False)

    def answer(self, result: Any) -> list[Write]:
        """The write that stores the answer to this request; none without an Idempotency-Key."""
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
    """A new ULID; ULIDs sort by the time when they were made."""
    return str(ULID())


def event(
    scope: Scope,
    owner_id: str,
    kind: str,
    subject: str,
    changes: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
) -> Put:
    """The write of an event in the audit trail of ``owner_id``: a reseller's id, or ``operator``.

    ``changes``: new values by field name, with the unit in the name (``_e8``); ``before``: the old ones. Values that
    are the same in both are left out. They must not contain secrets.
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
    """Make all writes or none. ``result``: what the answer is rendered from that is stored with them (``Scope``).

    Raises ``LostRace`` if a condition does not hold or another transaction is in the way, ``AlreadyAnswered`` if a
    request with the same Idempotency-Key was first, ``ValueError`` for more than ``MAX_WRITES``.
    """
    guard = scope.answer(result)
    # PynamoDB sends checks, deletes, puts and updates in this order, which is that of the reasons in the answer.
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
    """Send a transaction; again with the same token if the answer leaves open whether it is applied.

    DynamoDB applies a token once. If it stays open, the error reaches the caller: a new decision could act twice.
    """
    token = new_id()
    for attempt in range(_SENDS):
        try:
            connection = Item._get_connection().connection
            with TransactWrite(connection=connection, client_request_token=token) as transaction:
                for write in writes:
                    _add(transaction, write)
            return
        except TransactWriteError as problem:
            if problem.cause_response_code not in _AMBIGUOUS or attempt == _SENDS - 1:
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
    """The reasons of a transaction that lost a race, one for each write; any other problem is raised again."""
    code = problem.cause_response_code
    reasons = tuple(reason.code if reason else "None" for reason in problem.cancellation_reasons)
    if code in _RETRYABLE_CALLS:
        return reasons
    if code == "TransactionCanceledException" and all(r == "None" or r in _RETRYABLE for r in reasons):
        return reasons
    raise problem
