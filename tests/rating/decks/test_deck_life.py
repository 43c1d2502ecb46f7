"""From the dropped file to force: held, confirmed, published once, withdrawn while no batch has pinned it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import faults
import pytest
from builders import NOW, World, csv_file, line

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.errors import Conflict, Invalid

HEADER = "prefix,destination,rate_per_minute,initial,increment,match\n"
NEW_YORK = "1,NANP,0.01,60,60,\n1212,New York,0.0052,6,6,\n"
SAME = f"{NEW_YORK}44,UK,0.02,1,1,\n502,Guatemala,0.25,60,60,\n411,Information,0.50,60,60,number\n"
"""The lines of the deck that all worlds are rated with."""
_days = itertools.count(1)
pytestmark = pytest.mark.usefixtures("alone")


def dropped(day: str, lines: str = SAME, route: str = "value", **upload: Any) -> tuple[str, str]:
    """A deck file in the bucket; ``upload``: what the operator said of it when it asked for its address."""
    from chalicelib.aws.transactions import Put, commit
    from chalicelib.config import settings
    from chalicelib.rating.decks.store import DeckUpload

    key = f"incoming/decks/{route}/{day}-{uuid.uuid4().hex}.csv"
    if upload:
        item = DeckUpload(*DeckUpload.key(key), file="carrier.csv", by="operator", **upload)
        commit(scope(), [Put(item)])
    return key, objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=(HEADER + lines).encode())["VersionId"]


def scope(now: int = NOW) -> Any:
    from chalicelib.aws.transactions import Scope

    return Scope("operator", now)


def take(key: str, version: str) -> Any:
    from chalicelib.rating.decks import publish

    return publish.publish(scope(), key, version)


def shown(drop: Any) -> Any:
    from chalicelib.rating.decks import queries

    return queries.one(drop.deck_id, NOW)


def codes(drop: Any) -> list[str]:
    return [each["code"] for each in drop.suspicions]


def confirm(drop: Any, *accept: str, **fx: Any) -> Any:
    from chalicelib.rating.decks import life

    return life.confirm(scope(), drop.deck_id, accept, fx.get("cost_currency"), fx.get("fx_e10"))


def withdraw(drop: Any) -> None:
    from chalicelib.rating.decks import life

    life.withdraw(scope(), drop.deck_id)


def version_rows(drop: Any) -> list[Any]:
    from chalicelib.rating.decks.store import decks_upto

    return [row for row in decks_upto(drop.route, 2**40) if row.deck_id == drop.deck_id]


def far_day() -> str:
    """A day after all calls, each time an earlier one: the deck in force then is the one of the worlds."""
    return periods.next_day("2090-01-01", -next(_days))


@pytest.fixture
def listed(world: World) -> Iterator[World]:
    """A world whose reseller is in the operator's list."""
    from chalicelib.accounts.store.owners import ResellerPointer

    pointer = ResellerPointer(*ResellerPointer.key(world.reseller_id))
    pointer.save()
    yield world
    pointer.delete()


@pytest.fixture
def called(listed: World) -> World:
    """A world that called New York for a minute and the UK for three."""
    batch = listed.rate(csv_file(line("1"), line("2", seconds=180, to="+442071234567")))
    assert (batch.status, int(batch.rated)) == ("done", 2)
    return listed


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


def held_deck() -> Any:
    drop = take(*dropped(far_day(), cost_currency="EUR"))
    assert drop.status == "held"
    return drop


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


# --- withdrawal ---------------------------------------------------------------------------------------------------


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


# --- what is shown ------------------------------------------------------------------------------------------------


def test_of_two_decks_of_one_date_the_list_says_which_counts(world: World) -> None:
    day = far_day()
    first, second = take(*dropped(day)), take(*dropped(day))
    assert (shown(first).superseded_by, shown(second).superseded_by) == (second.deck_id, None)
    withdraw(second)
    assert shown(first).superseded_by is None
    assert not shown(first).in_force


def test_costs_are_converted_half_up_and_shown_as_they_were_given(world: World) -> None:
    from chalicelib.rating.decks import queries

    rows = "prefix,destination,rate_per_minute,initial,increment,connect_fee,match,home\n" + (
        "1,NANP,0.01,60,60,,,\n502,Guatemala,0.25,60,60,,,\n44,UK,0.0000000001,1,1,0.00000001,,\n443,UK,0.0000000003,1,1,,,\n411,A,0.5,60,60,,number,US\n411,A,0.4,60,60,,number,\n"
    )
    place = dropped(far_day(), cost_currency="EUR", fx_e10=15_000_000_000, lines="")
    objects.write(place[0], rows.encode())
    drop = take(place[0], "")
    assert (drop.status, drop.file, drop.by) == ("published", "carrier.csv", "operator")
    found = queries.lines(drop.deck_id, "4", None, 10)
    assert [(each.line.prefix, each.home, each.line.rate_e10, each.given_rate_e10) for each in found] == [
        ("44", [], 2, 1), ("443", [], 5, 3),
        ("411", [], 6_000_000_000, 4_000_000_000), ("411", ["US"], 7_500_000_000, 5_000_000_000),
    ]  # fmt: skip
    assert (found[0].line.fee_e8, found[0].given_fee_e8) == (2, 1)
    pages = [queries.lines(drop.deck_id, "4", after, 1) for after in (None, 1, 2, 4, 5)]
    assert [each.line.prefix for page in pages for each in page] == ["44", "443", "411", "411"]
    assert [each.line.prefix for each in queries.lines(drop.deck_id, "443", None, 9)] == ["443"]


def test_a_conversion_beyond_the_largest_cost_is_refused(world: World) -> None:
    drop = take(*dropped(far_day(), "44,UK,900,1,1,\n", cost_currency="EUR", fx_e10=2 * 10**10))
    assert (drop.status, drop.errors[0]["field"]) == ("refused", "fx")
    held = take(*dropped(far_day(), "44,UK,900,1,1,\n", cost_currency="EUR"))
    with pytest.raises(Invalid, match="more than 1000"):
        confirm(held, "loses_rates", "changes_much", fx_e10=2 * 10**10)
    assert shown(held).status == "held"


def test_a_difference_is_to_the_deck_that_is_named(world: World) -> None:
    from chalicelib.rating.decks import queries

    day = far_day()
    first, second = take(*dropped(day)), take(*dropped(day, SAME.replace("502,", "503,")))
    to, found = queries.compared(second.deck_id, first.deck_id, NOW)
    assert (to, found["lines"]["gone"], found["lines"]["new"]) == (first.deck_id, 1, 1)
    assert queries.compared(first.deck_id, first.deck_id, NOW)[1]["examples"] == []
