"""Any interleaving of payments, charges, files and month closing: entries still add up to balances.

The threads do not race freely: before each of its AWS calls a thread waits for its turn, and Hypothesis deals the
turns. So each example is one exact interleaving at the granularity of calls, and a failing one is found again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import faults
from builders import csv_file, line, make_world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


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


def task_of(world: Any, what: str) -> Callable[[], Any]:
    from chalicelib.accounts.ledger import Posting
    from chalicelib.accounts.service import months, posting

    read = posting.client_of(world.reseller_id, world.clients["bob"])
    if what == "close":
        return lambda: months.close(world.scope, read, "2026-09")
    if what == "file":
        dropped = world.drop(csv_file(line("same", "bob", 60), line("free", "alice", 6)))
        return lambda: world.rate(*dropped)
    amount = 500_000 if what == "payment" else -300_000
    return lambda: posting.post(world.scope, read, Posting(what, amount, "x", "2026-09"))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    tasks=st.lists(st.sampled_from(["payment", "charge", "file", "close"]), min_size=2, max_size=5),
    order=st.lists(st.integers(0, 4), max_size=80),
)
def test_entries_add_up_to_balances_after_any_interleaving(deck, tasks, order):
    world = make_world()
    chosen = [task_of(world, what) for what in tasks]
    turns, errors = Turns(list(order), len(chosen)), list[BaseException]()
    threads = [threading.Thread(target=turns.run, args=(n, task, errors)) for n, task in enumerate(chosen)]
    with faults.between(turns.call):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert world.reconciled() == []
    books = world.books()
    called = 624_000 if "file" in tasks else 0
    assert books["bob"][0] == 500_000 * tasks.count("payment") - 300_000 * tasks.count("charge") - called
