"""Packages: their fields, and the dated versions of what in them prices a call."""

from __future__ import annotations

from typing import Any

import pytest

FULL = {
    "name": "Everything",
    "public_name": "All in",
    "markup_fixed": "-0.001",
    "markup_percent": "12.3456",
    "rate_decimals": 4,
    "pulse": {"initial": 60, "increment": 6},
    "monthly_fee": "9.99",
    "setup_fee": "5.00",
    "free_minutes": 100,
    "free_minutes_scope": ["us", "FR"],
    "connection_fee": "0.01",
    "minimum_charge": "0.02",
    "call_decimals": 4,
    "routes": {"us": "premium", "canada": "value", "international": "premium"},
}


def versions(reseller: Any, package_id: str) -> list[Any]:

    from chalicelib.accounts.service import term_versions

    reseller_id = reseller.ids["reseller"]
    upto = int(term_versions.head_of(reseller_id).version)
    return [row for row in term_versions.packages(reseller_id, upto) if row.package_id == package_id]


def test_a_package_answers_what_it_was_given(reseller: Any) -> None:
    made = reseller.made("/v1/packages", FULL)
    assert {name: made[name] for name in FULL} == FULL
    assert reseller.get(f"/v1/packages/{made['id']}").json == made
    assert reseller.get("/v1/packages").json == {"items": [made], "next": None}


def test_a_package_needs_only_a_name(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "Plain"})
    assert {name: made[name] for name in made if name not in ("id", "created_at")} == {
        "name": "Plain",
        "public_name": "Plain",
        "warnings": [],
        "markup_fixed": "0.00",
        "markup_percent": "0.00",
        "rate_decimals": 10,
        "pulse": None,
        "monthly_fee": "0.00",
        "setup_fee": "0.00",
        "free_minutes": 0,
        "free_minutes_scope": ["us", "canada"],
        "connection_fee": None,
        "minimum_charge": None,
        "call_decimals": 8,
        "routes": {"us": "value", "canada": "value", "international": "value"},
        "upcoming": [],
    }


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("markup_fixed", 0.01, "markup_fixed"),
        ("markup_fixed", "1001", "markup_fixed"),
        ("markup_percent", "-100.0001", "markup_percent"),
        ("markup_percent", "1.00001", "markup_percent"),
        ("markup_percent", 20, "markup_percent"),
        ("rate_decimals", 3, "rate_decimals"),
        ("rate_decimals", 11, "rate_decimals"),
        ("monthly_fee", 10, "monthly_fee"),
        ("monthly_fee", "-1", "monthly_fee"),
        ("setup_fee", "1e3", "setup_fee"),
        ("connection_fee", "1000.00000001", "connection_fee"),
        ("pulse", {"initial": 0, "increment": 6}, "pulse.initial"),
        ("pulse", {"initial": 6}, "pulse.increment"),
        ("pulse", {"initial": "6", "increment": 6}, "pulse.initial"),
        ("free_minutes", -1, "free_minutes"),
        ("free_minutes", 1.5, "free_minutes"),
        ("free_minutes_scope", ["usa"], "free_minutes_scope"),
        ("free_minutes_scope", None, "free_minutes_scope"),
        ("call_decimals", 1, "call_decimals"),
        ("call_decimals", 9, "call_decimals"),
        ("routes", {"us": "gold"}, "routes.us"),
        ("name", "", "name"),
        ("currency", "EUR", "currency"),
    ],
)
def test_a_wrong_field_is_422_and_named(reseller: Any, field: str, value: Any, named: str) -> None:
    made = reseller.made("/v1/packages", {"name": "P"})
    for reply in (
        reseller.post("/v1/packages", {"name": "P", field: value}),
        reseller.patch(f"/v1/packages/{made['id']}", {field: value}),
    ):
        assert reply.status == 422
        assert [error["field"] for error in reply.json["errors"]] == [named]


def test_the_first_version_reaches_back_and_a_later_one_starts_when_asked(reseller: Any) -> None:
    from chalicelib.dated import FIRST
    from chalicelib.periods import parse_instant

    made = reseller.made("/v1/packages", {"name": "P", "markup_percent": "20", "call_decimals": 4})
    path, since = f"/v1/packages/{made['id']}", "2026-01-01T00:00:00Z"
    changed = reseller.patch(path, {"markup_percent": "30", "effective_from": since})
    assert changed.json["markup_percent"] == "30.00"
    first, second = versions(reseller, made["id"])
    assert (first.effective_from, first.price["markup_percent_e4"]) == (FIRST, 200_000)
    assert (second.effective_from, second.price["markup_percent_e4"]) == (parse_instant(since), 300_000)
    assert second.price == {**first.price, "markup_percent_e4": 300_000}
    assert first.version < second.version


def test_a_change_without_a_date_starts_now(reseller: Any) -> None:
    import time

    made = reseller.made("/v1/packages", {"name": "P"})
    reseller.patch(f"/v1/packages/{made['id']}", {"pulse": {"initial": 1, "increment": 1}})
    _, second = versions(reseller, made["id"])
    assert abs(second.effective_from - time.time()) < 3600
    reseller.patch(f"/v1/packages/{made['id']}", {"pulse": None, "connection_fee": "0.05"})
    third = versions(reseller, made["id"])[2]
    assert (third.price["pulse"], third.price["connection_fee_e8"]) == (None, 5_000_000)


