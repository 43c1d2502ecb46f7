"""Any interleaving of payments, charges, files and month closing: entries still add up to balances.

The threads do not race freely: before each of its AWS calls a thread waits for its turn, and Hypothesis deals the
turns. So each example is one exact interleaving at the granularity of calls, and a failing one is found again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import faults
from builders import csv_file, line, make_world
from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st


def task_of(world: Any, what: str) -> Callable[[], Any]:
    from chalicelib.accounts.ledger import months, posting
    from chalicelib.accounts.rules import Posting

    read = partial(posting.get_client, world.reseller_id, world.clients["bob"])
    if what == "close":
        return lambda: months.close(world.scope, read, "2026-09")
    if what == "file":
        dropped = world.drop(csv_file(line("same", "bob", 60), line("free", "alice", 6)))
        return lambda: world.rate(*dropped)
    amount = 500_000 if what == "payment" else -300_000
    return lambda: posting.post(world.scope, read, Posting(what, amount, "x", "2026-09"))


@examples(25, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    tasks=st.lists(st.sampled_from(["payment", "charge", "file", "close"]), min_size=2, max_size=5),
    order=st.lists(st.integers(0, 4), max_size=80),
)
def test_entries_add_up_to_balances_after_any_interleaving(deck, tasks, order):
    world = make_world()
    chosen = [task_of(world, what) for what in tasks]
    faults.in_turns(chosen, order)
    assert world.reconciled() == []
    books = world.books()
    called = 624_000 if "file" in tasks else 0
    assert books["bob"][0] == 500_000 * tasks.count("payment") - 300_000 * tasks.count("charge") - called
