"""Who held a sub-account or a number at an instant."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.pricing.ownership import Holding, Ownership


def holders(holdings: list[Holding], *instants: int) -> list[str | None]:
    """The client at each instant, asked both ways; the answers must agree."""
    ownership = Ownership({"100_desk": holdings}, {"+13055551234": holdings})
    by_account = [ownership.account("100_desk", at) for at in instants]
    assert by_account == [ownership.did_stretch("+13055551234", at)[0] for at in instants]
    return [holding.client_id if holding else None for holding in by_account]


def test_the_first_assignment_reaches_back_without_limit():
    assert holders([Holding(1000, 1, "ann")], -(10**9), 999, 1000, 10**9) == ["ann"] * 4


def test_a_later_assignment_holds_from_its_first_second_on():
    assert holders([Holding(1000, 1, "ann"), Holding(2000, 2, "bob")], 0, 1999, 2000, 2001) == [
        "ann",
        "ann",
        "bob",
        "bob",
    ]


def test_a_released_number_is_nobodys_until_it_is_assigned_again():
    timeline = [Holding(0, 1, "ann"), Holding(10, 2, ""), Holding(20, 3, "bob")]
    assert holders(timeline, 9, 10, 19, 20) == ["ann", None, None, "bob"]


def test_time_in_stock_before_the_first_assignment_belongs_to_the_first_client():
    assert holders([Holding(0, 1, ""), Holding(10, 2, "ann")], -5, 5, 10) == ["ann"] * 3


def test_a_number_only_ever_in_stock_is_nobodys():
    assert holders([Holding(0, 1, ""), Holding(5, 2, "")], -1, 1, 9) == [None] * 3


def test_of_two_assignments_from_the_same_instant_the_later_recorded_holds():
    assert holders([Holding(10, 3, "cyd"), Holding(0, 1, "ann"), Holding(10, 2, "bob")], 9, 10) == ["ann", "cyd"]


def test_unknown_names_and_empty_histories_belong_to_nobody():
    assert holders([], 5) == [None]
    assert Ownership({}, {}).account("nobody", 5) is None
    assert Ownership({}, {}).did_stretch("+1", 5)[0] is None


def test_accounts_and_numbers_do_not_answer_for_each_other():
    ownership = Ownership({"desk": [Holding(0, 1, "ann")]}, {"+1305": [Holding(0, 1, "bob")]})
    assert ownership.did_stretch("desk", 5)[0] is None
    assert ownership.account("+1305", 5) is None


def test_the_holding_carries_what_prices_the_call():
    holding = Holding(0, 1, "ann", "sub", "pack", 10, 60, 60, 5)
    assert Ownership({"desk": [holding]}, {}).account("desk", 0) is holding


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["", "ann", "bob"])), min_size=1, max_size=8))
def test_the_holder_is_the_last_recorded_of_those_that_already_began(entries):
    holdings = [Holding(start, version, client) for version, (start, client) in enumerate(entries, 1)]
    owned = [index for index, each in enumerate(holdings) if each.client_id] or [len(holdings) - 1]
    relevant = holdings[owned[0] :]
    for at in range(-1, 22):
        # Of all that began by then the last recorded: a later record wins from its start on.
        past = [each for each in relevant[1:] if each.effective_from <= at]
        expected = past[-1] if past else relevant[0]
        assert holders(holdings[::-1], at) == [expected.client_id or None]
