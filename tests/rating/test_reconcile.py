"""The check of the books itself: what it finds, and that it may look while files are being rated."""

from __future__ import annotations

import threading
from typing import Any

import faults
import pytest
from builders import World, csv_file, line, make_world


def left_open(world: World) -> None:
    """A batch that is killed in the middle and stays open."""
    with pytest.raises(faults.Killed), faults.killed_at(12, answered=True):
        world.rate(csv_file(line("open", start="2026-07-01T12:00:00Z"), line("open", "bob")))


@pytest.mark.parametrize(("field", "by"), [("cost_e8", 5), ("revenue_e8", -5), ("rated", 1), ("duplicates", 1)])
def test_a_finished_batch_is_held_against_its_own_markers_also_beside_an_open_one(deck, field, by):
    from chalicelib.rating.store import Batch

    world = make_world()
    batch = world.rate(csv_file(line("1"), line("2", "bob"), line("2", "bob")))
    left_open(world)
    assert world.reconciled() == []
    batch.update(actions=[getattr(Batch, field).set(int(getattr(batch, field)) + by)])
    found = [one.what for one in world.reconciled()]
    assert f"{field} of batch {batch.batch_id}, markers against batch" in found


def test_a_cost_that_no_batch_accounts_for_is_found_also_beside_an_open_batch(deck):
    from chalicelib.accounts.ledger import Posting
    from chalicelib.accounts.service import posting

    world = make_world()
    batch = world.rate(csv_file(line("1")))
    left_open(world)
    read = posting.reseller_of(world.reseller_id)
    posting.post(world.scope, read, Posting("call_usage", -7, "x", "2026-09", f"batch:{batch.batch_id}"))
    posting.post(world.scope, read, Posting("call_usage", -9, "x", "2026-09", "batch:nobody"))
    found = {one.what: one.found - one.expected for one in world.reconciled()}
    assert found == {f"entries of batch {batch.batch_id}": 7, "entries of batch:nobody, which is no batch": 9}


def test_the_nightly_check_looks_at_a_reseller_with_an_open_batch(world):
    from chalicelib.accounts.store import ResellerPointer
    from chalicelib.rating.service.reconcile import nightly
    from chalicelib.rating.store import Verified

    ResellerPointer("RESELLERS", world.reseller_id).save()
    world.rate(csv_file(line("1")))
    left_open(world)
    assert [one for one in nightly(world.scope) if one.owner_id in world.clients.values()] == []
    assert Verified.find(f"R#{world.reseller_id}", "VERIFIED") is not None


def test_books_that_are_read_while_files_are_rated_add_up(world):
    files = [csv_file(*[line(f"{n}-{k}", "alice" if k % 2 else "bob", 6) for k in range(8)]) for n in range(12)]
    errors: list[Any] = []

    def rate(some: list[bytes]) -> None:
        try:
            for body in some:
                world.rate(body)
        except BaseException as problem:
            errors.append(problem)

    threads = [threading.Thread(target=rate, args=(files[n::3],)) for n in range(3)]
    for thread in threads:
        thread.start()
    looks = 0
    while any(thread.is_alive() for thread in threads) or not looks:
        assert world.reconciled(level=1) == []
        looks += 1
    for thread in threads:
        thread.join()
    assert errors == []
    assert looks > 1