def test_name_and_monthly_fees_are_not_dated(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "P"})
    path = f"/v1/packages/{made['id']}"
    changed = reseller.patch(path, {"name": "Q", "monthly_fee": "3", "setup_fee": "4"}).json
    assert (changed["name"], changed["monthly_fee"], changed["setup_fee"]) == ("Q", "3.00", "4.00")
    assert reseller.get(path).json == changed
    assert len(versions(reseller, made["id"])) == 1
    refused = reseller.patch(path, {"name": "R", "effective_from": "2026-01-01T00:00:00Z"})
    assert refused.json["errors"][0]["field"] == "effective_from"


@pytest.mark.parametrize("value", ["yesterday", 1_790_000_000, "2026-01-01T00:00:00"])
def test_a_date_without_an_offset_or_in_another_form_is_422(reseller: Any, package: Any, value: Any) -> None:
    body = {"markup_percent": "1", "effective_from": value}
    reply = reseller.patch(f"/v1/packages/{package['id']}", body)
    assert reply.json["errors"][0]["field"] == "effective_from"


def test_a_package_in_use_is_not_deleted_and_one_out_of_use_keeps_its_versions(
    reseller: Any, client: dict[str, Any], package: dict[str, Any]
) -> None:
    reseller.made(f"/v1/clients/{client['id']}/packages", {"package_id": package["id"]})
    path = f"/v1/packages/{package['id']}"
    refused = reseller.delete(path)
    assert refused.status == 409
    assert client["id"] in refused.json["detail"]
    assert reseller.delete(f"/v1/clients/{client['id']}/packages/{package['id']}").status == 204
    assert reseller.delete(path).status == 204
    assert [reply.status for reply in (reseller.get(path), reseller.delete(path))] == [404, 404]
    assert reseller.patch(path, {"name": "X"}).status == 404
    assert len(versions(reseller, package["id"])) == 1


def test_a_strangers_package_is_404(reseller: Any, other: Any, package: dict[str, Any]) -> None:
    path = f"/v1/packages/{package['id']}"
    tries = [other.get(path), other.patch(path, {"name": "X"}), other.delete(path)]
    assert [reply.status for reply in tries] == [404] * 3
    assert other.get("/v1/packages").json["items"] == []
    assert reseller.get(path).json["name"] == "Gold"


def prices_at(reseller: Any, package_id: str, *days: str) -> list[tuple[int, int | None]]:
    """Markup percent and connection fee by which rating prices calls on some days."""
    from chalicelib.accounts.service import term_versions
    from chalicelib.periods import parse_instant
    from chalicelib.rating.pricing import loading

    reseller_id = reseller.ids["reseller"]
    found = loading.terms(reseller_id, int(term_versions.head_of(reseller_id).version))
    packages = [found.package(package_id, parse_instant(f"{day}T00:00:00Z")) for day in days]
    return [(each.markup_percent_e4 // 10_000, each.connection_fee_e8) for each in packages if each]


def test_a_price_to_come_is_shown_apart_and_outlives_a_change_of_other_fields_now(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "P", "markup_percent": "20"})
    path = f"/v1/packages/{made['id']}"
    later = reseller.patch(path, {"markup_percent": "30", "effective_from": "2091-01-01T00:00:00Z"}).json
    assert later["markup_percent"] == "20.00"
    (upcoming,) = later["upcoming"]
    assert (upcoming["effective_from"], upcoming["markup_percent"]) == ("2091-01-01T00:00:00Z", "30.00")
    assert reseller.get(path).json == later
    assert reseller.get("/v1/packages").json["items"] == [later]
    now = reseller.patch(path, {"connection_fee": "0.05"}).json
    assert (now["markup_percent"], now["connection_fee"]) == ("20.00", "0.05")
    assert [(each["markup_percent"], each["connection_fee"]) for each in now["upcoming"]] == [("30.00", "0.05")]
    fees = prices_at(reseller, made["id"], "2020-01-01", "2090-01-01", "2091-06-01")
    assert fees == [(20, None), (20, 5_000_000), (30, 5_000_000)]


def test_a_backdated_change_holds_from_its_date_on_whatever_was_recorded_before(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "P", "markup_percent": "20"})
    path = f"/v1/packages/{made['id']}"
    reseller.patch(path, {"markup_percent": "30", "effective_from": "2026-06-01T00:00:00Z"})
    reseller.patch(path, {"connection_fee": "0.01", "effective_from": "2026-08-01T00:00:00Z"})
    shown = reseller.patch(path, {"markup_percent": "40", "effective_from": "2026-07-01T00:00:00Z"}).json
    assert (shown["markup_percent"], shown["connection_fee"], shown["upcoming"]) == ("40.00", "0.01", [])
    days = ("2026-05-01", "2026-06-15", "2026-07-15", "2026-08-15")
    assert prices_at(reseller, made["id"], *days) == [(20, None), (30, None), (40, None), (40, 1_000_000)]


