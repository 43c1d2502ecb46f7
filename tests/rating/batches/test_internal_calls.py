"""Calls to extensions and to short numbers, from the file to the ledgers."""

from __future__ import annotations

from builders import World, csv_file, line


def called(world: World) -> dict[str, tuple[str, int, int, str]]:
    """By number called: rule, amount, cost and country of the calls of alice."""
    from chalicelib.calls import index
    from chalicelib.calls.store import segments_of

    segments = segments_of(world.clients["alice"], "0", "9")
    calls = [call for segment in segments for call in index.read(segment)]
    return {call.to_number: (call.rule, call.amount_e8, call.cost_e8, call.country) for call in calls}


def test_a_call_to_an_extension_is_not_billed_as_a_call_to_the_country_of_its_digits(world):
    extensions = ("447", "1900", "502", "*97", "s", "bob")
    batch = world.rate(csv_file(*(line(to, seconds=600, to=to) for to in extensions)))
    assert (batch.rated, batch.internal, batch.revenue_e8, batch.cost_e8) == (6, 6, 0, 0)
    assert called(world) == dict.fromkeys(extensions, ("internal", 0, 0, ""))


def test_a_short_number_and_an_emergency_number_are_no_internal_calls(world):
    batch = world.rate(csv_file(line("1", to="411"), line("2", to="+41446681800"), line("3", to="911")))
    assert called(world) == {"411": ("markup", 60_000_000, 50_000_000, ""), "911": ("emergency", 0, 0, "")}
    assert (batch.rated, batch.rejected, batch.internal) == (2, 1, 0), "no prefix of the deck fits +41"


def test_internal_calls_spend_no_free_minutes(world):
    world.package("minutes", free_minutes=1, free_minutes_scope=["GT", "US"])
    world.client("free", "minutes")
    rated = world.rate(csv_file(line("1", "free", 60, to="502"), line("2", "free", 60)))
    assert (rated.internal, rated.revenue_e8) == (1, 0), "the minute is left for the call to New York"


def test_internal_calls_are_counted_without_copies_and_again_after_rating_again(world):
    body = csv_file(line("1", to="502"), line("1", to="502"), line("2", to="503", disposition="BUSY", seconds=0))
    batch = world.rate(body)
    assert (batch.rated, batch.duplicates, batch.internal) == (2, 1, 2)
    again = world.rate(body)
    assert (again.rated, again.duplicates, again.internal) == (0, 3, 0)
    assert world.rerate(batch).internal == 2


def test_a_cost_that_the_record_states_for_an_internal_call_is_not_taken(world):
    from chalicelib.accounts.store.owners import Reseller

    reseller = Reseller.get(f"R#{world.reseller_id}", "RESELLER")
    reseller.update(actions=[Reseller.cost_source.set("record")])
    header = "call_id,start,direction,account,from,to,disposition,seconds,cost\n"
    rows = [line("1", to="502") + ",0.7", line("2", to="911") + ",0.7", line("3", to="503") + ","]
    batch = world.rate((header + "\n".join(rows)).encode())
    assert (batch.rated, batch.cost_e8, batch.revenue_e8) == (3, 0, 0)
