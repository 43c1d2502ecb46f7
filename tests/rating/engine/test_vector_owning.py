"""The answers about owners that are kept from chunk to chunk: of how many texts, and for which file."""

from __future__ import annotations

from chalicelib.calls.format import OUTBOUND
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.owning import Found, Known
from chalicelib.rating.cdr.row_formats import Layout
from chalicelib.rating.engine.vector.owning import _KEPT, KeptRules

LAYOUT = Layout("asterisk", ",", {}, 17, False)


def source_of(*accounts: str) -> formats.Source:
    return formats.Source(DialPlan("US"), "UTC", known=Known(frozenset(accounts)))


def test_a_file_of_very_many_callers_keeps_a_bounded_count_of_answers():
    rules = KeptRules().of(LAYOUT, source_of("7"))
    assert rules is not None
    for number in range(2 * _KEPT):
        owner = rules.settled(Found(OUTBOUND, "", True), str(number), str(number))
        assert owner == ((OUTBOUND, "7") if number == 7 else None)
        rules.found("", str(number), "", "")
    assert rules.settled.cache_info().currsize == rules.found.cache_info().currsize == _KEPT


def test_the_rules_of_a_file_are_made_once_and_are_not_those_of_another_source():
    kept = KeptRules()
    first = kept.of(LAYOUT, source_of("acme"))
    assert first is not None
    assert first is kept.of(LAYOUT, source_of("acme"))
    assert first.found("", "acme", "", "").direction == OUTBOUND
    other = kept.of(LAYOUT, source_of("bell"))
    assert other is not None
    assert other.found("", "acme", "", "").direction == ""
    assert kept.of(LAYOUT._replace(name="voipms"), source_of("bell")) is None
