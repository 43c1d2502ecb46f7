"""A deck is withdrawn while no batch has pinned its version or a later one."""

from __future__ import annotations

from typing import Any

import faults
import pytest
from builders import World, csv_file, line
from dropped_decks import confirm, dropped, far_day, shown, take, version_rows, withdraw

from chalicelib.errors import Conflict

pytestmark = pytest.mark.usefixtures("alone")


def test_a_deck_that_no_batch_has_pinned_is_withdrawn_once_and_prices_no_call(world: World) -> None:
    from chalicelib.rating.pricing import loading

    drop, before = take(*dropped(far_day())), loading.deck_version()
    withdraw(drop)
    withdraw(drop)
    assert (shown(drop).status, version_rows(drop)) == ("withdrawn", [])
    assert loading.deck_version() == before + 1
    with pytest.raises(Conflict, match="withdrawn"):
        confirm(drop)


def test_a_deck_whose_version_or_a_later_one_a_batch_has_pinned_stays(world: World) -> None:
    first, second = take(*dropped(far_day())), take(*dropped(far_day()))
    world.rate(csv_file(line("1")))
    for drop in (first, second):
        with pytest.raises(Conflict, match="was rated with deck version"):
            withdraw(drop)
        assert len(version_rows(drop)) == 1
    withdraw(take(*dropped(far_day())))


def test_no_deck_is_withdrawn_while_a_batch_is_open(listed: World) -> None:
    from chalicelib.rating.batches import lifecycle

    place = listed.drop(csv_file(line("1")))
    lifecycle.open_batch(listed.scope, listed.reseller_id, *place)
    drop = take(*dropped(far_day()))
    with pytest.raises(Conflict, match="is being rated"):
        withdraw(drop)
    assert listed.rate(*place).status == "done"
    withdraw(drop)


def test_a_batch_that_opens_while_a_deck_is_withdrawn_has_pinned_it_or_never_saw_it(world: World) -> None:
    """One of the two stops at any of its calls while the other one runs to its end."""

    def withdrawn(drop: Any) -> bool:
        try:
            withdraw(drop)
        except Conflict:
            return False
        return True

    outcomes = set()
    for call in range(12):
        drop, place = take(*dropped(far_day())), world.drop(csv_file(line(f"w{call}")))
        gone: list[bool] = []
        with faults.stopped_at(call, lambda drop=drop, gone=gone: gone.append(withdrawn(drop))) as go_on:
            batch = world.rate(*place)
            go_on()
        assert int(batch.deck_version) < drop.version or not gone[0] or int(batch.deck_version) > drop.version
        assert (not version_rows(drop)) == gone[0]
        outcomes.add(gone[0])
        if gone[0]:
            assert int(batch.deck_version) > drop.version
    assert outcomes == {True, False}


def test_a_refused_deck_has_no_lines_and_is_not_withdrawn(world: World) -> None:
    from chalicelib.rating.decks import queries

    drop = take(*dropped(far_day(), "x,y,z\n"))
    assert (drop.status, len(drop.errors)) == ("refused", 1)
    for act in (withdraw, lambda drop: queries.lines(drop.deck_id, "", None, 5)):
        with pytest.raises(Conflict, match="refused"):
            act(drop)
