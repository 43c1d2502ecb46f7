"""The price list over the API: the same as quotes say, paged, as a file, and to a client without what it costs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

NUMBERS = (
    "+12125550100", "+15145550100", "+14165550100", "+18005550100", "+17875550100", "+442079460000", "+441481960000",
    "+447700900123", "+442079461111", "+19005550100",
)  # fmt: skip
RATES = {
    "prefix/44207946": {"rate_per_minute": "0.015", "pulse": {"initial": 30, "increment": 6}, "grace_seconds": 5},
    "prefix/442079461": {"rate_per_minute": "0.5", "connection_fee": "0.25"},
    "country/GG": {"rate_per_minute": "0.0333", "minimum_charge": "0.10"},
    "group/canada": {"rate_per_minute": "0.0044"},
}


@pytest.fixture
def package(reseller: Any, deck: str) -> str:
    """The path of a package with custom rates of all kinds."""
    body = {"name": "Gold", "markup_fixed": "0.0011", "markup_percent": "23.7", "minimum_charge": "0.01"}
    path = f"/v1/packages/{reseller.made('/v1/packages', body)['id']}"
    for place, rate in RATES.items():
        assert reseller.put(f"{path}/rates/{place}", rate).status == 200
    return path


def rows(api: Any, path: str, query: str = "", limit: int = 200) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"{path}/price-list?limit={limit}{query and '&' + query}{cursor and '&cursor=' + cursor}").json
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next"]
    return found


def look_up(found: list[dict[str, Any]], number: str) -> dict[str, Any]:
    return max((row for row in found if number.startswith("+" + row["prefix"])), key=lambda row: len(row["prefix"]))


def amount_of(row: dict[str, Any], seconds: int) -> int:
    """The price of a call (1e-8) from nothing but its row, by the rules of docs/pricing.md."""
    from chalicelib.money import parse_amount, parse_rate

    if seconds <= row["grace_seconds"]:
        return 0
    initial, increment = row["pulse"]["initial"], row["pulse"]["increment"]
    billed = initial + -(-max(0, seconds - initial) // increment) * increment
    exact = parse_rate(row["rate_per_minute"]) * billed + 6_000 * parse_amount(row["connection_fee"])
    exact = max(exact, 6_000 * parse_amount(row["minimum_charge"] or "0"))
    return (exact + 3_000) // 6_000


def test_the_list_says_what_quotes_say(reseller: Any, package: str) -> None:
    from chalicelib.money import parse_amount

    found = rows(reseller, package)
    rules = set()
    for number in NUMBERS:
        row = look_up(found, number)
        for seconds in (1, 5, 31, 61, 3600):
            quote = reseller.get(f"{package}/quote?number=%2B{number[1:]}&seconds={seconds}").json
            assert (row["rule"], row["rate_per_minute"], row["country"], row["destination"]) == (
                quote["price"]["rule"], quote["price"]["rate_per_minute"], quote["country"],
                quote["cost"]["destination"],
            ), number  # fmt: skip
            assert amount_of(row, seconds) == parse_amount(quote["price"]["amount"]), (number, seconds)
        rules.add(row["rule"])
    assert rules == {"markup", "prefix:44207946", "prefix:442079461", "country:GG", "group:canada"}


@pytest.mark.parametrize("limit", [1, 7, 200])
def test_pages_of_any_size_give_every_row_once_in_order(reseller: Any, package: str, limit: int) -> None:
    found = rows(reseller, package, "prefix=44", limit)
    assert found == rows(reseller, package, "prefix=44")
    prefixes = [row["prefix"] for row in found]
    assert prefixes == sorted(set(prefixes)) and prefixes[0] == "44"
    assert [row for row in rows(reseller, package) if row["prefix"].startswith("44")] == found


def test_the_file_is_the_list(reseller: Any, package: str) -> None:
    reply = reseller.get(f"{package}/price-list?format=csv")
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    listed = rows(reseller, package)
    flat = [{**row, **(row["pulse"] or {"initial": 0, "increment": 0})} for row in listed]
    read = list(csv.DictReader(io.StringIO(reply.text)))
    assert len(read) == len(listed) > 50
    for line, row in zip(read, flat, strict=True):
        assert line == {name: "" if row[name] is None else str(row[name]) for name in line}


def test_a_list_tells_the_prices_of_one_instant(reseller: Any, package: str) -> None:
    later = {"rate_per_minute": "9", "effective_from": "2120-01-01T00:00:00Z"}
    assert reseller.put(f"{package}/rates/prefix/44", later).status == 200
    prices = []
    for at in ("2119-12-31T23:59:59Z", "2120-01-01T00:00:00Z"):
        quote = reseller.get(f"{package}/quote?number=447700900123&seconds=60&at={at}").json["price"]
        prices.append(look_up(rows(reseller, package, f"at={at}&prefix=44", 3), "+447700900123")["rate_per_minute"])
        assert prices[-1] == quote["rate_per_minute"]
    assert prices[0] != prices[1] == "9.00"
    first = reseller.get(f"{package}/price-list?limit=1&prefix=44").json
    assert first["items"][0]["rate_per_minute"] == "0.0261007"


def test_a_client_reads_the_packages_it_has_and_no_cost(reseller: Any, package: str) -> None:
    client = reseller.made("/v1/clients", {})["id"]
    made = reseller.made("/v1/keys", {"role": "client", "client_id": client})
    customer = reseller.with_key(made["api_key"])
    assert customer.get(f"{package}/price-list").status == 404
    reseller.made(f"/v1/clients/{client}/packages", {"package_id": package.rsplit("/", 1)[1]})
    seen, whole = rows(customer, package), rows(reseller, package)
    assert {row["rule"] for row in seen} == {"package", "custom"}
    text = customer.get(f"{package}/price-list?format=csv").text
    assert [line["prefix"] for line in csv.DictReader(io.StringIO(text))] == [row["prefix"] for row in seen]
    assert not any(word in text for word in ("cost", "margin", "markup", "0.0011", "0.0052", "country:", "prefix:"))
    for prefix in (row["prefix"] for row in whole):
        mine, theirs = look_up(seen, f"+{prefix}"), look_up(whole, f"+{prefix}")
        assert {**mine, "prefix": "", "rule": ""} == {**theirs, "prefix": "", "rule": ""}


def test_a_clients_list_has_no_row_that_only_another_rule_makes(reseller: Any, package: str) -> None:
    assert reseller.put(f"{package}/rates/prefix/44207", RATES["country/GG"]).status == 200
    assert reseller.put(f"{package}/rates/prefix/442071", RATES["country/GG"]).status == 200
    client = reseller.made("/v1/clients", {})["id"]
    reseller.made(f"/v1/clients/{client}/packages", {"package_id": package.rsplit("/", 1)[1]})
    customer = reseller.with_key(reseller.made("/v1/keys", {"role": "client", "client_id": client})["api_key"])
    assert {"44207", "442071"} <= {row["prefix"] for row in rows(reseller, package, "prefix=4420")}
    seen = {row["prefix"] for row in rows(customer, package, "prefix=4420")}
    assert "44207" in seen and "442071" not in seen


def test_an_unknown_or_strange_package_and_a_wrong_prefix_are_refused(
    operator: Any, reseller: Any, package: str
) -> None:
    other = operator.made("/v1/resellers", {"name": "Other", "email": "b@other.example"})
    assert operator.with_key(other["api_key"]).get(f"{package}/price-list").status == 404
    assert reseller.get("/v1/packages/nothing/price-list").status == 404
    for wrong in ("", "abc", "++44", "1" * 16):
        reply = reseller.get(f"{package}/price-list?prefix={wrong}")
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, "prefix")


def test_a_list_that_no_answer_can_carry_is_413_and_says_what_to_do(
    reseller: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.rating.pricing import price_list

    monkeypatch.setattr(price_list, "MOST_ROWS", 10)
    refused = reseller.get(f"{package}/price-list?format=csv")
    assert refused.status == 413 and "prefix=44" in refused.json["detail"]
    assert reseller.get(f"{package}/price-list?format=csv&prefix=4420").status == 200
