"""A dropped deck is held until it is confirmed, and published once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import faults
import pytest
from builders import World, csv_file, line
from dropped_decks import (
    NEW_YORK,
    SAME,
    codes,
    confirm,
    dropped,
    far_day,
    held_deck,
    shown,
    take,
    version_rows,
    withdraw,
)

from chalicelib.errors import Conflict

pytestmark = pytest.mark.usefixtures("alone")


def test_a_deck_that_changes_little_is_in_force_at_once(called: World) -> None:
    drop = take(*dropped(far_day()))
    assert (drop.status, drop.suspicions, drop.by, drop.difference["lost_seconds"]) == ("published", [], "bucket", 0)
    assert len(version_rows(drop)) == 1


def test_a_deck_by_which_a_fifth_of_the_minutes_lose_their_rate_is_held_until_that_is_accepted(called: World) -> None:
    drop = take(*dropped(far_day(), NEW_YORK))
    assert (drop.status, codes(drop), version_rows(drop)) == ("held", ["loses_rates", "country_gone"], [])
    assert drop.difference["lost_seconds"] > 0
    with pytest.raises(Conflict, match="loses_rates"):
        confirm(drop)
    with pytest.raises(Conflict, match="loses_rates"):
        confirm(drop, "changes_much")
    assert version_rows(drop) == []
    published = confirm(drop, "loses_rates", "country_gone")
    assert (published.status, published.confirmed_by) == ("published", "operator")
    assert set(published.accepted) == {"loses_rates", "country_gone"}
    assert len(version_rows(drop)) == 1


def test_the_lines_of_a_held_deck_are_compared_again_only_beside_other_calls_or_another_deck(
    called: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.rating.decks import holding

    compared: list[str] = []
    look = holding.look
    drop = take(*dropped(far_day(), NEW_YORK))
    found = drop.suspicions, drop.difference, drop.compared_to
    monkeypatch.setattr(holding, "look", lambda *given: compared.append(given[1]) or look(*given))
    with pytest.raises(Conflict, match="loses_rates"):
        confirm(drop)
    again = shown(drop).drop
    assert (again.suspicions, again.difference, again.compared_to) == found
    assert compared == []
    called.rate(csv_file(line("77")))
    with pytest.raises(Conflict, match="loses_rates"):
        confirm(drop)
    assert compared == [drop.effective_from]
    assert shown(drop).drop.difference["seconds"] > found[1]["seconds"]


def test_a_deck_by_which_the_minutes_change_by_more_than_half_is_held(called: World) -> None:
    assert codes(take(*dropped(far_day(), SAME.replace("44,UK,0.02", "44,UK,0.0301")))) == ["changes_much"]


def test_a_deck_that_begins_before_rated_calls_is_held_and_names_the_batches_in_between(called: World) -> None:
    from chalicelib.rating.batches import queries

    drop = take(*dropped("2026-09-09", SAME))
    assert codes(drop) == ["already_rated"]
    before = called.books()
    published = confirm(drop, "already_rated")
    rated = queries.begun_before_deck(drop.effective_from, published.version)
    mine = [one for one in rated if one.reseller_id == called.reseller_id]
    assert [one.batch_id for one in mine] == [pointer.batch_id for pointer in batches_of(called)]
    assert called.books() == before
    later = called.rate(csv_file(line("3")))
    assert int(later.deck_version) >= published.version
    assert later.batch_id not in {one.batch_id for one in queries.begun_before_deck("2026-09-09", published.version)}


def batches_of(world: World) -> list[Any]:
    from chalicelib.rating.batches.store import BatchPointer

    return BatchPointer.under(*BatchPointer.of_reseller(world.reseller_id))


def test_a_first_deck_is_not_compared_with_calls(called: World) -> None:
    from chalicelib.rating.decks import holding

    assert holding.in_force_on("value", "2019-01-01") is None
    drop = take(*dropped("2019-01-01", "1,NANP,5,60,60,\n"))
    assert (drop.status, drop.difference) == ("published", None)
    withdraw(drop)


def test_what_came_into_force_meanwhile_is_looked_at_again_before_a_confirmation(called: World) -> None:
    day = far_day()
    held = take(*dropped(day, cost_currency="EUR"))
    assert codes(held) == ["no_fx"]
    with pytest.raises(Conflict, match="changes_much"):
        confirm(held, "no_fx", fx_e10=3 * 10**10)
    with pytest.raises(Conflict, match="no_fx"):
        confirm(held, "no_fx")
    assert confirm(held, fx_e10=10**10).status == "published"


# --- exactly once -------------------------------------------------------------------------------------------------


def test_a_confirmation_killed_at_every_call_and_repeated_publishes_once(world: World) -> None:
    with faults.counted() as made:
        confirm(held_deck(), fx_e10=10**10)
    for kill in faults.kills(made):
        drop = held_deck()
        with suppress(faults.Killed), kill():
            confirm(drop, fx_e10=10**10)
        assert confirm(drop, fx_e10=10**10).status == "published", str(kill)
        assert len(version_rows(drop)) == 1, str(kill)


def test_a_dropped_deck_killed_at_every_call_is_held_once(world: World) -> None:
    with faults.counted() as made:
        take(*dropped(far_day(), cost_currency="EUR"))
    for kill in faults.kills(made[1:]):
        place = dropped(far_day(), cost_currency="EUR")
        with suppress(faults.Killed), kill():
            take(*place)
        drop = take(*place)
        assert (drop.status, version_rows(drop)) == ("held", []), str(kill)


def test_confirmations_at_once_publish_one_deck(world: World) -> None:
    drop = held_deck()
    faults.at_once([lambda: confirm(drop, fx_e10=10**10)] * 4)
    assert len(version_rows(drop)) == 1


def test_a_confirmation_and_a_withdrawal_at_once_end_in_one_of_both(world: World) -> None:
    drop = held_deck()

    def either(act: Any) -> None:
        with suppress(Conflict):
            act()

    faults.at_once([lambda: either(lambda: confirm(drop, fx_e10=10**10)), lambda: either(lambda: withdraw(drop))] * 2)
    status = shown(drop).status
    assert len(version_rows(drop)) == (status == "published")
