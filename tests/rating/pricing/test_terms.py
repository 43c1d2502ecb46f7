"""Dated packages and custom rates: which version and which rule price a call."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.decks.deck import DeckLine
from chalicelib.rating.pricing.precedence import DEFAULT_PULSE, CustomRate, PackageVersion, covers
from chalicelib.rating.pricing.price import Markup, MatchingRule
from chalicelib.rating.pricing.terms import Terms, route_of

LINE = DeckLine("1", "USA", 100_000_000, 60, 60, 5_000_000)
DIGITS = "13055551234"


def package(version: int = 1, effective_from: int = 0, **fields: object) -> PackageVersion:
    return PackageVersion("p", version, effective_from, **fields)  # type: ignore[arg-type]


def custom(
    scope: str, code: str, rate: int | None, version: int = 1, effective_from: int = 0, **fields: object
) -> CustomRate:
    return CustomRate("p", scope, code, version, effective_from, rate, **fields)  # type: ignore[arg-type]


def rule_at(terms: Terms, at: int, digits: str = DIGITS, country: str | None = "US") -> tuple[str, int]:
    resolved = terms.epoch("p", at).resolve(digits, country, LINE)
    assert resolved is not None
    return resolved.rule, resolved.rate_e10


# --- dates --------------------------------------------------------------------------------------------------------


def test_the_first_version_of_a_package_reaches_back_without_limit():
    terms = Terms([package(1, 1000, markup_fixed_e10=1)], [])
    assert rule_at(terms, -(10**9)) == ("markup", 100_000_001)


def test_a_later_version_holds_from_its_first_second_on():
    terms = Terms([package(1, 1000, markup_fixed_e10=1), package(2, 2000, markup_fixed_e10=2)], [])
    assert [rule_at(terms, at)[1] - LINE.rate_e10 for at in (1999, 2000, 2001)] == [1, 2, 2]


def test_a_version_entered_later_for_an_earlier_instant_holds_from_there():
    versions = [package(1, 1000, markup_fixed_e10=1), package(2, 500, markup_fixed_e10=2)]
    assert [rule_at(Terms(versions, []), at)[1] - LINE.rate_e10 for at in (499, 500, 1500)] == [1, 2, 2]


def test_of_two_versions_from_the_same_instant_the_later_recorded_holds():
    versions = [package(n, 1000, markup_fixed_e10=n) for n in (3, 1, 2)]
    assert rule_at(Terms(versions, []), 1000)[1] - LINE.rate_e10 == 3


def test_a_custom_rate_holds_from_its_date_until_it_is_withdrawn():
    rates = [
        custom("prefix", "1305", 7, 2, 100),
        custom("prefix", "1305", None, 3, 200),
        custom("prefix", "1305", 9, 4, 300),
    ]
    terms = Terms([package()], rates)
    assert [rule_at(terms, at)[0] for at in (99, 100, 199, 200, 299, 300)] == [
        "markup", "prefix:1305", "prefix:1305", "markup", "markup", "prefix:1305",
    ]  # fmt: skip
    assert rule_at(terms, 300)[1] == 9


def test_a_longer_prefix_that_is_withdrawn_or_in_the_future_does_not_hide_a_shorter_one():
    rates = [custom("prefix", "1305", 7), custom("prefix", "13055", None), custom("prefix", "130555", 9, 1, 500)]
    terms = Terms([package()], rates)
    assert rule_at(terms, 499) == ("prefix:1305", 7)
    assert rule_at(terms, 500) == ("prefix:130555", 9)


def test_a_rate_of_zero_is_a_rate_and_not_a_withdrawal():
    assert rule_at(Terms([package()], [custom("country", "US", 0)]), 5) == ("country:US", 0)


VERSIONS = st.lists(st.integers(0, 30), min_size=1, max_size=6)
CUSTOMS = st.lists(
    st.tuples(
        st.sampled_from(
            ["prefix:1", "prefix:13", "prefix:1305", "country:US", "country:CA", "group:us", "group:canada"]
        ),
        st.integers(0, 30),
        st.one_of(st.none(), st.integers(0, 99)),
    ),
    max_size=10,
)


@given(
    VERSIONS, CUSTOMS, st.lists(st.integers(-5, 35), min_size=1, max_size=8), st.sampled_from(["US", "CA", None, "GB"])
)
def test_resolving_is_what_reading_the_rules_one_by_one_gives(starts, rates, instants, country):
    versions = [package(n, start, markup_fixed_e10=n) for n, start in enumerate(starts, 1)]
    customs = [custom(*rule.split(":"), rate, n, start) for n, (rule, start, rate) in enumerate(rates, 1)]
    terms = Terms(versions, customs)
    for at in instants:
        past = [each for each in versions[1:] if each.effective_from <= at]
        expected_version = past[-1] if past else versions[0]
        expected = ("markup", LINE.rate_e10 + expected_version.markup_fixed_e10)
        group = {"US": "group:us", "CA": "group:canada"}.get(country or "", "")
        for rule in (group, f"country:{country}", "prefix:1", "prefix:13", "prefix:1305"):
            dated = [each for each in customs if f"{each.scope}:{each.code}" == rule and each.effective_from <= at]
            latest = dated[-1] if dated else None
            if latest and latest.rate_e10 is not None:
                expected = (rule, latest.rate_e10)
        resolved = terms.epoch("p", at).resolve(DIGITS, country, LINE)
        assert resolved is not None
        assert (resolved.rule, resolved.rate_e10) == expected
        assert resolved.package_version == expected_version.version
        assert terms.matching_rules("p", at, DIGITS, country, LINE)[0] == expected


# --- fields -------------------------------------------------------------------------------------------------------


def test_the_pulse_is_the_custom_rates_then_the_packages_then_the_decks():
    def pulse_of(packaged: tuple[int, int], rated: tuple[int, int]) -> tuple[int, int]:
        rate = custom("country", "US", 1, initial=rated[0], increment=rated[1])
        resolved = (
            Terms([package(initial=packaged[0], increment=packaged[1])], [rate])
            .epoch("p", 1)
            .resolve(DIGITS, "US", LINE)
        )
        assert resolved is not None
        return resolved.initial, resolved.increment

    assert pulse_of((30, 6), (1, 1)) == (1, 1)
    assert pulse_of((30, 6), (0, 0)) == (30, 6)
    assert pulse_of((0, 0), (0, 0)) == (60, 60)


def test_the_cost_fields_are_the_decks_whatever_rule_wins():
    resolved = (
        Terms([package(initial=1, increment=1)], [custom("country", "US", 1)]).epoch("p", 1).resolve(DIGITS, "US", LINE)
    )
    assert resolved is not None
    assert (resolved.cost_rate_e10, resolved.cost_initial, resolved.cost_increment, resolved.cost_fee_e8) == LINE[2:6]
    assert (resolved.prefix, resolved.destination, resolved.country) == ("1", "USA", "US")


def test_a_fee_or_minimum_of_zero_is_set_and_an_empty_one_falls_through():
    def charges(packaged: int | None, rated: int | None) -> tuple[int, int]:
        rate = custom("country", "US", 1, connection_fee_e8=rated, minimum_charge_e8=rated)
        version = package(connection_fee_e8=packaged, minimum_charge_e8=packaged, markup_percent_e4=200_000)
        resolved = Terms([version], [rate]).epoch("p", 1).resolve(DIGITS, "US", LINE)
        assert resolved is not None
        return resolved.fee_e8, resolved.minimum_e8

    assert charges(7, 0) == (0, 0)
    assert charges(7, None) == (7, 7)
    assert charges(0, None) == (0, 0)
    assert charges(None, None) == (LINE.fee_e8 * 12 // 10, 0)


def test_terms_are_equal_as_long_as_nothing_changes():
    terms = Terms([package(1), package(2, 100)], [custom("prefix", "1305", 7)])
    assert terms.epoch("p", 1).resolve(DIGITS, "US", LINE) == terms.epoch("p", 99).resolve("13055550000", "US", LINE)
    assert terms.epoch("p", 1).resolve(DIGITS, "US", LINE) != terms.epoch("p", 100).resolve(DIGITS, "US", LINE)


# --- no rate ------------------------------------------------------------------------------------------------------


def test_without_a_deck_line_only_a_custom_rate_fits_and_it_has_no_cost():
    terms = Terms([package()], [custom("prefix", "1305", 7)])
    assert terms.epoch("p", 1).resolve("14165551234", "CA", None) is None
    assert terms.matching_rules("p", 1, "14165551234", "CA", None) == []
    resolved = terms.epoch("p", 1).resolve(DIGITS, "US", None)
    assert resolved is not None
    assert (resolved.rule, resolved.rate_e10, resolved.cost_rate_e10, resolved.fee_e8) == ("prefix:1305", 7, 0, 0)
    assert (resolved.initial, resolved.increment) == DEFAULT_PULSE
    assert terms.matching_rules("p", 1, DIGITS, "US", None) == [MatchingRule("prefix:1305", 7)]


def test_an_unknown_package_has_no_rate():
    terms = Terms([package()], [CustomRate("other", "country", "US", 1, 0, 7)])
    assert terms.stretch("other", 1)[0] is None
    assert terms.matching_rules("other", 1, DIGITS, "US", LINE) == []
    assert terms.package("other", 1) is None
    assert terms.markup("other", 1) is None


def test_custom_rates_of_one_package_do_not_reach_another():
    terms = Terms([package(), PackageVersion("q", 1, 0)], [custom("country", "US", 7)])
    other = terms.epoch("q", 1).resolve(DIGITS, "US", LINE)
    assert other is not None
    assert (other.rule, other.package_id) == ("markup", "q")


# --- prefixes, routes, free minutes -------------------------------------------------------------------------------


def test_a_custom_prefix_longer_than_the_number_does_not_fit():
    terms = Terms([package()], [custom("prefix", DIGITS + "9", 7), custom("prefix", DIGITS, 8)])
    assert rule_at(terms, 1) == (f"prefix:{DIGITS}", 8)
    assert rule_at(terms, 1, DIGITS[:-1])[0] == "markup"


def test_a_short_code_is_fitted_only_by_a_rate_for_exactly_its_digits():
    terms = Terms([package()], [custom("prefix", "4", 7), custom("prefix", "411", 8)])
    assert rule_at(terms, 1, "411", None) == ("prefix:411", 8)
    assert rule_at(terms, 1, "4112", None)[0] == "markup"
    assert rule_at(terms, 1, "4112345", "CH") == ("prefix:411", 8)


def test_every_matching_rule_is_listed_the_winner_first():
    rates = [
        custom("group", "us", 4),
        custom("prefix", "1", 2),
        custom("country", "US", 3),
        custom("prefix", "1305", 1),
    ]
    matching = Terms([package()], rates).matching_rules("p", 1, DIGITS, "US", LINE)
    assert [rule.rule for rule in matching] == ["prefix:1305", "prefix:1", "country:US", "group:us", "markup"]
    assert [rule.rate_e10 for rule in matching] == [1, 2, 3, 4, LINE.rate_e10]


def test_the_route_follows_the_country_and_toll_free_goes_by_the_us():
    cases = {
        ("US", DIGITS): "a",
        ("CA", "14165551234"): "b",
        ("GB", "447911123456"): "c",
        ("PR", "17875551234"): "c",
        (None, "18005551234"): "a",
        (None, "80012345678"): "c",
    }
    assert {case: route_of(("a", "b", "c"), *case) for case in cases} == cases


def test_the_route_is_the_one_in_force_at_the_call():
    terms = Terms([package(1), package(2, 100, routes=("premium", "value", "value"))], [])
    assert [terms.stretch("p", at)[0].package.routes[0] for at in (99, 100)] == ["value", "premium"]


def test_free_minutes_cover_the_countries_of_their_scope_and_never_toll_free():
    assert covers(("us", "canada"), "US") and covers(("us", "canada"), "CA")
    assert not covers(("us", "canada"), "GB") and not covers(("us", "canada"), "PR")
    assert covers(("GB",), "GB") and not covers(("GB",), "US")
    assert not covers(("us", "canada"), None)
    assert not covers((), "US")


def test_a_package_without_free_minutes_covers_nothing():
    for minutes, expected in ((0, False), (1, True)):
        resolved = Terms([package(free_minutes=minutes)], []).epoch("p", 1).resolve(DIGITS, "US", LINE)
        assert resolved is not None
        assert resolved.covered is expected


def test_the_markup_is_the_one_in_force():
    terms = Terms([package(1, markup_percent_e4=5), package(2, 100, markup_fixed_e10=3)], [])
    assert [terms.markup("p", at) for at in (99, 100)] == [Markup(0, 5), Markup(3, 0)]
