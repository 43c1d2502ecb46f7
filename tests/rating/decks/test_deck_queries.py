"""What is shown of decks: which counts, their lines, and what they change."""

from __future__ import annotations

from typing import Any

import pytest
from builders import NOW, World
from dropped_decks import SAME, confirm, dropped, far_day, shown, take, withdraw

from chalicelib.aws import objects
from chalicelib.errors import Invalid

pytestmark = pytest.mark.usefixtures("alone")


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


def test_a_deck_says_how_many_of_its_lines_are_sold_below_cost_and_where_they_are(
    world: World, operator: Any, reseller: Any
) -> None:
    for markup in ("5", "-10"):
        package = reseller.made("/v1/packages", {"name": f"markup {markup}", "markup_percent": markup})["id"]
    uk = f"/v1/packages/{package}/rates/country/GB"
    assert reseller.put(uk, {"rate_per_minute": "0.019"}).status == 200
    held = take(*dropped(far_day(), cost_currency="EUR"))
    path = f"/v1/decks/{held.deck_id}"
    assert operator.get(path).json["below_cost"] is None
    below = {"prefixes": 5, "packages": 1, "complete": True, "url": f"{path}/losses"}
    published = operator.post(f"{path}/publish", {"fx": "1"})
    assert (published.status, published.json["below_cost"]) == (200, below)
    assert operator.get(path).json["below_cost"] == below
    losses = operator.get(below["url"]).json["items"]
    assert [(loss["package_id"], loss["rule"], loss["lines"]) for loss in losses] == [
        (package, "country:GB", 1), (package, "markup", 4),
    ]  # fmt: skip
    operator.delete(path)
    assert operator.get(path).json["below_cost"] is None


def test_losses_of_more_resellers_than_one_request_looks_at_are_on_the_next_page(
    world: World, operator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.rating.pricing import loss_guard

    def with_losses(name: str) -> str:
        made = operator.made("/v1/resellers", {"name": name, "email": "a@voix.example"})
        body = {"name": "Low", "markup_percent": "-10"}
        return str(operator.with_key(made["api_key"]).made("/v1/packages", body)["id"])

    packages = {with_losses("Voix"), with_losses("Zoix")}
    monkeypatch.setattr(loss_guard, "MOST_LINES", 1)
    path = f"/v1/decks/{take(*dropped(far_day())).deck_id}"
    first = operator.get(path).json["below_cost"]
    assert (first["complete"], first["packages"] <= 1) == (False, True)
    found, cursor = set[str](), ""
    while cursor is not None:
        page = operator.get(f"{path}/losses{cursor and '?cursor=' + cursor}").json
        found, cursor = found | {loss["package_id"] for loss in page["items"]}, page["next"]
    assert packages <= found