def test_a_price_to_come_is_in_force_when_its_day_has_come(reseller: Any) -> None:
    from chalicelib.accounts.service import packages
    from chalicelib.periods import parse_instant

    made = reseller.made("/v1/packages", {"name": "P", "markup_percent": "20"})
    for year, percent in (("2091", "30"), ("2092", "40")):
        body = {"markup_percent": percent, "effective_from": f"{year}-01-01T00:00:00Z"}
        reseller.patch(f"/v1/packages/{made['id']}", body)
    seen = []
    for day in ("2090-12-31T23:59:59Z", "2091-01-01T00:00:00Z", "2092-01-01T00:00:00Z"):
        item = packages.at(packages.get(reseller.ids["reseller"], made["id"]), parse_instant(day))
        seen.append((item.price["markup_percent_e4"] // 10_000, len(item.upcoming)))
    assert seen == [(20, 2), (30, 1), (40, 0)]


def test_too_many_versions_to_come_are_refused(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "P"})
    path = f"/v1/packages/{made['id']}"
    for n in range(50):
        body = {"markup_percent": "1", "effective_from": f"{2100 + n}-01-01T00:00:00Z"}
        assert reseller.patch(path, body).status == 200
    refused = reseller.patch(path, {"markup_percent": "2"})
    assert refused.status == 409
    assert "50 later versions" in refused.json["detail"]
    assert reseller.patch(path, {"markup_percent": "2", "effective_from": "2101-01-01T00:00:00Z"}).status == 200


def test_a_custom_rate_is_shown_as_it_is_in_force_or_as_it_will_be(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "P"})
    listing = f"/v1/packages/{made['id']}/rates"
    path = f"{listing}/country/FR"

    def shown() -> Any:
        one = reseller.get(path)
        items = reseller.get(listing).json["items"]
        assert items == ([one.json] if one.status == 200 else [])
        return one.json["rate_per_minute"] if one.status == 200 else None

    reseller.put(path, {"rate_per_minute": "0.03", "effective_from": "2091-01-01T00:00:00Z"})
    assert shown() == "0.03"
    reseller.put(path, {"rate_per_minute": "0.02", "effective_from": "2026-01-01T00:00:00Z"})
    reseller.put(path, {"rate_per_minute": "0.04", "effective_from": "2092-01-01T00:00:00Z"})
    assert shown() == "0.02"
    assert reseller.delete(path).status == 204
    assert shown() is None
    assert reseller.delete(path).status == 404
    reseller.put(path, {"rate_per_minute": "0.05"})
    assert shown() == "0.05"


def test_a_new_name_is_answered_with_the_price_that_is_in_force_by_then(reseller: Any) -> None:
    from chalicelib import periods
    from chalicelib.accounts.service import packages
    from chalicelib.accounts.shapes.packages import PackagePatch
    from chalicelib.aws.transactions import Scope

    made = reseller.made("/v1/packages", {"name": "Old", "markup_percent": "10"})
    later = {"markup_percent": "30", "effective_from": "2091-01-01T00:00:00Z"}
    assert reseller.patch(f"/v1/packages/{made['id']}", later).status == 200
    scope = Scope("test", now=periods.parse_instant("2091-01-02T00:00:00Z"))
    item = packages.patch(scope, reseller.ids["reseller"], made["id"], PackagePatch(name="New"))
    assert (item.name, item.price["markup_percent_e4"], item.upcoming) == ("New", 300_000, [])


def test_clients_see_the_name_of_a_package_unless_it_has_a_public_one(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "Inside"})
    path = f"/v1/packages/{made['id']}"
    assert made["public_name"] == "Inside"
    assert reseller.patch(path, {"name": "Wholesale"}).json["public_name"] == "Wholesale"
    assert reseller.patch(path, {"public_name": "Gold"}).json["public_name"] == "Gold"
    assert reseller.patch(path, {"name": "Other"}).json["public_name"] == "Gold"
    assert reseller.patch(path, {"public_name": None}).json["public_name"] == "Other"
    assert len(versions(reseller, made["id"])) == 1


def test_a_public_name_that_holds_the_markup_is_warned_of_for_as_long_as_it_does(reseller: Any) -> None:
    made = reseller.made("/v1/packages", {"name": "Retail 20%", "markup_percent": "20"})
    path = f"/v1/packages/{made['id']}"
    (warning,) = made["warnings"]
    assert warning.keys() == {"field", "code", "message"}
    assert (warning["field"], warning["code"]) == ("public_name", "gives_markup_away")
    assert reseller.get("/v1/packages").json["items"][0]["warnings"] == [warning]
    assert reseller.patch(path, {"public_name": "Retail"}).json["warnings"] == []
    assert reseller.patch(path, {"public_name": "Retail 30"}).json["warnings"] == []
    later = {"markup_percent": "30", "effective_from": "2120-01-01T00:00:00Z"}
    assert reseller.patch(path, later).json["warnings"] == [warning]
