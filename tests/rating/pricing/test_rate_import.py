"""A file of custom rates: read strictly, shown first, taken whole, once, and written back as it was read."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from faults import Killed, at_once, counted, killed_at

FILE = (
    "Scope;CODE;rate_per_minute;pulse;connection_fee;minimum_charge;grace_seconds;effective_from\n"
    "prefix;+1514;$0,0123;60/60;0,25;1.000,00;5;\n"
    "country;gb;0,015;;;;;2026-03-01T00:00:00Z\n"
    "group;Canada;0,02;;;;;\n"
)
COMMA = {"number_format": "1.208,20"}
SHOWN = [
    ("country", "GB", "0.015", None, None, None, 0, "2026-03-01T00:00:00Z"),
    ("group", "canada", "0.02", None, None, None, 0, None),
    ("prefix", "1514", "0.0123", {"initial": 60, "increment": 60}, "0.25", "1000.00", 5, None),
]


@pytest.fixture
def make(operator: Any, deck: str) -> Any:
    """Makes equal resellers with a package, and the path of its rates."""

    def made() -> tuple[Any, str]:
        reseller = operator.made("/v1/resellers", {"name": "Voix", "email": "a@voix.example"})
        api = operator.with_key(reseller["api_key"])
        api.ids["reseller"] = reseller["id"]
        return api, f"/v1/packages/{api.made('/v1/packages', {'name': 'Gold', 'markup_percent': '20'})['id']}/rates"

    return made


@pytest.fixture
def rates(make: Any) -> tuple[Any, str]:
    return make()


def shown(api: Any, path: str) -> list[tuple[Any, ...]]:
    return [tuple(one.values()) for one in api.get(f"{path}?limit=200").json["items"]]


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer[name] for name in ("lines", "new", "changed", "unchanged", "at_a_loss"))


def test_a_dry_run_says_what_would_change_and_changes_nothing(rates: tuple[Any, str]) -> None:
    api, path = rates
    api.put(f"{path}/prefix/1514", {"rate_per_minute": "0.01"})
    before = shown(api, path)
    told = api.post(f"{path}/import", {"rates": FILE, **COMMA}).json
    assert told["dry_run"] is True
    assert counts(told) == (3, 2, 1, 0, 1)
    assert [(one["line"], one["code"], one["old_rate"], one["new_rate"]) for one in told["changes"]] == [
        (2, "1514", "0.01", "0.0123"), (3, "GB", None, "0.015"), (4, "canada", None, "0.02"),
    ]  # fmt: skip
    (loss,) = told["losses"]
    assert tuple(loss.values()) == (3, "country", "GB", "0.015", "44", "UK", "0.02")
    assert shown(api, path) == before


def test_an_import_is_what_puts_would_have_made_and_prices_calls(rates: tuple[Any, str]) -> None:
    api, path = rates
    made = api.post(f"{path}/import", {"rates": FILE, "dry_run": False, **COMMA})
    assert (made.status, counts(made.json), made.json["dry_run"]) == (200, (3, 3, 0, 0, 1), False)
    assert shown(api, path) == SHOWN
    quote = api.get(f"{path.removesuffix('/rates')}/quote?number=%2B15145550100&seconds=61").json["price"]
    assert (quote["rule"], quote["rate_per_minute"], quote["billed_seconds"]) == ("prefix:1514", "0.0123", 120)
    assert api.get(f"{path}/country/GB").json["rate_per_minute"] == "0.015"
    assert api.delete(f"{path}/country/GB").status == 204
    assert api.get(f"{path}/country/GB").status == 404
    assert api.put(f"{path}/prefix/1514", {"rate_per_minute": "0.5"}).json["rate_per_minute"] == "0.50"
    assert api.get(f"{path}/prefix/1514").json["rate_per_minute"] == "0.50"


def test_an_exported_file_imports_as_no_change(rates: tuple[Any, str]) -> None:
    api, path = rates
    api.post(f"{path}/import", {"rates": FILE, "dry_run": False, **COMMA})
    api.put(f"{path}/prefix/44", {"rate_per_minute": "1.125", "effective_from": "2091-01-01T00:00:00Z"})
    api.put(f"{path}/prefix/1514", {"rate_per_minute": "0.01", "effective_from": "2091-01-01T00:00:00Z"})
    exported = api.get(f"{path}?format=csv")
    assert exported.headers["Content-Type"].startswith("text/csv")
    assert exported.text.splitlines()[1] == "country,GB,0.015,,,,0,2026-03-01T00:00:00Z"
    again = api.post(f"{path}/import", {"rates": exported.text, "dry_run": False}).json
    assert (counts(again)[:4], again["changes"]) == ((4, 0, 0, 4), [])
    assert api.get(f"{path}?format=csv").text == exported.text


def test_every_wrong_line_is_named_with_code_value_and_remedy_and_nothing_is_taken(rates: tuple[Any, str]) -> None:
    api, path = rates
    text = (
        "scope,code,rate_per_minute,pulse,connection_fee,grace_seconds,effective_from\n"
        "prefix,1514,0.01,,,,\nplanet,1,0.01,,,,\nprefix,1.5E+10,0.01,,,,\ncountry,XX,0.01,,,,\n"
        'prefix,33,"0,01",60,-1,x,tomorrow\nprefix,+1514,0.02,,,,\nprefix,34,,,,,\nshort,1\n'
    )
    told = api.post(f"{path}/import", {"rates": text}).json["errors"]
    assert [(one["line"], one["column"], one["code"], one["value"]) for one in told] == [
        (3, "scope", "bad_scope", "planet"),
        (4, "code", "bad_code", "1.5E+10"),
        (5, "code", "bad_code", "XX"),
        (6, "connection_fee", "bad_connection_fee", "-1"),
        (6, "effective_from", "bad_effective_from", "tomorrow"),
        (6, "grace_seconds", "bad_grace_seconds", "x"),
        (6, "pulse", "bad_pulse", "60"),
        (6, "rate_per_minute", "bad_rate_per_minute", "0,01"),
        (7, "code", "duplicate", "1514"),
        (8, "rate_per_minute", "missing", ""),
        (9, "", "unreadable", ""),
    ]
    assert all(one["message"] for one in told)
    refused = api.post(f"{path}/import", {"rates": text, "dry_run": False})
    assert (refused.status, len(refused.json["errors"])) == (422, len(told))
    assert 'line 6, pulse: bad_pulse: "60" must be two numbers' in refused.text.replace("\\", "")
    assert shown(api, path) == []


def test_cost_below_a_longer_rate_is_not_that_of_the_shorter_one(rates: tuple[Any, str]) -> None:
    """1 costs 0.01 and 1212 less: who sells 1212 apart sells the rest of 1 at the cost of 1."""
    api, path = rates
    text = "scope,code,rate_per_minute\nprefix,1212,0.006\nprefix,1,0.0099\ngroup,us,0.001\nprefix,502,0.2\n"
    losses = api.post(f"{path}/import", {"rates": text}).json["losses"]
    assert [(one["code"], one["prefix"], one["cost"]) for one in losses] == [("1", "1", "0.01"), ("502", "502", "0.25")]


def test_twenty_thousand_rates_are_one_version(rates: tuple[Any, str]) -> None:
    from chalicelib.accounts.service import term_versions

    api, path = rates
    before = term_versions.head_of(api.ids["reseller"]).version
    lines = "".join(f"prefix,{code},0.{code},60/6\n" for code in range(2_000_000, 2_020_000))
    made = api.post(f"{path}/import", {"rates": f"scope,code,rate_per_minute,pulse\n{lines}", "dry_run": False})
    assert (made.status, made.json["new"], len(made.json["changes"])) == (200, 20_000, 500), made.text[:300]
    assert term_versions.head_of(api.ids["reseller"]).version == before + 1
    assert api.get(f"{path}/prefix/2019999").json["rate_per_minute"] == "0.2019999"
    exported = api.get(f"{path}?format=csv").text
    assert exported.count("\n") == 20_001
    assert counts(api.post(f"{path}/import", {"rates": exported}).json)[:4] == (20_000, 0, 0, 20_000)
    more = api.post(
        f"{path}/import", {"rates": f"scope,code,rate_per_minute\n{lines}prefix,9,1\n".replace(",60/6", "")}
    )
    assert [one["code"] for one in more.json["errors"]] == ["too_many_lines"]


def run(api: Any, path: str) -> Any:
    from chalicelib.aws.transactions import Scope
    from chalicelib.rating.pricing import rate_import

    package_id = path.split("/")[3]
    return rate_import.run(
        Scope("test", 1_790_000_000), api.ids["reseller"], package_id, FILE, "1.208,20", dry_run=False
    )


def test_killed_at_any_call_a_reader_has_all_rates_or_none_and_the_repeat_has_all(make: Any, monkeypatch: Any) -> None:
    from chalicelib.rating.pricing import store

    # So that even three rates take several items.
    monkeypatch.setattr(store, "RATES_PER_SHEET", 1)
    api, path = make()
    with counted() as made:
        run(api, path)
    assert [operation for operation in made if operation.startswith("TransactWrite")] == ["TransactWriteItems"]
    for call, answered in itertools.product(range(len(made)), (False, True)):
        api, path = make()
        with pytest.raises(Killed), killed_at(call, answered=answered):
            run(api, path)
        assert shown(api, path) in ([], SHOWN)
        run(api, path)
        assert shown(api, path) == SHOWN
        assert imported(api) == 1


def test_imports_at_once_are_one(make: Any) -> None:
    api, path = make()
    at_once([lambda: run(api, path)] * 4)
    assert shown(api, path) == SHOWN
    assert imported(api) == 1


def imported(api: Any) -> int:
    """How many imports of rates the audit trail has."""
    from chalicelib.aws.transactions import Event

    return sum(item.kind == "rates.imported" for item in Event.under(*Event.of_owner(api.ids["reseller"])))


def test_a_batch_that_pinned_older_terms_is_not_priced_by_the_import(rates: tuple[Any, str]) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.rating.pricing.store import rates_upto

    api, path = rates
    pinned = term_versions.head_of(api.ids["reseller"]).version
    run(api, path)
    assert rates_upto(api.ids["reseller"], pinned) == []
    assert len(rates_upto(api.ids["reseller"], pinned + 1)) == 3


def test_roles_and_strangers(rates: tuple[Any, str], make: Any, operator: Any) -> None:
    api, path = rates
    run(api, path)
    stranger, _ = make()
    readonly = api.with_key(api.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    client_id = api.made("/v1/clients", {})["id"]
    client = api.with_key(api.made("/v1/keys", {"role": "client", "client_id": client_id})["api_key"])
    body = {"rates": FILE, **COMMA, "dry_run": False}
    assert [who.post(f"{path}/import", body).status for who in (stranger, readonly, client, operator)] == [
        404, 403, 403, 403,
    ]  # fmt: skip
    assert [who.get(f"{path}?format=csv").status for who in (stranger, readonly, client, operator)] == [
        404, 200, 403, 403,
    ]  # fmt: skip
