"""What a new deck changes: lines, countries, and last month's seconds."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.decks.deck import NUMBER, Deck, DeckLine, compile_deck
from chalicelib.rating.decks.difference import CHEAPER, DEARER, GONE, INCREMENTS, NEW, difference, minute_cost


def line(prefix: str, rate: int = 100, initial: int = 60, increment: int = 60, fee: int = 0, **more: str) -> DeckLine:
    return DeckLine(prefix, f"to {prefix}", rate, initial, increment, fee, **more)


def kinds(found) -> dict[str, list[str]]:
    return {kind: [each.prefix for each in lines] for kind, lines in found.examples.items() if lines}


def test_lines_are_new_gone_dearer_cheaper_and_of_other_increments():
    old = [line("41"), line("43", 200), line("44"), line("49"), line("33"), line("39")]
    new = [line("41"), line("43", 100), line("44", 101), line("49", 100, 1, 1), line("34"), line("39", fee=1)]
    found = difference(old, new, {})
    assert kinds(found) == {NEW: ["34"], GONE: ["33"], DEARER: ["39", "44"], CHEAPER: ["43"], INCREMENTS: ["49"]}
    assert found.total.lines == {NEW: 1, GONE: 1, DEARER: 2, CHEAPER: 1, INCREMENTS: 1}
    assert found.countries["GB"].lines[DEARER] == 1


def test_a_prefix_that_a_shorter_one_covers_is_a_change_of_price_and_not_a_loss():
    old = [line("44", 100), line("447", 500), line("4420", 100)]
    found = difference(old, [line("44", 100)], {"447700900123": 60, "442071234567": 60, "441611234567": 30})
    assert kinds(found) == {CHEAPER: ["447"]}
    assert (found.total.seconds, found.total.lost_seconds, found.total.changed_seconds) == (150, 0, 60)
    back = difference([line("44", 100)], old, {"447700900123": 60})
    assert kinds(back) == {DEARER: ["447"]}
    assert back.examples[DEARER][0].seconds == 60


def test_a_number_line_gone_is_priced_by_the_prefix_and_a_short_one_by_none():
    old = [line("1", 100), line("18005550100", 900, match=NUMBER), line("411", 900, match=NUMBER)]
    found = difference(old, [line("1", 100), line("41", 5)], {"18005550100": 60, "411": 40})
    assert kinds(found) == {CHEAPER: ["18005550100"], GONE: ["411"], NEW: ["41"]}
    assert (found.total.lost_seconds, found.total.changed_seconds) == (40, 60)


@pytest.mark.parametrize(
    "lost, changed, loses, changes", [(20, 5, False, False), (21, 5, True, False), (20, 6, False, True)]
)
def test_more_than_a_fifth_lost_or_more_than_a_twentieth_changed_by_half_is_much(lost, changed, loses, changes):
    called = {"33140000000": lost, "441611234567": changed, "41446681800": 100 - lost - changed}
    old = [line("33"), line("44", 100), line("41", 100)]
    found = difference(old, [line("44", 151), line("41", 150)], called)
    assert (found.loses_much, found.changes_much) == (loses, changes)


def test_seconds_that_had_no_rate_weigh_nothing_and_no_calls_are_never_much():
    found = difference([line("44")], [line("49")], {"33140000000": 100})
    assert (found.total.seconds, found.loses_much, found.changes_much) == (0, False, False)


def test_from_a_cost_of_nothing_every_change_is_more_than_half():
    found = difference([line("44", 0)], [line("44", 1)], {"441611234567": 10})
    assert found.changes_much


def test_examples_begin_with_the_lines_of_most_seconds():
    found = difference([line("41"), line("44")], [line("41", 200), line("44", 200)], {"441611234567": 10})
    assert kinds(found) == {DEARER: ["44", "41"]}


PREFIXES = st.dictionaries(
    st.builds(lambda first, rest: first + rest, st.sampled_from("19"), st.text("019", max_size=9)),
    st.integers(0, 4),
    max_size=12,
)


@examples(200)
@given(PREFIXES, PREFIXES, st.dictionaries(st.text("19", min_size=7, max_size=12), st.integers(1, 99), max_size=12))
def test_the_seconds_are_those_that_compiled_decks_find(old, new, called):
    before, after = ([line(prefix, rate) for prefix, rate in each.items()] for each in (old, new))
    decks = [Deck.load(compile_deck(each)) for each in (before, after)]
    found = difference(before, after, called).total
    seconds = lost = changed = 0
    for digits, count in called.items():
        a, b = (deck.find(digits, "US") for deck in decks)
        if a >= 0:
            seconds += count
            lost += count * (b < 0)
            if b >= 0:
                costs = [minute_cost(deck.line(place)) for deck, place in zip(decks, (a, b), strict=True)]
                changed += count * (2 * abs(costs[1] - costs[0]) > costs[0])
    assert (found.seconds, found.lost_seconds, found.changed_seconds) == (seconds, lost, changed)
