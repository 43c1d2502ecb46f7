"""Faults between the product and AWS: a kill at call n, before it is sent or after it was answered, and refusals.

They are injected where every AWS call of boto3 and PynamoDB passes, so no call can be forgotten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import examples
from botocore.client import BaseClient
from botocore.exceptions import ClientError

_send = BaseClient._make_api_call
_READS = ("BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan", "TransactGet")


class Killed(BaseException):
    """The process dies here. Not an ``Exception``: nothing in the product may catch it and go on."""


@contextmanager
def between(around: Callable[[str, Callable[[], Any]], Any]) -> Iterator[None]:
    """Hand every AWS call to ``around(operation, send)``."""

    def call(self: Any, operation: str, kwargs: Any) -> Any:
        return around(operation, lambda: _send(self, operation, kwargs))

    BaseClient._make_api_call = call
    try:
        yield
    finally:
        BaseClient._make_api_call = _send


@contextmanager
def counted() -> Iterator[list[str]]:
    """The operations of all calls made."""
    made: list[str] = []

    def around(operation: str, send: Callable[[], Any]) -> Any:
        made.append(operation)
        return send()

    with between(around):
        yield made


def reads(operation: str) -> bool:
    """Whether an AWS call changes nothing."""
    return operation.startswith(_READS)


@dataclass(frozen=True)
class Kill:
    """A place to die at: call number ``call`` (from 0) of all calls, or of those that write."""

    call: int
    answered: bool
    writes_only: bool
    operation: str

    def __call__(self) -> AbstractContextManager[None]:
        return killed_at(self.call, answered=self.answered, writes_only=self.writes_only)

    def __str__(self) -> str:
        kind = "write" if self.writes_only else "call"
        return f"killed {'after' if self.answered else 'before'} {kind} {self.call}, {self.operation}"


def kills(made: Sequence[str], *, answered: bool | None = None) -> list[Kill]:
    """A kill at each of the calls ``made``, in one way or (without ``answered``) in both; by hand only at writes.

    A process that dies while it reads leaves the same data as one that died after its last write.
    """
    writes_only = examples.PROFILE == "quick"
    calls = [operation for operation in made if not (writes_only and reads(operation))]
    ways = (False, True) if answered is None else (answered,)
    return [Kill(call, way, writes_only, operation) for call, operation in enumerate(calls) for way in ways]


@contextmanager
def killed_at(call: int, *, answered: bool, writes_only: bool = False) -> Iterator[None]:
    """The ``call``-th AWS call (from 0) is the last: it is lost, or (``answered``) only its answer is."""
    count = iter(range(1 << 30))

    def around(operation: str, send: Callable[[], Any]) -> Any:
        if writes_only and reads(operation):
            return send()
        mine = next(count)
        if mine == call and not answered:
            raise Killed
        answer = send()
        if mine == call:
            raise Killed
        return answer

    with between(around):
        yield


@contextmanager
def unconditional() -> Iterator[None]:
    """Writes without any of their conditions, and slow enough to meet: what a test of races must go red by."""
    from chalicelib.aws import transactions

    def add(transaction: Any, write: Any) -> None:
        if isinstance(write, transactions.Put):
            transaction.save(write.item)
        elif isinstance(write, transactions.Change):
            transaction.update(write.item, list(write.actions))

    def slowly(operation: str, send: Callable[[], Any]) -> Any:
        if operation == "TransactWriteItems":
            time.sleep(0.02)
        return send()

    guarded = transactions._add
    transactions._add = add
    try:
        with between(slowly):
            yield
    finally:
        transactions._add = guarded


@contextmanager
def refusing(operation: str, codes: list[str]) -> Iterator[list[str]]:
    """The first calls of ``operation`` are refused with these codes, one after the other; returns those not used up.

    ``TransactionConflict`` and throttling come as DynamoDB has them: as a reason of a cancelled transaction.
    """
    lock, left = threading.Lock(), list(codes)

    def around(called: str, send: Callable[[], Any]) -> Any:
        with lock:
            code = left.pop(0) if called == operation and left else None
        if code is None:
            return send()
        if code in ("TransactionConflict", "ThrottlingError"):
            body = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
            raise ClientError({**body, "CancellationReasons": [{"Code": code}]}, called)
        raise ClientError({"Error": {"Code": code, "Message": "injected"}}, called)

    with between(around):
        yield left


@contextmanager
def stopped_at(call: int, task: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Run ``task`` in a thread of its own up to its AWS call ``call`` (from 0), and on by what is yielded."""
    count = iter(range(1 << 30))
    stopped, may, errors = threading.Event(), threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            task()
        except BaseException as problem:
            errors.append(problem)
        finally:
            stopped.set()

    late = threading.Thread(target=run)

    def around(operation: str, send: Callable[[], Any]) -> Any:
        if threading.current_thread() is late and next(count) == call:
            stopped.set()
            assert may.wait(300)
        return send()

    def go_on() -> None:
        may.set()
        late.join()
        if errors:
            raise errors[0]

    with between(around):
        late.start()
        assert stopped.wait(300)
        yield go_on


class Turns:
    """Lets one of several threads run at a time, up to its next AWS call, in the order that was dealt."""

    def __init__(self, order: list[int], threads: int) -> None:
        self._order, self._alive = order, set(range(threads))
        self._turn = threading.Condition()
        self._of: dict[int, int] = {}
        self._current = 0
        self._next()

    def _next(self) -> None:
        alive = sorted(self._alive)
        if alive:
            self._current = alive[(self._order.pop() if self._order else self._current + 1) % len(alive)]

    def call(self, operation: str, send: Callable[[], Any]) -> Any:
        me = self._of[threading.get_ident()]
        with self._turn:
            self._turn.wait_for(lambda: self._current == me)
            try:
                return send()
            finally:
                self._next()
                self._turn.notify_all()

    def run(self, number: int, task: Callable[[], Any], errors: list[BaseException]) -> None:
        self._of[threading.get_ident()] = number
        try:
            task()
        except BaseException as problem:
            errors.append(problem)
        finally:
            with self._turn:
                self._alive.discard(number)
                self._next()
                self._turn.notify_all()


def in_turns(tasks: Sequence[Callable[[], Any]], order: Sequence[int]) -> None:
    """Run all tasks in threads, one AWS call at a time, in the order dealt; the first error of any is raised."""
    turns, errors = Turns(list(order), len(tasks)), list[BaseException]()
    threads = [threading.Thread(target=turns.run, args=(n, task, errors)) for n, task in enumerate(tasks)]
    with between(turns.call):
        _to_the_end(threads, errors)


def at_once(tasks: Sequence[Callable[[], Any]]) -> None:
    """Run all tasks in threads that start together; the first error of any is raised."""
    barrier, errors = threading.Barrier(len(tasks)), list[BaseException]()

    def run(task: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            task()
        except BaseException as problem:
            errors.append(problem)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    _to_the_end(threads, errors)


def _to_the_end(threads: Sequence[threading.Thread], errors: Sequence[BaseException]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
